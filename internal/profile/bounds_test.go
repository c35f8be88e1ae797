package profile

import (
	"fmt"
	"strings"
	"testing"
)

func TestAProfileHasSoManyAttributes(t *testing.T) {
	w := newWorld(t)
	set := func(user string, first, n int) error {
		c := Call{Workspace: testWorkspace, Who: Who{UserID: user}, At: epoch, Received: epoch}
		for i := range n {
			c.Set = append(c.Set, Setting{Name: fmt.Sprint("a", first+i), Value: "1"})
		}
		_, err := w.try(c)
		return err
	}
	if err := set("u1", 0, MaxAttributes-1); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, set("u1", MaxAttributes-1, 2), "too_many_attributes")
	if err := set("u1", MaxAttributes-1, 1); err != nil {
		t.Errorf("the last one: %v", err)
	}
	wantRefused(t, set("u1", MaxAttributes, 1), "too_many_attributes")
	if err := set("u1", 0, MaxAttributes); err != nil {
		t.Errorf("those that are there: %v", err)
	}
	wantRefused(t, set("u2", 0, MaxAttributes+1), "too_many_attributes")
}

// text is a JSON string of n bytes.
func text(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

func TestAttributesOfAProfileHaveSoManyBytes(t *testing.T) {
	w := newWorld(t)
	at := int64(0)
	try := func(who Who, settings ...Setting) error {
		at++
		_, err := w.try(Call{Who: who, At: epoch + at*second, Set: settings})
		return err
	}
	taken := func(what string, who Who, settings ...Setting) {
		t.Helper()
		if err := try(who, settings...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	const half = MaxAttributeBytes/2 - 1 // beside a name of one byte
	taken("one half", user("u"), Setting{Name: "a", Value: text(half)})
	wantRefused(t, try(user("u"), Setting{Name: "b", Value: text(half + 1)}), "attributes_too_large")
	taken("the other half", user("u"), Setting{Name: "b", Value: text(half)})
	wantRefused(t, try(user("u"), Setting{Name: "c", Value: "1"}), "attributes_too_large")
	taken("in place of another", user("u"), Setting{Name: "b", Value: text(half)})
	wantRefused(t, try(user("u"), Setting{Name: "b", Change: func(current string) (string, bool) { return text(len(current) + 1), true }}), "attributes_too_large")
	taken("a removal", user("u"), Setting{Name: "b", Value: "null"})
	taken("what has room then", user("u"), Setting{Name: "c", Value: "1"})
	w.do(track(user("u"), "an event", 1))

	// Of an anonymous id, earlier values stay.
	taken("the first of a device", anonymous("a"), Setting{Name: "a", Value: text(half)})
	taken("the second", anonymous("a"), Setting{Name: "a", Value: text(half)})
	again := w.receive(Call{Who: anonymous("a"), At: epoch + at*second, Set: []Setting{{Name: "a", Value: text(half)}}})
	if _, err := w.try(again); err != nil {
		t.Errorf("the second once more: %v", err)
	}
	wantRefused(t, try(anonymous("a"), Setting{Name: "a", Value: text(half)}), "attributes_too_large")

	// Of a profile, what its members bring counts as well.
	wantRefused(t, func() error { _, err := w.try(identify("a", "u", 1)); return err }(), "attributes_too_large")
	w.do(identify("a", "v", 1))
	wantRefused(t, try(user("v"), Setting{Name: "b", Value: text(half + 1)}), "attributes_too_large")
	taken("the other half", user("v"), Setting{Name: "b", Value: text(half)})
	alias := Who{Alias: AliasOf("l", "n").Value}
	taken("an alias", alias, Setting{Name: "c", Value: "1"})
	_, err := w.name(Naming{UserID: "v", Subject: alias})
	wantRefused(t, err, "attributes_too_large")
	for _, p := range w.all() {
		for _, size := range []int{p.Own.Attributes.size(), p.Total.Attributes.size()} {
			if size > MaxAttributeBytes {
				t.Errorf("part %d has %d bytes of attributes", p.ID, size)
			}
		}
	}
}

func TestNamesOfAttributesHaveALength(t *testing.T) {
	w := newWorld(t)
	w.do(set(user("u"), strings.Repeat("ä", MaxAttributeName), "1", 1))
	_, err := w.try(set(user("u"), strings.Repeat("a", MaxAttributeName+1), "1", 1))
	wantRefused(t, err, "attribute_name_too_long")
}

package profile

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestAttributesReadBack(t *testing.T) {
	a := Attributes{}
	for name, value := range map[string]string{"b": `"text"`, "a": `{"x":[1,2]}`, "gone": `null`, `qu"ote`: `1.50`} {
		a.Set(name, Version{1, value}, 1)
	}
	wantEqual(t, "JSON", string(a.JSON()), `{"a":{"x":[1,2]},"b":"text","qu\"ote":1.50}`)
	wantEqual(t, "names", a.Names(), []string{"a", "b", `qu"ote`})
	wantEqual(t, "no attributes", string(Attributes{}.JSON()), `{}`)
	if a.Text("b") != "text" || a.Text("a") != "" || a.Text("gone") != "" || a.Text("never") != "" {
		t.Error("Text is not the string that was set")
	}
	if _, ok := a.Get("gone"); ok {
		t.Error("a removed attribute holds a value")
	}
}

// TestAttributesAreOfTheSet: in whatever order versions are set or folded, the
// greatest by (time, canonical value) hold.
func TestAttributesAreOfTheSet(t *testing.T) {
	version := rapid.Custom(func(t *rapid.T) Version {
		return Version{
			At:    rapid.Int64Range(0, 5).Draw(t, "at"),
			Value: rapid.SampledFrom([]string{`{"b":1,"a":1}`, `{"a":2}`, `1`, `10`, `9`, `"a"`, `null`, `{"a":1,"b":2}`, `{"b":2,"a":1}`, `{"b":2, "a":1}`}).Draw(t, "value"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.SliceOfN(version, 1, 30).Draw(t, "versions")
		keep := rapid.SampledFrom([]int{1, 3, MaxVersions}).Draw(t, "keep")
		set := func(versions []Version) Attributes {
			a := Attributes{}
			for _, v := range versions {
				a.Set("n", v, keep)
			}
			return a
		}
		want := set(versions)
		if got := set(rapid.Permutation(versions).Draw(t, "order")); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order: %v, want %v", got, want)
		}
		if len(want["n"]) > keep {
			t.Fatalf("%d versions, at most %d are kept", len(want["n"]), keep)
		}
		last, _ := want.last("n")
		for _, v := range versions {
			if v.At > last.At || v.At == last.At && canonical(v.Value) > canonical(last.Value) {
				t.Fatalf("%v holds, %v is greater", last, v)
			}
		}
		cut := rapid.IntRange(0, len(versions)).Draw(t, "cut")
		left, right := set(versions[:cut]), set(versions[cut:])
		a, b := Attributes{}, Attributes{}
		a.Fold(left)
		a.Fold(right)
		b.Fold(right)
		b.Fold(left)
		held, _ := a.last("n")
		if !reflect.DeepEqual(a, b) || held != last || len(a["n"]) != 1 {
			t.Fatalf("folded %v and %v, want %v", a, b, last)
		}
	})
}

func TestVersionsAreNotWrittenInPlace(t *testing.T) {
	a := Attributes{"n": append(make([]Version, 0, 8), Version{1, "1"}, Version{3, "3"})}
	copied := a.clone()
	a.Set("n", Version{2, "2"}, MaxVersions)
	wantEqual(t, "the clone", copied["n"], []Version{{1, "1"}, {3, "3"}})
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1,"a":{"d":2,"c":3}}`: `{"a":{"c":3,"d":2},"b":1}`,
		` [1, 2.50] `:               `[1,2.50]`,
		`12345678901234567890`:      `12345678901234567890`,
		`not JSON`:                  `not JSON`,
	} {
		wantEqual(t, text, canonical(text), want)
	}
	for _, s := range []string{"", "a\"b", "\x00é"} {
		if !json.Valid([]byte(quote(s))) || textOf(quote(s)) != s {
			t.Errorf("%q reads back as %q", s, textOf(quote(s)))
		}
	}
}

// TestSharedDeviceKeepsEachUsersLast: what one user sets again and again under a
// shared id does not push out what the others set.
func TestSharedDeviceKeepsEachUsersLast(t *testing.T) {
	w := newWorld(t)
	for i := range int64(MaxClaimants) {
		w.do(identify("a", fmt.Sprint("u", i), 10*i), set(anonymous("a"), "n", fmt.Sprint(i), 10*i+1))
	}
	for i := range int64(3 * MaxVersions) {
		w.do(set(anonymous("a"), "n", fmt.Sprint(1000+i), 1000+i))
	}
	w.do(track(anonymous("a"), "x", 15), identify("a", "u0", 12)) // makes the totals of u0 and u1 anew
	part := w.part(w.ids[Key{testWorkspace, Identifier{AnonymousID, "a"}}])
	if n := len(part.Own.Attributes["n"]); n != MaxVersions {
		t.Errorf("%d versions are kept", n)
	}
	for i := range MaxClaimants - 1 {
		wantEqual(t, fmt.Sprint("u", i), w.attributes(user(fmt.Sprint("u", i))), fmt.Sprintf(`{"n":%d}`, i))
	}
	root := w.do(set(user("u1"), "n", "1", 5000), set(user("u1"), "n", "2", 5001)).Root
	wantEqual(t, "versions of a user's own", root.Own.Attributes["n"], []Version{{epoch + 5001*second, "2"}})
	wantEqual(t, "the last user", w.attributes(user("u19")), fmt.Sprintf(`{"n":%d}`, 1000+3*MaxVersions-1))
}

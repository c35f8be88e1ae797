package filter

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/profile"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// compare makes a condition, of a number where the argument is one, of texts
// otherwise.
func compare(t testing.TB, source Source, name string, op Op, args ...any) *Compare {
	t.Helper()
	on, err := ParseOperand(source, name)
	if err != nil {
		t.Fatal(err)
	}
	var c *Compare
	switch {
	case len(args) == 0:
		c, err = NewPlain(on, op)
	default:
		if number, ok := args[0].(float64); ok {
			c, err = NewNumeric(on, op, number)
			break
		}
		var texts []string
		for _, a := range args {
			texts = append(texts, a.(string))
		}
		c, err = NewTextual(on, op, texts...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOperators has every operator of this version against every type of value,
// after shared/spec/engage.md sections 5.1 and 5.4.
func TestOperators(t *testing.T) {
	// The values, as JSON; "" stands for a missing one.
	type row struct {
		op   Op
		args []any
		hold string // the values for which it holds, separated by spaces
	}
	values := []string{"", "null", `""`, `"a"`, `"ab"`, `"B"`, "0", "5", "10", "-1.5", "true", "false", `["a"]`, `{"a":1}`}
	for _, r := range []row{
		{Blank, nil, `missing null`},
		{NotBlank, nil, `"" "a" "ab" "B" 0 5 10 -1.5 true false ["a"] {"a":1}`},
		{IsTrue, nil, `true`},
		{IsFalse, nil, `false`},
		{TrueOrNotSet, nil, `missing null true`},
		{FalseOrNotSet, nil, `missing null false`},
		{Exactly, []any{5.0}, `5`},
		{Exactly, []any{0.0}, `missing null 0`},
		{DoesNotEqual, []any{5.0}, `missing null "" "a" "ab" "B" 0 10 -1.5 true false ["a"] {"a":1}`},
		{DoesNotEqual, []any{0.0}, `"" "a" "ab" "B" 5 10 -1.5 true false ["a"] {"a":1}`},
		{MoreThan, []any{5.0}, `10`},
		{MoreThan, []any{-2.0}, `0 5 10 -1.5`},
		{LessThan, []any{5.0}, `missing null 0 -1.5`},
		{AnyOf, []any{"a", "B"}, `"a" "B"`},
		{AnyOf, []any{""}, `""`},
		{NoneOf, []any{"a", "B"}, `missing null "" "ab" 0 5 10 -1.5 true false ["a"] {"a":1}`},
		{ContainsAnyOf, []any{"b", "B"}, `"ab" "B"`},
		{ContainsNoneOf, []any{"b", "B"}, `missing null "" "a" 0 5 10 -1.5 true false ["a"] {"a":1}`},
		{MatchesRegex, []any{"^A"}, `"a" "ab"`},
		{DoesNotMatchRegex, []any{"^A"}, `"" "B"`},
	} {
		c := compare(t, Property, "v", r.op, r.args...)
		var held []string
		for _, v := range values {
			s := &Subject{Properties: json.RawMessage(`{}`)}
			name := "missing"
			if v != "" {
				s.Properties, name = json.RawMessage(`{"v":`+v+`}`), v
			}
			if Matches(c, s) {
				held = append(held, name)
			}
			if why := WhyNot(c, s); (why == "") != Matches(c, s) {
				t.Errorf("%s of %s: %v, but the reason is %q", r.op, name, Matches(c, s), why)
			}
		}
		if got := strings.Join(held, " "); got != r.hold {
			t.Errorf("%s %v holds for\n\t%s\nwant\n\t%s", r.op, r.args, got, r.hold)
		}
	}
}

func TestEmptyTextIsBlankOnAProfileOnly(t *testing.T) {
	s := &Subject{
		Facts:      &profile.Facts{Attributes: profile.Attributes{"first_name": {{Value: `""`}}, "plan": {{Value: `""`}}}},
		Properties: json.RawMessage(`{"plan": ""}`),
	}
	if !Matches(compare(t, Field, "first_name", Blank), s) || !Matches(compare(t, Attribute, "plan", Blank), s) {
		t.Error("an empty attribute is not blank")
	}
	if Matches(compare(t, Property, "plan", Blank), s) {
		t.Error("an empty property is blank")
	}
}

// TestElements is about paths into arrays: any element is enough, but "not" means
// none of them.
func TestElements(t *testing.T) {
	s := &Subject{Properties: json.RawMessage(`{
		"songs": [{"album": {"year": 1999}, "title": "Kid A"}, {"album": {"year": 2001}}],
		"none": [], "a.b": {"c[0]": "quoted"}, "tags": ["x", "y"], "deep": [[1, 2], [3]]
	}`)}
	for _, c := range []struct {
		path string
		op   Op
		arg  any
		want bool
	}{
		{"songs[].album.year", Exactly, 2001.0, true},
		{"songs[].album.year", Exactly, 2002.0, false},
		{"songs[].album.year", MoreThan, 2000.0, true},
		{"songs[].album.year", DoesNotEqual, 2001.0, false},
		{"songs[].album.year", DoesNotEqual, 1.0, true},
		{"songs[0].album.year", Exactly, 2001.0, false},
		{"songs[1].album.year", Exactly, 2001.0, true},
		{"songs[].title", Blank, nil, true},
		{"songs[].title", NotBlank, nil, true},
		{"songs[7].title", Blank, nil, true},
		{"none[].x", Blank, nil, true},
		{"none[].x", NoneOf, "x", true},
		{`"a.b"."c[0]"`, AnyOf, "quoted", true},
		{"a.b", Blank, nil, true},
		{"tags[]", AnyOf, "y", true},
		{"tags[]", NoneOf, "y", false},
		{"tags[0]", AnyOf, "y", false},
		{"tags", AnyOf, "y", false},
		{"deep[][]", Exactly, 3.0, true},
		{"deep[0][1]", Exactly, 2.0, true},
		{"songs.album", Blank, nil, true},
	} {
		var args []any
		if c.arg != nil {
			args = append(args, c.arg)
		}
		if got := Matches(compare(t, Property, c.path, c.op, args...), s); got != c.want {
			t.Errorf("%s %s %v: %v", c.path, c.op, c.arg, got)
		}
	}
}

func TestSources(t *testing.T) {
	s := &Subject{
		Identifiers: []profile.Identifier{{Kind: profile.AnonymousID, Value: "a1"}, {Kind: profile.UserID, Value: "u1"}},
		Facts: &profile.Facts{Attributes: profile.Attributes{
			"email":   {{Value: `"x@example.com"`}},
			"user_id": {{Value: `"an attribute of that name"`}},
			"gone":    {{Value: `"was"`}, {At: 1, Value: "null"}},
			"address": {{Value: `{"city":"NYC"}`}},
		}},
	}
	for _, c := range []struct {
		e    Expr
		want bool
	}{
		{compare(t, Field, "user_id", AnyOf, "u1"), true},
		{compare(t, Field, "anonymous_id", AnyOf, "a1"), true},
		{compare(t, Field, "email", ContainsAnyOf, "@example."), true},
		{compare(t, Field, "phone", NotBlank), false},
		{compare(t, Attribute, "user_id", AnyOf, "an attribute of that name"), true},
		{compare(t, Attribute, "gone", Blank), true},
		{compare(t, Attribute, "address.city", AnyOf, "NYC"), true},
		{compare(t, Property, "any", Blank), true},
	} {
		if got := Matches(c.e, s); got != c.want {
			t.Errorf("%+v: %v", c.e, got)
		}
	}
	if !Matches(compare(t, Field, "user_id", Blank), &Subject{}) || !Matches(compare(t, Attribute, "x", Blank), &Subject{}) {
		t.Error("somebody unknown has values")
	}
}

func TestDid(t *testing.T) {
	var facts profile.Facts
	facts.Summary.Add(profile.Happening{ID: event.FirstID(now), Name: "viewed", At: now.Add(-48 * time.Hour).UnixMicro()})
	s := &Subject{Facts: &facts, Now: now}
	for _, c := range []struct {
		did  Did
		want string
	}{
		{Did{"viewed", 0}, ""},
		{Did{"viewed", 48 * time.Hour}, ""},
		{Did{"viewed", 47 * time.Hour}, "viewed last happened at 2026-11-21 12:00 UTC, more than 47h0m0s ago"},
		{Did{"bought", 0}, "bought never happened"},
	} {
		if got := WhyNot(c.did, s); got != c.want {
			t.Errorf("%v: %q, want %q", c.did, got, c.want)
		}
	}
	if Matches(Did{"viewed", 0}, &Subject{}) {
		t.Error("somebody unknown did something")
	}
}

func TestReasons(t *testing.T) {
	s := &Subject{Properties: json.RawMessage(`{"price": 5, "title": "A \"quoted\" title", "tags": ["a","b","c","d","e","f"]}`)}
	price := compare(t, Property, "price", MoreThan, 10.0)
	cheap := compare(t, Property, "price", LessThan, 10.0)
	title := compare(t, Property, "title", AnyOf, "x", "y")
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{nil, ""},
		{cheap, ""},
		{price, "price is 5; it must be more than 10"},
		{title, `title is "A \"quoted\" title"; it must be any of "x", "y"`},
		{compare(t, Property, "tags[]", AnyOf, "z"), `tags[] is "a", "b", "c", "d", "e", …; it must be any of "z"`},
		{And{cheap, price}, "price is 5; it must be more than 10"},
		{And{}, ""},
		{Or{price, title}, `price is 5; it must be more than 10 and title is "A \"quoted\" title"; it must be any of "x", "y"`},
		{Or{}, "it is one of no conditions"},
		{Not{cheap}, "price is 5, which is excluded"},
		{Not{Not{price}}, "price is 5, which is excluded"},
		{Not{And{cheap, Not{title}}}, `price is 5 and title is "A \"quoted\" title", which is excluded`},
	} {
		if got := WhyNot(c.e, s); got != c.want {
			t.Errorf("%#v:\n\t%s\nwant\n\t%s", c.e, got, c.want)
		}
	}
}

func TestRefusedConditions(t *testing.T) {
	property := func(path string) Operand {
		on, err := ParseOperand(Property, path)
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	for _, c := range []struct {
		want string
		make func() error
	}{
		{`there is no field "plan"; for a custom attribute write attribute: plan`, func() error { _, err := ParseOperand(Field, "plan"); return err }},
		{"cannot be read at character 1: expected a name", func() error { _, err := ParseOperand(Property, ""); return err }},
		{"cannot be read at character 3: expected a name", func() error { _, err := ParseOperand(Property, "a..b"); return err }},
		{"cannot be read at character 3: the bracket is not closed", func() error { _, err := ParseOperand(Property, "a[0"); return err }},
		{"cannot be read at character 3: expected [] for any element", func() error { _, err := ParseOperand(Property, "a[x]"); return err }},
		{"cannot be read at character 4: expected a dot or a bracket", func() error { _, err := ParseOperand(Property, "a[]b"); return err }},
		{"cannot be read at character 2: the quote is not closed", func() error { _, err := ParseOperand(Property, `"a`); return err }},
		{"deeper than 64 levels", func() error { _, err := ParseOperand(Property, "a"+strings.Repeat("[]", 70)); return err }},
		{"more_than needs a value", func() error { _, err := NewPlain(property("a"), MoreThan); return err }},
		{"any_of does not compare with a number", func() error { _, err := NewNumeric(property("a"), AnyOf, 1); return err }},
		{"more_than does not compare with text", func() error { _, err := NewTextual(property("a"), MoreThan, "1"); return err }},
		{"any_of takes 1 to 256 texts, here are 0", func() error { _, err := NewTextual(property("a"), AnyOf); return err }},
		{"any_of takes 1 to 256 texts, here are 300", func() error { _, err := NewTextual(property("a"), AnyOf, make([]string, 300)...); return err }},
		{"is not a regular expression: missing closing )", func() error { _, err := NewTextual(property("a"), MatchesRegex, "(a"); return err }},
		{"takes one pattern", func() error { _, err := NewTextual(property("a"), MatchesRegex, "a", "b"); return err }},
	} {
		if err := c.make(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// BenchmarkMatches is 10 campaigns with 3 conditions each over one event.
func BenchmarkMatches(b *testing.B) {
	e := And{
		compare(b, Property, "price", MoreThan, 1.0),
		compare(b, Property, "meta.color", AnyOf, "green", "red"),
		compare(b, Property, "categories[].id", AnyOf, "Bathroom"),
	}
	properties := json.RawMessage(`{"categories":[{"id":"Bathroom","url":"https://example.com/cat/bathroom"}],"meta":{"color":"green"},"title":"All-Purpose Cleaning Wipes","price":1.99,"id":"56544","url":"https://www.example.com/variants_id/5f08cb918dcc595aa74b0fbc"}`)
	b.ReportAllocs()
	for b.Loop() {
		s := &Subject{Properties: properties, Now: now}
		for range 10 {
			if !Matches(e, s) {
				b.Fatal("it does not match")
			}
		}
	}
}

// FuzzParseOperand holds that whatever is accepted can be evaluated.
func FuzzParseOperand(f *testing.F) {
	for _, seed := range []string{"a", "a.b[0].c[]", `"a.b".c`, "[]", `"`, "a[99999999999]", "ü.é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		on, err := ParseOperand(Property, path)
		if err != nil {
			return
		}
		c, err := NewPlain(on, Blank)
		if err != nil {
			t.Fatal(err)
		}
		if !Matches(c, &Subject{Properties: json.RawMessage(`null`)}) {
			t.Errorf("%q is not blank in nothing", path)
		}
	})
}

package liquid

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// addSeeds gives a fuzz target the templates of the tests and of the examples.
func addSeeds(f *testing.F) {
	for _, h := range hostileCases(f) {
		if len(h.template) < 500 {
			f.Add(h.template)
		}
	}
	for _, d := range Filters() {
		f.Add(d.Example)
	}
	for _, d := range Tags() {
		f.Add(d.Example)
	}
	f.Add("é <!-- gone --> b {%- if x -%}\n  c <!-- a --><!-- b -->d\n{% else %}  {% endif %}{% raw %} {{<!-- r --> {% endraw %} {{- x }}\n")
	f.Add(`{{custom_attribute.${giftcard_balance} | plus: {{custom_attribute.${bal}}}}}`)
}

// FuzzParse checks that whatever parses knows where its text came from, that
// expressions print as source with the same meaning, and that errors have a
// place.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, source string) {
		for _, opts := range []Options{{}, {Dialect: Braze}, {Syntax: Lax}, {Dialect: Braze, Syntax: Lax}} {
			tpl, err := Parse(source, opts)
			if err != nil {
				checkError(t, err, source)
				continue
			}
			checkTree(t, tpl)
		}
	})
}

func checkError(t *testing.T, err error, source string) {
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no *Error: %v", err, err)
	}
	if e.Pos.Line < 1 || e.Pos.Column < 1 || e.Pos.Offset > len(source) {
		t.Fatalf("no place in %v (%+v)", e, e.Pos)
	}
}

func checkTree(t *testing.T, tpl *Template) {
	source := tpl.Source()
	Walk(tpl.Root(), func(n Node) {
		if n.Pos().Offset > n.End().Offset || n.End().Offset > len(source) {
			t.Fatalf("%T covers %v to %v of %d bytes", n, n.Pos(), n.End(), len(source))
		}
		if text, ok := n.(*Text); ok && !text.Escaped && source[text.Pos().Offset:text.End().Offset] != text.Text {
			t.Fatalf("%q says it comes from %q", text.Text, source[text.Pos().Offset:text.End().Offset])
		}
		if tpl.Options().Syntax == Lax {
			return
		}
		if out, ok := n.(*Output); ok && out.Value != nil {
			printed := out.Value.String()
			again, err := Parse("{{ "+printed+" }}", tpl.Options())
			if err != nil {
				t.Fatalf("%s does not parse: %v", printed, err)
			}
			if got := again.Root().Nodes[0].(*Output).Value.String(); got != printed {
				t.Fatalf("%s prints as %s", printed, got)
			}
		}
	})
}

// FuzzRender checks that a render ends, without panic, in text or an error with
// a place.
func FuzzRender(f *testing.F) {
	addSeeds(f)
	data := `{"a":{"b":[1,2.5,"x",null,true,{"c":"d"}]},"s":"text","n":3,"l":["b","a","c"],"${}":{"user_id":"u1"}}`
	f.Fuzz(func(t *testing.T, source string) {
		in := Input{Now: seedNow, Vars: map[string]any{}}
		for k, v := range fromJSON(t, data).(*Map).All() {
			in.Vars[k] = v
		}
		limits := Limits{Steps: 20_000, Output: 1 << 16, Built: 1 << 18}
		for _, opts := range []Options{{Limits: limits}, {Dialect: Braze, Syntax: Lax, Errors: Inline, Limits: limits}} {
			tpl, err := Parse(source, opts)
			if err != nil {
				continue
			}
			got, err := tpl.Render(context.Background(), in)
			if err != nil {
				checkError(t, err, source)
			}
			if len(got) > limits.Output {
				t.Fatalf("%d bytes of output", len(got))
			}
		}
	})
}

// FuzzFromJSON checks that what is read prints as it was written.
func FuzzFromJSON(f *testing.F) {
	f.Add(`{"a":[1,2.50,"x\né",null,true,{"c":{}}],"a":1e3}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := FromJSON([]byte(text))
		if err != nil || !utf8.ValidString(text) {
			return
		}
		scope := (&Template{opts: Options{Limits: Limits{}.withDefaults()}}).Scope(context.Background(), Input{})
		out, err := scope.appendJSON(nil, v, 0)
		if err != nil {
			return // deeper than a value may be, or longer
		}
		if !json.Valid(out) {
			t.Fatalf("%s became %s", text, out)
		}
	})
}

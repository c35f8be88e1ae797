package liquid

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestParseErrors checks the message and the place of what people write wrong.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		template     string
		line, column int
		message      string
		text         string
	}{
		{"a\n  {% fro x in y %}{% endfor %}", 2, 6, `unknown tag "fro"; did you mean "for"?`, "fro"},
		{"{% if a %}", 1, 1, "this if is never closed: expected endif", "{% if a %}"},
		{"{% if a %}\n{% for x in y %}\n{% endif %}", 3, 1, "unexpected endif inside the for of line 2: expected else, endfor", "{% endif %}"},
		{"{% endif %}", 1, 1, "unexpected endif: there is no block that it could belong to", "{% endif %}"},
		{"ü {{ a | upcas }}", 1, 10, `unknown filter "upcas"; did you mean "upcase"?`, "upcas"},
		{"{{ a | append }}", 1, 8, "filter append takes 1 argument, not 0", "append"},
		{"{{ a | default: 1, allow: true }}", 1, 8, `filter default has no argument "allow"`, "default: 1, allow: true"},
		{"{{ a", 1, 1, "this output is never closed: expected }}", "{{ a"},
		{"{% if a", 1, 1, "this tag is never closed: expected %}", "{% if a"},
		{"{{ 'abc }}", 1, 4, "this string is never closed: expected another '", "'abc "},
		{"{{ “abc” }}", 1, 4, "unexpected “: use straight quotes", "“"},
		{"{% if a = 1 %}{% endif %}", 1, 9, "unexpected =: use == to compare", "="},
		{"{% if a && b %}{% endif %}", 1, 9, "unexpected &: write and", "&"},
		{"{% if a | size > 3 %}{% endif %}", 1, 9, "filters are not possible in conditions: assign the filtered value first", "|"},
		{"{% if (a or b) and c %}{% endif %}", 1, 10, "unexpected or: expected .. (parentheses are for ranges only; conditions have none)", "or"},
		{"{% if a is b %}{% endif %}", 1, 9, `unknown operator "is": expected ==, !=, <, >, <=, >=, contains, and, or`, "is"},
		{"{% assign x = a > b %}", 1, 17, "unexpected >: conditions are possible in if, elsif and unless only", ">"},
		{"{% assign x 1 %}", 1, 13, "unexpected 1: expected = after the name x", "1"},
		{"{% assign = 1 %}", 1, 11, "assign: expected a name made of letters, digits, _ and -", "= 1 "},
		{"{% for x of y %}{% endfor %}", 1, 10, "unexpected of: expected in", "of"},
		{"{% for x in y by: 2 %}{% endfor %}", 1, 15, "unexpected by: expected limit:, offset: or the end of the tag", "by"},
		{"{% %}", 1, 1, "expected the name of a tag", "{% %}"},
		{"{{ a. }}", 1, 7, "it ends here: expected the name of a member after the dot", ""},
		{"{{ ${} }}", 1, 4, "expected a name between ${ and }", "${}"},
		{"{% abort_message(no_quotes) %}", 1, 18, "unexpected no_quotes: expected a string in quotes, then )", "no_quotes"},
		{"<!-- é\n -->\n{% fro %}", 3, 4, `unknown tag "fro"; did you mean "for"?`, "fro"},
		{"{% include 'x' %}", 1, 4, `unknown tag "include"`, "include"},
		{"{% raw %}{{", 1, 1, "this raw is never closed: expected endraw", "{% raw %}"},
	} {
		_, err := Parse(c.template, Options{Dialect: Braze})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want an error", c.template, err)
			continue
		}
		if e.Kind != KindSyntax || e.Message != c.message || e.Pos.Line != c.line || e.Pos.Column != c.column || e.Text != c.text {
			t.Errorf("%q:\n got %v at %q\nwant line %d, column %d: %s at %q", c.template, e, e.Text, c.line, c.column, c.message, c.text)
		}
	}
}

// TestRenderErrors checks the place of errors that depend on the data.
func TestRenderErrors(t *testing.T) {
	for _, c := range []struct {
		template     string
		line, column int
		message      string
	}{
		{"\n {{ 1 | plus: 1 | divided_by: 0 }}", 2, 19, "divided by 0"},
		{"{% if 'a' > 1 %}{% endif %}", 1, 7, "comparison of text with a number is not possible"},
		{"{{ a.b }}", 1, 4, "this variable holds a Go value of type struct {}, which templates cannot read"},
		{"{{ 'now' | time_zone: 'Mars' }}", 1, 12, "unknown time zone 'Mars'"},
		{"{% for i in (1..3) limit: 'x' %}{% endfor %}", 1, 27, "expected a whole number, not text"},
	} {
		_, err := renderBraze(t, c.template, Input{Now: seedNow, Vars: map[string]any{"a": map[string]any{"b": struct{}{}}}})
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindRender || e.Message != c.message || e.Pos.Line != c.line || e.Pos.Column != c.column {
			t.Errorf("%q:\n got %v\nwant line %d, column %d: %s", c.template, err, c.line, c.column, c.message)
		}
	}
}

func TestInlineErrors(t *testing.T) {
	tpl, err := Parse("a\n{{ 1 | divided_by: 0 }}{% assign x = 1 | modulo: 0 %}b", Options{Errors: Inline})
	if err != nil {
		t.Fatal(err)
	}
	got, err := tpl.Render(context.Background(), Input{})
	want := "a\nLiquid error (line 2): divided by 0Liquid error (line 2): divided by 0b"
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestErrorInPartialNamesIt(t *testing.T) {
	p, err := Parse("\n{{ 1 | divided_by: 0 }}", Options{})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := Parse("{% include 'p' %}", Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.Render(context.Background(), Input{Partials: PartialMap{"p": p}})
	if err == nil || err.Error() != "p, line 2, column 8: divided by 0" {
		t.Errorf("got %v", err)
	}
}

// TestTextSpans checks that every Text covers exactly the bytes that it sends.
func TestTextSpans(t *testing.T) {
	source := "é <!-- gone --> b {%- if x -%}\n  c <!-- a --><!-- b -->d\n{% else %}  {% endif %}{% raw %} {{<!-- r --> {% endraw %} {{- x }}\n"
	tpl, err := Parse(source, Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	Walk(tpl.Root(), func(n Node) {
		text, ok := n.(*Text)
		if !ok {
			return
		}
		texts = append(texts, text.Text)
		if from := source[text.Pos().Offset:text.End().Offset]; from != text.Text {
			t.Errorf("%q says it comes from %q", text.Text, from)
		}
		line := 1 + strings.Count(source[:text.Pos().Offset], "\n")
		if text.Pos().Line != line {
			t.Errorf("%q is on line %d, not %d", text.Text, line, text.Pos().Line)
		}
	})
	want := []string{"é ", " b", "c ", "d\n", "  ", " {{", " ", "\n"}
	if quoteJSON(texts) != quoteJSON(want) {
		t.Errorf("got  %q\nwant %q", texts, want)
	}
}

// TestExpressionsPrintAsSource parses, prints and parses expressions again.
func TestExpressionsPrintAsSource(t *testing.T) {
	for source, want := range map[string]string{
		`a.b[0]['c d'].e`:                     ``,
		`${user_id}`:                          ``,
		`custom_attribute.${zip code}[ 0 ].x`: `custom_attribute.${zip code}[0].x`,
		`[a[b.c]].d`:                          ``,
		`["it's"]`:                            ``,
		`a|default : "x" , allow_false:true`:  `a | default: "x", allow_false: true`,
		`{{a | plus:1}} | times: {{b}}`:       `{{a | plus: 1}} | times: {{b}}`,
		`( 1 .. x.size )`:                     `(1..x.size)`,
		`-0005 | plus: 1.50`:                  ``,
		`'a' | append: nil`:                   ``,
	} {
		if want == "" {
			want = source
		}
		for _, s := range []string{source, want} {
			tpl, err := Parse("{{ "+s+" }}", Options{Dialect: Braze})
			if err != nil {
				t.Errorf("%s: %v", s, err)
				continue
			}
			value := tpl.Root().Nodes[0].(*Output).Value
			if got := value.String(); got != want {
				t.Errorf("%s prints as %s, want %s", s, got, want)
			}
			if span := tpl.Source()[value.Pos().Offset:value.End().Offset]; span != s {
				t.Errorf("%s covers %q", s, span)
			}
		}
	}
	tpl, err := Parse(`{% if a == 1 and b contains 'x' or c <> d %}{% endif %}`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cond := tpl.Root().Nodes[0].(*If).Branches[0].Cond
	if got, want := cond.String(), `a == 1 and b contains 'x' or c != d`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReads(t *testing.T) {
	tpl, err := Parse(string(sharedFile(t, "seed/product_viewed.webhook.liquid")), Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range tpl.Reads() {
		got = append(got, r.Namespace+" "+r.Name)
	}
	want := []string{"${} email_address", "${} user_id", "event_properties categories", "event_properties meta",
		"event_properties title", "event_properties price", "event_properties id", "event_properties url", "${} time_zone"}
	if quoteJSON(got) != quoteJSON(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestScope evaluates single expressions, as the linter does.
func TestScope(t *testing.T) {
	tpl, err := Parse(`{{ x | append: ${user_id} | upcase }}{% for i in (1..n) %}{% endfor %}{{ 1 | divided_by: z }}`, Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	s := tpl.Scope(context.Background(), vectorInput(t))
	s.Set("x", "a")
	s.Set("n", 2)
	nodes := tpl.Root().Nodes
	value := nodes[0].(*Output).Value.(*Filtered)
	if v, err := s.Eval(value); v != "AU1" || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	if v, err := s.Apply(value.Filters[1], "ß"); v != "SS" && v != "ß" || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	over, err := s.Eval(nodes[1].(*For).Over)
	if err != nil {
		t.Fatal(err)
	}
	items, err := s.Items(over)
	if quoteJSON(items) != "[1,2]" || err != nil {
		t.Errorf("got %v, %v", items, err)
	}
	_, err = s.Eval(nodes[2].(*Output).Value)
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindRender {
		t.Errorf("got %v, want a render error", err)
	}
	if text, err := s.Text([]any{1, "b", nil, 2.0}); text != "1b2.0" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

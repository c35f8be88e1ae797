package payload

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"platen/liquid"
)

// Whatever the source: no panic, places and repairs within the source, the same
// report each time, and a Fix that leaves it no worse.
func FuzzFix(f *testing.F) {
	for _, source := range []string{
		"// note\n{\"a\": 1,}", `{"price": "{{event_properties.${price}}}", "a": "{{ 'now' | date: '%s' }}"`,
		"{% if ${user_id} %}{% capture a %}\"x\": 1{% endcapture %}{% endif %}{ {{a}} \"y\": [1,,2] }",
		"[{% for i in event_properties.${l} reversed %}{% cycle 'a', 'b' %}{{i}},{% break %}{% else %}null{% endfor %}]",
		"{% case ${language} %}{% when 'a', 'b' %}{'a': “b”}{% else %}{a: b, \"c\" 1}{% endcase %}",
		"{\"a\": \"x\n y\", \"b: \"c\", \"d\": e\", \"f\": \"g\\q\u00e9\"} // x",
		"{% liquid\n increment a\n echo a | append: '\"' | json_escape\n%}<!-- c -->[1 2 {]",
		`{"a": "{{ ${city} | json_escape | upcase | json_escape }}", "b": {{ ${city} | json_escape | default: 'x' }}}`,
		"[{% for i in event_properties.${l} %}{% if i %}{{i}}{% unless forloop.last %},{% endunless %}{% endif %}{% endfor %}]",
		"a={{ ${city} }}&b=1",
		"{{ custom_attribute.${a b} | default: '[\"' | append: ${city} | split: ',' | join: '\",\"' }}",
	} {
		f.Add(source, uint8(0))
	}
	for i, source := range []string{
		"https://{{${city}}}.example.com/{{${user_id} | url_escape}}/%2?a={{${city} | default: 'a b'}}&{{${city}}}#{{${city}}}", "a={{${city}}}\n&{{${gender} | json_escape}}",
		"Bearer 0123456789\n{{${city} | strip_newlines}}", "{{content_blocks.${a}}}{{content_blocks.${b} | url_encode}}",
		"{{content_blocks.${c}}}", "{% connected_content https://example.com/{{content_blocks.${a}}}{{content_blocks.${c}}} %}{{ x }}",
		"{% connected_content https://example.com/{{${city}}} :method post :body {\"a\":\"{{${city}}}\"} :headers {\"X\": \"{{${city}}}\"} %}{% promotion('a') %}{% message_extras :key a :value {{${city}}} %}{% catalog_items a {{${city}}} %}{{items[0].b}}",
	} {
		f.Add(source, uint8(i+1))
	}
	languages := []Language{JSON, URL, Form, Header, Body, AnyText}
	snippets := map[string]*liquid.Template{}
	for name, source := range map[string]string{"a": "{% assign x = ${city} %}{{content_blocks.${a}}},", "b": "{% for i in x %}\"{{i}}\"{% endfor %}",
		"c": strings.Repeat(" ", 5000) + "{{ 1 | divided_by: 0 }}{% assign y = (1..3) | join: ',' %}{{ y | date: 1 }}{% if 1 < 'a' %}x{% endif %}",
	} {
		t, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
		if err != nil {
			f.Fatal(err)
		}
		snippets[name] = t
	}
	f.Fuzz(func(t *testing.T, source string, kind uint8) {
		opts := Options{As: languages[int(kind)%len(languages)], Header: "Authorization"}
		opts.Snippets = func(name string) (*liquid.Template, bool) { t, ok := snippets[name]; return t, ok }
		if len(source) > 4096 {
			return // bounded by maxWork as well, but slower than the fuzzer likes
		}
		report, err := Lint(source, opts)
		again, _ := Lint(source, opts)
		if !reflect.DeepEqual(report, again) {
			t.Fatalf("two reports:\n%s\n%s", report.Text("a"), again.Text("b"))
		}
		for _, f := range report.Findings {
			within(t, source, f)
		}
		fixed, applied, rest, fixErr := Fix(source, opts)
		if (err == nil) != (fixErr == nil) || err != nil && fixed != source {
			t.Fatalf("Lint: %v, Fix: %v", err, fixErr)
		}
		if rest.errors() > report.errors() || len(applied) == 0 && fixed != source {
			t.Fatalf("%d repairs made it worse:\n%s\nbefore\n%s\nafter\n%s", len(applied), fixed, report.Text("t"), rest.Text("t"))
		}
		if _, err := liquid.Parse(fixed, liquid.Options{Dialect: liquid.Braze}); err == nil != (fixErr == nil) {
			t.Fatalf("the repaired template does not parse: %v", err)
		}
	})
}

// within fails unless a finding and its repair lie in the source.
func within(t *testing.T, source string, f Finding) {
	t.Helper()
	if f.Line < 1 || f.Column < 1 || f.offset > len(source) || f.Message == "" {
		t.Fatalf("out of the source: %+v", f)
	}
	end := 0
	for _, e := range f.Edits {
		if e.Start < end || e.End < e.Start || e.End > len(source) {
			t.Fatalf("edits that overlap or leave the source: %+v", f)
		}
		if utf8.ValidString(source) && !(utf8.ValidString(source[:e.Start]) && utf8.ValidString(source[:e.End])) {
			t.Fatalf("an edit within a character: %+v", f)
		}
		end = e.End
	}
}

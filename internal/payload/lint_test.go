package payload

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"platen/internal/fault"
)

func TestLint(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string // line:column rule
		fixed        string   // "" when nothing can be repaired
	}{
		{"nothing at all", "  \n", []string{"1:1 no_json"}, ""},
		{"two values", `{} {}`, []string{"1:4 text_after_document"}, ""},
		{"byte order mark", "\ufeff{}", []string{"1:1 unexpected_text"}, "{}"},
		{"other languages", `[None, True, undefined]`, []string{"1:2 unquoted_text", "1:8 unquoted_text", "1:14 unquoted_text"}, `[null, true, null]`},
		{"numbers", `[01, +1, 1., .5, 1e5, -0]`, []string{"1:2 bad_number", "1:6 bad_number", "1:10 bad_number", "1:14 bad_number"}, ""},
		{"words without quotes", `{"a": all purpose wipes, "b": 1}`, []string{"1:7 unquoted_text"}, `{"a": "all purpose wipes", "b": 1}`},
		{"URL without quotes", `{"a": https://example.com/x}`, []string{"1:7 unquoted_text"}, `{"a": "https://example.com/x"}`},
		{"columns count characters", "{\"é€😀\": 1,}", []string{"1:10 trailing_comma"}, "{\"é€😀\": 1}"},
		{"colon twice", `{"a":: 1}`, []string{"1:6 unexpected_text"}, `{"a": 1}`},
		{"other syntax", `{"a" = 1; "b": 2}`, []string{"1:6 unexpected_text", "1:9 unexpected_text"}, `{"a" : 1, "b": 2}`},
		{"brackets that do not match", `{"a": [1, 2}`, []string{"1:7 unclosed_bracket"}, `{"a": [1, 2]}`},
		{"not closed at the end", "{\n  \"a\": [\n    1\n", []string{"1:1 unclosed_bracket", "2:8 unclosed_bracket"}, "{\n  \"a\": [\n    1\n  ]\n}\n"},
		{"indentation tells which", "{\n  \"a\": {\n    \"b\": 1,\n  \"c\": 2\n}\n",
			[]string{"2:8 unclosed_bracket"}, "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": 2\n}\n"},
		{"bracket lost within the text", "{\n  \"a\": {\n    \"b\": 1\n  ,\n  \"c\": 2\n}\n",
			[]string{"2:8 unclosed_bracket"}, "{\n  \"a\": {\n    \"b\": 1\n  }\n  ,\n  \"c\": 2\n}\n"},
		{"closed in the right order", `[{"a": [{"b": 1`, []string{"1:1 unclosed_bracket", "1:2 unclosed_bracket", "1:8 unclosed_bracket", "1:9 unclosed_bracket"}, `[{"a": [{"b": 1}]}]`},
		{"list not closed", "{\"a\": [1, \"b\": 2}", []string{"1:7 unclosed_bracket"}, "{\"a\": [1], \"b\": 2}"},
		{"name that ends in a colon", `{"a:": 1}`, nil, ""},

		// Outputs.
		{"text that may hold a quote", `{"a": "{{${city}}}"}`, []string{"1:8 unescaped"}, `{"a": "{{${city} | json_escape}}"}`},
		{"escaping that is undone", `{"a": "{{${city} | json_escape | upcase}}"}`, []string{"1:8 unescaped"}, `{"a": "{{${city} | upcase | json_escape}}"}`},
		{"HTML escaping is not enough", `{"a": "{{${city} | escape}}"}`, []string{"1:8 unescaped"}, `{"a": "{{${city} | escape | json_escape}}"}`},
		{"a date that may be any text", `{"a": "{{event_properties.${day} | date: '%F'}}"}`, []string{"1:8 unescaped"}, `{"a": "{{event_properties.${day} | date: '%F' | json_escape}}"}`},
		{"assigned text", `{% assign t = ${city} %}{"a": "{{ t }}"}`, []string{"1:32 unescaped"}, `{% assign t = ${city} %}{"a": "{{ t | json_escape }}"}`},
		{"echo", "{% liquid\necho '{\"a\": \"'\necho ${city}\necho '\"}'\n%}", []string{"3:1 unescaped"}, "{% liquid\necho '{\"a\": \"'\necho ${city} | json_escape\necho '\"}'\n%}"},
		{"value that may be missing", `{"a": {{event_properties.${n}}}}`, []string{"1:7 may_be_empty"}, `{"a": {{event_properties.${n} | as_json_string}}}`},
		{"number that may be missing", `{"a": {{event_properties.${n} | money}}}`, []string{"1:7 may_be_empty"}, `{"a": {{event_properties.${n} | money | default: 'null'}}}`},
		{"only in a list", `[{{event_properties.${n} | money}}]`, nil, ""},
		{"first in a list", `[{{event_properties.${n} | money}}, 1]`, []string{"1:2 may_be_empty"}, `[{{event_properties.${n} | money | default: 'null'}}, 1]`},
		{"text for certain", `{"a": {{${first_name}}}}`, []string{"1:7 unquoted_text"}, `{"a": {{${first_name} | as_json_string}}}`},
		{"escaped, no quotes", `{"a": {{${first_name} | json_escape}}}`, []string{"1:7 unquoted_text"}, `{"a": "{{${first_name} | json_escape}}"}`},
		{"default that is no JSON", `{"a": {{event_properties.${n} | default: 'n/a'}}}`, []string{"1:7 unquoted_text"}, `{"a": {{event_properties.${n} | default: 'n/a' | as_json_string}}}`},
		{"text by default, too", `{"a": {{${first_name} | default: 'friend'}}}`, []string{"1:7 unquoted_text"}, `{"a": {{${first_name} | default: 'friend' | as_json_string}}}`},
		{"default that is JSON", `{"a": {{event_properties.${n} | default: '[]'}}}`, []string{"1:7 unquoted_text"}, ""},
		{"JSON in quotes", `{"a": "{{event_properties.${n} | as_json_string}}"}`, []string{"1:7 quoted_json"}, `{"a": {{event_properties.${n} | as_json_string}}}`},
		{"digits next to a number", `{"a": 1{{event_properties.${n} | plus: 1}}}`, []string{"1:7 unquoted_text"}, ""},
		{"typing mistake", `{% assign id = ${user_id} | md5 %}{"a": "{{ idd }}", "b": "{{ id }}"}`, []string{"1:42 unknown_variable"}, ""},
		{"assigned on one way only", `{% if ${user_id} %}{% assign a = 1 %}{% endif %}{"a": {{ a }}}`, []string{"1:54 missing_value"}, ""},
		{"filter that fails", `{"a": {{ 1 | divided_by: 0 }}}`, []string{"1:14 liquid"}, ""},

		// Numbers.
		{"price in quotes", `{"price": "1.99"}`, []string{"1:11 quoted_number"}, `{"price": 1.99}`},
		{"price with currency is text on purpose", `{"price": "$1.99"}`, nil, ""},
		{"price in quotes, escaped", `{"price": "{{event_properties.${p} | json_escape}}"}`, []string{"1:11 quoted_number"}, `{"price": {{event_properties.${p} | as_json_string}}}`},
		{"price in quotes, with default", `{"price": "{{event_properties.${p} | default: 0}}"}`, []string{"1:11 quoted_number"}, `{"price": {{event_properties.${p} | default: 0}}}`},
		{"price in quotes, as JSON", `{"price": "{{event_properties.${p} | as_json_string}}"}`, []string{"1:11 quoted_number"}, `{"price": {{event_properties.${p} | as_json_string}}}`},
		{"seconds, written", `{"timestamp": 1257894000}`, []string{"1:15 seconds"}, `{"timestamp": 1257894000000}`},
		{"seconds, written in quotes", `{"timestamp": "1257894000"}`, []string{"1:15 quoted_number", "1:16 seconds"}, `{"timestamp": 1257894000000}`},
		{"seconds, as a number", `{"timestamp": {{'now' | date: '%s' | plus: 60}}}`, []string{"1:15 seconds"}, `{"timestamp": {{'now' | date: '%s' | plus: 60 | append: '000'}}}`},
		{"seconds elsewhere", `{"at": {{'now' | date: '%s'}}}`, nil, ""},

		// Ways through the template.
		{"member that is not always there", `{"a": 1 {% if ${city} %}"b": 2{% endif %}}`, []string{"1:8 missing_comma"}, `{"a": 1 {% if ${city} %},"b": 2{% endif %}}`},
		{"members that bring a comma too many", `{"a": 1, {% if ${city} %}"b": 2,{% endif %} {% if ${gender} %}"c": 3,{% endif %} }`,
			[]string{"1:8 trailing_comma", "1:32 trailing_comma", "1:69 trailing_comma"},
			`{"a": 1 {% if ${city} %},"b": 2{% endif %} {% if ${gender} %},"c": 3{% endif %} }`},
		{"comma after each item", `[{% for i in custom_attribute.${l} %}{{i | as_json_string}},{% endfor %}]`, []string{"1:60 trailing_comma"},
			`[{% for i in custom_attribute.${l} %}{{i | as_json_string}}{% unless forloop.last %},{% endunless %}{% endfor %}]`},
		{"no comma between items", `[{% for i in custom_attribute.${l} %}{{i | as_json_string}}{% endfor %}]`, []string{"1:60 missing_comma"},
			`[{% for i in custom_attribute.${l} %}{{i | as_json_string}}{% unless forloop.last %},{% endunless %}{% endfor %}]`},
		{"join makes members", `{"a": "{{custom_attribute.${l} | join: '", "'}}"}`, []string{"1:8 unescaped", "1:42 missing_value", "1:49 missing_value"}, ""},
		{"comment in a capture", "{% capture c %}\n// note\n\"a\": 1{% endcapture %}{ {{c}} }", []string{"2:1 comment_sent"},
			"{% capture c %}\n{% comment %} note {% endcomment %}\n\"a\": 1{% endcapture %}{ {{c}} }"},
		{"comment around a tag", "// {% if ${city} %}x{% endif %}\n{}", []string{"1:1 comment_sent"}, ""},
		{"comma behind a capture in a capture", `{% capture a %}"x": 1{% endcapture %}{% capture b %}{{a}} "y": 2{% endcapture %}{ {{b}} }`, []string{"1:58 missing_comma"},
			`{% capture a %}"x": 1{% endcapture %}{% capture b %}{{a}}, "y": 2{% endcapture %}{ {{b}} }`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Lint(tt.source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := places(report); !slices.Equal(got, tt.want) {
				t.Fatalf("got\n%s\nwant %v", report.Text("t"), tt.want)
			}
			fixed, _, rest, err := Fix(tt.source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.fixed == "" && fixed != tt.source:
				t.Errorf("repaired to %s", fixed)
			case tt.fixed != "" && (fixed != tt.fixed || len(rest.Findings) > 0 && !strings.Contains(tt.name, "numbers")):
				t.Errorf("repaired to\n%s\nwant\n%s\nleft\n%s", fixed, tt.fixed, rest.Text("t"))
			}
		})
	}
}

// The path says on which of the ways through the template a defect is sent.
func TestPath(t *testing.T) {
	tests := []struct{ source, want string }{
		{`{% if ${user_id} %}{"a": 1,}{% else %}{}{% endif %}`, "${user_id} is set"},
		{`{% if {{custom_attribute.${n}}} > 3 %}{}{% else %}{"a": 1,}{% endif %}`, "not custom_attribute.${n} > 3"},
		{`{% case ${language} %}{% when 'de' %}{}{% when 'fr' %}{"a": 1,}{% endcase %}`, "not ${language} == 'de' and ${language} == 'fr'"},
		{`{"a": 1,{% for i in custom_attribute.${l} %}"{{forloop.index}}": 2{% unless forloop.last %},{% endunless %}{% endfor %}}`, "custom_attribute.${l} has no item"},
		{`{% if ${user_id} %}{% assign a = 1 %}{% endif %}{"a": 1,}`, ""},
	}
	for _, tt := range tests {
		report, err := Lint(tt.source, Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.IndexFunc(report.Findings, func(f Finding) bool { return f.Rule == TrailingComma })
		if found < 0 || report.Findings[found].Path != tt.want {
			t.Errorf("%s\ngot %s\nwant path %q", tt.source, report.Text("t"), tt.want)
		}
	}
}

// What cannot be known is said, and nothing is guessed about it.
func TestNotes(t *testing.T) {
	tests := []struct{ name, source, note string }{
		{"content block", `{ {{content_blocks.${members}}} "a": 1 }`, "1:5: what content_blocks.${members} prints"},
		{"whole content block", `{{content_blocks.${body}}}`, "1:3: what content_blocks.${body} prints"},
		{"JSON taken apart", `{% capture l %}"a",{% if ${city} %}"{{${city} | json_escape}}",{% endif %}{% endcapture %}[{{ l | remove_last: "," }}]`, "1:99: what the filter remove_last makes"},
		{"table", `{% tablerow i in (1..2) %}1{% endtablerow %}`, "1:1: what this tag prints"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Lint(tt.source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			text := report.Text("t")
			if len(report.Findings) > 0 || !strings.HasPrefix(text, "t:") || !strings.Contains(strings.Replace(text, "note: ", "", 1), tt.note) {
				t.Errorf("got %q, want the note %q only", text, tt.note)
			}
		})
	}
}

func TestNotLiquid(t *testing.T) {
	source := "{\n  \"a\": \"{{ ${city} | jsonescape }}\"\n}"
	for _, lint := range []func() (Report, error){
		func() (Report, error) { return Lint(source, Options{}) },
		func() (Report, error) {
			fixed, applied, rest, err := Fix(source, Options{})
			if fixed != source || applied != nil {
				t.Errorf("changed to %s", fixed)
			}
			return rest, err
		},
	} {
		report, err := lint()
		var f *fault.Error
		if !errors.As(err, &f) || f.Line != 2 || f.Column != 22 || !strings.Contains(f.Message, "json_escape") {
			t.Errorf("got %v", err)
		}
		if got := places(report); !slices.Equal(got, []string{"2:22 liquid"}) {
			t.Errorf("got %v", got)
		}
	}
}

func TestNumericOption(t *testing.T) {
	source := `{"price": "1", "age": "{{custom_attribute.${age}}}", "sent": 1257894000}`
	report, err := Lint(source, Options{Numeric: map[string]Unit{"age": Plain, "sent": Milliseconds}})
	if err != nil {
		t.Fatal(err)
	}
	if got := places(report); !slices.Equal(got, []string{"1:23 quoted_number", "1:62 seconds"}) {
		t.Errorf("got %v", got)
	}
}

func TestReportText(t *testing.T) {
	report, err := Lint("// x\n{\"a\": {% if ${city} %}1,{% else %}2{% endif %}}", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `body.liquid:1:1: error: what follows // is sent to the receiver as it is: neither Liquid nor JSON has // comments; use {% comment %} or delete it (comment_sent)
    - // x
    + {% comment %} x {% endcomment %}
body.liquid:2:24: error: this comma stands in front of } with nothing in between; delete it (trailing_comma)
    when ${city} is set
    - {"a": {% if ${city} %}1,{% else %}2{% endif %}}
    + {"a": {% if ${city} %}1{% else %}2{% endif %}}
`
	if got := report.Text("body.liquid"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	data, err := json.Marshal(report.Findings[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"rule":"trailing_comma"`, `"line":2`, `"column":24`, `"severity":"error"`, `"edits":[{"start":28,"end":29,"text":""}]`, `"path":"${city} is set"`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s lacks %s", data, part)
		}
	}
}

package payload

import (
	"fmt"
	"strings"
	"testing"
)

// The same in the other languages.
func TestBoundsOfTexts(t *testing.T) {
	outputs := strings.Repeat("{{${city}}}", 2_000)
	for lang, source := range map[Language]string{
		URL: "https://" + outputs, Form: outputs + "=" + outputs, Header: strings.Repeat("a\n", 5_000),
		Body: "a" + strings.Repeat("[", 5_000) + "=" + strings.Repeat("\n", 5_000), AnyText: outputs,
	} {
		report, err := Lint(source, Options{As: lang})
		if err != nil || len(report.Findings) > maxFindings {
			t.Errorf("%s: %d findings, %v", lang, len(report.Findings), err)
		}
	}
}

// Snippets that are used often and use each other are walked within the bounds.
func TestBoundsOfSnippets(t *testing.T) {
	use := "{% for i in event_properties.${l} %}" + strings.Repeat("{{content_blocks.${a}}}", 1000) + "{% endfor %}"
	snippets := snippetsOf(t, map[string]string{"a": use + "{% if ${city} %}{% assign b = i %}{% endif %}"})
	report, err := Lint("["+strings.Repeat("{{content_blocks.${a}}}", 1000)+"]", Options{Snippets: snippets})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Notes) == 0 || !strings.Contains(report.Notes[0].Message, "too intricate") {
		t.Errorf("got %s", report.Text("t"))
	}
}

// Templates that nobody writes end soon, and with a note that says what was not
// checked.
func TestBounds(t *testing.T) {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, strings.ReplaceAll(format, "#", "%[1]d"), i)
		}
		return b.String()
	}
	unparsed := "{% raw %}"
	tests := []struct {
		name, source string
		note         string
	}{
		{"many variables that all matter", repeat(60, "{%% if ${a#} %%}{%% assign v# = 1 %%}{%% else %%}{%% assign v# = 2 %%}{%% endif %%}") +
			"[" + repeat(60, "{{v#}},") + "1]", "more than 256 combinations"},
		{"many conditions that come back", "[" + repeat(60, "{%% if ${a#} %%}1,{%% endif %%}") + repeat(60, "{%% if ${a#} %%}1,{%% endif %%}") + "1]", "more than 256 combinations"},
		{"captures with many branches", "{% capture c %}" + repeat(40, "{%% if ${a#} %%}\"x#\": 1,{%% endif %%}") + "{% endcapture %}{ {{c}} \"y\": 1 }", "more than 256 combinations"},
		{"a text that doubles", "{% assign s = ${city} %}" + repeat(60, "{%% assign s = s | append: s %%}") + `{"a": "{{ s | json_escape }}"}`, "cannot be followed"},
		{"known loops in loops", strings.Repeat("{% for i in (1..60) %}", 8) + "{{i}}," + strings.Repeat("{% endfor %}", 8), "too intricate"},
		{"unknown loops in loops", "[" + strings.Repeat("{% for i in custom_attribute.${list} %}", 40) + "1," + strings.Repeat("{% endfor %}", 40) + "1]", ""},
		{"a thousand names", "{" + repeat(1000, "\"n#\": #,") + "\"z\": 1}", ""},
		{"deep brackets", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), ""},
		{"many names", "{" + repeat(20_000, "\"n#\": #,") + "\"z\": 1}", "too intricate"},
		{"not closed", strings.Repeat("{\"a\": [\"x\n", 3_000), ""},
		{"raw", unparsed + strings.Repeat("{{", 20_000) + "{% endraw %}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Lint(tt.source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			for _, n := range report.Notes {
				notes = append(notes, n.Message)
			}
			if !strings.Contains(strings.Join(notes, "\n"), tt.note) {
				t.Errorf("got notes %q, want one with %q", notes, tt.note)
			}
		})
	}
}

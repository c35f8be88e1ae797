package payload

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
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
	snippets := compiledSnippets(t, map[string]string{"a": use + "{% if ${city} %}{% assign b = i %}{% endif %}"})
	report, err := Lint("["+strings.Repeat("{{content_blocks.${a}}}", 1000)+"]", Options{Snippets: snippets})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Notes) == 0 || !strings.Contains(report.Notes[0].Message, "too intricate") {
		t.Errorf("got %s", report.Text("t"))
	}
}

// Snippets that set many names are walked and merged within the bounds, which are
// reached in a second or two: once these took half a minute.
func TestBoundsOfNamesInSnippets(t *testing.T) {
	var names strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&names, "{%% assign v%d = 1 %%}", i)
	}
	web := map[string]string{}
	var all strings.Builder
	for i := range 200 {
		var b strings.Builder
		for j := range 200 {
			fmt.Fprintf(&b, "{{content_blocks.${s%d}}}{%% assign v%d_%d = 1 %%}", j, i, j)
		}
		web["s"+strconv.Itoa(i)] = b.String()
		fmt.Fprintf(&all, "{{content_blocks.${s%d}}}", i)
	}
	for name, c := range map[string]struct {
		source   string
		snippets map[string]string
	}{
		"one snippet often":        {strings.Repeat("{{content_blocks.${s}}}", 2000), map[string]string{"s": names.String()}},
		"many that use all others": {all.String(), web},
	} {
		find := compiledSnippets(t, c.snippets)
		start := time.Now()
		report, err := Lint(c.source, Options{Snippets: find})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Notes) == 0 || !strings.Contains(report.Notes[0].Message, "too intricate") {
			t.Errorf("%s: got %s", name, report.Text("t"))
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}

// A chain of assigned names is read as far as a condition needs it, in time that
// grows with its length: once this took a minute.
func TestBoundsOfAChain(t *testing.T) {
	var b strings.Builder
	for i := 2000; i > 0; i-- {
		fmt.Fprintf(&b, "{%% assign v%d = v%d %%}", i-1, i)
	}
	start := time.Now()
	if _, err := Lint(b.String()+"{% if v0 %}{}{% else %}[]{% endif %}", Options{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("took %s", took)
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

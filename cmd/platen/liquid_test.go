package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// person is the data of an imaginary person, as --data takes it.
const person = `{
  "profile": {"user_id": "u1", "first_name": "Ada"},
  "custom_attribute": {"zip code": "10001"},
  "event_properties": {"id": 7, "price": 2.50},
  "catalogs": {
    "games": {"items": [{"id": 7, "title": "Chess"}, {"id": "8", "title": "Go"}], "selections": {"new": ["8"]}},
    "books": [{"id": "a", "title": "Emma"}]
  },
  "content_blocks": {"footer": "Yours, {{ ${first_name} }}"},
  "connected_content": {"https://example.com/a": {"body": {"n": 1}}, "https://example.com/b": {"status": 500, "body": "x"}},
  "promotion": {"spring": "CODE-1"}
}`

func TestLiquidEval(t *testing.T) {
	for template, want := range map[string]string{
		`{{ ${user_id} }} {{custom_attribute.${zip code}}} {{event_properties.${price}}}`:             "u1 10001 2.50",
		`{{ 'now' | date: '%F %H:%M %z' }}`:                                                           "2026-01-31 08:00 +0000",
		`{% catalog_items games {{event_properties.${id}}} 8 99 %}{{ items | map: 'title' | join }}`:  "Chess Go",
		`{% catalog_items books a %}{{ items[0].title }}`:                                             "Emma",
		`{% catalog_selection_items games new %}{{ items[0].title }}`:                                 "Go",
		`{{content_blocks.${footer}}}`:                                                                "Yours, Ada",
		`{% connected_content https://example.com/a :save x %}{{ x.n }} {{ x.__http_status_code__ }}`: "1 200",
		`{% connected_content https://example.com/b :save x %}[{{ x }}]`:                              "[]",
		`{% promotion('spring') %}`:                                                                   "CODE-1",
	} {
		printed, stderr, code := platen(t, "liquid", "eval", template, "--data", person, "--now", "2026-01-31T09:00:00+01:00")
		if code != 0 || printed != want || stderr != "" {
			t.Errorf("%s\n got %q, exit code %d, %s\nwant %q", template, printed, code, stderr, want)
		}
	}
}

func TestLiquidEvalFromElsewhere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "data.json", `{"name": "Ada"}`)
	write(t, dir, "hello.liquid", "Hello {{ name }}\n")
	write(t, dir, "page.liquid", "{% include 'hello' %}{% render 'hello', name: 'you' %}")
	t.Setenv("PLATEN_DATA", "platen-data") // is about the store, not about templates
	for _, c := range []struct{ args, stdin, want string }{
		{"eval - --dialect shopify --data data.json", "{{ name }}", "Ada"},
		{"render page.liquid --dialect shopify --data data.json --partials .", "", "Hello Ada\nHello you\n"},
		{"render hello.liquid --dialect shopify --data -", `{"name": "Bo"}`, "Hello Bo\n"},
		{"render hello.liquid", "", "Hello \n"},
		{"eval - --lax", "{{ 'a' | nope }}", "a"},
		{"eval - --inline", "a{{ 1 | divided_by: 0 }}b", "aLiquid error (line 1): divided by 0b"},
	} {
		printed, _ := succeeds(t, c.stdin, append([]string{"liquid"}, strings.Fields(c.args)...)...)
		if printed != c.want {
			t.Errorf("%s: got %q, want %q", c.args, printed, c.want)
		}
	}
}

func TestLiquidEvalForScripts(t *testing.T) {
	printed, _ := succeeds(t, "", "liquid", "eval", "{% message_extras :key k :value v %}<a>", "--format", "json")
	if want := "{\n  \"output\": \"<a>\",\n  \"message_extras\": [\n    [\n      \"k\",\n      \"v\"\n    ]\n  ]\n}\n"; printed != want {
		t.Errorf("got %s", printed)
	}
	printed, stderr, code := platen(t, "liquid", "eval", "\n {{ a | upcas }}", "--format", "json")
	var got evalAnswer
	if err := json.Unmarshal([]byte(printed), &got); err != nil || code != 1 || stderr != "" || got.Output != nil {
		t.Fatalf("%v, exit code %d: %s%s", err, code, printed, stderr)
	}
	if want := (evalError{Kind: "syntax", Message: `unknown filter "upcas"; did you mean "upcase"?`, Line: 2, Column: 9, Text: "upcas"}); *got.Error != want {
		t.Errorf("got %+v", *got.Error)
	}
}

// Each line of standard input is answered with a line.
func TestLiquidEvalOfLines(t *testing.T) {
	const lines = `{"template": "{{ a }}", "data": {"a": [1, 2.50]}}
{"template": "{{ a | nope }}", "data": {"a": 1}, "strict": true}

{"template": "{{ a | nope }}", "data": {"a": "<1>"}, "strict": false}
{"template": "{% render 'p', x: 1 %}", "partials": {"p": "P{{ x }}"}}
`
	const want = `{"output":"12.50"}
{"error":{"kind":"syntax","message":"unknown filter \"nope\"","line":1,"column":8,"text":"nope"}}
{"output":"<1>"}
{"output":"P1"}
`
	if printed, _ := succeeds(t, lines, "liquid", "eval", "--dialect", "shopify"); printed != want {
		t.Errorf("got\n%swant\n%s", printed, want)
	}
	var out, stderr bytes.Buffer
	code := run(t.Context(), []string{"liquid", "eval"}, streams{strings.NewReader("x\n{\"template\": \"{{ 1 }}\"}\n"), &out, &stderr})
	if code != 1 || !strings.Contains(out.String(), "\"kind\":\"request\"") || !strings.HasSuffix(out.String(), "{\"output\":\"1\"}\n") ||
		!strings.HasPrefix(stderr.String(), "platen: line 1 of standard input is no JSON object") {
		t.Errorf("exit code %d\n%s%s", code, &out, &stderr)
	}
}

func TestLiquidErrorsShowTheirPlace(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	long := strings.Repeat("ü", 100)
	for _, c := range []struct{ template, want string }{
		{"a\n\t{{ 'ü' | upcas }} b", "f.liquid:2:11: unknown filter \"upcas\"; did you mean \"upcase\"?\n  \t{{ 'ü' | upcas }} b\n  \t         ^^^^^"},
		{"{% if a %}\nx", "f.liquid:1:1: this if is never closed: expected endif\n  {% if a %}\n  ^^^^^^^^^^"},
		{"{% abort_message('no name') %}", "f.liquid:1:1: the message is not sent: no name\n  {% abort_message('no name') %}\n  " + strings.Repeat("^", 30)},
		{long + "{{ 1 | divided_by: 0 }}" + long, "f.liquid:1:108: divided by 0\n  …" + long[:53*2] + "{{ 1 | divided_by: 0 }}" + long[:44*2] + "…\n  " + strings.Repeat(" ", 61) + "^^^^^^^^^^^^^"},
		{"{{content_blocks.${b}}}", "f.liquid: in b:2:8: divided by 0\n  divided_by: 0"},
	} {
		write(t, dir, "f.liquid", c.template)
		printed, stderr, code := platen(t, "liquid", "render", "f.liquid", "--data", `{"content_blocks": {"b": "\n{{ 1 | divided_by: 0 }}"}}`)
		if got := strings.TrimSuffix(stderr, "\n"); code != 1 || got != c.want || printed != "" {
			t.Errorf("%s: exit code %d %s\n got %s\nwant %s", c.template, code, printed, got, c.want)
		}
	}
}

func TestLiquidThatCannotBegin(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "list.json", "[1]")
	write(t, dir, "a.liquid", "{{ a }}")
	refuses(t, dir, []badInput{
		{name: "missing template", args: "liquid render missing.liquid", want: "platen: cannot read missing.liquid: no such file or directory"},
		{name: "missing data", args: "liquid eval x --data missing", want: "platen: cannot read missing: no such file or directory"},
		{name: "a directory", args: "liquid render .", want: "platen: cannot read .: is a directory"},
		{name: "missing partials", args: "liquid eval x --partials missing", want: "platen: cannot read DIR/missing: no such file or directory"},
		{name: "data of another shape", args: "liquid eval x --data list.json", want: `platen: list.json is no JSON object such as {"name": "Ada"}`},
		{name: "no JSON", args: "liquid eval x --data {a", want: `platen: --data is no JSON object such as {"name": "Ada"}`},
		{name: "data for lines", args: "liquid eval --data {}", want: "platen: without a template each line brings its own data and partials; leave --data and --partials out, or give a template"},
		{name: "bad time", args: "liquid eval x --now tomorrow", want: `platen: --now "tomorrow" is no time such as 2026-01-31T09:00:00Z`},
		{name: "bad dialect", args: "liquid eval x --dialect jekyll", want: "platen: --dialect must be one of \"braze\",\"shopify\" but got \"jekyll\"\nTry: platen liquid eval --help"},
		{name: "bad catalog", args: `liquid eval x --data {"catalogs":{"a":[{}]}}`, want: `platen: --data holds a catalog "a" that has an item without an id`},
		{name: "bad code", args: `liquid eval x --data {"promotion":{"a":1}}`, want: `platen: --data holds a number in "promotion" where that is not possible (see --help)`},
		{name: "lint as in the other dialect", args: "liquid lint a.liquid --as url --dialect shopify", want: "platen: --as url is for Braze's dialect, which campaigns are written in"},
	})
}

// What a template asks for must be in the data; nothing is called.
func TestLiquidOutsideThatIsNotGiven(t *testing.T) {
	for template, want := range map[string]string{
		"{% connected_content https://example.com/a %}": "connected_content",
		"{% catalog_items games 1 %}":                   "catalog_items",
		"{% promotion('spring') %}":                     "promotion",
		"{{content_blocks.${footer}}}":                  "footer",
	} {
		_, stderr, code := platen(t, "liquid", "eval", template)
		if code != 1 || !strings.HasPrefix(stderr, "template:1:") || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s", template, code, stderr)
		}
	}
	_, stderr, code := platen(t, "liquid", "eval", "{% connected_content https://example.com/c %}", "--data", person)
	if code != 1 || !strings.Contains(stderr, "no reply for GET https://example.com/c") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestPartialsStayInTheirDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "secret.liquid", "secret")
	_, stderr, code := platen(t, "liquid", "eval", "{% render '../secret' %}", "--dialect", "shopify", "--partials", t.TempDir())
	if code != 1 || strings.Contains(stderr, "\nsecret") || !strings.Contains(stderr, "../secret") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestLiquidLint(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct {
		name, text, flags string
		code              int
		want              string
	}{
		{"text", "// {{ ${first_name} }}{% catalog_items games 1 %}", "", 0,
			"f:1:7: reads variable ${first_name}\nf:1:40: reads catalog games\n"},
		{"json", `{"a": "{{ event_properties.${a} | json_escape }}",}`, "--as json", 1,
			"f:1:50: error: this comma stands in front of } with nothing in between; delete it (trailing_comma)\n" +
				"    - {\"a\": \"{{ event_properties.${a} | json_escape }}\",}\n    + {\"a\": \"{{ event_properties.${a} | json_escape }}\"}\n" +
				"f:1:11: reads variable event_properties.${a}\n"},
		{"no Liquid", "{{ a | upcas }}", "", 1, "f:1:8: error: this is not Liquid: unknown filter \"upcas\"; did you mean \"upcase\"? (liquid)\n"},
		{"shopify", "{{ a.b }}{{ c }}", "--dialect shopify", 0, "f:1:4: reads variable a.b\nf:1:13: reads variable c\n"},
		{"shopify, no Liquid", "{% fro %}", "--dialect shopify", 1, "f:1:4: error: this is not Liquid: unknown tag \"fro\"; did you mean \"for\"? (liquid)\n"},
	} {
		write(t, dir, "f", c.text)
		printed, stderr, code := platen(t, append([]string{"liquid", "lint", "f"}, strings.Fields(c.flags)...)...)
		if code != c.code || printed != c.want || stderr != "" {
			t.Errorf("%s: exit code %d %s\n got %s\nwant %s", c.name, code, stderr, printed, c.want)
		}
	}
}

func TestLiquidLintRepairs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for as, c := range map[string]struct{ text, want string }{
		"json": {`{"a": "{{ ${x} }}"}`, `{"a": "{{ ${x} | json_escape }}"}`},
		"url":  {`https://example.com/?a={{ ${x} }}&b=1`, `https://example.com/?a={{ ${x} | url_param_escape }}&b=1`},
	} {
		file := write(t, dir, "f", c.text)
		if printed, _ := succeeds(t, "", "liquid", "lint", "f", "--as", as, "--fix"); !strings.Contains(printed, "1 repaired, 0 left\n") {
			t.Errorf("%s: %s", as, printed)
		}
		if _, kept, err := readText(file, nil); err != nil || kept != c.want {
			t.Errorf("%s: the file holds %s, %v", as, kept, err)
		}
		fixed, _ := succeeds(t, c.text, "liquid", "lint", "-", "--as", as, "--fix")
		if fixed != c.want {
			t.Errorf("%s: standard input is repaired to %s", as, fixed)
		}
	}
	var got liquidLint
	printed, _ := succeeds(t, `{"a": 1,}`, "liquid", "lint", "-", "--as", "json", "--fix", "--format", "json")
	if err := json.Unmarshal([]byte(printed), &got); err != nil || got.Fixed != `{"a": 1}` || len(got.Applied) != 1 {
		t.Errorf("%v: %s", err, printed)
	}
}

// The members of the data have exact names; others are variables.
func TestLiquidDataHasExactNames(t *testing.T) {
	const data = `{"Catalogs": 1, "catalogs": {"a": {"items": [{"id": 1}], "Items": []}}, "promotion": {"p": "x"}, "PROMOTION": "y",
		"connected_content": {"https://example.com": {"Status": 500, "body": "yes"}}}`
	printed, stderr, code := platen(t, "liquid", "eval",
		"{{Catalogs}}{{PROMOTION}}{% catalog_items a 1 %}{{items.size}}{% promotion('p') %}{% connected_content https://example.com %}", "--data", data)
	if code != 0 || printed != "1y1xyes" {
		t.Errorf("got %q, exit code %d, %s", printed, code, stderr)
	}
}

// A template in UTF-16, as some shells write it, holds no Liquid that could be found.
func TestLiquidRefusesOtherEncodings(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "f", "\xff\xfe{\x00{\x00 \x00x\x00}\x00}\x00")
	for _, command := range []string{"liquid lint f", "liquid render f", "campaign lint f"} {
		_, stderr, code := platen(t, strings.Fields(command)...)
		if code != 1 || !strings.Contains(stderr, "f is not in UTF-8") {
			t.Errorf("%s: exit code %d, %s", command, code, stderr)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const faultyCampaigns = `# A comment that stays.
kind: Campaign
workspace: shop
name: First
trigger: {event: Order Placed}
variants:
  - name: A
    percent: 50
    webhook:
      url: https://example.com/u/{{${user_id}}}?ref=1
      headers:
        Content-Type: application/json
        X-Name: "{{${first_name}}}"
      body: |
        {
          "city": "{{${city}}}",

          "n": 1,
        }
  - name: B
    percent: 50
    webhook: {url: 'https://example.com/{{${city}}}', headers: {Content-Type: application/x-www-form-urlencoded}, body: "a={{${city}}}"}
---
kind: Campaign
workspace: shop
name: Second
trigger: {event: Order Placed}
variants:
  - name: Only
    percent: 100
    webhook:
      url: https://example.com/
      body: |
        a={{${city} | url_param_escape}}
`

// A finding names its part, and the line and column of the file.
func TestLintOfDocuments(t *testing.T) {
	file := write(t, t.TempDir(), "campaigns.yaml", faultyCampaigns)
	printed, _, code := platen(t, "campaign", "lint", file)
	want := []string{
		":10:34: warning: shop/First, A, URL: a /, ?, # or space in ${user_id} would change the path; add | url_param_escape (unescaped)",
		":13:18: warning: shop/First, A, header X-Name: a line break in ${first_name} would end the header, and nothing would be sent; add | strip_newlines (unescaped)",
		`:16:20: warning: shop/First, A, body: a quote, a backslash or a line break in ${city} would break the JSON; add | json_escape (unescaped)`,
		":18:17: error: shop/First, A, body: this comma stands in front of } with nothing in between; delete it (trailing_comma)",
		":22:41: warning: shop/First, B, URL: a /, ?, # or space in ${city} would change the path; add | url_param_escape (unescaped)",
		":22:124: warning: shop/First, B, body: a &, =, + or % in ${city} would change the fields of the form; add | url_param_escape (unescaped)",
		":34:41: warning: shop/Second, Only, body: this line break is sent as a part of the form's text; delete it, or keep Liquid tags from leaving one with {%- and -%} (line_break)",
	}
	var got []string
	for line := range strings.Lines(printed) {
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), file); ok {
			got = append(got, rest)
		}
	}
	if code != 1 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exit code %d\n%s", code, printed)
	}
}

func TestRepairOfDocuments(t *testing.T) {
	file := write(t, t.TempDir(), "campaigns.yaml", faultyCampaigns)
	fixed, _ := succeeds(t, faultyCampaigns, "campaign", "lint", "-", "--fix")
	succeeds(t, "", "campaign", "lint", file, "--fix")
	kept, err := os.ReadFile(file)
	if err != nil || string(kept) != fixed {
		t.Errorf("the file and standard input are repaired differently (%v)", err)
	}
	want := strings.NewReplacer(
		"{{${user_id}}}", "{{${user_id} | url_param_escape}}",
		"{{${first_name}}}", "{{${first_name} | strip_newlines}}",
		`"{{${city}}}",`, `"{{${city} | json_escape}}",`,
		`"n": 1,`, `"n": 1`,
		"/{{${city}}}", "/{{${city} | url_param_escape}}",
		"a={{${city}}}", "a={{${city} | url_param_escape}}",
		"body: |\n        a=", "body: |-\n        a=",
	).Replace(faultyCampaigns)
	if strings.TrimRight(fixed, "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("repaired to\n%s", fixed)
	}
	if left, _ := succeeds(t, "", "campaign", "lint", file); left != "" {
		t.Errorf("after the repair is left:\n%s", left)
	}
}

func TestLintOfDocumentsForScripts(t *testing.T) {
	var out, stderr bytes.Buffer
	code := run(t.Context(), []string{"campaign", "lint", "-", "--format", "json"}, streams{strings.NewReader(faultyCampaigns), &out, &stderr})
	var got struct {
		Findings []struct {
			Part string
			Line int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, &out, &stderr)
	}
	if len(got.Findings) != 7 || got.Findings[6].Part != "shop/Second, Only, body" || got.Findings[6].Line != 34 {
		t.Errorf("got %+v", got.Findings)
	}
}

// Snippets of the file are looked into; those that it does not hold may be in the
// store.
func TestLintOfDocumentsWithSnippets(t *testing.T) {
	documents := func(body string) string {
		return "kind: Snippet\nworkspace: shop\nname: hello\ntext: Hello {{${first_name}}}\n---\n" +
			"kind: Campaign\nworkspace: shop\nname: C\nvariants:\n  - name: A\n    webhook:\n      url: https://example.com\n      body: '" + body + "'\n"
	}
	printed, _, code := platenWith(t, documents(`{"a": "{{content_blocks.${hello}}}"}`), "campaign", "lint", "-")
	if code != 1 || !strings.HasPrefix(printed, "standard input:13:21: warning: shop/C, A, body: a quote") {
		t.Errorf("exit code %d\n%s", code, printed)
	}
	printed, _, code = platenWith(t, documents(`{"a": "{{content_blocks.${other}}}"}`), "campaign", "lint", "-")
	if code != 0 || !strings.HasPrefix(printed, "standard input:13:23: note: shop/C, A, body: what content_blocks.${other} prints") {
		t.Errorf("exit code %d\n%s", code, printed)
	}
}

func TestLintOfTheExamples(t *testing.T) {
	file := filepath.Join("..", "..", "examples", "movable-ink", "campaigns.yaml")
	if printed, _, code := platen(t, "campaign", "lint", file); code != 0 || printed != "" {
		t.Errorf("exit code %d\n%s", code, printed)
	}
}

func TestLintOfDocumentsThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct{ name, stdin, want string }{
		{"no campaign", "kind: Workspace\nname: a\n", "platen: there is no kind: Campaign in standard input\n"},
		{"no YAML", "kind: Campaign\nname: [\n", "platen: standard input cannot be read as documents: "},
		{"a scalar with escapes", "kind: Campaign\nworkspace: s\nname: C\nvariants:\n  - name: A\n    webhook: {url: \"https://example.com/\\x61/{{${city}}}\"}\n",
			"platen: standard input, line 6: the repaired s/C, A, URL cannot be put in as it is written; write it as a block (|) and try again\n"},
		{"quotes in quotes", "kind: Campaign\nworkspace: s\nname: C\nvariants:\n  - name: A\n    webhook: {url: https://example.com, body: '{\"price\": \"{{event_properties.${p} | money}}\"}', headers: {Content-Type: application/json}}\n",
			"platen: standard input cannot be read as documents: "},
	} {
		out, stderr, code := platenWith(t, c.stdin, "campaign", "lint", "-", "--fix")
		if code == 0 || out != "" || !strings.HasPrefix(stderr, c.want) {
			t.Errorf("%s: exit code %d\n%s%s", c.name, code, out, stderr)
		}
	}
}

// platenWith runs a command line with standard input.
func platenWith(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(stdin), &out, &err})
	return out.String(), err.String(), code
}

// YAML counts more line breaks than others do; the places and the repair are right
// behind each of them.
func TestLintOfDocumentsBehindEveryBreak(t *testing.T) {
	for _, lineBreak := range []string{"\r\n", "\r", "\u0085", "\u2028", "\u2029"} {
		documents, city := strings.ReplaceAll(faultyCampaigns, "\n", lineBreak), ":16:20: "
		if strings.ContainsAny(lineBreak, "\u2028\u2029") { // which a literal block has in its text
			documents = strings.ReplaceAll("# a\n# b\n", "\n", lineBreak) + strings.Replace(faultyCampaigns, `"{{${city}}}`, `"`+lineBreak+"          {{${city}}}", 1)
			city = ":19:11: "
		}
		printed, _, code := platenWith(t, documents, "campaign", "lint", "-")
		if code != 1 || strings.Count(printed, "standard input:") != 7 || !strings.Contains(printed, city+"warning: shop/First, A, body") {
			t.Errorf("%q: exit code %d\n%s", lineBreak, code, printed)
		}
		fixed, stderr, code := platenWith(t, documents, "campaign", "lint", "-", "--fix")
		if code != 0 || strings.Count(fixed, lineBreak) < strings.Count(documents, lineBreak)-1 { // one is a repair
			t.Errorf("%q: exit code %d, %s\n%q", lineBreak, code, stderr, fixed)
		}
		if left, stderr, code := platenWith(t, fixed, "campaign", "lint", "-"); code != 0 {
			t.Errorf("%q: after the repair: %s%s\n%q", lineBreak, left, stderr, fixed)
		}
	}
	block := strings.ReplaceAll("kind: Campaign\nvariants:\n  - name: A\n    webhook:\n      body: |\n", "\n", "\r") + "        a={{${city}}}"
	printed, _, code := platenWith(t, block, "campaign", "lint", "-")
	if code != 1 || !strings.Contains(printed, "standard input:6:") {
		t.Errorf("exit code %d\n%s", code, printed)
	}
}

// A byte order mark does not make a body of documents, and is dropped by a repair.
func TestLintOfDocumentsBehindAByteOrderMark(t *testing.T) {
	documents := "\ufeff" + strings.TrimPrefix(faultyCampaigns, "# A comment that stays.\n")
	printed, _, code := platenWith(t, documents, "campaign", "lint", "-")
	if code != 1 || !strings.HasPrefix(printed, "standard input:9:34: warning: shop/First, A, URL") {
		t.Errorf("exit code %d\n%s", code, printed)
	}
	file := write(t, t.TempDir(), "marked.yaml", "\ufeffkind: Workspace\nname: marked\n")
	succeeds(t, "", "apply", "-f", file, "--data", t.TempDir())
}

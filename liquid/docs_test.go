package liquid

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

var update = flag.Bool("update", false, "write docs/liquid.md anew")

// A group is the tags or the filters of one section of the manual.
type group[D any] struct {
	Title, Intro string
	names        string // separated by blanks
	List         []D
}

func tagGroups() []group[TagDoc] {
	return []group[TagDoc]{
		{Title: "Conditions", names: "if unless case",
			Intro: "A body is rendered when its condition holds. A body that could only print white space prints nothing at all."},
		{Title: "Loops", names: "for break continue cycle tablerow ifchanged",
			Intro: "Inside a `for`, `forloop` has `index` (from 1), `index0`, `rindex`, `rindex0`, `first`, `last`, `length` and `parentloop`; inside a `tablerow`, `tablerowloop` has these and `col`, `col0`, `col_first`, `col_last` and `row`."},
		{Title: "Variables", names: "assign capture increment decrement",
			Intro: "A name holds until the end of the message. Counters have names of their own."},
		{Title: "Text and comments", names: "echo liquid raw comment #",
			Intro: "These print as they stand, or not at all."},
		{Title: "Messages", names: "abort_message connected_content catalog_items catalog_selection_items content_blocks promotion message_extras",
			Intro: "What Braze adds. The tags that need something from outside get it from the workspace's documents, or call for it."},
		{Title: "Partials", names: "include render doc",
			Intro: "Templates in templates, as Shopify has them. In Braze's dialect snippets take their place."},
	}
}

func filterGroups() []group[FilterDoc] {
	return []group[FilterDoc]{
		{Title: "Text", names: "append prepend capitalize downcase upcase strip lstrip rstrip strip_newlines newline_to_br strip_html " +
			"remove remove_first remove_last replace replace_first replace_last slice split truncate truncatewords"},
		{Title: "Escaping and encoding", names: "json_escape as_json_string json_parse url_param_escape url_escape url_encode url_decode " +
			"escape h escape_once base64_encode base64 base64_decode base64_url_safe_encode base64_url_safe_decode"},
		{Title: "Hashes", names: "md5 sha1 sha2 hmac_sha1_hex hmac_sha1 hmac_sha_1 hmac_sha1_base64 hmac_sha256_hex hmac_sha256 hmac_sha256_base64 hmac_sha512"},
		{Title: "Numbers", names: "plus minus times divided_by modulo abs ceil floor round at_least at_most money number_with_delimiter"},
		{Title: "Times", names: "date time_zone"},
		{Title: "Lists and maps", names: "first last size join concat reverse sort sort_natural uniq compact map where reject find find_index has sum property_accessor"},
		{Title: "Missing values", names: "default"},
	}
}

// manualData is what the manual's own examples are rendered on: the person and the
// event of the spec's acceptance vectors (2.6).
const manualData = `{
  "profile": {"user_id": "u1", "email_address": "a@b.c"},
  "custom_attribute": {
    "one": 2, "two": 3, "bal": 10, "flag": false, "ws": " ",
    "zip code": "10001", "brands": ["Nike", "Converse"], "address": {"city": "NYC"}
  },
  "event_properties": {
    "categories": [{"id": "Bathroom"}], "meta": {"color": "green"}
  }
}`

// TestManual writes docs/liquid.md and fails when what lies there is another text.
func TestManual(t *testing.T) {
	m := &manual{t: t, input: exampleInput(t, PartialMap{})}
	m.input.Vars = map[string]any{}
	for name, value := range fromJSON(t, manualData).(*Map).All() {
		if name == "profile" {
			name = ProfileVariables
		}
		m.input.Vars[name] = value
	}
	const file = "../docs/liquid.md"
	text := m.write()
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, text) {
		t.Errorf("docs/liquid.md is not what the registry says (%v); run go test ./liquid -run TestManual -update", err)
	}
}

// manual writes the page from its template.
type manual struct {
	t     *testing.T
	input Input // of the page's own examples
}

func (m *manual) write() []byte {
	page, err := template.New("manual.md.tmpl").Delims("<<", ">>").Funcs(template.FuncMap{
		"data": func() string { return manualData }, "code": escapedPipes, "cell": escapedPipes, "codeCell": codeCell,
		"thousands": thousands, "mebibytes": func(n int) string { return strconv.Itoa(n>>20) + " MiB" },
		"examples": m.examples, "example": m.example, "errors": m.errors, "prints": m.prints,
	}).ParseFiles(filepath.Join("testdata", "manual.md.tmpl"))
	if err != nil {
		m.t.Fatal(err)
	}
	differences, err := os.ReadFile(filepath.Join("testdata", "ruby_differences.md"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		Tags        []group[tagEntry]
		Filters     []group[filterEntry]
		Limits      Limits
		Exceptions  map[string]string
		Differences string
	}{
		filled(m.t, tagGroups(), Tags(), func(d TagDoc) string { return d.Name }, newTagEntry),
		filled(m.t, filterGroups(), Filters(), func(d FilterDoc) string { return d.Name }, newFilterEntry),
		Limits{}.withDefaults(), notYet, below(string(differences)),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return out.Bytes()
}

// filled puts each entry of a registry into its group. Every entry must be in one.
func filled[D, E any](t *testing.T, groups []group[D], registry []D, name func(D) string, entry func(D) E) []group[E] {
	byName := map[string]D{}
	for _, d := range registry {
		byName[name(d)] = d
	}
	var all []group[E]
	for _, g := range groups {
		with := group[E]{Title: g.Title, Intro: g.Intro}
		for _, n := range strings.Fields(g.names) {
			d, ok := byName[n]
			if !ok {
				t.Errorf("the manual's group %q lists %s, which is not registered, or stands in two groups", g.Title, n)
				continue
			}
			delete(byName, n)
			with.List = append(with.List, entry(d))
		}
		all = append(all, with)
	}
	for n := range byName {
		t.Errorf("%s has no group in the manual", n)
	}
	return all
}

type tagEntry struct{ TagDoc }

func newTagEntry(d TagDoc) tagEntry { return tagEntry{d} }

// Only says which dialect has the tag.
func (e tagEntry) Only() string {
	switch {
	case e.Braze:
		return "Braze"
	case e.Shopify:
		return "Shopify"
	}
	return ""
}

// Usage is the syntax between its braces, with each part of a block in its own.
func (e tagEntry) Usage() string {
	if strings.HasPrefix(e.Syntax, "{{") {
		return e.Syntax
	}
	parts := strings.Split(e.Syntax, " … ")
	if e.End == "" {
		parts = []string{e.Syntax}
	}
	for i, part := range parts {
		if !strings.HasSuffix(part, "\n") {
			part += " "
		}
		parts[i] = "{% " + part + "%}"
	}
	return strings.Join(parts, " … ")
}

type filterEntry struct{ FilterDoc }

func newFilterEntry(d FilterDoc) filterEntry { return filterEntry{d} }

// Arguments says how many there are.
func (e filterEntry) Arguments() string {
	var s string
	switch {
	case e.Max == 0:
		s = "none"
	case e.Min == e.Max:
		s = strconv.Itoa(e.Min)
	default:
		s = fmt.Sprintf("%d to %d", e.Min, e.Max)
	}
	for _, n := range e.Named {
		s += ", `" + n + ":`"
	}
	return s
}

// example runs a tag's example and shows it.
func (m *manual) example(e tagEntry) string {
	opts := Options{Dialect: Braze}
	if e.Shopify {
		opts.Dialect = Shopify
	}
	tpl, err := Parse(e.Example, opts)
	if err != nil {
		m.t.Fatalf("%s: %v", e.Name, err)
	}
	hello, err := Parse("Hello {{ who }}", opts)
	if err != nil {
		m.t.Fatal(err)
	}
	got, err := tpl.Render(m.t.Context(), exampleInput(m.t, PartialMap{"hello": hello}))
	if err != nil || got != e.Output {
		m.t.Errorf("%s: %s prints %q, %v, not %q", e.Name, e.Example, got, err, e.Output)
	}
	return table("example | prints", [][]string{{codeCell(e.Example), codeCell(got)}})
}

// examples runs templates and shows what they print.
func (m *manual) examples(sources ...string) string {
	var rows [][]string
	for _, source := range sources {
		rows = append(rows, []string{codeCell(source), codeCell(m.prints(source))})
	}
	return table("template | prints", rows)
}

func (m *manual) prints(source string) string {
	text, err := m.render(source)
	if err != nil {
		m.t.Errorf("%s: %v", source, err)
	}
	return text
}

// errors runs templates that fail and shows how.
func (m *manual) errors(sources ...string) string {
	var rows [][]string
	for _, source := range sources {
		_, err := m.render(source)
		var e *Error
		if !errors.As(err, &e) {
			m.t.Errorf("%s does not fail: %v", source, err)
			continue
		}
		rows = append(rows, []string{codeCell(source), e.Kind.String(), escapedPipes(e.Error())})
	}
	return table("template | kind | error", rows)
}

func (m *manual) render(source string) (string, error) {
	tpl, err := Parse(source, Options{Dialect: Braze})
	if err != nil {
		return "", err
	}
	return tpl.Render(m.t.Context(), m.input)
}

// table writes a table of Markdown.
func table(head string, rows [][]string) string {
	lines := []string{"| " + head + " |", "|" + strings.Repeat("---|", strings.Count(head, "|")+1)}
	for _, cells := range rows {
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// below makes the headings of a page those of a part of this one.
func below(page string) string {
	var out strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			line = "##" + line
		}
		out.WriteString(line)
	}
	return out.String()
}

func escapedPipes(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// codeCell writes code into a cell of a table.
func codeCell(text string) string {
	const most = 80 // characters of what is long and means nothing
	if !strings.Contains(text, " ") && len(text) > most {
		text = text[:8] + "…" + text[len(text)-8:]
	}
	if text == "" {
		return "(nothing)"
	}
	return "`" + escapedPipes(strings.ReplaceAll(text, "\n", "↵")) + "`"
}

// thousands writes a number with commas.
func thousands(n int) string {
	digits := []byte(strconv.Itoa(n))
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = slices.Insert(digits, at, ',')
	}
	return string(digits)
}

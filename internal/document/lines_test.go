package document

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestPlacesBehindEveryBreak holds that all line breaks of YAML are counted, in
// comments, in texts and in data.
func TestPlacesBehindEveryBreak(t *testing.T) {
	for _, lineBreak := range []string{"\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029"} {
		lines := []string{
			"# a comment", "kind: Snippet", "workspace: shop", "name: s", "text: |", "  first", "", "  se{% nosuchtag %}", "",
		}
		_, err := parse([]File{{Name: "f", Data: []byte("\ufeff" + strings.Join(lines, lineBreak))}})
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Line != 8 || problems[0].Column != 8 {
			t.Errorf("%q: got %v", lineBreak, err)
		}
		in := strings.NewReplacer("Snippet", "Catalog", "text: |", "file: a.csv # end", "first", "", "se{% nosuchtag %}", "").Replace(strings.Join(lines, lineBreak))
		out, err := Inline(File{Name: "f", Data: []byte(in)}, func(string) ([]byte, error) { return []byte("id\nx\n"), nil })
		if want := strings.Replace(in, "file: a.csv", `csv: "id\nx\n"`, 1); err != nil || string(out.Data) != want {
			t.Errorf("%q: got %q, %v, want %q", lineBreak, out.Data, err, want)
		}
	}
}

// What stands before a reference in its line does not move it.
func TestInlineOnTheFirstLine(t *testing.T) {
	read := func(string) ([]byte, error) { return []byte("id\n"), nil }
	out, err := Inline(File{Name: "f", Data: []byte("\ufeff{kind: Catalog, file: a.csv}")}, read)
	if want := `{kind: Catalog, csv: "id\n"}`; err != nil || string(out.Data) != want {
		t.Errorf("got %q, %v, want %q", out.Data, err, want)
	}
	in := "kind: Catalog\n&a file: a.csv\n"
	if out, err := Inline(File{Name: "f", Data: []byte(in)}, read); err == nil || string(out.Data) != in {
		t.Errorf("an anchor: got %q, %v", out.Data, err)
	}
}

// FuzzInlineFile holds that whatever a file is, putting data in makes no panic and
// changes nothing but the reference.
func FuzzInlineFile(f *testing.F) {
	for _, seed := range []string{
		"# pasted\u2028# x\nkind: Catalog\nworkspace: shop\nname: c\nfile: a.csv",
		"kind: Catalog\rfile: a.csv\r", "\ufeff{kind: Catalog, file: a.csv, x: [y]}", "\xff\xfek\x00i\x00n\x00d\x00:\x00 \x00C\x00",
		"kind: Catalog\n&a file: a.csv\n---\nkind: Catalog\n? file\n: 'a.csv'\n", "kind: Catalog\n!!str file: &b a.csv\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := Inline(File{Name: "f", Data: []byte(text)}, func(string) ([]byte, error) { return []byte("id\nx\n"), nil })
		if err != nil {
			return
		}
		before, after := allScalars(text), allScalars(string(out.Data))
		if len(before) != len(after) {
			t.Fatalf("%q with %d scalars became %q with %d", text, len(before), out.Data, len(after))
		}
		for i := range before {
			same := before[i].Value == after[i].Value
			if put := before[i].Value == "file" && after[i].Value == "csv" || after[i].Value == "id\nx\n"; !same && !put || before[i].Line != after[i].Line {
				t.Fatalf("%q became %q", text, out.Data)
			}
		}
	})
}

// allScalars gives the scalars of all documents up to what is no YAML.
func allScalars(text string) (scalars []*yaml.Node) {
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			scalars = append(scalars, n)
		}
		for _, member := range n.Content {
			walk(member)
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var doc yaml.Node
		if err := decoder.Decode(&doc); err != nil {
			if errors.Is(err, io.EOF) {
				return scalars
			}
			return append(scalars, &yaml.Node{Value: "no YAML"})
		}
		walk(&doc)
	}
}

func TestSplitLines(t *testing.T) {
	for text, want := range map[string][]string{
		"":                    {""},
		"a":                   {"a"},
		"a\r\n\rb\n":          {"a\r\n", "\r", "b\n", ""},
		"\u0085é\u2028\u2029": {"\u0085", "é\u2028", "\u2029", ""},
	} {
		if lines := SplitLines(text); !slices.Equal(lines, want) || lines.String() != text {
			t.Errorf("%q: got %q", text, lines)
		}
	}
}

package document

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// fileForms say by the ending of a file's name which member takes what is in it.
var fileForms = map[Kind]map[string]string{
	KindCatalog:       {".csv": "csv", ".json": "json", ".jsonl": "json"},
	KindPromotionList: {".csv": "csv", ".txt": "csv"},
}

// Inline puts the data of catalogs and promotion lists into a file that names files
// with `file:`, so that it can be sent. What is put there stays in one line: all
// other places in the file are as before. read gives the content of a named file.
// The error is of type Problems; a file that is no YAML is left to Apply to refuse.
func Inline(f File, read func(name string) ([]byte, error)) (File, error) {
	r := newReader(f)
	if len(f.Data) > MaxFileBytes || !bytes.Contains(f.Data, []byte("file")) {
		return f, nil
	}
	references := r.fileReferences()
	slices.Reverse(references) // so that what is put in moves no reference that follows
	for _, ref := range references {
		text, problem := ref.content(read)
		if problem == "" {
			problem = r.replace(ref, text)
		}
		if problem != "" {
			r.refuse(ref.name, "file_unreadable", "%s", problem)
		}
	}
	return File{Name: f.Name, Data: []byte(r.lines.String())}, r.problems.orNil()
}

// fileReference is a member file: of a document.
type fileReference struct {
	kind      Kind
	key, name *yaml.Node
}

// fileReferences finds them in the order of the file, up to what is no YAML.
func (r *reader) fileReferences() []fileReference {
	var found []fileReference
	decoder := yaml.NewDecoder(bytes.NewReader(r.data))
	for {
		var doc yaml.Node
		if decoder.Decode(&doc) != nil {
			return found
		}
		kind := nodeAt(doc.Content[0], "/kind")
		if kind == nil || fileForms[Kind(kind.Value)] == nil {
			continue
		}
		members := doc.Content[0].Content
		for i := 0; i+1 < len(members); i += 2 {
			if members[i].Value == "file" && members[i+1].Kind == yaml.ScalarNode {
				found = append(found, fileReference{Kind(kind.Value), members[i], members[i+1]})
			}
		}
	}
}

// content reads the file that is named.
func (ref fileReference) content(read func(string) ([]byte, error)) (text, problem string) {
	if ref.form() == "" {
		var endings []string
		for ending := range fileForms[ref.kind] {
			endings = append(endings, ending)
		}
		slices.Sort(endings)
		return "", fmt.Sprintf("the data of a %s is read from files that end in %s, and not from %q", ref.kind, strings.Join(endings, ", "), ref.name.Value)
	}
	data, err := read(ref.name.Value)
	switch {
	case err != nil:
		return "", fmt.Sprintf("cannot read %s: %v", ref.name.Value, err)
	case len(data) > MaxFileBytes:
		return "", fmt.Sprintf("%s has more than %d bytes", ref.name.Value, MaxFileBytes)
	case !utf8.Valid(data):
		return "", fmt.Sprintf("%s is not in UTF-8; save it so and apply again", ref.name.Value)
	}
	return strings.TrimPrefix(string(data), "\ufeff"), ""
}

// form is the member that takes what is in the file, "" for an unknown ending.
func (ref fileReference) form() string {
	return fileForms[ref.kind][strings.ToLower(path.Ext(ref.name.Value))]
}

// replace writes the text in place of the reference.
func (r *reader) replace(ref fileReference, text string) (problem string) {
	const member = "file"
	line := []rune(r.lines.content(ref.name.Line))
	key, name := ref.key.Column-1, ref.name.Column-1
	if ref.key.Line != ref.name.Line || name > len(line) || key+len(member) > name || string(line[key:key+len(member)]) != member {
		return "write file: and the name behind it in one line, without quotes around file"
	}
	end := name + rawRunes(string(line[name:]), ref.name)
	if end == name {
		return "write the name of the file in one line and without escapes"
	}
	behindKey, behindName := string(line[key+len(member):name]), string(line[end:])
	whole := &r.lines[ref.name.Line-1]
	lineBreak := strings.TrimPrefix(*whole, string(line))
	*whole = string(line[:key]) + ref.form() + behindKey + quoted(text) + behindName + lineBreak
	return ""
}

// rawRunes counts the characters that a scalar takes in its line, 0 when it does not
// stand there as it reads.
func rawRunes(raw string, n *yaml.Node) int {
	text := n.Value
	switch n.Style {
	case 0:
	case yaml.SingleQuotedStyle:
		text = "'" + text + "'"
	case yaml.DoubleQuotedStyle:
		text = `"` + text + `"`
	default:
		return 0
	}
	if !strings.HasPrefix(raw, text) {
		return 0
	}
	return utf8.RuneCountInString(text)
}

// quoted writes a text as a scalar of one line.
func quoted(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(c):
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

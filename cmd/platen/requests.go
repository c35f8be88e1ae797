package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"platen/internal/fault"
	"platen/internal/payload"
	"platen/liquid"
)

// requestFile is a file of documents, read for the Liquid texts of its campaigns'
// requests and nothing else.
type requestFile struct {
	name  string
	lines []string
	texts []requestText
}

// requestText is one text of a request, as it stands in a document.
type requestText struct {
	part string // as a person names it
	opts payload.Options
	node *yaml.Node // the scalar that holds it
}

// documentLine is the line that a document has and neither JSON nor a form.
var documentLine = regexp.MustCompile(`(?m)^kind:[ \t]+[A-Z][A-Za-z]+[ \t\r]*$`)

// holdsDocuments reports whether a text is a file of documents, and not the body
// of a request.
func holdsDocuments(source string) bool { return documentLine.MatchString(source) }

// campaignDocument is what of a document matters to its texts.
type campaignDocument struct {
	Kind      string    `yaml:"kind"`
	Workspace string    `yaml:"workspace"`
	Name      string    `yaml:"name"`
	Text      yaml.Node `yaml:"text"` // of a Snippet
	Variants  []struct {
		Name    string `yaml:"name"`
		Webhook struct {
			URL     yaml.Node `yaml:"url"`
			Headers yaml.Node `yaml:"headers"`
			Body    yaml.Node `yaml:"body"`
		} `yaml:"webhook"`
	} `yaml:"variants"`
}

// readRequests reads a file of documents. The error is a *fault.Error.
func readRequests(name, source string) (*requestFile, error) {
	f := &requestFile{name: name, lines: strings.Split(source, "\n")}
	var campaigns []campaignDocument
	snippets := map[[2]string]*liquid.Template{}
	for decoder := yaml.NewDecoder(strings.NewReader(source)); ; {
		var d campaignDocument
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "bad_yaml", "%s cannot be read as documents: %s; platen apply --dry-run tells more",
				name, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		switch d.Kind {
		case "Campaign":
			campaigns = append(campaigns, d)
		case "Snippet":
			if t, err := liquid.Parse(d.Text.Value, liquid.Options{Dialect: liquid.Braze}); err == nil {
				snippets[[2]string{d.Workspace, d.Name}] = t
			}
		}
	}
	for _, d := range campaigns {
		f.addCampaign(d, func(name string) (*liquid.Template, bool) {
			return snippets[[2]string{d.Workspace, name}], true // others may be in the store
		})
	}
	return f, nil
}

func (f *requestFile) addCampaign(d campaignDocument, snippets func(string) (*liquid.Template, bool)) {
	for _, v := range d.Variants {
		add := func(what string, node *yaml.Node, opts payload.Options) {
			if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
				opts.Snippets = snippets
				f.texts = append(f.texts, requestText{d.Workspace + "/" + d.Name + ", " + v.Name + ", " + what, opts, node})
			}
		}
		add("URL", &v.Webhook.URL, payload.Options{As: payload.URL})
		contentType := ""
		for i := 0; i+1 < len(v.Webhook.Headers.Content); i += 2 {
			header, value := v.Webhook.Headers.Content[i].Value, v.Webhook.Headers.Content[i+1]
			add("header "+header, value, payload.Options{As: payload.Header, Header: header})
			if http.CanonicalHeaderKey(header) == "Content-Type" && !strings.Contains(value.Value, "{") {
				contentType = value.Value
			}
		}
		add("body", &v.Webhook.Body, payload.Options{As: payload.BodyAs(contentType)})
	}
}

// placed puts the findings of a text at their places in the file.
func (f *requestFile) placed(t requestText, findings []payload.Finding) []payload.Finding {
	for i := range findings {
		at := &findings[i]
		at.Part = t.part
		at.Line, at.Column = f.place(t.node, at.Line, at.Column)
	}
	return findings
}

// place finds a line and column of a scalar's text, both from 1, in the file: of
// a literal block (|) and of what stands on one line without escapes; of any
// other the place where it begins.
func (f *requestFile) place(n *yaml.Node, line, column int) (fileLine, fileColumn int) {
	if n.Style&yaml.LiteralStyle != 0 {
		return n.Line + line, f.indent(n) + column
	}
	if at := f.columnOf(n); at > 0 {
		return n.Line, at + column - 1
	}
	return n.Line, n.Column
}

// indent is the number of spaces in front of the lines of a literal block.
func (f *requestFile) indent(n *yaml.Node) int {
	for i, text := range strings.Split(n.Value, "\n") {
		if at := n.Line + i; text != "" && at < len(f.lines) {
			return utf8.RuneCountInString(strings.TrimSuffix(f.lines[at], "\r")) - utf8.RuneCountInString(text)
		}
	}
	return 0
}

// columnOf is where the text of a scalar begins that stands on one line without
// escapes, from 1; 0 for others.
func (f *requestFile) columnOf(n *yaml.Node) int {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || n.Value == "" {
		return 0
	}
	column := n.Column
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		column++ // behind the quote
	}
	if line := []rune(f.lines[n.Line-1]); column > len(line) || !strings.HasPrefix(string(line[column-1:]), n.Value) {
		return 0
	}
	return column
}

// rewritten is the file with other texts in place of its own. The error names a
// text that only a person can put in.
func (f *requestFile) rewritten(texts []string) (string, error) {
	order := make([]int, len(texts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { // from the end, so that places stay
		m, n := f.texts[a].node, f.texts[b].node
		return cmp.Or(cmp.Compare(n.Line, m.Line), cmp.Compare(n.Column, m.Column))
	})
	out := &requestFile{name: f.name, lines: slices.Clone(f.lines)}
	for _, i := range order {
		if n := f.texts[i].node; texts[i] != n.Value && !out.put(n, texts[i]) {
			return "", f.notPut(i)
		}
	}
	source := strings.Join(out.lines, "\n")
	again, err := readRequests(f.name, source)
	if err != nil {
		return "", err
	}
	for i := range texts {
		if i >= len(again.texts) || again.texts[i].node.Value != texts[i] {
			return "", f.notPut(i)
		}
	}
	return source, nil
}

func (f *requestFile) notPut(i int) error {
	t := f.texts[i]
	return fault.New(fault.Invalid, "not_repaired", "%s, line %d: the repaired %s cannot be put in as it is written; write it as a block (|) and try again",
		f.name, t.node.Line, t.part)
}

// put writes a text in the place of a scalar's. The lines behind it may move.
func (f *requestFile) put(n *yaml.Node, text string) bool {
	if n.Style&yaml.LiteralStyle != 0 {
		f.putBlock(n, text)
		return true
	}
	column := f.columnOf(n)
	if column == 0 {
		return false
	}
	line := []rune(f.lines[n.Line-1])
	behind := strings.TrimPrefix(string(line[column-1:]), n.Value)
	f.lines[n.Line-1] = string(line[:column-1]) + text + behind
	return true
}

func (f *requestFile) putBlock(n *yaml.Node, text string) {
	indent := strings.Repeat(" ", f.indent(n))
	if head := &f.lines[n.Line-1]; !strings.HasSuffix(text, "\n") && strings.HasSuffix(n.Value, "\n") {
		*head = strings.TrimRight(strings.TrimSuffix(*head, "\r"), " ") + "-" // no line break at the end
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = indent + line
		}
	}
	old := strings.Count(strings.TrimSuffix(n.Value, "\n"), "\n") + 1
	f.lines = slices.Replace(f.lines, n.Line, min(n.Line+old, len(f.lines)), lines...)
}

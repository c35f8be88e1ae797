package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/payload"
	"platen/liquid"
)

// requestFile is a file of documents, read for the Liquid texts of its campaigns'
// requests and nothing else.
type requestFile struct {
	name  string
	lines document.Lines
	texts []requestText
}

// requestText is one text of a request, as it stands in a document.
type requestText struct {
	part string // as a person names it
	opts payload.Options
	node *yaml.Node // the scalar that holds it
}

// documentLine is the line that a document has and neither JSON nor a form.
var documentLine = regexp.MustCompile(`^kind:[ \t]+[A-Z][A-Za-z]+[ \t\r\n\x{85}\x{2028}\x{2029}]*$`)

// holdsDocuments reports whether a text is a file of documents, and not the body
// of a request.
func holdsDocuments(source string) bool {
	return slices.ContainsFunc(document.SplitLines(source), documentLine.MatchString)
}

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
	f := &requestFile{name: name, lines: document.SplitLines(source)}
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
		at.Line, at.Column, _ = f.lines.Place(t.node, at.Line, at.Column)
	}
	return findings
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
	source := out.lines.String()
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
	column := f.lines.Column(n)
	if column == 0 {
		return false
	}
	line := []rune(f.lines[n.Line-1])
	behind := strings.TrimPrefix(string(line[column-1:]), n.Value)
	f.lines[n.Line-1] = string(line[:column-1]) + text + behind
	return true
}

// putBlock writes the lines of a literal block anew.
func (f *requestFile) putBlock(n *yaml.Node, text string) {
	head := &f.lines[n.Line-1]
	start := strings.TrimRight(*head, " "+document.LineBreaks)
	ending := strings.TrimLeft((*head)[len(start):], " ") // as the file's other lines end
	if !strings.HasSuffix(text, "\n") && strings.HasSuffix(n.Value, "\n") {
		*head = start + "-" + ending // no line break at the end
	}
	indent := strings.Repeat(" ", f.lines.Indent(n))
	lines := document.SplitLines(strings.TrimSuffix(text, "\n"))
	for i, line := range lines {
		content := strings.TrimRight(line, document.LineBreaks)
		own := strings.TrimRight(line[len(content):], "\n") // a break that the value has and not only its block
		if content != "" {
			content = indent + content
		}
		lines[i] = content + cmp.Or(own, ending)
	}
	end := n.Line + len(document.SplitLines(strings.TrimSuffix(n.Value, "\n")))
	if end >= len(f.lines) {
		end, lines[len(lines)-1] = len(f.lines), strings.TrimSuffix(lines[len(lines)-1], ending) // the file ends without a break
	}
	f.lines = slices.Replace(f.lines, n.Line, end, lines...)
}

package document

import (
	"strings"
	"unicode/utf8"

	"platen/liquid"
)

type snippetSpec struct {
	head `yaml:",inline"`
	Text text `yaml:"text"`

	template *liquid.Template
}

// The bounds of a snippet, which are those of Braze's Content Blocks.
const (
	maxSnippetName  = 100 // characters
	maxSnippetBytes = 50 << 10
)

func decodeSnippet(o *object, h head) spec {
	s := &snippetSpec{head: h, Text: text(o.freeText("text", required))}
	switch {
	case utf8.RuneCountInString(h.Name) > maxSnippetName:
		o.refuse(o.node("name"), "bad_name", "the name of a snippet must have at most %d characters", maxSnippetName)
	case strings.ContainsAny(h.Name, "{}"):
		o.refuse(o.node("name"), "bad_name", "the name of a snippet stands between braces, as content_blocks.${name}, so it cannot hold any")
	}
	if len(s.Text) > maxSnippetBytes {
		o.refuse(o.node("text"), "too_large", "a snippet has at most %d bytes, this one has %d", maxSnippetBytes, len(s.Text))
		return s
	}
	var err error
	if s.template, err = liquid.Parse(string(s.Text), liquid.Options{Dialect: liquid.Braze}); err != nil {
		o.refuseLiquid(o.node("text"), err)
	}
	return s
}

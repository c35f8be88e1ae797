package document

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// encode writes a spec in the one form in which it is stored and exported.
func encode(s any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("write a document: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write a document: %w", err)
	}
	return b.Bytes(), nil
}

// text is a text of any lines and characters. All others are of one line, which
// the encoder writes well by itself.
type text string

// MarshalYAML writes the text in a style from which it reads back unchanged.
func (t text) MarshalYAML() (any, error) { return textNode(string(t)), nil }

// textNode is a scalar that reads back as this text. Lines are written as they
// are where YAML can hold them so; the encoder's own choice would also do that
// where it cannot, as with a tab at the beginning.
func textNode(value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	switch {
	case strings.ContainsFunc(value, unwritable):
		n.Style = yaml.DoubleQuotedStyle
	case strings.ContainsAny(value, "\n\t"):
		n.Style = yaml.DoubleQuotedStyle
		if strings.Contains(value, "\n") && strings.IndexAny(value, " \t\n") != 0 {
			n.Style = yaml.LiteralStyle
		}
	}
	return n
}

// unwritable characters need an escape.
func unwritable(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }

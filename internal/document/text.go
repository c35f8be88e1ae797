package document

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"platen/liquid"
)

// placeIn finds the place in the file of a line and column, both from 1, within
// the text of a scalar. It is exact for literal blocks (|) and for texts of one
// line without escapes; otherwise it is the place where the scalar begins, and
// exact is false.
func (r *reader) placeIn(n *yaml.Node, line, column int) (fileLine, fileColumn int, exact bool) {
	if n.Style&yaml.LiteralStyle != 0 {
		return n.Line + line, column + r.indentOf(n), true
	}
	if n.Style&yaml.FoldedStyle != 0 || strings.Contains(n.Value, "\n") || !r.holds(n) {
		return n.Line, n.Column, false
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		column++ // behind the quote
	}
	return n.Line, n.Column + column - 1, true
}

// indentOf is the number of spaces before the lines of a literal block: what the
// file has before the first line of the text that is not empty.
func (r *reader) indentOf(n *yaml.Node) int {
	for i, text := range strings.Split(n.Value, "\n") {
		if text == "" {
			continue
		}
		if at := n.Line + i; at < len(r.lines) {
			raw := strings.TrimSuffix(r.lines[at], "\r")
			return utf8.RuneCountInString(raw) - utf8.RuneCountInString(text)
		}
	}
	return 0
}

// holds says whether a scalar of one line stands in the file as its value reads,
// without escapes.
func (r *reader) holds(n *yaml.Node) bool {
	return n.Line <= len(r.lines) && strings.Contains(r.lines[n.Line-1], n.Value)
}

// refuseIn reports a mistake at a line and column of a scalar's text.
func (r *reader) refuseIn(n *yaml.Node, line, column int, reason, message string) {
	fileLine, fileColumn, exact := r.placeIn(n, line, column)
	if !exact {
		message = fmt.Sprintf("%s (line %d, column %d of the text)", message, line, column)
	}
	r.refuseAt(fileLine, fileColumn, reason, "%s", message)
}

// nodeAt finds the value at a JSON pointer below a node, nil when there is none.
func nodeAt(n *yaml.Node, pointer string) *yaml.Node {
	if n == nil || pointer == "" {
		return n
	}
	name, rest, _ := strings.Cut(pointer[1:], "/")
	if rest != "" {
		rest = "/" + rest
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return nodeAt(n.Content[i+1], rest)
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return nodeAt(n.Content[i], rest)
		}
	}
	return nil
}

// refuseLiquid reports an error of a template that stands in a scalar.
func (r *reader) refuseLiquid(n *yaml.Node, err error) {
	var le *liquid.Error
	if !errors.As(err, &le) {
		r.pass(n, err)
		return
	}
	r.refuseIn(n, le.Pos.Line, le.Pos.Column, "bad_liquid", "Liquid: "+le.Message)
}

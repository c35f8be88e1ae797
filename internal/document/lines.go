package document

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Lines is a text of YAML in the lines that its nodes count. Each keeps the break
// that ends it; there is always one more behind the last break, which may be empty.
type Lines []string

// LineBreaks are the characters that end lines. YAML 1.1 (section 5.4), by which the
// library counts, knows more of them than editors do.
const LineBreaks = "\r\n\u0085\u2028\u2029"

// SplitLines splits a text of YAML.
func SplitLines(text string) Lines {
	var lines Lines
	start := 0
	for i := 0; i < len(text); {
		size := breakSize(text[i:])
		i += max(1, size)
		if size > 0 {
			lines = append(lines, text[start:i])
			start = i
		}
	}
	return append(lines, text[start:])
}

// breakSize is the number of bytes of the line break that a text begins with, 0 when
// there is none.
func breakSize(text string) int {
	switch text[0] {
	case '\n':
		return 1
	case '\r':
		if strings.HasPrefix(text, "\r\n") {
			return 2
		}
		return 1
	case "\u0085"[0]:
		if strings.HasPrefix(text, "\u0085") {
			return 2
		}
	case "\u2028"[0]:
		if strings.HasPrefix(text, "\u2028") || strings.HasPrefix(text, "\u2029") {
			return 3
		}
	}
	return 0
}

// String is the text again.
func (l Lines) String() string { return strings.Join(l, "") }

// content is a line, from 1, without its break; "" for one that is not there.
func (l Lines) content(line int) string {
	if line < 1 || line > len(l) {
		return ""
	}
	return strings.TrimRight(l[line-1], LineBreaks)
}

// Place finds the place in the text of a line and column of a scalar's value, all
// from 1 and columns in characters. It is exact for literal blocks (|) and for what
// stands on one line without escapes; otherwise it is the place where the scalar
// begins, and exact is false.
func (l Lines) Place(n *yaml.Node, line, column int) (fileLine, fileColumn int, exact bool) {
	if n.Style&yaml.LiteralStyle != 0 {
		// A value has its lines ended by \n, but may hold breaks that only YAML counts.
		before := SplitLines(upTo(n.Value, line, column))
		last := before[len(before)-1]
		return n.Line + len(before), l.Indent(n) + utf8.RuneCountInString(last) + 1, true
	}
	if at := l.Column(n); at > 0 {
		return n.Line, at + column - 1, true
	}
	return n.Line, n.Column, false
}

// upTo is what a text has before a line and column, the whole line when it is shorter.
func upTo(text string, line, column int) string {
	rest := text
	for range line - 1 {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	for column--; column > 0 && rest != "" && rest[0] != '\n'; column-- {
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	return text[:len(text)-len(rest)]
}

// Indent is the number of spaces before the lines of a literal block: what the text
// has before the first line of the value that is not empty.
func (l Lines) Indent(n *yaml.Node) int {
	value := SplitLines(n.Value)
	for i := range value {
		if text := value.content(i + 1); text != "" {
			return max(0, utf8.RuneCountInString(l.content(n.Line+i+1))-utf8.RuneCountInString(text))
		}
	}
	return 0
}

// Column is where the value of a scalar begins that stands on one line as it reads,
// without escapes; 0 for others.
func (l Lines) Column(n *yaml.Node) int {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || n.Value == "" {
		return 0
	}
	column := n.Column
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		column++ // behind the quote
	}
	if line := []rune(l.content(n.Line)); column > len(line) || !strings.HasPrefix(string(line[column-1:]), n.Value) {
		return 0
	}
	return column
}

// Package loosejson reads JSON as people write it.
//
// Templates copied from documentation send comment lines, forget a comma or
// leave one too many. Check tells exactly where a body is not JSON; Mend repairs
// those three mistakes and nothing else, and says what it did.
package loosejson

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may be nested. Go's own limit of
// 10,000 protects the process; this one protects whoever reads the value later.
const MaxDepth = 64

// MaxMends is how many mistakes of one text Mend repairs. A template with more of
// them is better mended at its sender, and each mend is told in an answer.
const MaxMends = 1000

// Kind names one kind of mend; scripts may rely on it.
type Kind string

// The three mends.
const (
	CommentLine   Kind = "comment_line"
	MissingComma  Kind = "missing_comma"
	TrailingComma Kind = "trailing_comma"
)

// Warning is one mend, with its place in the text as it was sent.
type Warning struct {
	Line    int // 1-based
	Column  int // 1-based, in characters
	Kind    Kind
	Message string
}

// Check tells whether body is one JSON value as RFC 8259 defines it, in valid
// UTF-8 and nested at most MaxDepth deep. The error is a *fault.Error with code
// Invalid, reason "malformed_json", line and column.
func Check(body []byte) error {
	if wellFormed(body) {
		return nil
	}
	s := scanner{src: body}
	return s.document()
}

// Mend drops lines that begin with //, removes trailing commas and adds missing
// ones between members and elements. It never changes anything inside a string.
// Valid JSON comes back as the same slice without warnings. What cannot be mended,
// and a mistake behind MaxMends others, gives the error of Check, with the place in
// body as it was sent.
func Mend(body []byte) (mended []byte, warnings []Warning, err error) {
	if wellFormed(body) {
		return body, nil, nil
	}
	s := scanner{src: body, mending: true}
	if err := s.document(); err != nil {
		return nil, nil, err
	}
	// A trailing comma is recognised only after the comment lines behind it.
	slices.SortStableFunc(s.mends, func(a, b mend) int { return a.start - b.start })
	return rewrite(body, s.mends), s.warnings(), nil
}

// wellFormed is the fast way to a yes. The scanner decides the other cases.
func wellFormed(body []byte) bool {
	return json.Valid(body) && utf8.Valid(body) && !deep(body)
}

// deep tells whether valid JSON is nested deeper than MaxDepth.
func deep(body []byte) bool {
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) <= MaxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			for i++; body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// mend replaces src[start:end] by text. at is the byte that the warning points to.
type mend struct {
	start, end int
	text       string
	at         int
	kind       Kind
}

// rewrite applies mends, which are sorted and do not overlap, to body.
func rewrite(body []byte, mends []mend) []byte {
	out := make([]byte, 0, len(body)+len(mends))
	from := 0
	for _, m := range mends {
		out = append(out, body[from:m.start]...)
		out = append(out, m.text...)
		from = m.end
	}
	return append(out, body[from:]...)
}

var mendMessages = map[Kind]string{
	CommentLine:   "a comment line was dropped; JSON has no comments",
	MissingComma:  "a comma was added; two values followed each other without one",
	TrailingComma: "a comma was removed; nothing followed it",
}

func (s *scanner) warnings() []Warning {
	warnings := make([]Warning, 0, len(s.mends))
	place := placeIn(s.src)
	for _, m := range s.mends {
		line, column := place.of(m.at)
		warnings = append(warnings, Warning{Line: line, Column: column, Kind: m.kind, Message: mendMessages[m.kind]})
	}
	return warnings
}

// place turns growing byte offsets into lines and columns, reading src once.
type place struct {
	src          []byte
	read         int
	line, column int // of src[read]
}

func placeIn(src []byte) place { return place{src: src, line: 1, column: 1} }

func (p *place) of(offset int) (line, column int) {
	for ; p.read < offset; p.read++ {
		switch c := p.src[p.read]; {
		case c == '\n':
			p.line++
			p.column = 1
		case utf8.RuneStart(c):
			p.column++
		}
	}
	return p.line, p.column
}

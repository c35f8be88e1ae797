package mapping

import (
	"strings"
	"unicode/utf8"
)

// jqToken is one word or sign of a jq text. gojq's tree has no positions, so the
// checker finds the words again, in the order of the tree, to say where a mistake
// is.
type jqToken struct {
	text   string // a field is ".name", a string is its opening quote
	offset int
}

// jqLexer splits a text that gojq has parsed.
type jqLexer struct {
	src    string
	pos    int
	tokens []jqToken
}

func jqTokens(src string) []jqToken {
	l := jqLexer{src: src}
	for l.pos < len(l.src) {
		l.next()
	}
	return l.tokens
}

// next reads one token, with all tokens inside it when it is a string.
func (l *jqLexer) next() {
	start := l.pos
	switch c := l.src[l.pos]; {
	case isSpace(c):
		l.pos++
		return
	case c == '#':
		l.skipComment()
		return
	case c == '"':
		l.emit(start, start+1)
		l.skipString()
		return
	case isJQWord(c):
		l.word()
	case (c == '.' || c == '$' || c == '@') && l.pos+1 < len(l.src) && isJQWord(l.src[l.pos+1]):
		l.pos++
		l.word()
	default:
		l.pos += signLength(l.src[l.pos:])
	}
	l.emit(start, l.pos)
}

func (l *jqLexer) emit(start, end int) {
	l.tokens = append(l.tokens, jqToken{text: l.src[start:end], offset: start})
}

func (l *jqLexer) word() {
	for l.pos < len(l.src) && (isJQWord(l.src[l.pos]) || strings.HasPrefix(l.src[l.pos:], "::")) {
		if l.src[l.pos] == ':' {
			l.pos++
		}
		l.pos++
	}
}

func (l *jqLexer) skipComment() {
	for l.pos < len(l.src) && l.src[l.pos] != '\n' && l.src[l.pos] != '\r' {
		if l.src[l.pos] == '\\' {
			l.pos++ // a backslash carries the comment over a line break
		}
		l.pos++
	}
	l.pos = min(l.pos, len(l.src))
}

// skipString steps over a string and reads the tokens of its interpolations.
func (l *jqLexer) skipString() {
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '"':
			l.pos++
			return
		case '\\':
			l.pos++
			if l.pos < len(l.src) && l.src[l.pos] == '(' {
				l.interpolation()
			}
		}
	}
}

// interpolation reads from an opening parenthesis to the closing one, on which it
// stops.
func (l *jqLexer) interpolation() {
	depth := 0
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return
			}
		}
		l.next()
	}
}

// jqSigns are the signs of more than one character, the longest first.
var jqSigns = []string{"?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", ".."}

func signLength(s string) int {
	for _, sign := range jqSigns {
		if strings.HasPrefix(s, sign) {
			return len(sign)
		}
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

func isJQWord(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// jqPlace is the line and column of an offset, both counted from 1, the column in
// characters.
func jqPlace(src string, offset int) (line, column int) {
	before := src[:min(max(offset, 0), len(src))]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[lineStart:]) + 1
}

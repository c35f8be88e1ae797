package liquid

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what a token of an expression is.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenNumber
	tokenString
	tokenDollar   // ${…}
	tokenOperator // == != <> < > <= >=
	tokenDot
	tokenDots
	tokenComma
	tokenColon
	tokenPipe
	tokenOpenBracket
	tokenCloseBracket
	tokenOpenParen
	tokenCloseParen
	tokenOpenBraces  // {{
	tokenCloseBraces // }}
	tokenEquals      // =
	tokenOther       // nothing of the language
)

// A token is a word of an expression. text is its value: without quotes for a
// string, the inside for a `${…}`.
type token struct {
	kind     tokenKind
	text     string
	from, to int
}

var punctuation = map[byte]tokenKind{
	',': tokenComma, ':': tokenColon, '|': tokenPipe, '[': tokenOpenBracket,
	']': tokenCloseBracket, '(': tokenOpenParen, ')': tokenCloseParen,
}

// scan reads the token that begins at or after `at` and before end.
func (p *parser) scan(at, end int) token {
	for {
		at += leading(p.text[at:end])
		t := p.token(at, end)
		if t.kind != tokenOther || p.opts.Syntax == Strict {
			return t
		}
		at = t.to
	}
}

func (p *parser) token(at, end int) token {
	if at >= end {
		return token{kind: tokenEnd, from: end, to: end}
	}
	text := p.text[at:end]
	upTo := func(kind tokenKind, n int) token { return token{kind, text[:n], at, at + n} }
	c := text[0]
	switch {
	case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return upTo(tokenWord, wordLength(text))
	case isDigit(c) || c == '-' && len(text) > 1 && isDigit(text[1]):
		return upTo(tokenNumber, numberLength(text))
	case c == '"' || c == '\'':
		if n := strings.IndexByte(text[1:], c); n >= 0 {
			return token{tokenString, text[1 : n+1], at, at + n + 2}
		}
	case c == '.':
		if strings.HasPrefix(text, "..") {
			return upTo(tokenDots, 2)
		}
		return upTo(tokenDot, 1)
	case c == '=' || c == '!' || c == '<' || c == '>':
		if n := operatorLength(text); n > 0 {
			return upTo(tokenOperator, n)
		}
		if c == '=' {
			return upTo(tokenEquals, 1)
		}
	case punctuation[c] != 0:
		return upTo(punctuation[c], 1)
	case p.opts.Dialect == Braze:
		if t := brazeToken(text, at); t.kind != tokenEnd {
			return t
		}
	}
	_, n := utf8.DecodeRuneInString(text)
	return upTo(tokenOther, n)
}

// brazeToken reads the tokens that only the Braze dialect has.
func brazeToken(text string, at int) token {
	switch {
	case strings.HasPrefix(text, "{{"):
		return token{tokenOpenBraces, text[:2], at, at + 2}
	case strings.HasPrefix(text, "}}"):
		return token{tokenCloseBraces, text[:2], at, at + 2}
	case strings.HasPrefix(text, "${"):
		if n := strings.IndexByte(text, '}'); n > 0 {
			return token{tokenDollar, strings.TrimSpace(text[2:n]), at, at + n + 1}
		}
	}
	return token{}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// wordLength measures the name that text begins with: letters, digits, `_` and
// `-`, and one `?` at the end.
func wordLength(text string) int {
	n := nameLength(text)
	if n < len(text) && text[n] == '?' {
		n++
	}
	return n
}

// nameLength measures a name that may be assigned to.
func nameLength(text string) int {
	n := 0
	for n < len(text) && (isWord(text[n]) || text[n] == '-') {
		n++
	}
	return n
}

func numberLength(text string) int {
	n := 1
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	if n+1 < len(text) && text[n] == '.' && isDigit(text[n+1]) {
		n++
		for n < len(text) && isDigit(text[n]) {
			n++
		}
	}
	return n
}

func operatorLength(text string) int {
	if len(text) >= 2 {
		switch text[:2] {
		case "==", "!=", "<>", "<=", ">=":
			return 2
		}
	}
	if text[0] == '<' || text[0] == '>' {
		return 1
	}
	return 0
}

package liquid

import "strings"

// pieceKind is what a piece of a template is.
type pieceKind uint8

const (
	pieceEnd pieceKind = iota
	pieceText
	pieceOutput
	pieceTag
)

// A piece is a run of text, an output or a tag. Its offsets count in the text
// that is parsed.
type piece struct {
	kind     pieceKind
	from, to int    // all of it, delimiters included
	name     string // of a tag
	nameAt   int    // where the name begins
	// Where the expression or the tag's arguments lie.
	markupFrom, markupTo int
}

// A lexer cuts a template into pieces, or (inside a liquid tag) a run of lines
// into tags.
type lexer struct {
	p     *parser
	at    int
	end   int
	lines bool // every line is a tag
	trim  bool // the last piece ended in a `-`
}

const whitespace = " \t\n\v\f\r\x00"

// next returns the next piece; after the last, one of kind pieceEnd.
func (l *lexer) next() (piece, error) {
	if l.lines {
		return l.nextLine()
	}
	open := l.opener()
	from, to := l.at, open
	if l.trim {
		from += leading(l.p.text[from:to])
	}
	if open+2 < l.end && l.p.text[open+2] == '-' {
		to -= trailing(l.p.text[from:to])
	}
	l.at, l.trim = open, false
	switch {
	case from < to:
		return piece{kind: pieceText, from: from, to: to}, nil
	case open == l.end:
		return piece{kind: pieceEnd, from: l.end, to: l.end}, nil
	case l.p.text[open+1] == '%':
		return l.tag()
	}
	return l.output()
}

// opener finds the next `{{` or `{%`, or the end.
func (l *lexer) opener() int {
	for at := l.at; at+1 < l.end; at++ {
		i := strings.IndexByte(l.p.text[at:l.end-1], '{')
		if i < 0 {
			break
		}
		at += i
		if c := l.p.text[at+1]; c == '{' || c == '%' {
			return at
		}
	}
	return l.end
}

func leading(s string) int { return len(s) - len(strings.TrimLeft(s, whitespace)) }

func trailing(s string) int { return len(s) - len(strings.TrimRight(s, whitespace)) }

// output reads the `{{ … }}` that begins at l.at.
func (l *lexer) output() (piece, error) {
	from := l.at
	end := l.outputEnd(from + 2)
	if end < 0 {
		return piece{}, l.p.errorAt(from, l.end, "this output is never closed: expected }}")
	}
	pc := piece{kind: pieceOutput, from: from, to: end + 2}
	pc.markupFrom, pc.markupTo = l.inner(from+2, end)
	l.at = pc.to
	return pc, nil
}

// outputEnd finds the `}}` that closes an output whose inside begins at `at`. In
// the Braze dialect the braces of `${…}` and of inner outputs pair up first, so
// that `}}}` splits as `}` and `}}`.
func (l *lexer) outputEnd(at int) int {
	text := l.p.text[:l.end]
	if l.p.opts.Dialect != Braze {
		i := strings.Index(text[at:], "}}")
		if i < 0 {
			return -1
		}
		return at + i
	}
	depth := 0
	for ; at+1 < len(text); at++ {
		switch two := text[at : at+2]; two {
		case "${":
			i := strings.IndexByte(text[at:], '}')
			if i < 0 {
				return -1
			}
			at += i
		case "{{":
			depth++
			at++
		case "}}":
			if depth == 0 {
				return at
			}
			depth--
			at++
		}
	}
	return -1
}

// inner takes the dashes off the inside of a tag or an output and remembers
// whether the text after it is to be trimmed.
func (l *lexer) inner(from, to int) (int, int) {
	if from < to && l.p.text[from] == '-' {
		from++
	}
	if from < to && l.p.text[to-1] == '-' {
		to--
		l.trim = true
	}
	return from, to
}

// tag reads the `{% … %}` that begins at l.at. One without a name is an error, and
// passed over.
func (l *lexer) tag() (piece, error) {
	from := l.at
	i := strings.Index(l.p.text[from+2:l.end], "%}")
	if i < 0 {
		return piece{}, l.p.errorAt(from, l.end, "this tag is never closed: expected %%}")
	}
	pc := piece{kind: pieceTag, from: from, to: from + 2 + i + 2}
	l.at = pc.to
	inside, to := l.inner(from+2, from+2+i)
	if err := l.name(&pc, inside, to); err != nil {
		return piece{}, err
	}
	return pc, nil
}

// nextLine reads the next line that is not empty as a tag.
func (l *lexer) nextLine() (piece, error) {
	for l.at < l.end {
		from, to := l.at, l.end
		if i := strings.IndexByte(l.p.text[from:to], '\n'); i >= 0 {
			to = from + i
		}
		l.at = min(to+1, l.end)
		from += leading(l.p.text[from:to])
		if from == to {
			continue
		}
		to -= trailing(l.p.text[from:to])
		pc := piece{kind: pieceTag, from: from, to: to}
		return pc, l.name(&pc, from, to)
	}
	return piece{kind: pieceEnd, from: l.end, to: l.end}, nil
}

// name splits the inside of a tag into its name and the rest.
func (l *lexer) name(pc *piece, from, to int) error {
	from += leading(l.p.text[from:to])
	end := from
	if from < to && l.p.text[from] == '#' {
		end++
	} else {
		for end < to && isWord(l.p.text[end]) {
			end++
		}
	}
	if end == from {
		return l.p.errorAt(pc.from, pc.to, "expected the name of a tag")
	}
	pc.name, pc.nameAt = l.p.text[from:end], from
	pc.markupFrom, pc.markupTo = end, to
	return nil
}

// isWord reports whether c may stand in the name of a tag.
func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// verbatim reads the text up to the tag called end without looking at anything
// else in it. It returns the text's range and the end tag.
func (l *lexer) verbatim(end string) (from, to int, closing piece, ok bool) {
	from = l.at
	for at := from; ; at += 2 {
		i := strings.Index(l.p.text[at:l.end], "{%")
		if i < 0 {
			return 0, 0, piece{}, false
		}
		at += i
		if l.bareTag(at, end) {
			l.at, l.trim = at, false
			closing, err := l.tag()
			return from, at, closing, err == nil
		}
	}
}

// bareTag reports whether the tag `name` without arguments begins at `at`.
func (l *lexer) bareTag(at int, name string) bool {
	rest := strings.TrimPrefix(l.p.text[at+2:l.end], "-")
	rest = strings.TrimLeft(rest, whitespace)
	rest, found := strings.CutPrefix(rest, name)
	if !found {
		return false
	}
	rest = strings.TrimLeft(rest, whitespace)
	return strings.HasPrefix(rest, "%}") || strings.HasPrefix(rest, "-%}")
}

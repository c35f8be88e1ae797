package liquid

import (
	"slices"
	"strings"
)

// words reads the arguments of the tags that are written as words with white
// space between them, as connected_content. A word may hold `{{ … }}`, white
// space and all, and may stand in quotes.
type words struct {
	p       *parser
	at, end int
}

// A word is a range of the parsed text, without the quotes around it.
type word struct {
	from, to int
	quoted   bool
	liquid   bool // has `{{` in it
}

func (p *parser) words(pc piece) *words { return &words{p, pc.markupFrom, pc.markupTo} }

// more reports whether there is another word.
func (r *words) more() bool {
	r.at += leading(r.p.text[r.at:r.end])
	return r.at < r.end
}

// next reads a word; expected says in an error what it should be.
func (r *words) next(expected string) (word, error) {
	if !r.more() {
		return word{}, r.p.errorAt(r.end, r.end, "it ends here: expected %s", expected)
	}
	quote := r.p.text[r.at]
	if quote != '"' && quote != '\'' {
		return r.upTo(whitespace)
	}
	open := r.at
	r.at++
	w, err := r.upTo(string(quote))
	if err != nil {
		return w, err
	}
	w.quoted = true
	if r.at++; r.at > r.end {
		return w, r.p.errorAt(open, r.end, "this string is never closed: expected another %c", quote)
	}
	if r.at < r.end && !strings.ContainsRune(whitespace, rune(r.p.text[r.at])) {
		return w, r.p.errorAt(r.at, r.end, "expected white space after the string")
	}
	return w, nil
}

// upTo reads what stands before one of the bytes in stop, or before the end.
func (r *words) upTo(stop string) (word, error) {
	text := r.p.text[:r.end]
	w := word{from: r.at}
	for r.at < r.end && strings.IndexByte(stop, text[r.at]) < 0 {
		switch rest := text[r.at:]; {
		case strings.HasPrefix(rest, "{{"):
			end := (&lexer{p: r.p, end: r.end}).outputEnd(r.at + len("{{"))
			if end < 0 {
				return w, r.p.errorAt(r.at, r.end, "this output is never closed: expected }}")
			}
			r.at, w.liquid = end+len("}}"), true
		case strings.HasPrefix(rest, "${"):
			return w, r.bareDollar(w.from)
		case strings.HasPrefix(rest, "{%"):
			return w, r.p.errorAt(r.at, r.end, "a tag is not possible inside another tag: capture its text first and write {{ }} here")
		default:
			r.at++
		}
	}
	w.to = r.at
	return w, nil
}

// bareDollar reports a `${…}` that nothing would replace, in a word that begins at
// from.
func (r *words) bareDollar(from int) error {
	to := r.end
	if n := strings.IndexByte(r.p.text[r.at:r.end], '}'); n >= 0 {
		to = r.at + n + 1
	}
	before := strings.TrimRight(r.p.text[from:r.at], ".abcdefghijklmnopqrstuvwxyz_")
	name := excerpt(r.p.text[from+len(before) : to])
	return r.p.errorAt(r.at, to, "%s would be sent as it stands here: write {{%s}}", name, name)
}

// text is a word as it is written.
func (r *words) text(w word) string { return r.p.text[w.from:w.to] }

// errorAt reports a word.
func (r *words) errorAt(w word, format string, args ...any) error {
	return r.p.errorAt(w.from, w.to, format, args...)
}

// value reads the word after an option; expected says what it should be.
func (r *words) value(option word, expected string) (word, error) {
	if !r.more() || r.p.text[r.at] == ':' {
		return word{}, r.errorAt(option, "%s needs a value: expected %s after it", r.text(option), expected)
	}
	return r.next(expected)
}

// fixed checks that a word is there and holds no Liquid, and returns its text.
func (r *words) fixed(w word, expected string) (string, error) {
	switch {
	case w.liquid:
		return "", r.errorAt(w, "Liquid is not possible here: expected %s", expected)
	case w.from == w.to:
		return "", r.errorAt(w, "this is empty: expected %s", expected)
	}
	return r.text(w), nil
}

// name reads a word without Liquid and says where it stands.
func (r *words) name(expected string) (string, Span, error) {
	w, err := r.next(expected)
	if err != nil {
		return "", Span{}, err
	}
	name, err := r.fixed(w, expected)
	return name, r.p.loc.span(w.from, w.to), err
}

// unknownOption reports a word that is none of the options known.
func (r *words) unknownOption(tag string, w word, known []string) error {
	text := r.text(w)
	if !strings.HasPrefix(text, ":") || w.quoted {
		return r.errorAt(w, "unexpected %s: the options of %s begin with a colon, as %s", excerpt(text), tag, known[0])
	}
	return r.errorAt(w, "%s has no option %q%s", tag, excerpt(text), suggestion(text, slices.Clone(known)))
}

// phrase makes texts and outputs of a word.
func (p *parser) phrase(w word) (*Block, error) {
	b := &Block{Span: p.loc.span(w.from, w.to)}
	if !w.liquid {
		b.Nodes = p.texts(w.from, w.to, false)
		return b, nil
	}
	inside := &lexer{p: p, at: w.from, end: w.to}
	for {
		pc, err := inside.next()
		if err != nil || pc.kind == pieceEnd {
			return b, err
		}
		if pc.kind == pieceText {
			b.Nodes = append(b.Nodes, p.texts(pc.from, pc.to, false)...)
			continue
		}
		n, err := p.node(pc)
		if err != nil {
			return nil, err
		}
		b.Nodes = append(b.Nodes, n)
	}
}

package payload

import (
	"slices"
	"strings"
)

// A path is one way through the template, up to some node: what its variables
// hold, what was decided, and where the JSON text that it sends stands.
type path struct {
	w     *walker
	vars  variables
	facts facts
	into  *capture // where text goes; nil: it is sent
	json  document // what was sent so far, as far as it matters for what follows
	leave interrupt
}

// A capture is text that is kept for a variable instead of being sent. It is a
// list from the last piece to the first, so that paths can share its beginning.
type capture struct {
	before *capture
	pieces []piece
	count  int // of pieces, with those before
}

// interrupt says that a path is on its way out of a loop.
type interrupt uint8

const (
	stays interrupt = iota
	breaks
	continues
)

func (p *path) fork() *path {
	q := *p
	return &q
}

// print sends or captures pieces. The path splits where what is printed depends
// on the data.
func (p *path) print(pieces []piece) []*path {
	if p.into != nil {
		p.into = &capture{p.into, pieces, p.into.count + len(pieces)}
		return []*path{p}
	}
	for i, pc := range pieces {
		if pc.hole != nil && (pc.hole.fallback != nil || pc.hole.either != nil) && !p.regardless(pc.hole) {
			return p.split(pc, pieces[i+1:])
		}
		p.feed(pc)
	}
	return []*path{p}
}

// split prints a hole of which there are several texts, each on a path of its
// own, and what follows it.
func (p *path) split(pc piece, rest []piece) []*path {
	var out []*path
	print := func(paths []*path, first []piece) {
		for _, q := range paths {
			out = append(out, q.print(append(first[:len(first):len(first)], rest...))...)
		}
	}
	if pc.hole.either != nil {
		for _, choice := range pc.hole.either {
			print([]*path{p.fork()}, choice)
		}
		return out
	}
	of := pc.hole.of
	there, missing := p.ask(question{subject: of, op: truthy}, wording{yes: of + " is set", no: of + " is not set"})
	with := *pc.hole
	with.fallback, with.empty = nil, false
	fallback := pc.hole.fallback
	pc.hole = &with
	print(there, []piece{pc})
	print(missing, fallback)
	return out
}

// regardless reports whether it makes no difference to the JSON which of its
// texts a hole prints here.
func (p *path) regardless(h *hole) bool {
	switch p.json.mode {
	case inLineComment, inBlockComment, lost, ended:
		return true
	case inString:
		return isLiteral(h.fallback) && allPlain(h.fallback) && !slices.ContainsFunc(h.either, func(choice []piece) bool { return !allPlain(choice) })
	case inBare, wantValue:
		if h.either != nil || !isLiteral(h.fallback) {
			return false
		}
		switch h.shape {
		case anything:
			return h.defaultsToScalar() || h.defaultsToText()
		case word:
			return h.defaultsToText()
		case number:
			return h.defaultsToScalar()
		}
	}
	return false
}

// isLiteral reports whether the template itself holds all of a text.
func isLiteral(pieces []piece) bool {
	return !slices.ContainsFunc(pieces, func(pc piece) bool { return pc.hole != nil })
}

// defaultsToScalar reports whether the hole's default is a number, true, false
// or null.
func (h *hole) defaultsToScalar() bool { return isScalar(textOf(h.fallback)) }

// defaultsToText reports whether the hole's default is text without quotes.
func (h *hole) defaultsToText() bool {
	text := trimSpace(textOf(h.fallback))
	return text != "" && isPlain(text) && !isScalar(text) && strings.IndexByte("[{", text[0]) < 0
}

package payload

import (
	"slices"
	"strconv"
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
// on a value's being there.
func (p *path) print(pieces []piece) []*path {
	if p.into != nil {
		p.into = &capture{p.into, pieces, p.into.count + len(pieces)}
		return []*path{p}
	}
	for i, pc := range pieces {
		if pc.hole != nil && pc.hole.fallback != nil && !p.regardless(pc.hole) {
			return p.printEither(pc, pieces[i+1:])
		}
		p.feed(pc)
	}
	return []*path{p}
}

// printEither prints a hole with a fallback, and what follows it.
func (p *path) printEither(pc piece, rest []piece) []*path {
	name := pc.hole.of
	there, missing := p.ask(question{subject: name, op: truthy}, wording{yes: name + " is set", no: name + " is not set"})
	with := *pc.hole
	with.fallback, with.empty = nil, false
	fallback := pc.hole.fallback
	pc.hole = &with
	var out []*path
	for _, q := range there {
		out = append(out, q.print(append([]piece{pc}, rest...))...)
	}
	for _, q := range missing {
		out = append(out, q.print(append(fallback[:len(fallback):len(fallback)], rest...))...)
	}
	return out
}

// regardless reports whether it makes no difference to the JSON whether a hole
// or its fallback is printed here.
func (p *path) regardless(h *hole) bool {
	text := textOf(h.fallback)
	literal := !slices.ContainsFunc(h.fallback, func(pc piece) bool { return pc.hole != nil })
	switch {
	case !literal:
		return false
	case p.json.mode == inString:
		return isPlain(text)
	case p.json.mode == inBare || p.json.mode == wantValue:
		return isScalar(text) && h.shape != word && h.shape != whole
	}
	return false
}

// join puts paths together that cannot go on in different ways: their JSON text
// stands at the same place, and no variable or decision in which they differ
// matters behind the offset.
func (w *walker) join(paths []*path, offset int) []*path {
	if len(paths) < 2 {
		return paths
	}
	seen := make(map[string]*path, len(paths))
	joined := paths[:0]
	for _, p := range paths {
		p.vars = p.vars.alive(w.uses, offset)
		key := p.key(offset)
		w.spend(len(key) / 64)
		if same := seen[key]; same != nil {
			same.facts = same.facts.both(p.facts)
			same.json.join(&p.json)
			continue
		}
		seen[key] = p
		joined = append(joined, p)
	}
	return w.bounded(joined, offset)
}

// bounded drops paths when there are too many, evenly, and says so.
func (w *walker) bounded(paths []*path, offset int) []*path {
	if len(paths) <= maxPaths {
		return paths
	}
	w.found.noteOnce(offset, "there are more than "+strconv.Itoa(maxPaths)+" combinations of conditions up to here; some of them were not checked")
	kept := make([]*path, maxPaths)
	for i := range kept {
		kept[i] = paths[i*len(paths)/maxPaths]
	}
	return kept
}

// key describes all that decides how the path goes on behind an offset; its
// variables are those that are alive there.
func (p *path) key(offset int) string {
	var b strings.Builder
	p.json.describe(&b)
	b.WriteByte(byte('0' + p.leave))
	for c := p.into; c != nil; c = c.before {
		for _, pc := range c.pieces {
			describePiece(&b, pc)
		}
		b.WriteByte('|')
	}
	for _, v := range p.vars {
		b.WriteString("\n" + v.name + "=" + v.key)
	}
	for _, f := range p.facts {
		if p.w.uses.asks(f, offset) {
			b.WriteString("\n?" + f.subject + " " + f.op + " " + f.other + strconv.Itoa(f.answer))
		}
	}
	return b.String()
}

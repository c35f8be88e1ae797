package payload

// A path is one way through the template, up to some node: what its variables
// hold, what was decided, and where the JSON text that it sends stands.
type path struct {
	w     *walker
	vars  variables
	facts facts
	into  *capture // where text goes; nil: it is sent
	// What was sent so far, as far as it matters for what follows: json in JSON,
	// flat in every other language.
	lang  language
	json  document
	flat  flat
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

// set gives a variable a value on this path.
func (p *path) set(name string, v value) {
	p.w.spend(len(p.vars)/8 + 1)
	p.vars = p.vars.with(name, v)
}

// restore makes a variable what it was before.
func (p *path) restore(name string, before variables) {
	p.w.spend(len(p.vars)/8 + 1)
	p.vars = p.vars.restored(name, before)
}

// print sends or captures pieces. The path splits where what is printed depends
// on the data.
func (p *path) print(pieces []piece) []*path {
	if p.into != nil {
		p.into = &capture{p.into, pieces, p.into.count + len(pieces)}
		return []*path{p}
	}
	for i, pc := range pieces {
		if pc.hole != nil && (pc.hole.fallback != nil || pc.hole.either != nil) && !p.lang.regardless(p, pc.hole) {
			return p.split(pc, pieces[i+1:])
		}
		p.feed(pc)
	}
	return []*path{p}
}

// feed reads a piece of the text that is sent.
func (p *path) feed(pc piece) {
	if p.w.spend(len(pc.text)/8 + 1) {
		p.lang.feed(p, pc)
	}
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

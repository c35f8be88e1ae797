package payload

import (
	"context"
	"maps"

	"platen/liquid"
)

// maxSnippets is how deep snippets are rendered in snippets; those below print
// nothing (spec/engage.md, section 2.5).
const maxSnippets = 2

// snippets are what a walker knows of the snippets that its template uses.
type snippets struct {
	find  func(name string) (*liquid.Template, bool) // of Options.Snippets
	of    map[liquid.Node][]*liquid.Snippet          // those that a node names
	uses  map[*liquid.Block][maxSnippets + 1]*uses   // of snippets, by depth
	scope map[*liquid.Template]*liquid.Scope         // evaluates what is known in a snippet
	depth int                                        // of the one that is walked; 0: none
}

func newSnippets(find func(name string) (*liquid.Template, bool)) snippets {
	return snippets{
		find:  find,
		of:    map[liquid.Node][]*liquid.Snippet{},
		uses:  map[*liquid.Block][maxSnippets + 1]*uses{},
		scope: map[*liquid.Template]*liquid.Scope{},
	}
}

// A snippetUse is the place where the template uses a snippet.
type snippetUse struct {
	name string
	at   int
}

func (u *snippetUse) told(message string) string { return "in the snippet " + u.name + ": " + message }

// useSnippets adds to the uses of a template which snippets its nodes name, and
// what they set and read, as if they stood at the nodes.
func (w *walker) useSnippets(u *uses, root *liquid.Block, depth int) {
	last := map[*uses]int{} // the offset at which a snippet is used last
	liquid.Walk(root, func(n liquid.Node) {
		named := snippetsOf(n)
		if named == nil {
			return
		}
		w.snippets.of[n] = named
		if depth == maxSnippets || w.work <= 0 {
			return
		}
		for _, s := range named {
			if t, ok := w.findSnippet(s.Name); ok && t != nil {
				inner := w.usesOfSnippet(t, depth+1)
				last[inner] = max(last[inner], s.Pos().Offset)
			}
		}
	})
	for inner, offset := range last {
		w.merge(u, inner)
		u.use(inner, offset)
	}
}

// snippetsOf lists the snippets that a node names.
func snippetsOf(n liquid.Node) []*liquid.Snippet {
	var named []*liquid.Snippet
	for _, e := range liquid.Expressions(n) {
		liquid.Snippets(e, func(s *liquid.Snippet) { named = append(named, s) })
	}
	return named
}

// findSnippet returns a snippet, nil when its text is not known, and whether there
// is one.
func (w *walker) findSnippet(name string) (t *liquid.Template, ok bool) {
	if w.snippets.find == nil {
		return nil, true
	}
	return w.snippets.find(name)
}

func (w *walker) usesOfSnippet(t *liquid.Template, depth int) *uses {
	known := w.snippets.uses[t.Root()]
	if known[depth] == nil {
		known[depth] = w.usesOf(t.Root(), depth)
		w.snippets.uses[t.Root()] = known
	}
	return known[depth]
}

// merge takes over the names that another template sets, unless that is more work
// than there is left: no path is followed then.
func (w *walker) merge(u, other *uses) {
	if !w.spend(other.size()) {
		return
	}
	maps.Copy(u.assigned, other.assigned)
	maps.Copy(u.counters, other.counters)
	u.foreign = u.foreign || other.foreign
	for name, inputs := range other.inputs {
		if u.inputs[name] == nil {
			u.inputs[name] = map[string]bool{}
		}
		maps.Copy(u.inputs[name], inputs)
	}
}

// size is how many names must be gone through to merge the uses.
func (u *uses) size() int {
	n := len(u.assigned) + len(u.counters) + len(u.read) + len(u.asked)
	for _, inputs := range u.inputs {
		n += len(inputs)
	}
	return n
}

// use notes at an offset what a snippet reads and asks.
func (u *uses) use(snippet *uses, offset int) {
	for name := range snippet.read {
		u.last(u.read, name, offset)
	}
	for root := range snippet.asked {
		u.last(u.asked, root, offset)
	}
}

// inlined walks the snippets that a node names, one after the other, and keeps
// what they print as variables, under names that no variable has.
func (w *walker) inlined(named []*liquid.Snippet, p *path) []*path {
	paths := []*path{p}
	for _, s := range named {
		var next []*path
		for _, q := range paths {
			next = append(next, w.inline(s, q)...)
		}
		paths = next
	}
	return paths
}

func (w *walker) inline(s *liquid.Snippet, p *path) []*path {
	at := s.Pos().Offset
	if w.snippets.depth == maxSnippets {
		p.set(s.String(), knownValue(""))
		return []*path{p}
	}
	t, ok := w.findSnippet(s.Name)
	if t == nil && ok {
		w.found.note(at, "what "+s.String()+" prints cannot be known here; it was not checked")
		p.set(s.String(), unknown(hole{name: s.String(), opaque: true}))
		return []*path{p}
	}
	if !ok {
		p.report(finding{rule: UnknownSnippet, severity: Error, at: at,
			message: "there is no snippet " + s.Name + ", so nothing would be sent; check how it is written"})
		return nil
	}
	outer := p.into
	p.into = &capture{}
	paths := w.walkSnippet(t, &snippetUse{s.Name, at}, p)
	for _, q := range paths {
		printed := w.captured(q.into, s.String(), at)
		printed.pieces = unplaced(printed.pieces)
		q.set(s.String(), printed)
		q.into = outer
	}
	return paths
}

// walkSnippet walks a snippet as if it stood where it is used. What it holds is
// evaluated in a scope of its own, as the places in its nodes are those of its own
// source.
func (w *walker) walkSnippet(t *liquid.Template, use *snippetUse, p *path) []*path {
	uses, within, scope := w.uses, w.found.within, w.scope
	if within == nil {
		w.found.within = use
	}
	w.uses = newUses()
	w.uses.endless = true
	w.merge(w.uses, uses)
	w.merge(w.uses, w.usesOfSnippet(t, w.snippets.depth+1))
	w.scope = w.scopeOf(t)
	w.snippets.depth++
	defer func() {
		w.snippets.depth--
		w.uses, w.found.within, w.scope = uses, within, scope
	}()
	return w.block(t.Root(), []*path{p})
}

// scopeOf returns the scope of a snippet. Each has the limits of a whole render,
// so a new one takes from the budget.
func (w *walker) scopeOf(t *liquid.Template) *liquid.Scope {
	if w.snippets.scope[t] == nil {
		w.spend(maxWork / 100)
		w.snippets.scope[t] = t.Scope(context.Background(), liquid.Input{})
	}
	return w.snippets.scope[t]
}

// unplaced forgets where pieces come from: the places of a snippet are none in
// the template.
func unplaced(pieces []piece) []piece {
	if pieces == nil {
		return nil
	}
	list := make([]piece, len(pieces))
	for i, pc := range pieces {
		pc.at, pc.end, pc.exact, pc.via, pc.out = nowhere, nowhere, false, nil, nil
		if pc.hole != nil {
			h := *pc.hole
			h.fallback, h.either, h.twice = unplaced(h.fallback), eachChoice(h.either, unplaced), nil
			pc.hole = &h
		}
		list[i] = pc
	}
	return list
}

// snippet is what a snippet prints that was walked before (see inlined).
func (w *walker) snippet(p *path, e *liquid.Snippet) value {
	v, ok := p.vars.get(e.String())
	if !ok {
		return unknown(hole{name: e.String(), opaque: true})
	}
	return v
}

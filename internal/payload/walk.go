package payload

import (
	"context"
	"strings"

	"platen/liquid"
)

// The bounds of a lint. A template that reaches one gets a note; those that
// people write stay far below.
const (
	maxPaths  = 256     // ways followed at the same time
	maxWork   = 500_000 // nodes on paths, 8-byte pieces of text, 64-byte pieces of keys
	maxRounds = 64      // of a loop whose length is known
	maxPieces = 4096    // of one value
	maxText   = 1 << 20 // bytes of literal text in one value

	maxFindings = 500 // and as many notes
)

// A walker follows all ways through one template.
type walker struct {
	template *liquid.Template
	scope    *liquid.Scope // evaluates what is known; see walkSnippet
	uses     *uses
	snippets snippets
	opts     Options
	found    *collector

	wordings map[liquid.Expr]wording
	equals   map[liquid.Expr]*liquid.Compare // by value of a when: its comparison

	work      int // left
	printings int // so far
}

func newWalker(t *liquid.Template, opts Options, found *collector) *walker {
	w := &walker{
		template: t,
		scope:    t.Scope(context.Background(), liquid.Input{}),
		snippets: newSnippets(opts.Snippets),
		opts:     opts,
		found:    found,
		wordings: map[liquid.Expr]wording{},
		equals:   map[liquid.Expr]*liquid.Compare{},
		work:     maxWork,
	}
	w.uses = w.usesOf(t.Root(), 0)
	return w
}

func (w *walker) run() {
	w.found.parts, w.found.loops = w.uses.parts, w.uses.loops
	start := w.start(w.opts)
	for _, p := range w.block(w.template.Root(), []*path{start}) {
		if !w.tired(w.template.Root().End().Offset) {
			p.lang.finish(p)
		}
	}
}

// start is a path on which nothing was sent yet, of a text in the language that
// the options name.
func (w *walker) start(opts Options) *path {
	first := inScheme
	if opts.As == Form {
		first = inName
	}
	return &path{w: w, lang: opts.language(), json: newDocument(), flat: newFlat(first)}
}

// spend takes work from the budget and reports whether there is some left.
func (w *walker) spend(n int) bool {
	w.work -= n
	return w.work > 0
}

// tired reports whether the budget is spent, and says so in the report.
func (w *walker) tired(offset int) bool {
	if w.work > 0 {
		return false
	}
	w.found.noteOnce(offset, "the template is too intricate to be followed any further; what comes from here on was not checked")
	return true
}

// block walks nodes one after the other. Paths that leave a loop skip the rest.
func (w *walker) block(b *liquid.Block, paths []*path) []*path {
	var left []*path
	for _, n := range b.Nodes {
		var stay []*path
		for _, p := range paths {
			if p.leave == stays {
				stay = append(stay, p)
			} else {
				left = append(left, p)
			}
		}
		if paths = stay; len(paths) == 0 {
			break
		}
		if w.spend(len(paths)); w.tired(n.Pos().Offset) {
			return nil
		}
		paths = w.node(n, paths)
	}
	return append(left, paths...)
}

func (w *walker) node(n liquid.Node, paths []*path) []*path {
	var out []*path
	for _, p := range paths {
		out = append(out, w.step(n, p)...)
	}
	if len(paths) == len(out) && len(out) == 1 {
		return out
	}
	return w.join(out, n.End().Offset)
}

// step carries one node out on one path, the snippets that it names first.
func (w *walker) step(n liquid.Node, p *path) []*path {
	named := w.snippets.of[n]
	if len(named) == 0 {
		return w.carryOut(n, p)
	}
	before := p.vars
	var out []*path
	for _, q := range w.inlined(named, p) {
		out = append(out, w.carryOut(n, q)...)
	}
	for _, q := range out {
		for _, s := range named {
			q.restore(s.String(), before)
		}
	}
	return out
}

func (w *walker) carryOut(n liquid.Node, p *path) []*path {
	switch n := n.(type) {
	case *liquid.Text:
		at, end := n.Pos().Offset, n.End().Offset
		return p.print([]piece{{text: n.Text, at: at, end: end, exact: end-at == len(n.Text)}})
	case *liquid.Output:
		return w.output(n, p)
	case *liquid.Block:
		return w.block(n, []*path{p})
	case *liquid.Assign:
		p.set(n.Name, w.printed(w.eval(p, n.Value)))
	case *liquid.Capture:
		return w.capture(n, p)
	case *liquid.If:
		return w.branches(n, p)
	case *liquid.Case:
		return w.cases(n, p)
	case *liquid.For:
		return w.loop(n, p)
	case *liquid.Cycle:
		return w.cycle(n, p)
	case *liquid.Counter:
		return p.print(at(n, hole{name: n.Name, shape: number, safety: plain}))
	case *liquid.IfChanged:
		return append(w.block(n.Body, []*path{p.fork()}), p)
	case *liquid.Interrupt:
		p.leave = breaks
		if n.Continue {
			p.leave = continues
		}
	case *liquid.Abort:
		return nil // nothing is sent on this path
	case *liquid.ConnectedContent:
		return w.connected(n, p)
	case *liquid.CatalogItems:
		for _, id := range n.IDs {
			w.aside(id, p, Options{As: AnyText})
		}
		p.define(liquid.ItemsVariable)
	case *liquid.CatalogSelection:
		p.define(liquid.ItemsVariable)
	case *liquid.MessageExtras:
		w.aside(n.Key, p, Options{As: AnyText})
		w.aside(n.Value, p, Options{As: AnyText})
	case *liquid.Promotion:
		return p.print(at(n, hole{name: "a code of " + n.List, shape: word, lacks: lineBreaks, tag: true}))
	case *liquid.Comment:
	default:
		w.found.note(n.Pos().Offset, "what this tag prints cannot be known here; it was not checked")
		return p.print(at(n, hole{name: "tag", opaque: true}))
	}
	return []*path{p}
}

// at is a hole that a tag prints.
func at(n liquid.Node, h hole) []piece {
	return []piece{{hole: &h, at: n.Pos().Offset, end: n.End().Offset}}
}

func (w *walker) output(n *liquid.Output, p *path) []*path {
	if v, ok := base(n.Value).(*liquid.Variable); ok && v.Steps[0].Index == nil && !w.uses.sets(v.Steps[0].Name) {
		p.report(finding{rule: UnknownName, severity: Warning, at: n.Pos().Offset,
			message: "nothing sets " + v.String() + ", so it prints nothing; check how it is written"})
	}
	v := w.printed(w.eval(p, n.Value))
	return p.print(p.placed(v.pieces, n))
}

// base is what an expression applies its filters to.
func base(e liquid.Expr) liquid.Expr {
	switch e := e.(type) {
	case *liquid.Filtered:
		return base(e.Base)
	case *liquid.Braced:
		return base(e.Inner)
	}
	return e
}

func (w *walker) capture(n *liquid.Capture, p *path) []*path {
	outer := p.into
	p.into = &capture{}
	paths := w.block(n.Body, []*path{p})
	for _, q := range paths {
		q.set(n.Name, w.captured(q.into, n.Name, n.Pos().Offset))
		q.into = outer
	}
	return paths
}

// captured is the value of a finished capture that stands at an offset.
func (w *walker) captured(c *capture, name string, at int) value {
	if c.count > maxPieces {
		w.found.note(at, "this capture is too long to be followed; what it prints was not checked")
		return unknown(hole{name: name, opaque: true})
	}
	parts := make([][]piece, 0, c.count)
	for ; c != nil; c = c.before {
		parts = append(parts, c.pieces)
	}
	v := value{pieces: make([]piece, 0, len(parts)), known: true}
	for i := len(parts) - 1; i >= 0; i-- {
		for _, pc := range parts[i] {
			v.known = v.known && pc.hole == nil
			v.pieces = append(v.pieces, pc)
		}
	}
	if v.known {
		v.is = textOf(v.pieces)
	}
	return v
}

func (w *walker) branches(n *liquid.If, p *path) []*path {
	var out []*path
	open := []*path{p}
	for _, b := range n.Branches {
		var next []*path
		for _, q := range open {
			taken, not := []*path{q}, []*path(nil)
			if b.Cond != nil {
				taken, not = w.decide(q, b.Cond)
			}
			if b.Negate {
				taken, not = not, taken
			}
			out = append(out, w.block(b.Body, taken)...)
			next = append(next, not...)
		}
		open = next
	}
	return append(out, open...)
}

// cases walks a case: every when is tried, also behind one that was rendered, and
// an else is for the paths on which nothing was.
func (w *walker) cases(n *liquid.Case, p *path) []*path {
	open, done := []*path{p}, []*path(nil)
	for _, when := range n.Whens {
		if when.Values == nil {
			done = append(done, w.block(when.Body, open)...)
			open = nil
		}
		for _, v := range when.Values {
			equal := w.equals[v]
			if equal == nil {
				equal = &liquid.Compare{Span: when.Span, Op: "==", Left: n.Subject, Right: v}
				w.equals[v] = equal
			}
			again, not := w.when(when, equal, done)
			done = append(again, not...)
			first, not := w.when(when, equal, open)
			done, open = append(done, first...), not
		}
	}
	return append(done, open...)
}

// when walks the body of a when on the paths on which it is meant, and returns
// them and the others.
func (w *walker) when(n *liquid.When, equal liquid.Expr, paths []*path) (rendered, others []*path) {
	for _, p := range paths {
		if p.leave != stays {
			others = append(others, p)
			continue
		}
		yes, no := w.decide(p, equal)
		rendered, others = append(rendered, w.block(n.Body, yes)...), append(others, no...)
	}
	return rendered, others
}

// cycleName is the variable under which a path counts a cycle.
func cycleName(n *liquid.Cycle) string {
	if n.Group != nil {
		return "cycle " + n.Group.String()
	}
	var b strings.Builder
	b.WriteString("cycle")
	for _, v := range n.Values {
		b.WriteString(" " + v.String())
	}
	return b.String()
}

func (w *walker) cycle(n *liquid.Cycle, p *path) []*path {
	name := cycleName(n)
	before, _ := p.vars.get(name)
	turn, _ := before.is.(int64)
	p.set(name, knownValue(turn+1))
	v := w.printed(w.eval(p, n.Values[int(turn)%len(n.Values)]))
	w.printings++
	at := &liquid.Output{Span: n.Span}
	return p.print(p.placed(v.pieces, at))
}

package payload

import (
	"slices"

	"platen/liquid"
)

// uses are what must be known of the whole template before walking it: which
// names it sets, and how long a variable or a decision matters.
type uses struct {
	inputs   map[string]map[string]bool // by local name: the inputs and local names that its values are made of
	assigned map[string]bool            // set by assign, capture or a loop
	counters map[string]bool            // set by increment or decrement
	foreign  bool                       // some tag may set names that cannot be known here
	// read is the offset behind which a variable is not read any more.
	read map[string]int
	// asked is the offset behind which no condition is about an input any more.
	asked map[string]int
	// endless is set in a snippet: what comes behind it stands in another source.
	endless bool
	loops   []extent // bodies of loops, outermost first
	parts   []extent // bodies of branches and loops
}

// An extent is a half-open range of the source, in bytes.
type extent struct{ from, to int }

func (e extent) holds(offset int) bool { return e.from <= offset && offset < e.to }

func extentOf(n interface {
	Pos() liquid.Pos
	End() liquid.Pos
}) extent {
	return extent{n.Pos().Offset, n.End().Offset}
}

func newUses() *uses {
	return &uses{inputs: map[string]map[string]bool{}, assigned: map[string]bool{}, counters: map[string]bool{}, read: map[string]int{}, asked: map[string]int{}}
}

// usesOf looks through a template, with the snippets that it uses, at a depth of
// snippets within snippets.
func (w *walker) usesOf(root *liquid.Block, depth int) *uses {
	u := newUses()
	liquid.Walk(root, u.define)
	w.useSnippets(u, root, depth)
	liquid.Walk(root, func(n liquid.Node) {
		for _, e := range liquid.Expressions(n) {
			w.note(u, e, conditional(n))
		}
		if c, ok := n.(*liquid.Cycle); ok {
			u.last(u.read, cycleName(c), c.Pos().Offset)
		}
	})
	return u
}

// define notes the names that a node sets and the extents of its bodies.
func (u *uses) define(n liquid.Node) {
	set := func(name string, from liquid.Expr) {
		u.assigned[name] = true
		if u.inputs[name] == nil {
			u.inputs[name] = map[string]bool{}
		}
		liquid.Variables(from, func(v *liquid.Variable) { u.inputs[name][rootOf(v)] = true })
	}
	switch n := n.(type) {
	case *liquid.Assign:
		set(n.Name, n.Value)
	case *liquid.Capture:
		u.assigned[n.Name] = true
		liquid.Walk(n.Body, func(inner liquid.Node) {
			for _, e := range liquid.Expressions(inner) {
				set(n.Name, e)
			}
		})
	case *liquid.Counter:
		u.counters[n.Name] = true
	case *liquid.For:
		u.assigned["forloop"] = true
		set(n.Var, n.Over)
		u.loops = append(u.loops, extentOf(n))
		u.parts = append(u.parts, extentOf(n.Body))
	case *liquid.TableRow:
		u.assigned[n.Var], u.assigned["tablerowloop"] = true, true
	case *liquid.If:
		for _, b := range n.Branches {
			u.parts = append(u.parts, extentOf(b.Body))
		}
	case *liquid.Case:
		for _, b := range n.Whens {
			u.parts = append(u.parts, extentOf(b.Body))
		}
	case *liquid.ConnectedContent:
		u.assigned[n.Variable()] = true
	case *liquid.CatalogItems, *liquid.CatalogSelection:
		u.assigned[liquid.ItemsVariable] = true
	case *liquid.MessageExtras, *liquid.Promotion, *liquid.Block, *liquid.Text, *liquid.Output, *liquid.Cycle, *liquid.IfChanged, *liquid.Interrupt, *liquid.Comment, *liquid.Abort:
	default:
		u.foreign = true
	}
}

// sets reports whether a name may have a value: the template sets it, or the
// render is given it.
func (u *uses) sets(name string) bool {
	return u.foreign || u.assigned[name] || u.counters[name] || namespaces[name]
}

// rootOf names the part of a variable that decisions are kept for: a local name,
// or an input with its first member.
func rootOf(v *liquid.Variable) string {
	if len(v.Steps) > 1 && v.Steps[1].Dollar {
		return v.Steps[0].Name + "." + v.Steps[1].Name
	}
	return v.Steps[0].Name
}

// conditional reports whether the expressions of a node decide the way.
func conditional(n liquid.Node) bool {
	switch n.(type) {
	case *liquid.If, *liquid.Case, *liquid.For:
		return true
	}
	return false
}

// note remembers where an expression's variables are read, and asked about.
func (w *walker) note(u *uses, e liquid.Expr, decides bool) {
	liquid.Variables(e, func(v *liquid.Variable) { u.last(u.read, v.Steps[0].Name, v.Pos().Offset) })
	if decides {
		for _, root := range w.roots(u, e) {
			u.last(u.asked, root, e.Pos().Offset)
		}
	}
}

// roots lists what an expression is made of: inputs, and local names with what
// they are made of in turn.
func (w *walker) roots(u *uses, e liquid.Expr) []string {
	if w.work <= 0 {
		return nil
	}
	var roots []string
	liquid.Variables(e, func(v *liquid.Variable) { roots = append(roots, rootOf(v)) })
	seen := map[string]bool{}
	for i := 0; i < len(roots); i++ {
		w.spend(len(u.inputs[roots[i]])/8 + 1)
		for input := range u.inputs[roots[i]] {
			if !seen[input] {
				seen[input] = true
				roots = append(roots, input)
			}
		}
	}
	return roots
}

// rounds is how many rounds of a loop stand for any number: two, so that there is
// a first and a last, or more where the body counts.
func (u *uses) rounds(loop *liquid.For) int {
	const fewest, most = 2, 8
	n := fewest
	liquid.Walk(loop.Body, func(inner liquid.Node) {
		switch inner := inner.(type) {
		case *liquid.Cycle:
			n = max(n, len(inner.Values)+1)
		case *liquid.If:
			for _, b := range inner.Branches {
				if compare, ok := b.Cond.(*liquid.Compare); ok {
					n = max(n, counted(compare)+1)
				}
			}
		}
	})
	return min(n, most)
}

// counted returns the number that a condition compares a place in a loop to.
func counted(e *liquid.Compare) int {
	place, isPlace := e.Left.(*liquid.Variable)
	number, isNumber := e.Right.(*liquid.Literal)
	if !isPlace || !isNumber || place.Steps[0].Name != "forloop" {
		return 0
	}
	n, _ := number.Value.(int64)
	return int(min(max(n, 0), 64))
}

// last moves the end of a use: in a loop it is the end of the outermost loop,
// as the next round comes by again.
func (u *uses) last(ends map[string]int, name string, at int) {
	for _, l := range u.loops {
		if l.holds(at) {
			at = max(at, l.to-1)
			break
		}
	}
	ends[name] = max(ends[name], at)
}

// alive reports whether a variable is read behind an offset.
func (u *uses) alive(name string, offset int) bool { return u.endless || u.read[name] >= offset }

// reads reports whether a variable is read anywhere.
func (u *uses) reads(name string) bool {
	_, read := u.read[name]
	return read
}

// asks reports whether a decision matters behind an offset: whether a condition
// there is about the same inputs.
func (u *uses) asks(f fact, offset int) bool {
	return u.endless || slices.ContainsFunc(f.roots, func(root string) bool { return u.asked[root] >= offset })
}

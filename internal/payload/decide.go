package payload

import (
	"strings"

	"platen/liquid"
)

// decide splits a path by a condition: those on which it holds and those on
// which it does not. A condition that is constant, or was decided before, does
// not split.
func (w *walker) decide(p *path, cond liquid.Expr) (holds, fails []*path) {
	switch e := cond.(type) {
	case *liquid.Logic:
		return w.decideLogic(p, e)
	case *liquid.Compare:
		return w.decideCompare(p, e)
	}
	v := w.eval(p, cond)
	if v.known {
		return one(p, liquid.Truthy(v.is))
	}
	if h := v.hole(); h == nil || h.fallback != nil && textOf(h.fallback) != "false" {
		return one(p, true) // text is always truthy
	}
	return p.ask(question{subject: v.name(), op: truthy}, w.wording(cond))
}

func (w *walker) decideLogic(p *path, e *liquid.Logic) (holds, fails []*path) {
	leftHolds, leftFails := w.decide(p, e.Left)
	open := leftHolds
	if e.Op == "or" {
		holds, open = leftHolds, leftFails
	} else {
		fails = leftFails
	}
	for _, q := range open {
		h, f := w.decide(q, e.Right)
		holds, fails = append(holds, h...), append(fails, f...)
	}
	return holds, fails
}

func (w *walker) decideCompare(p *path, e *liquid.Compare) (holds, fails []*path) {
	left, right := w.eval(p, e.Left), w.eval(p, e.Right)
	if left.known && right.known {
		if answer, ok := w.compare(left.is, e, right.is); ok {
			return one(p, answer)
		}
	}
	if answer, ok := emptyText(left, e, right); ok {
		return one(p, answer)
	}
	q := question{subject: left.name(), op: e.Op, other: right.name(), literal: right.is, known: right.known}
	if left.known && (e.Op == "==" || e.Op == "!=") {
		q = question{subject: right.name(), op: e.Op, other: left.name(), literal: left.is, known: true}
	}
	if !comparable(q.literal) {
		q.literal, q.known = nil, false
	}
	words := w.wording(e)
	if e.Op == "!=" {
		q.op = "=="
		fails, holds = p.ask(q, words.reversed())
		return holds, fails
	}
	return p.ask(q, words)
}

// A wording is what a person reads about a condition, and the inputs that it is
// about (see walker.roots).
type wording struct {
	yes, no string
	roots   []string
}

func (ws wording) reversed() wording { return wording{ws.no, ws.yes, ws.roots} }

func (w *walker) wording(e liquid.Expr) wording {
	ws, ok := w.wordings[e]
	if ok {
		return ws
	}
	ws = wording{phrase(e) + " is set", phrase(e) + " is not set", w.roots(w.uses, e)}
	if _, compares := e.(*liquid.Compare); compares {
		ws.yes, ws.no = phrase(e), "not "+phrase(e)
	}
	w.wordings[e] = ws
	return ws
}

// phrase prints a condition for a person: braces in it mean nothing.
func phrase(e liquid.Expr) string {
	return strings.NewReplacer("{{", "", "}}", "").Replace(e.String())
}

// comparable reports whether a literal may be a part of a question: lists and
// maps cannot be compared by ==.
func comparable(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

// emptyText answers whether a text that has holes is blank, as far as its
// literal part tells.
func emptyText(left value, e *liquid.Compare, right value) (answer, ok bool) {
	if !right.known || right.is != liquid.Blank && right.is != liquid.Empty && right.is != "" && right.is != nil {
		return false, false
	}
	if left.known || left.hole() != nil || left.mayBeEmpty() || e.Op != "==" && e.Op != "!=" {
		return false, false
	}
	for _, pc := range left.pieces {
		if pc.hole == nil && trimSpace(pc.text) != "" {
			return e.Op == "!=", true
		}
	}
	return false, false
}

// ask splits the path by a question, unless its facts know the answer.
func (p *path) ask(q question, words wording) (holds, fails []*path) {
	switch p.facts.answer(q) {
	case 1:
		return []*path{p}, nil
	case 0:
		return nil, []*path{p}
	}
	other := p.fork()
	p.facts = p.facts.with(fact{q, 1, words.yes, words.roots})
	other.facts = other.facts.with(fact{q, 0, words.no, words.roots})
	return []*path{p}, []*path{other}
}

func one(p *path, holds bool) (yes, no []*path) {
	if holds {
		return []*path{p}, nil
	}
	return nil, []*path{p}
}

// compare carries out a comparison of two known values.
func (w *walker) compare(left any, e *liquid.Compare, right any) (answer, ok bool) {
	// The engine evaluates expressions, not values: the values get names.
	w.scope.Set("left", left)
	w.scope.Set("right", right)
	result, err := w.scope.Eval(&liquid.Compare{Span: e.Span, Op: e.Op, Left: named("left"), Right: named("right")})
	return result == true, err == nil
}

func named(name string) *liquid.Variable {
	return &liquid.Variable{Steps: []liquid.Step{{Name: name}}}
}

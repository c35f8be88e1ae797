package payload

import (
	"slices"
	"strconv"

	"platen/liquid"
)

// loop walks a for. A list that is known is walked item by item; of one that is
// not, no item, one and two stand for any number (see uses.rounds).
func (w *walker) loop(n *liquid.For, p *path) []*path {
	over := w.eval(p, n.Over)
	if items, ok := w.items(p, n, over); ok {
		return w.rounds(n, p, items)
	}
	list := over.name()
	lengths := make([]int, w.uses.rounds(n)+1)
	for i := range lengths {
		lengths[i] = i
	}
	if p.facts.filled(list) {
		lengths = lengths[1:]
	}
	if n.Limit != nil {
		if limit, ok := w.eval(p, n.Limit).is.(int64); ok && limit > 0 {
			lengths = slices.DeleteFunc(lengths, func(n int) bool { return int64(n) > limit })
		}
	}
	q := question{subject: list, op: length}
	if known := p.facts.answer(q); known >= 0 {
		lengths = []int{known}
	}
	var out []*path
	for _, length := range lengths {
		r := p.fork()
		if len(lengths) > 1 {
			r.facts = r.facts.with(fact{q, length, roundsPhrase(n, length), w.uses.roots(n.Over)})
		}
		items := make([]value, length)
		for i := range items {
			items[i] = item(over, list, i)
		}
		out = append(out, w.rounds(n, r, items)...)
	}
	return out
}

func roundsPhrase(n *liquid.For, length int) string {
	list := phrase(n.Over)
	switch length {
	case 0:
		return list + " has no item"
	case 1:
		return list + " has one item"
	}
	return list + " has " + strconv.Itoa(length) + " items"
}

// item is one item of a list that is not known. An item is taken to be there.
func item(over value, list string, i int) value {
	name := list + "[" + strconv.Itoa(i) + "]"
	return unknown(hole{name: name, opaque: opaque(over)})
}

// items lists what a loop goes over, if that is known and not too much.
func (w *walker) items(p *path, n *liquid.For, over value) ([]value, bool) {
	if !over.known || n.Continue {
		return nil, false
	}
	list, err := w.scope.Items(over.is)
	if err != nil {
		return nil, false
	}
	for _, cut := range []struct {
		e   liquid.Expr
		cut func(n int)
	}{
		{n.Offset, func(n int) { list = list[n:] }},
		{n.Limit, func(n int) { list = list[:n] }},
	} {
		if cut.e == nil {
			continue
		}
		size, ok := w.eval(p, cut.e).is.(int64)
		if !ok || size < 0 {
			return nil, false
		}
		cut.cut(int(min(size, int64(len(list)))))
	}
	if len(list) > maxRounds {
		return nil, false
	}
	items := make([]value, len(list))
	for i, v := range list {
		items[i] = knownValue(v)
	}
	if n.Reversed {
		for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
			items[i], items[j] = items[j], items[i]
		}
	}
	return items, true
}

// rounds walks the body once for each item, or the else for none.
func (w *walker) rounds(n *liquid.For, p *path, items []value) []*path {
	if len(items) == 0 {
		if n.Else == nil {
			return []*path{p}
		}
		return w.block(n.Else, []*path{p})
	}
	before := p.vars
	outer, _ := before.get("forloop")
	paths, left := []*path{p}, []*path(nil)
	for i, v := range items {
		for _, q := range paths {
			q.vars = q.vars.with(n.Var, v).with("forloop", forloop(i, len(items), outer.is))
		}
		var next []*path
		for _, q := range w.block(n.Body, paths) {
			if q.leave == breaks {
				left = append(left, q)
				continue
			}
			q.leave = stays
			next = append(next, q)
		}
		paths = w.join(next, n.Body.Pos().Offset)
	}
	paths = append(paths, left...)
	for _, q := range paths {
		q.leave = stays
		q.vars = q.vars.restored(n.Var, before).restored("forloop", before)
	}
	return paths
}

// forloop is the variable of that name in round i of n, in a loop with this one.
func forloop(i, n int, outer any) value {
	m := &liquid.Map{}
	m.Set("first", i == 0)
	m.Set("last", i == n-1)
	m.Set("index", int64(i+1))
	m.Set("index0", int64(i))
	m.Set("rindex", int64(n-i))
	m.Set("rindex0", int64(n-i-1))
	m.Set("length", int64(n))
	m.Set("parentloop", outer)
	return knownValue(m)
}

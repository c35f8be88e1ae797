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
			r.facts = r.facts.with(fact{q, length, roundsPhrase(n, length), w.roots(w.uses, n.Over)})
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
		w.spend(4 * len(paths))
		for _, q := range paths {
			q.set(n.Var, v)
			q.set("forloop", knownValue(round{i, len(items), outer.is}))
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
		q.restore(n.Var, before)
		q.restore("forloop", before)
	}
	return paths
}

// A round is what forloop holds in a round of a loop. It is a liquid.Object.
type round struct {
	at, length int
	outer      any // the round of the loop around it
}

// Get returns a member of forloop.
func (r round) Get(key string) (value any, ok bool) {
	switch key {
	case "first":
		return r.at == 0, true
	case "last":
		return r.at == r.length-1, true
	case "index":
		return int64(r.at + 1), true
	case "index0":
		return int64(r.at), true
	case "rindex":
		return int64(r.length - r.at), true
	case "rindex0":
		return int64(r.length - r.at - 1), true
	case "length":
		return int64(r.length), true
	case "parentloop":
		return r.outer, true
	}
	return nil, false
}

package liquid

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// loopState is what forloop shows, to the template and to loops within.
type loopState struct {
	name   string
	length int64
	at     int64
	parent *loopState
}

// Get returns a member of forloop.
func (l *loopState) Get(key string) (any, bool) {
	switch key {
	case "parentloop":
		if l.parent == nil {
			return nil, true
		}
		return l.parent, true
	case "name":
		return l.name, true
	}
	return position(l.at, l.length, key)
}

// position returns what forloop and tablerowloop know in the same way.
func position(at, length int64, key string) (any, bool) {
	switch key {
	case "length":
		return length, true
	case "index":
		return at + 1, true
	case "index0":
		return at, true
	case "rindex":
		return length - at, true
	case "rindex0":
		return length - at - 1, true
	case "first":
		return at == 0, true
	case "last":
		return at == length-1, true
	}
	return nil, false
}

// iterable turns a value into what a loop goes over: a list or an interval.
func iterable(v any) any {
	switch v := v.(type) {
	case []any, interval:
		return v
	case string:
		if v != "" {
			return []any{v}
		}
	case map[string]any, *Map:
		n, _ := size(v)
		pairs := make([]any, 0, n)
		for key, value := range entries(v) {
			pairs = append(pairs, []any{key, value})
		}
		return pairs
	}
	return []any(nil)
}

// items lays out what a loop goes over.
func (s *Scope) items(v any) ([]any, error) {
	r, ok := v.(interval)
	if !ok {
		list, _ := v.([]any)
		return list, nil
	}
	if err := s.buildList(r.size()); err != nil {
		return nil, err
	}
	list := make([]any, 0, r.size())
	for n := r.from; n <= r.to; n++ {
		list = append(list, n)
		if n == r.to {
			break // the last number of all has no successor
		}
	}
	return list, nil
}

// A stretch is the part of a list or an interval that a loop goes over.
type stretch struct {
	list     []any
	numbers  interval
	from     int64
	length   int64
	next     int64 // where offset: continue goes on
	reversed bool
	missing  bool // there is nothing at all: nil or false
}

func (r *stretch) item(i int64) any {
	if r.reversed {
		i = r.length - 1 - i
	}
	if r.list != nil {
		return normal(r.list[r.from+i])
	}
	return r.numbers.from + r.from + i
}

// stretch evaluates what a loop goes over. convert reads limit and offset; a limit
// that is nil is nilLimit.
func (l *Loop) stretch(s *Scope, convert func(any) (int64, error), nilLimit int64) (stretch, error) {
	var r stretch
	v, err := l.Over.eval(s)
	if err != nil {
		return r, err
	}
	r.missing = !Truthy(v)
	if n, _ := size(v); isHash(v) {
		if err := s.buildList(4 * n); err != nil {
			return r, s.placed(err, l.Over)
		}
	}
	_, isText := v.(string)
	var total int64
	switch v := iterable(v).(type) {
	case interval:
		r.numbers, total = v, v.size()
	case []any:
		r.list, total = v, int64(len(v))
	}
	if err := s.workOn(l.name); err != nil {
		return r, err
	}
	from := s.ends[l.name]
	if !l.Continue {
		if from, err = s.bound64(l.Offset, 0, convert); err != nil {
			return r, err
		}
	}
	limit := int64(math.MaxInt64)
	if l.Limit != nil {
		if limit, err = s.bound64(l.Limit, nilLimit, convert); err != nil {
			return r, err
		}
	}
	start := from
	if isText { // a text is one item, whatever the bounds are
		from, limit = 0, total
	}
	// An offset before the beginning takes from the limit, as in Ruby.
	from = min(max(from, -total), total)
	r.from = max(from, 0)
	r.length = min(max(max(limit, 0)+min(from, 0), 0), total-r.from)
	r.next = start + r.length
	return r, nil
}

// remember notes where a loop ends, for a later one with offset: continue.
func (s *Scope) remember(name string, end int64) {
	if s.ends == nil {
		s.ends = make(map[string]int64)
	}
	s.ends[name] = end
}

// bound64 evaluates a bound of a loop or a range; without one it is missing.
func (s *Scope) bound64(e Expr, missing int64, convert func(any) (int64, error)) (int64, error) {
	if e == nil {
		return missing, nil
	}
	v, err := e.eval(s)
	if err != nil || v == nil {
		return missing, err
	}
	if text, ok := v.(string); ok {
		if err := s.workOn(text); err != nil {
			return 0, s.placed(err, e)
		}
	}
	n, err := convert(v)
	return n, s.placed(err, e)
}

// toWhole reads a value as a number and cuts it to a whole one.
func toWhole(v any) (int64, error) {
	n, err := toNumber(v)
	return n.clamp(), err
}

// toInteger reads a value that must be a whole number. One beyond 64 bits becomes
// the nearest within.
func toInteger(v any) (int64, error) {
	switch v := normal(v).(type) {
	case int64:
		return v, nil
	case *big.Int:
		return number{large: v}.clamp(), nil
	case json.Number:
		if isWholeText(string(v)) {
			return toWhole(v)
		}
	case string:
		text := trimSpace(v)
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil || errors.Is(err, strconv.ErrRange) && allDigits(strings.TrimLeft(text, "+-")) {
			return n, nil
		}
	}
	return 0, failed("expected a whole number, not " + kindName(v))
}

func (n *For) render(s *Scope) error {
	r, err := n.stretch(s, toInteger, math.MaxInt64)
	if err != nil {
		return err
	}
	r.reversed = n.Reversed
	s.remember(n.name, r.next)
	if r.length == 0 {
		if n.Else == nil {
			return nil
		}
		return n.Else.render(s)
	}
	state := &loopState{name: n.name, length: r.length, parent: s.loop}
	s.loop = state
	mark := s.bind("forloop", state)
	item := s.bind(n.Var, nil)
	for ; state.at < r.length && s.interrupt != breakLoop; state.at++ {
		s.bound[item].value = r.item(state.at)
		if err = n.round(s); err != nil {
			break
		}
	}
	s.interrupt = noInterrupt
	s.unbind(mark)
	s.loop = state.parent
	return err
}

// round renders the body once.
func (n *For) round(s *Scope) error {
	if err := s.work(1); err != nil {
		return err
	}
	if s.interrupt == continueLoop {
		s.interrupt = noInterrupt
	}
	return n.Body.render(s)
}

// rowState is what tablerowloop shows.
type rowState struct {
	length, at, cols int64
}

// Get returns a member of tablerowloop.
func (l *rowState) Get(key string) (any, bool) {
	col := l.at % l.cols
	switch key {
	case "col":
		return col + 1, true
	case "col0":
		return col, true
	case "col_first":
		return col == 0, true
	case "col_last":
		return col == l.cols-1, true
	case "row":
		return l.at/l.cols + 1, true
	}
	return position(l.at, l.length, key)
}

func (n *TableRow) render(s *Scope) error {
	r, err := n.stretch(s, toWhole, 0)
	if err != nil || r.missing {
		return err
	}
	state := &rowState{length: r.length, cols: max(r.length, 1)}
	if n.Cols != nil {
		if state.cols, err = s.columns(n.Cols); err != nil {
			return err
		}
	}
	mark := s.bind("tablerowloop", state)
	item := s.bind(n.Var, nil)
	err = s.print("<tr class=\"row1\">\n")
	for ; err == nil && state.at < r.length && s.interrupt != breakLoop; state.at++ {
		s.interrupt = noInterrupt
		s.bound[item].value = r.item(state.at)
		err = n.cell(s, state)
	}
	s.interrupt = noInterrupt
	s.unbind(mark)
	if err != nil {
		return err
	}
	return s.print("</tr>\n")
}

// columns evaluates cols. A number below 1 puts all cells into one row that never
// ends, as in Ruby.
func (s *Scope) columns(e Expr) (int64, error) {
	n, err := s.bound64(e, 0, toWhole)
	if n < 1 {
		n = math.MaxInt64
	}
	return n, err
}

// cell renders one cell, and begins a row after the last of one.
func (n *TableRow) cell(s *Scope, state *rowState) error {
	if err := s.work(1); err != nil {
		return err
	}
	col := state.at % state.cols
	if err := s.print("<td class=\"col" + strconv.FormatInt(col+1, 10) + "\">"); err != nil {
		return err
	}
	if err := n.Body.render(s); err != nil {
		return err
	}
	if err := s.print("</td>"); err != nil {
		return err
	}
	if s.interrupt == breakLoop || col != state.cols-1 || state.at == state.length-1 {
		return nil
	}
	row := state.at/state.cols + 2
	return s.print("</tr>\n<tr class=\"row" + strconv.FormatInt(row, 10) + "\">")
}

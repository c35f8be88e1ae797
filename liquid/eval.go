package liquid

import (
	"reflect"
	"strconv"
)

func (e *Literal) eval(*Scope) (any, error) { return e.Value, nil }

func (e *Braced) eval(s *Scope) (any, error) { return e.Inner.eval(s) }

func (e *Variable) eval(s *Scope) (any, error) {
	var value any
	usual := false
	for i := range e.Steps {
		step := &e.Steps[i]
		var err error
		if i == 0 {
			value, err = s.root(step)
		} else {
			value, err = s.follow(value, step)
		}
		if err != nil {
			return nil, s.placed(err, e)
		}
		switch value.(type) { // what JSON holds is as it should be
		case string, *Map, []any:
			usual = true
			continue
		}
		usual = false
		if value = normal(value); value == nil {
			return nil, nil
		}
	}
	if !usual && !known(value) {
		return nil, s.placed(failed("this variable holds a Go value of type "+reflect.TypeOf(value).String()+", which templates cannot read"), e)
	}
	return value, nil
}

// root looks the first step of a path up among the variables.
func (s *Scope) root(step *Step) (any, error) {
	name := step.Name
	if step.Index != nil {
		key, err := step.Index.eval(s)
		if err != nil {
			return nil, err
		}
		if name, err = s.text(key); err != nil {
			return nil, err
		}
	}
	if err := s.workOn(name); err != nil {
		return nil, err
	}
	value, _ := s.lookup(name)
	return value, nil
}

// follow takes one step of a path.
func (s *Scope) follow(container any, step *Step) (any, error) {
	if step.Index != nil {
		key, err := step.Index.eval(s)
		if err != nil {
			return nil, err
		}
		return s.index(container, key)
	}
	if err := s.workOn(step.Name); err != nil {
		return nil, err
	}
	if v, ok := member(container, step.Name); ok {
		return v, nil
	}
	if step.Path != nil {
		return s.followAll(container, step.Path)
	}
	if step.bracket || step.Dollar {
		return nil, nil
	}
	switch step.Name {
	case "size":
		if text, ok := container.(string); ok {
			if err := s.workOn(text); err != nil {
				return nil, err
			}
		}
		if n, ok := size(container); ok {
			return n, nil
		}
	case "first":
		return first(container), nil
	case "last":
		return last(container), nil
	}
	return nil, nil
}

func (s *Scope) followAll(value any, path []Step) (any, error) {
	for i := range path {
		var err error
		if value, err = s.follow(value, &path[i]); err != nil {
			return nil, err
		}
		value = normal(value)
	}
	return value, nil
}

// index is container[key].
func (s *Scope) index(container, key any) (any, error) {
	switch key := key.(type) {
	case string:
		v, _ := member(container, key)
		return v, s.workOn(key)
	case int64:
		return item(container, key), nil
	}
	return nil, nil
}

// item is the item of a list at a place, counted from the end when negative. In
// a map it is the member of that name: JSON has only strings for keys.
func item(container any, at int64) any {
	switch c := container.(type) {
	case []any:
		if i, ok := place(at, int64(len(c))); ok {
			return c[i]
		}
	default:
		v, _ := member(container, strconv.FormatInt(at, 10))
		return v
	}
	return nil
}

// place turns an index, from the end when negative, into one from the beginning.
func place(at, size int64) (int64, bool) {
	if at < 0 {
		at += size
	}
	return at, at >= 0 && at < size
}

func (e *Range) eval(s *Scope) (any, error) {
	from, err := s.bound64(e.From, 0, toWhole)
	if err != nil {
		return nil, err
	}
	to, err := s.bound64(e.To, 0, toWhole)
	if err != nil {
		return nil, err
	}
	return interval{from, to}, nil
}

func (e *Filtered) eval(s *Scope) (any, error) {
	v, err := e.Base.eval(s)
	if err != nil {
		return nil, err
	}
	v = plain(v)
	for _, f := range e.Filters {
		if v, err = f.apply(s, v); err != nil {
			return nil, s.placed(err, f)
		}
	}
	return v, nil
}

// apply calls the filter on a value.
func (f *FilterCall) apply(s *Scope, in any) (any, error) {
	if f.filter == nil {
		return in, nil
	}
	if err := s.work(1); err != nil {
		return nil, err
	}
	if text, ok := in.(string); ok {
		if err := s.workOn(text); err != nil {
			return nil, err
		}
	}
	mark := len(s.stack)
	out, err := f.call(s, in, mark)
	clear(s.stack[mark:])
	s.stack = s.stack[:mark]
	if err != nil {
		return nil, err
	}
	return out, s.buildValue(out)
}

// call evaluates the arguments onto the stack and carries the filter out.
func (f *FilterCall) call(s *Scope, in any, mark int) (any, error) {
	for _, arg := range f.Args {
		if err := s.push(arg); err != nil {
			return nil, err
		}
	}
	for _, name := range f.filter.Named {
		if err := s.push(namedValue(f.Named, name)); err != nil {
			return nil, err
		}
	}
	return f.filter.apply(s, in, s.stack[mark:])
}

// push evaluates an argument onto the stack; nil pushes nil.
func (s *Scope) push(arg Expr) error {
	var v any
	if arg != nil {
		var err error
		if v, err = arg.eval(s); err != nil {
			return err
		}
	}
	if text, ok := v.(string); ok {
		if err := s.workOn(text); err != nil {
			return err
		}
	}
	s.stack = append(s.stack, plain(v))
	return nil
}

func namedValue(args []NamedArg, name string) Expr {
	for i := len(args) - 1; i >= 0; i-- {
		if args[i].Name == name {
			return args[i].Value
		}
	}
	return nil
}

// buildValue takes the size of a filter's result from the budget.
func (s *Scope) buildValue(v any) error {
	switch v := v.(type) {
	case string:
		return s.build(len(v))
	case []any:
		return s.build(16 * len(v))
	}
	return nil
}

func (e *Logic) eval(s *Scope) (any, error) {
	var cond Expr = e
	for {
		l, ok := cond.(*Logic)
		if !ok {
			v, err := cond.eval(s)
			return Truthy(v), err
		}
		v, err := l.Left.eval(s)
		if err != nil {
			return nil, err
		}
		if err := s.work(1); err != nil {
			return nil, s.placed(err, l)
		}
		if Truthy(v) == (l.Op == "or") {
			return l.Op == "or", nil
		}
		cond = l.Right
	}
}

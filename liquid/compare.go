package liquid

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"time"
)

func (e *Compare) eval(s *Scope) (any, error) {
	left, err := e.Left.eval(s)
	if err != nil {
		return nil, err
	}
	right, err := e.Right.eval(s)
	if err != nil {
		return nil, err
	}
	holds, err := s.compare(left, e.Op, right)
	return holds, s.placed(err, e)
}

func (s *Scope) compare(left any, op string, right any) (bool, error) {
	switch op {
	case "==":
		return s.equal(left, right, 0)
	case "!=":
		same, err := s.equal(left, right, 0)
		return !same, err
	case "contains":
		return s.contains(left, right)
	}
	order, possible, err := s.order(left, right)
	if err != nil || !possible {
		return false, err
	}
	switch op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

// order compares two values for < and its kin. Nothing is smaller or greater
// than a value that has no order, as nil; values of different kinds are an
// error, as in Ruby.
func (s *Scope) order(left, right any) (order int, possible bool, err error) {
	if !ordered(left) || !ordered(right) {
		return 0, false, nil
	}
	switch l := left.(type) {
	case string:
		if r, ok := right.(string); ok {
			return strings.Compare(l, r), true, s.workOn(l)
		}
	case time.Time:
		if r, ok := right.(time.Time); ok {
			return l.Compare(r), true, nil
		}
	default:
		if !isNumber(right) {
			break
		}
		a, err := toNumber(left)
		if err != nil {
			return 0, false, err
		}
		b, err := toNumber(right)
		return a.compare(b), true, err
	}
	return 0, false, failed("comparison of " + kindName(left) + " with " + kindName(right) + " is not possible")
}

func ordered(v any) bool {
	switch v.(type) {
	case string, time.Time:
		return true
	}
	return isNumber(v)
}

func isNumber(v any) bool {
	switch n := v.(type) {
	case int64, *big.Int:
		return true
	case float64:
		return !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	_, ok := v.(json.Number)
	return ok
}

// equal is ==.
func (s *Scope) equal(left, right any, depth int) (bool, error) {
	left, right = normal(left), normal(right)
	if sp, ok := left.(Keyword); ok {
		return s.is(right, sp)
	}
	if sp, ok := right.(Keyword); ok {
		return s.is(left, sp)
	}
	if depth > maxDepth {
		return false, errDepth
	}
	switch l := left.(type) {
	case string:
		r, ok := right.(string)
		return ok && l == r, s.workOn(l)
	case time.Time:
		r, ok := right.(time.Time)
		return ok && l.Equal(r), nil
	case nil, bool, interval:
		return comparableEqual(left, right), nil
	case []any:
		return s.equalLists(l, right, depth)
	case map[string]any, *Map:
		return s.equalHashes(left, right, depth)
	}
	if !isNumber(left) || !isNumber(right) {
		return false, nil
	}
	a, err := toNumber(left)
	if err != nil {
		return false, err
	}
	b, err := toNumber(right)
	return err == nil && a.compare(b) == 0, err
}

// comparableEqual compares two values of which the left is nil, a bool or an
// interval.
func comparableEqual(left, right any) bool {
	switch right.(type) {
	case nil, bool, interval:
		return left == right
	}
	return false
}

// is reports whether a value is empty or blank.
func (s *Scope) is(v any, what Keyword) (bool, error) {
	if what == Empty {
		return isEmpty(v), nil
	}
	switch v := v.(type) {
	case Keyword:
		return false, nil
	case string:
		return isBlank(v, s.opts.Dialect), s.workOn(v)
	}
	return isBlank(v, s.opts.Dialect), nil
}

func (s *Scope) equalLists(left []any, right any, depth int) (bool, error) {
	r, ok := right.([]any)
	if !ok || len(left) != len(r) {
		return false, nil
	}
	for i := range left {
		if err := s.work(1); err != nil {
			return false, err
		}
		if same, err := s.equal(left[i], r[i], depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *Scope) equalHashes(left, right any, depth int) (bool, error) {
	if !isHash(right) {
		return false, nil
	}
	n, _ := size(left)
	if m, _ := size(right); n != m {
		return false, nil
	}
	for key, value := range entries(left) {
		if err := s.work(1); err != nil {
			return false, err
		}
		other, ok := member(right, key)
		if !ok {
			return false, nil
		}
		if same, err := s.equal(value, other, depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// contains is the operator: a part of a text, an item of a list, a key of a map.
func (s *Scope) contains(left, right any) (bool, error) {
	if !Truthy(left) || !Truthy(right) {
		return false, nil
	}
	switch l := left.(type) {
	case string:
		part, err := s.text(right)
		if err != nil {
			return false, err
		}
		return strings.Contains(l, part), s.workOn(l)
	case []any:
		if _, keyword := right.(Keyword); keyword {
			return false, nil
		}
		for _, item := range l {
			if err := s.work(1); err != nil {
				return false, err
			}
			if same, err := s.equal(item, right, 0); same || err != nil {
				return same, err
			}
		}
	case interval:
		if !isNumber(right) {
			return false, nil
		}
		n, err := toNumber(right)
		return n.compare(wholeNumber(l.from)) >= 0 && n.compare(wholeNumber(l.to)) <= 0, err
	default:
		key, ok := right.(string)
		_, found := member(left, key)
		return ok && found, nil
	}
	return false, nil
}

// kindName names the kind of a value for messages, which never show the value:
// it may be a customer's.
func kindName(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any, *Map, Object:
		return "a map"
	case time.Time:
		return "a time"
	case interval:
		return "a range"
	case Keyword:
		return string(v)
	}
	return "a number"
}

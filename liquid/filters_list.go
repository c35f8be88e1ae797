package liquid

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

func init() {
	registerFilters(
		newFilter("join", 0, 1, "Makes a text of a list, with a separator (default a space).", `{{ 'a,b' | split: ',' | join: '-' }}`, "a-b", filterJoin),
		newFilter("first", 0, 0, "Gives the first item.", `{{ 'a,b' | split: ',' | first }}`, "a", filterFirst),
		newFilter("last", 0, 0, "Gives the last item.", `{{ 'a,b' | split: ',' | last }}`, "b", filterLast),
		newFilter("reverse", 0, 0, "Turns the order round.", `{{ (1..3) | reverse | join }}`, "3 2 1", filterReverse),
		newFilter("concat", 1, 1, "Adds the items of another list.", `{{ (1..2) | concat: (3..4) | join }}`, "1 2 3 4", filterConcat),
		newFilter("compact", 0, 1, "Drops items that are nil, or whose member is.", `{{ 'a,b' | split: ',' | compact | join }}`, "a b", filterCompact),
		newFilter("uniq", 0, 1, "Drops items that came before, or whose member did.", `{{ 'a,b,a' | split: ',' | uniq | join }}`, "a b", filterUniq),
		newFilter("map", 1, 1, "Gives one member of each item.", `{% assign l = '[{"a":1},{"a":2}]' | json_parse %}{{ l | map: 'a' | join }}`, "1 2", filterMap),
		newFilter("sum", 0, 1, "Adds up the items, or one member of each.", `{{ (1..3) | sum }}`, "6", filterSum),
		newFilter("sort", 0, 1, "Sorts the items, by a member if named; nil comes last.", `{{ 'b,C,a' | split: ',' | sort | join }}`, "C a b", filterSort),
		newFilter("sort_natural", 0, 1, "Sorts the items as text, whatever their case.", `{{ 'b,C,a' | split: ',' | sort_natural | join }}`, "a b C", filterSortNatural),
		newFilter("where", 1, 2, "Keeps the items whose member is there, or equals a value.", `{% assign l = '[{"a":1},{"a":2}]' | json_parse %}{{ l | where: 'a', 2 | map: 'a' | join }}`, "2", filterWhere),
		newFilter("reject", 1, 2, "Drops the items whose member is there, or equals a value.", `{% assign l = '[{"a":1},{"a":2}]' | json_parse %}{{ l | reject: 'a', 2 | map: 'a' | join }}`, "1", filterReject),
		newFilter("find", 1, 2, "Gives the first item whose member is there, or equals a value.", `{% assign l = '[{"a":1},{"a":2}]' | json_parse | find: 'a', 2 %}{{ l.a }}`, "2", filterFind),
		newFilter("find_index", 1, 2, "Gives the place of the item that find gives, counted from 0.", `{{ '[{"a":1},{"a":2}]' | json_parse | find_index: 'a', 2 }}`, "1", filterFindIndex),
		newFilter("has", 1, 2, "Says whether find would give an item.", `{{ '[{"a":1}]' | json_parse | has: 'a', 2 }}`, "false", filterHas),
	)
}

// list is a value as the filters for lists see it: flat, a single value as a
// list of one, nil as none. The result must not be changed.
func (s *Scope) list(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case interval:
		return s.items(v)
	case []any:
		if err := s.work(len(v)); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(v, isList) {
			return v, nil
		}
		return s.flatten(nil, v, 0)
	}
	return []any{v}, nil
}

func isList(v any) bool {
	_, ok := normal(v).([]any)
	return ok
}

func (s *Scope) flatten(out, list []any, depth int) ([]any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if err := s.buildList(int64(len(list))); err != nil {
		return nil, err
	}
	for _, item := range list {
		inner, ok := normal(item).([]any)
		if !ok {
			out = append(out, item)
			continue
		}
		var err error
		if out, err = s.flatten(out, inner, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func filterJoin(s *Scope, in any, args []any) (any, error) {
	separator := " "
	if len(args) > 0 {
		var err error
		if separator, err = s.text(args[0]); err != nil {
			return nil, err
		}
	}
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	size := len(list) * len(separator)
	for _, item := range list {
		if text, ok := item.(string); ok {
			size += len(text)
		}
	}
	if size > s.built+len(separator) {
		return nil, errBuilt
	}
	var b strings.Builder
	b.Grow(size)
	for i, item := range list {
		text, err := s.text(item)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(text)
		if b.Len() > s.built {
			return nil, errBuilt
		}
	}
	return b.String(), nil
}

func filterFirst(_ *Scope, in any, _ []any) (any, error) { return first(in), nil }

func filterLast(_ *Scope, in any, _ []any) (any, error) { return last(in), nil }

func filterReverse(s *Scope, in any, _ []any) (any, error) {
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.Reverse(list)
	return list, nil
}

func filterConcat(s *Scope, in any, args []any) (any, error) {
	switch args[0].(type) {
	case []any, interval:
	default:
		return nil, failed("concat needs a list to add")
	}
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	more, err := s.items(args[0])
	if err != nil {
		return nil, err
	}
	return slices.Concat(list, more), nil
}

func filterMap(s *Scope, in any, args []any) (any, error) {
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		v, err := s.property(item, args[0])
		if err != nil && err != errSkip {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func filterSum(s *Scope, in any, args []any) (any, error) {
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	var sum number
	for _, item := range list {
		if len(args) > 0 && args[0] != nil {
			if item, err = s.property(item, args[0]); err != nil && err != errSkip {
				return nil, err
			}
		}
		if text, ok := item.(string); ok {
			if err := s.workOn(text); err != nil {
				return nil, err
			}
		}
		n, err := toNumber(item)
		if err != nil {
			return nil, err
		}
		if sum, err = sum.plus(n); err != nil {
			return nil, err
		}
	}
	return sum.value(), nil
}

func filterCompact(s *Scope, in any, args []any) (any, error) {
	list, keys, err := s.keyed(in, args)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(list))
	for i, item := range list {
		if keys[i] != nil {
			out = append(out, item)
		}
	}
	return out, nil
}

// keyed returns a list, and for each item what it is judged by: the member that
// the first argument names, or the item itself.
func (s *Scope) keyed(in any, args []any) (list, keys []any, err error) {
	if list, err = s.list(in); err != nil || len(args) == 0 || args[0] == nil {
		return list, list, err
	}
	if err := s.buildList(int64(len(list))); err != nil {
		return nil, nil, err
	}
	keys = make([]any, len(list))
	for i, item := range list {
		key, err := s.property(item, args[0])
		if err != nil && err != errSkip {
			return nil, nil, err
		}
		keys[i] = key
	}
	return list, keys, nil
}

func filterUniq(s *Scope, in any, args []any) (any, error) {
	list, keys, err := s.keyed(in, args)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(list))
	out := make([]any, 0, len(list))
	var key []byte
	for i, item := range list {
		// Inspected, values of different kinds differ, as 1 and "1" do.
		if key, err = s.appendInspect(key[:0], keys[i], 0); err != nil {
			return nil, err
		}
		if err := s.build(len(key)); err != nil {
			return nil, err
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, item)
		}
	}
	return out, nil
}

// sorted sorts a list by keys of which nil comes last.
func (s *Scope) sorted(list, keys []any, compare func(a, b any) (int, error)) (any, error) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	var failed error
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := normal(keys[i]), normal(keys[j])
		switch {
		case failed != nil:
			return 0
		case a == nil && b == nil:
			return 0
		case a == nil:
			return 1
		case b == nil:
			return -1
		}
		if failed = s.work(1); failed != nil {
			return 0
		}
		var c int
		c, failed = compare(a, b)
		return c
	})
	out := make([]any, len(list))
	for i, at := range order {
		out[i] = list[at]
	}
	return out, failed
}

// sortKeyed is keyed for the filters that sort: errSkip says that an item has no
// members, and those of a single item are not looked at.
func (s *Scope) sortKeyed(in any, args []any) (list, keys []any, err error) {
	if list, err = s.list(in); err != nil || len(args) == 0 || args[0] == nil {
		return list, list, err
	}
	if slices.ContainsFunc(list, hasNoMembers) {
		return nil, nil, errSkip
	}
	if len(list) < 2 {
		return list, list, nil
	}
	return s.keyed(in, args)
}

// hasNoMembers reports whether Ruby's items of this kind have no method [].
func hasNoMembers(v any) bool {
	switch v := normal(v).(type) {
	case nil, bool, float64, time.Time, interval:
		return true
	case json.Number:
		return !isWholeText(string(v))
	}
	return false
}

func filterSort(s *Scope, in any, args []any) (any, error) {
	list, keys, err := s.sortKeyed(in, args)
	if err == errSkip {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.sorted(list, keys, func(a, b any) (int, error) {
		c, possible, err := s.order(a, b)
		if err == nil && !possible {
			err = failed("cannot sort: comparison of " + kindName(a) + " with " + kindName(b) + " is not possible")
		}
		return c, err
	})
}

// lowerASCII folds the letters that Ruby's casecmp folds.
func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

func filterSortNatural(s *Scope, in any, args []any) (any, error) {
	list, keys, err := s.sortKeyed(in, args)
	if err == errSkip {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	folded := make([]any, len(keys))
	for i, key := range keys {
		if normal(key) == nil {
			continue
		}
		text, err := s.text(key)
		if err != nil {
			return nil, err
		}
		if err := s.build(len(text)); err != nil {
			return nil, err
		}
		folded[i] = strings.Map(lowerASCII, text)
	}
	return s.sorted(list, folded, func(a, b any) (int, error) {
		return strings.Compare(a.(string), b.(string)), s.workOn(a.(string))
	})
}

package liquid

import (
	"encoding/json"
	"math/big"
	"strings"
)

// errSkip says that an item has no members at all, which ends the filters that
// look for one without a result, as in Ruby.
var errSkip = failed("this item has no members")

// property is item[key] as the filters for lists know it: a member of a map, a
// part of a text.
func (s *Scope) property(item, key any) (any, error) {
	switch item := normal(item).(type) {
	case map[string]any, *Map, Object:
		if key == nil {
			return nil, nil
		}
		v, err := s.index(item, key)
		return normal(v), err
	case string:
		part, ok := key.(string)
		if !ok {
			return nil, errSkip
		}
		if strings.Contains(item, part) {
			return part, s.workOn(item)
		}
		return nil, s.workOn(item)
	case int64: // Ruby's Integer#[] gives a bit of the number
		if bit, ok := key.(int64); ok {
			return int64(new(big.Int).SetInt64(item).Bit(int(min(max(bit, 0), 64)))), nil
		}
		return nil, s.noProperty(key)
	case *big.Int:
		return nil, s.noProperty(key)
	case json.Number:
		if isWholeText(string(item)) {
			return nil, s.noProperty(key)
		}
	}
	return nil, errSkip
}

// noProperty says that a whole number was asked for a member.
func (s *Scope) noProperty(key any) error {
	name, err := s.text(key)
	if err != nil {
		return err
	}
	return failed("cannot select the property " + quote(excerpt(name)) + " of a number")
}

// matches reports whether an item's member is there, or equals the value that
// the second argument is.
func (s *Scope) matches(item any, args []any) (bool, error) {
	v, err := s.property(item, args[0])
	if err != nil {
		return false, err
	}
	if len(args) < 2 || args[1] == nil {
		return Truthy(v), nil
	}
	return s.equal(v, args[1], 0)
}

// filtered keeps the items that match, or those that do not.
func (s *Scope) filtered(in any, args []any, keep bool) (any, error) {
	list, err := s.list(in)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		match, err := s.matches(item, args)
		if err == errSkip {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if match == keep {
			out = append(out, item)
		}
	}
	return out, nil
}

func filterWhere(s *Scope, in any, args []any) (any, error) { return s.filtered(in, args, true) }

func filterReject(s *Scope, in any, args []any) (any, error) { return s.filtered(in, args, false) }

// find returns the place of the first item that matches, or -1. Skipped says
// that an item could not be asked.
func (s *Scope) find(in any, args []any) (list []any, at int, skipped bool, err error) {
	if list, err = s.list(in); err != nil {
		return nil, -1, false, err
	}
	for i, item := range list {
		match, err := s.matches(item, args)
		if err == errSkip {
			return nil, -1, true, nil
		}
		if match || err != nil {
			return list, i, false, err
		}
	}
	return list, -1, false, nil
}

func filterFind(s *Scope, in any, args []any) (any, error) {
	list, at, _, err := s.find(in, args)
	if err != nil || at < 0 {
		return nil, err
	}
	return normal(list[at]), nil
}

func filterFindIndex(s *Scope, in any, args []any) (any, error) {
	_, at, _, err := s.find(in, args)
	if err != nil || at < 0 {
		return nil, err
	}
	return int64(at), nil
}

func filterHas(s *Scope, in any, args []any) (any, error) {
	_, at, skipped, err := s.find(in, args)
	if err != nil || skipped {
		return nil, err
	}
	return at >= 0, nil
}

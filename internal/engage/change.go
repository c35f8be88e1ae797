package engage

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
)

// change makes a new value of the one that holds, both compact JSON; current is
// "" when the attribute is not set. ok is false when it stays as it is.
type change = func(current string) (value string, ok bool)

// bounded encodes a changed value, unless it has grown too large.
func bounded(v any) (string, bool) {
	value := encode(v)
	return value, len(value) <= maxNested
}

// arrayChange changes the items of an array, unless f says no. A missing value
// counts as an empty array; one that is no array stays as it is.
func arrayChange(f func(items []any) ([]any, bool)) change {
	return func(current string) (string, bool) {
		held, ok := decode(current).([]any)
		if !ok && current != "" {
			return "", false
		}
		items, ok := f(held)
		if !ok || len(items) == 0 && current == "" {
			return "", false
		}
		return bounded(items)
	}
}

// increment adds n to a number. A missing value counts as 0; one that is no
// number stays as it is.
func increment(n json.Number) change {
	return func(current string) (string, bool) {
		if current == "" {
			return n.String(), true
		}
		held, ok := decode(current).(json.Number)
		if !ok {
			return "", false
		}
		return sum(held, n)
	}
}

// sum adds two numbers, exactly as long as they are integers.
func sum(a, b json.Number) (string, bool) {
	x, errX := a.Int64()
	y, errY := b.Int64()
	if z := x + y; errX == nil && errY == nil && (z > x) == (y > 0) {
		return strconv.FormatInt(z, 10), true
	}
	f, errF := a.Float64()
	g, errG := b.Float64()
	if errF != nil || errG != nil || math.IsInf(f+g, 0) {
		return "", false
	}
	return strconv.FormatFloat(f+g, 'g', -1, 64), true
}

// addAndRemove adds to an array, then removes from it.
func addAndRemove(add, remove []any) (change, error) {
	add, err := cleanedItems(add)
	if err != nil {
		return nil, err
	}
	removed := make(map[any]bool, len(remove))
	for _, v := range remove {
		removed[identityOf(v)] = true
	}
	return arrayChange(func(held []any) ([]any, bool) {
		items := appendItems(held, add)
		if len(removed) > 0 {
			items = slices.DeleteFunc(items, func(v any) bool { return removed[identityOf(v)] })
		}
		return items, true
	}), nil
}

// appendItems adds items at the end of an array. One that is there already moves
// to the end, unless it is an object; beyond maxItems the oldest are dropped.
func appendItems(held, items []any) []any {
	return lastOfEach(slices.Concat(held, items), func(v any) (any, bool) {
		if _, object := v.(map[string]any); object {
			return nil, false
		}
		return identityOf(v), true
	})
}

// lastOfEach keeps, of items with one identity, the last, and in all the last
// maxItems. An item without identity is like no other.
func lastOfEach(items []any, identity func(item any) (id any, ok bool)) []any {
	kept := make([]any, 0, min(len(items), maxItems))
	seen := make(map[any]bool, cap(kept))
	for _, v := range slices.Backward(items) {
		if len(kept) == maxItems {
			break
		}
		if id, ok := identity(v); ok {
			if seen[id] {
				continue
			}
			seen[id] = true
		}
		kept = append(kept, v)
	}
	slices.Reverse(kept)
	return kept
}

// nestedIdentity is the text of an object or array, apart from any string.
type nestedIdentity string

// identityOf is equal for equal decoded values and can be a key of a map. Of an
// object or array it costs as much as its text is long.
func identityOf(v any) any {
	if id, ok := scalarIdentity(v); ok {
		return id
	}
	return nestedIdentity(encode(v))
}

// scalarIdentity is the identity of a value that is no object and no array; 1 and
// 1.0 are the same number.
func scalarIdentity(v any) (id any, ok bool) {
	switch v := v.(type) {
	case map[string]any, []any:
		return nil, false
	case json.Number:
		return numberIdentity(v), true
	default:
		return v, true
	}
}

func numberIdentity(v json.Number) any {
	if n, err := v.Int64(); err == nil {
		return n
	}
	f, err := v.Float64()
	if err != nil {
		return v
	}
	if n := int64(f); float64(n) == f {
		return n
	}
	return f
}

// mergeInto merges members into an object, level by level; null removes a member.
// A value that is no object is replaced.
func mergeInto(members map[string]any) change {
	return func(current string) (string, bool) {
		held, _ := decode(current).(map[string]any)
		return bounded(merged(held, members))
	}
}

// merged is a copy of held with the members of patch.
func merged(held, patch map[string]any) map[string]any {
	result := make(map[string]any, len(held)+len(patch))
	maps.Copy(result, held)
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(result, key)
		case map[string]any:
			inner, _ := held[key].(map[string]any)
			result[key] = merged(inner, value)
		default:
			result[key] = value
		}
	}
	return result
}

package engage

import (
	"encoding/json"
	"errors"
	"fmt"
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

// arrayChange changes the items of an array. A missing value counts as an empty
// array; one that is no array stays as it is.
func arrayChange(f func(items []any) []any) change {
	return func(current string) (string, bool) {
		held, ok := decode(current).([]any)
		if !ok && current != "" {
			return "", false
		}
		items := f(held)
		if len(items) == 0 && current == "" {
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
	return arrayChange(func(held []any) []any {
		return slices.DeleteFunc(appendItems(held, add), func(v any) bool { return removed[identityOf(v)] })
	}), nil
}

// appendItems adds items at the end of an array. One that is there already moves
// to the end, unless it is an object; beyond maxItems the oldest are dropped.
func appendItems(held, items []any) []any {
	all := slices.Concat(held, items)
	kept := make([]any, 0, min(len(all), maxItems))
	seen := make(map[any]bool, cap(kept))
	for _, v := range slices.Backward(all) {
		if len(kept) == maxItems {
			break
		}
		if _, object := v.(map[string]any); !object {
			if seen[identityOf(v)] {
				continue
			}
			seen[identityOf(v)] = true
		}
		kept = append(kept, v)
	}
	slices.Reverse(kept)
	return kept
}

// nestedIdentity is the text of an object or array, apart from any string.
type nestedIdentity string

// identityOf is equal for equal decoded values and can be a key of a map; 1 and
// 1.0 are the same number.
func identityOf(v any) any {
	switch v := v.(type) {
	case json.Number:
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
	case map[string]any, []any:
		return nestedIdentity(encode(v))
	default:
		return v
	}
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

// selected names the objects of an array whose field has a value.
type selected struct {
	key    string
	value  any            // as identityOf gives it
	object map[string]any // what $update puts there
}

func (s *selected) matches(item any) bool {
	o, ok := item.(map[string]any)
	value, has := o[s.key]
	return ok && has && identityOf(value) == s.value
}

// editObjects reads the operations on an array of objects. They run in the order
// $add, $remove, $update; with merge an update keeps the fields it does not name.
func editObjects(o map[string]any, merge bool) (change, error) {
	adding, ok := itemsOf(o["$add"])
	if !ok {
		return nil, errors.New("$add is not an array")
	}
	add, err := cleanedItems(adding)
	if err != nil {
		return nil, err
	}
	remove, err := selections(o["$remove"], false)
	if err != nil {
		return nil, err
	}
	update, err := selections(o["$update"], true)
	if err != nil {
		return nil, err
	}
	return arrayChange(func(held []any) []any {
		items := appendItems(held, add)
		for _, s := range remove {
			items = slices.DeleteFunc(items, s.matches)
		}
		for _, s := range update {
			s.update(items, merge)
		}
		return items
	}), nil
}

func (s *selected) update(items []any, merge bool) {
	for i, item := range items {
		if !s.matches(item) {
			continue
		}
		var held map[string]any
		if merge {
			held = item.(map[string]any)
		}
		items[i] = merged(held, s.object)
	}
}

// selections reads the array of a $remove, or of an $update, which has a new
// object as well.
func selections(v any, updating bool) ([]selected, error) {
	items, ok := itemsOf(v)
	if !ok || len(items) > maxItems {
		return nil, fmt.Errorf("$remove and $update are arrays of at most %d items", maxItems)
	}
	list := make([]selected, len(items))
	for i, item := range items {
		o, _ := item.(map[string]any)
		key, ok := o["$identifier_key"].(string)
		value, has := o["$identifier_value"]
		if !ok || !has {
			return nil, errors.New("an item of $remove or $update has an $identifier_key and an $identifier_value")
		}
		list[i] = selected{key: key, value: identityOf(value)}
		if !updating {
			continue
		}
		object, ok := o["$new_object"].(map[string]any)
		if !ok {
			return nil, errors.New("an item of $update has a $new_object")
		}
		clean, err := cleanedObject(object)
		if err != nil {
			return nil, err
		}
		list[i].object = clean
	}
	return list, nil
}

// replaceBy puts objects into an array in place of those with the same key.
func replaceBy(key string, objects []any) change {
	return arrayChange(func(items []any) []any {
		for _, o := range objects {
			s := selected{key: key, value: identityOf(o.(map[string]any)[key])}
			items = append(slices.DeleteFunc(items, s.matches), o)
		}
		return items
	})
}

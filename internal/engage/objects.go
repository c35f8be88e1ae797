package engage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxWritten bounds what the updates of one attribute write, in bytes as weight
// counts them: few that match many objects could write far more than was sent. To
// write every object once is always within it.
const maxWritten = 2 * maxNested

// editObjects reads the operations on an array of objects. They run in the order
// $add, $remove, $update; with merge an update keeps the fields it does not name.
// Running them takes time for what is held, sent and written, and not for the
// product of any of these.
func editObjects(o map[string]any, merge bool) (change, error) {
	adding, ok := itemsOf(o["$add"])
	if !ok {
		return nil, errors.New("$add is not an array")
	}
	add, err := cleanedItems(adding)
	if err != nil {
		return nil, err
	}
	remove, _, err := readOperations(o["$remove"])
	if err != nil {
		return nil, err
	}
	u := updates{merge: merge}
	var updating []map[string]any
	if u.named, updating, err = readOperations(o["$update"]); err != nil {
		return nil, err
	}
	if u.objects, err = newObjects(updating); err != nil {
		return nil, err
	}
	return arrayChange(func(held []any) ([]any, bool) {
		items := slices.DeleteFunc(appendItems(held, add), func(item any) bool {
			o, _ := item.(map[string]any)
			_, named := remove.next(o, 0)
			return named
		})
		return items, u.apply(items)
	}), nil
}

// selection names the objects of an array that have a value in a field.
type selection struct {
	key   string
	value any // as scalarIdentity gives it
}

// selections give the indexes, ascending, of the operations with a selection.
type selections map[selection][]int

// next is the first operation, from an index on, that names an object.
func (s selections) next(o map[string]any, from int) (first int, found bool) {
	if len(s) == 0 {
		return 0, false
	}
	for key, v := range o {
		value, ok := scalarIdentity(v)
		if !ok {
			continue
		}
		operations := s[selection{key, value}]
		i, _ := slices.BinarySearch(operations, from)
		if i < len(operations) && (!found || operations[i] < first) {
			first, found = operations[i], true
		}
	}
	return first, found
}

// readOperations reads the array of a $remove or an $update.
func readOperations(v any) (selections, []map[string]any, error) {
	items, ok := itemsOf(v)
	if !ok || len(items) > maxItems {
		return nil, nil, fmt.Errorf("$remove and $update are arrays of at most %d items", maxItems)
	}
	named := make(selections, len(items))
	operations := make([]map[string]any, len(items))
	for i, item := range items {
		o, _ := item.(map[string]any)
		key, ok := o["$identifier_key"].(string)
		value, has := o["$identifier_value"]
		if !ok || !has {
			return nil, nil, errors.New("an item of $remove or $update has an $identifier_key and an $identifier_value")
		}
		id, ok := scalarIdentity(value)
		if !ok {
			return nil, nil, errors.New("an $identifier_value is no object and no array")
		}
		s := selection{key, id}
		named[s] = append(named[s], i)
		operations[i] = o
	}
	return named, operations, nil
}

// newObjects reads what the operations of an $update put in place.
func newObjects(operations []map[string]any) ([]map[string]any, error) {
	objects := make([]map[string]any, len(operations))
	for i, o := range operations {
		object, ok := o["$new_object"].(map[string]any)
		if !ok {
			return nil, errors.New("an item of $update has a $new_object")
		}
		clean, err := cleanedObject(object)
		if err != nil {
			return nil, err
		}
		objects[i] = clean
	}
	return objects, nil
}

// updates are the operations of an $update, each with its new object.
type updates struct {
	named   selections
	objects []map[string]any
	merge   bool
}

// apply makes the updates in their order, each on what the one before it left. ok
// is false when they would write more than maxWritten.
func (u *updates) apply(items []any) (ok bool) {
	written := 0
	for i, item := range items {
		o, _ := item.(map[string]any)
		for n, named := u.named.next(o, 0); named; n, named = u.named.next(o, n+1) {
			if !u.merge {
				o = nil
			}
			o = merged(o, u.objects[n])
			items[i] = o
			if written += weight(o); written > maxWritten {
				return false
			}
		}
	}
	return true
}

// weight is about as much as the text of a decoded value has bytes, never more.
func weight(v any) int {
	switch v := v.(type) {
	case map[string]any:
		bytes := len("{}")
		for key, value := range v {
			bytes += len(key) + len(`"":`) + weight(value)
		}
		return bytes
	case []any:
		bytes := len("[]")
		for _, item := range v {
			bytes += weight(item)
		}
		return bytes
	case string:
		return len(v) + len(`""`)
	case json.Number:
		return len(v)
	default:
		return len("null")
	}
}

// replaceBy puts objects at the end of an array in place of those with the same
// value of a field.
func replaceBy(field string, objects []any) change {
	return arrayChange(func(held []any) ([]any, bool) {
		return lastOfEach(slices.Concat(held, objects), func(item any) (any, bool) {
			o, _ := item.(map[string]any)
			value, has := o[field]
			id, scalar := scalarIdentity(value)
			return id, has && scalar
		}), true
	})
}

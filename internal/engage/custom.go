package engage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The bounds of custom attributes (spec 4.1; of the two array limits published,
// the newer).
const (
	maxNested = 100 << 10 // bytes of an object or an array
	maxItems  = 500       // of an array; the oldest are dropped
)

// custom reads a custom attribute; raw is not null.
func (s *sheet) custom(name string, raw json.RawMessage) error {
	switch raw[0] {
	case '"':
		return text(s, name, raw)
	case '{':
		s.object(name, decode(string(raw)).(map[string]any))
	case '[':
		s.array(name, decode(string(raw)).([]any))
	default:
		s.put(name, string(raw))
	}
	return nil
}

// object reads an object: an operation where it has the form of one, else a
// value.
func (s *sheet) object(name string, value map[string]any) {
	f, err := operation(value, s.merge)
	if err != nil {
		s.leave(name, "bad_nested_value", "%s was left as it was: %v", name, err)
		return
	}
	if f != nil {
		s.change(name, f)
		return
	}
	s.nested(name, value)
}

// nested sets an object or array, or leaves it out whole when anything in it is
// wrong.
func (s *sheet) nested(name string, value any) {
	clean, err := cleaned(value)
	if err != nil {
		s.leave(name, "bad_nested_value", "%s was left as it was: %v", name, err)
		return
	}
	encoded := encode(clean)
	if len(encoded) > maxNested {
		s.leave(name, "too_large", "%s was left as it was: the value has %d bytes, at most %d are kept", name, len(encoded), maxNested)
		return
	}
	if members, ok := clean.(map[string]any); ok && s.merge {
		s.change(name, mergeInto(members))
		return
	}
	s.put(name, encoded)
}

// array sets an array: of equal strings or numbers the last stays.
func (s *sheet) array(name string, items []any) { s.nested(name, appendItems(nil, items)) }

// operation finds the change that an object asks for, nil when it is a value.
func operation(o map[string]any, merge bool) (change, error) {
	switch {
	case only(o, "inc"):
		if n, ok := o["inc"].(json.Number); ok {
			return increment(n), nil
		}
	case only(o, "add", "remove"):
		add, okAdd := itemsOf(o["add"])
		remove, okRemove := itemsOf(o["remove"])
		if okAdd && okRemove {
			return addAndRemove(add, remove)
		}
	case only(o, "$add", "$remove", "$update"):
		return editObjects(o, merge)
	}
	return nil, nil
}

// only says whether an object has fields, and none but the given.
func only(o map[string]any, fields ...string) bool {
	found := 0
	for _, f := range fields {
		if _, ok := o[f]; ok {
			found++
		}
	}
	return found > 0 && found == len(o)
}

// itemsOf gives the items of an array; a missing one has none.
func itemsOf(v any) (items []any, ok bool) {
	if v == nil {
		return nil, true
	}
	items, ok = v.([]any)
	return items, ok
}

// cleaned checks what is nested in an attribute and puts {"$time": T} as T.
func cleaned(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if only(v, "$time") {
			return v["$time"], checkTimeValue(v["$time"])
		}
		return cleanedObject(v)
	case []any:
		return cleanedItems(v)
	default:
		return v, nil
	}
}

func cleanedObject(o map[string]any) (map[string]any, error) {
	clean := make(map[string]any, len(o))
	for key, value := range o {
		if err := checkKey(key); err != nil {
			return nil, err
		}
		c, err := cleaned(value)
		if err != nil {
			return nil, err
		}
		clean[key] = c
	}
	return clean, nil
}

func cleanedItems(items []any) ([]any, error) {
	clean := make([]any, len(items))
	for i, item := range items {
		c, err := cleaned(item)
		if err != nil {
			return nil, err
		}
		clean[i] = c
	}
	return clean, nil
}

func checkKey(key string) error {
	switch {
	case key == "" || tooLong(key):
		return fmt.Errorf("a key has 1 to %d characters", maxText)
	case strings.ContainsAny(key, " .$"):
		return fmt.Errorf("the key %.40q holds a space, a dot or a dollar sign", key)
	}
	return nil
}

func checkTimeValue(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("$time is not a string")
	}
	if t, err := readTime(json.RawMessage(quote(s))); err != nil || t.IsZero() {
		return fmt.Errorf("the $time %.40q is not understood", s)
	}
	return nil
}

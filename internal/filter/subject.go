package filter

import (
	"encoding/json"
	"strings"
	"time"

	"platen/internal/profile"
)

// Subject is what conditions look at: one profile, at one moment, with the event
// at hand where there is one. It remembers what it decoded, so it must not be
// shared by goroutines nor changed once it was asked.
type Subject struct {
	Identifiers []profile.Identifier
	Facts       *profile.Facts  // nil: nothing is known
	Properties  json.RawMessage // of the event at hand: a JSON object, or nil
	Now         time.Time

	decoded map[string][]any // properties by name, each a list of one
}

// values finds what an operand names, at least one value; nil is a missing one.
func (s *Subject) values(o Operand) []any {
	found := s.find(o)
	if len(found) == 0 {
		return []any{nil}
	}
	return found
}

func (s *Subject) find(o Operand) []any {
	switch {
	case o.Source == Property:
		return s.property(o.path)
	case o.Source == Field && o.Text == "user_id":
		return s.identifiers(profile.UserID)
	case o.Source == Field && o.Text == "anonymous_id":
		return s.identifiers(profile.AnonymousID)
	case s.Facts == nil:
		return nil
	}
	text, ok := s.Facts.Attributes.Get(o.path[0].key)
	if !ok {
		return nil
	}
	return reach(decode(text), o.path[1:], nil)
}

func (s *Subject) identifiers(kind profile.Kind) []any {
	var found []any
	for _, i := range s.Identifiers {
		if i.Kind == kind {
			found = append(found, i.Value)
		}
	}
	return found
}

// property finds what a path leads to in the event's properties. Each property is
// decoded once, and only when it is asked for.
func (s *Subject) property(path []step) []any {
	name := path[0].key
	value, known := s.decoded[name]
	if !known {
		value = []any{nil}
		if raw := memberOf(s.Properties, name); raw != nil {
			value[0] = decode(string(raw))
		}
		if s.decoded == nil {
			s.decoded = map[string][]any{}
		}
		s.decoded[name] = value
	}
	if len(path) == 1 {
		return value
	}
	return reach(value[0], path[1:], nil)
}

// decode reads a stored JSON value; numbers stay text, so that they can be shown
// as they were sent. What is stored is JSON; anything else would be a missing value.
func decode(text string) any {
	if v, ok := decodePlain(strings.TrimSpace(text)); ok {
		return v
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// decodePlain reads the values that most conditions ask for: numbers, and strings
// without escapes.
func decodePlain(text string) (v any, ok bool) {
	switch {
	case text == "":
		return nil, false
	case text[0] == '-' || text[0] >= '0' && text[0] <= '9':
		return json.Number(text), true
	case text[0] == '"' && len(text) >= 2 && strings.IndexByte(text, '\\') < 0:
		return text[1 : len(text)-1], true
	}
	return nil, false
}

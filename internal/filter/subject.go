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

	properties any
	decoded    bool
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
		return reach(s.eventProperties(), o.path, nil)
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

func (s *Subject) eventProperties() any {
	if !s.decoded {
		s.decoded = true
		if len(s.Properties) > 0 {
			s.properties = decode(string(s.Properties))
		}
	}
	return s.properties
}

// decode reads a stored JSON value; numbers stay text, so that they can be shown
// as they were sent. What is stored is JSON; anything else would be a missing value.
func decode(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

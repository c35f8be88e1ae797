// Package mapping turns a sender's words into our schema.
//
// A source has own mappings, written in an allow-listed subset of jq, and presets,
// which are built in and written in Go. They are compiled once into a Set; the
// first active mapping that matches a body wins, own ones before presets in the
// order they are listed.
//
// # What a mapping's fields set
//
// The envelope is read as the preset movable-ink reads it: type, event, user_id,
// anonymous_id, timestamp, timezone, message_id, properties and traits of the
// body, ids also in camelCase. A field named type, user_id, anonymous_id,
// timestamp, timezone or message_id takes the place of what was read there. Every
// other field sets the property of its name, over the sender's properties, all of
// which are kept in their order. An expression that gives null or nothing changes
// nothing; of several outputs the first counts.
//
// The name to store is Spec.Event, whatever the sender called it. Where it is the
// canonical name of a known schema, as product_viewed, the properties then go
// through that schema as with a preset: aliases are found, ids become strings,
// prices become numbers, and required properties must be there. "identify" makes
// the call an identify. Any other name is a custom event, kept as it is.
package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"platen/internal/fault"
)

// Spec is one mapping of a source, as its document writes it.
type Spec struct {
	Event  string            // the event name to store, as "product_viewed"
	Match  string            // jq over the body; empty: never
	Fields map[string]string // field → jq over the body; see the package comment
	Draft  bool              // compiled and checked, but not used
}

// Mapped is one call in our words.
type Mapped struct {
	Type   string // "track" or "identify"; own mappings also "page", "screen", "group"
	Event  string // the name to store; empty for an identify
	UserID string // empty when absent; at least one of the two ids is set
	// AnonymousID is empty when absent.
	AnonymousID string
	Time        time.Time // in the sender's offset; zero when the sender gave none
	TimeZone    string    // the IANA name as sent, unchecked; empty when absent
	MessageID   string    // for recognising duplicates; empty when absent
	// Properties is a JSON object in compact form, never nil.
	Properties json.RawMessage
	// Traits is the JSON object of an identify in compact form, nil when absent.
	Traits json.RawMessage
	// Schema names what matched, for explain: "movable-ink/product_viewed" for a
	// preset, "mappings[0]/product_viewed" for an own mapping.
	Schema string
	// Warnings tell what was understood although it could have been said better:
	// the first MaxWarnings of them. MoreWarnings is how many there were besides.
	Warnings     []Warning
	MoreWarnings int
}

// MaxWarnings is how many warnings of one event are told.
const MaxWarnings = 20

// Warning is something a sender should mend although the call was accepted.
type Warning struct {
	Pointer string // JSON pointer into the body
	Kind    string // a stable word, as "currency_stripped"
	Message string
}

// Set is the compiled mappings of one source. It may be used by many goroutines
// at once.
type Set struct {
	own     []*ownMapping
	presets []*preset
	names   []name // of the active mappings, for suggestions
}

// Compile prepares the mappings of a source. The error is a *fault.Error: reason
// "unknown_preset", or "bad_mapping" with the field (as mappings[1].fields.price)
// in the message, its JSON pointer, and the line and column in the jq text.
func Compile(presetNames []string, own []Spec) (*Set, error) {
	s := &Set{}
	for i, spec := range own {
		o, err := compileOwn(i, spec)
		if err != nil {
			return nil, err
		}
		s.own = append(s.own, o)
		if !o.draft {
			s.names = append(s.names, o.names()...)
		}
	}
	for i, presetName := range presetNames {
		p, err := findPreset(presetName)
		if err != nil {
			return nil, err.In(pointerAt("/presets", i))
		}
		s.presets = append(s.presets, p)
		s.names = append(s.names, p.names()...)
	}
	return s, nil
}

// Map turns one body, a JSON object that has passed loosejson.Check, into our
// words. received is what the jq function now gives; it does not fill in a missing
// time. A body that is not accepted gives a *fault.Error that is Unprocessable,
// with a reason of its own ("unmapped", "missing_field", "missing_identity",
// "identify_needs_both", "bad_time", "bad_id", "bad_number", "wrong_type",
// "too_many_items", "mapping_failed") and the JSON pointer of the place. A fault
// that is Unavailable says nothing about the body: the same may succeed later.
func (s *Set) Map(raw []byte, received time.Time) (Mapped, error) {
	return s.mapBody(&evaluation{raw: raw, received: received})
}

func (s *Set) mapBody(e *evaluation) (Mapped, error) {
	var buf [16]member
	body, ok := split(buf[:0], e.raw)
	if !ok {
		return Mapped{}, fault.Refused("wrong_type", "an event is a JSON object; this is %s", clip(e.raw))
	}
	var failed error // of the first match expression that could not be evaluated
	for _, o := range s.own {
		if o.draft {
			continue
		}
		matches, err := o.matches(e)
		if errors.Is(err, errOutOfTime) {
			return Mapped{}, errOutOfTime // it says nothing about the event
		}
		if err != nil && failed == nil {
			failed = err
		}
		if matches {
			r, err := o.read(e, body)
			if err != nil {
				return Mapped{}, err
			}
			return r.mapped()
		}
	}
	for _, p := range s.presets {
		if r, ok := p.read(body); ok {
			return r.mapped()
		}
	}
	return Mapped{}, s.refuse(e, body, failed)
}

// refuse says why no active mapping took the body.
func (s *Set) refuse(e *evaluation, body []member, failed error) error {
	env := readEnvelope(body)
	kind, event := env.kind.text(), env.event.text()
	if len(s.presets) > 0 && len(kind) == 0 {
		return fault.Refused("missing_field", "the call has no type; the preset %s expects \"type\": \"track\" or \"identify\"", s.presets[0].name).In("/type")
	}
	if len(s.presets) > 0 && string(kind) == typeTrack && len(event) == 0 {
		return fault.Refused("missing_field", "the track call names no event; the preset %s expects it in \"event\"", s.presets[0].name).In("/event")
	}

	var b strings.Builder
	what, at := unmappedCall(kind, event)
	b.WriteString(what + " matches no active mapping")
	suggested := ""
	if near := nearestName(string(event), s.names); near != nil {
		b.WriteString("; the nearest is " + near.leadsTo)
		suggested = ", or send the event under that name"
	}
	if failed != nil {
		b.WriteString("; " + failed.Error())
	}
	if draft := s.matchingDraft(e); draft != nil {
		fmt.Fprintf(&b, "; the draft %s would match it: make it active", draft.place)
	} else {
		b.WriteString("; add a mapping for it to the source" + suggested)
	}
	return fault.Refused("unmapped", "%s", b.String()).In(at)
}

// unmappedCall names a call that nothing matched, and where it says what it is.
func unmappedCall(kind, event []byte) (what, at string) {
	switch {
	case len(event) > 0 && (len(kind) == 0 || string(kind) == typeTrack):
		return fmt.Sprintf("the event %q", clip(event)), "/event"
	case len(event) > 0:
		return fmt.Sprintf("the %s call %q", clip(kind), clip(event)), "/type"
	case len(kind) > 0:
		return fmt.Sprintf("the call of type %q", clip(kind)), "/type"
	default:
		return "a call without type and event", ""
	}
}

func (s *Set) matchingDraft(e *evaluation) *ownMapping {
	for _, o := range s.own {
		if !o.draft {
			continue
		}
		if matches, err := o.matches(e); err == nil && matches {
			return o
		}
	}
	return nil
}

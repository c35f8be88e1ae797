// Package event holds what a profile did: the Event, its time-ordered ID, and
// the tolerant reading of the times and ids that senders write.
package event

import (
	"encoding/json"
	"time"
)

// Kind says which call recorded an event.
type Kind uint8

// The kinds, as they are stored.
const (
	Track    Kind = 1 // something a person did
	Identify Kind = 2 // a claim, kept on the timeline with its traits
	Purchase Kind = 3 // a purchase of /users/track
)

// String is the kind as the API shows it.
func (k Kind) String() string {
	switch k {
	case Track:
		return "track"
	case Identify:
		return "identify"
	case Purchase:
		return "purchase"
	}
	return "unknown"
}

// MaxPropertiesBytes bounds the properties of one event, in compact form
// (shared/spec/engage.md: 100 KB). An open may read fifty of them.
const MaxPropertiesBytes = 100 << 10

// Event is one thing that a profile did, as it is stored.
type Event struct {
	ID        ID
	Workspace int64
	Part      ID // the part of a profile it was written under
	Kind      Kind
	Name      string
	At        time.Time // the event's own time, to the microsecond
	OwnTime   bool      // whether the sender gave At; otherwise it is the receipt
	TimeZone  string    // IANA name as sent, may be empty
	// UserID and AnonymousID are the identifiers the call carried.
	UserID      string
	AnonymousID string
	Properties  json.RawMessage // a JSON object in compact form, or nil
	Source      string          // the source's name; "engage" for the REST API
	// Mapping names the schema that accepted it, for explain.
	Mapping string
}

// Received is when the event was accepted: its ID begins with that time.
func (e *Event) Received() time.Time { return e.ID.Time() }

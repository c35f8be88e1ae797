package mapping

import (
	"encoding/json"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
)

// slot is the place of one envelope field: its value as sent and the name it was
// sent under.
type slot struct {
	raw  []byte
	name []byte
	rank int
}

// offer fills the slot unless it holds a value under a better name.
func (s *slot) offer(m member, rank int) {
	if s.raw == nil || rank <= s.rank {
		*s = slot{raw: m.value, name: m.name, rank: rank}
	}
}

// text is the value of a slot that holds a string, nil otherwise.
func (s *slot) text() []byte {
	if len(s.raw) == 0 || s.raw[0] != '"' {
		return nil
	}
	return nameOf(s.raw)
}

// at is the JSON pointer of the value, or of where it was expected.
func (s *slot) at(expected string) string {
	if s.name == nil {
		return pointer("", expected)
	}
	return pointer("", string(s.name))
}

// envelope is what every call says around its properties.
type envelope struct {
	kind        slot // the call's type
	event       slot
	userID      slot
	anonymousID slot
	timestamp   slot
	timezone    slot
	messageID   slot
	properties  slot
	traits      slot
}

// envelopeFields are the fields of a mapping that set the envelope; every other
// field sets a property.
var envelopeFields = map[string]func(*envelope) *slot{
	"type":         func(e *envelope) *slot { return &e.kind },
	"user_id":      func(e *envelope) *slot { return &e.userID },
	"anonymous_id": func(e *envelope) *slot { return &e.anonymousID },
	"timestamp":    func(e *envelope) *slot { return &e.timestamp },
	"timezone":     func(e *envelope) *slot { return &e.timezone },
	"message_id":   func(e *envelope) *slot { return &e.messageID },
}

// readEnvelope reads the snake_case envelope that Braze's templates send. Ids are
// accepted in camelCase as well, since senders mix both; snake_case wins.
func readEnvelope(body []member) envelope {
	var e envelope
	for _, m := range body {
		if string(m.value) == "null" {
			continue
		}
		// Unlike other fields, an empty time is a mistake worth telling.
		if string(m.name) == "timestamp" {
			e.timestamp.offer(m, 0)
			continue
		}
		if isBlank(m.value) {
			continue
		}
		switch string(m.name) {
		case "type":
			e.kind.offer(m, 0)
		case "event":
			e.event.offer(m, 0)
		case "user_id":
			e.userID.offer(m, 0)
		case "userId":
			e.userID.offer(m, 1)
		case "anonymous_id":
			e.anonymousID.offer(m, 0)
		case "anonymousId":
			e.anonymousID.offer(m, 1)
		case "timezone":
			e.timezone.offer(m, 0)
		case "message_id":
			e.messageID.offer(m, 0)
		case "messageId":
			e.messageID.offer(m, 1)
		case "event_id":
			e.messageID.offer(m, 2)
		case "properties":
			e.properties.offer(m, 0)
		case "traits":
			e.traits.offer(m, 0)
		}
	}
	return e
}

// reading is one body as a mapping understood it.
type reading struct {
	envelope envelope
	kind     string // the type to store
	event    string // the event name to store, "" for an identify
	schema   *schema
	label    string   // for Mapped.Schema
	computed []member // properties that the mapping's fields set
}

// mapped turns a reading into the event to store.
func (r *reading) mapped() (Mapped, error) {
	m := Mapped{Type: r.kind, Event: r.event, Schema: r.label}
	var err error
	if m.UserID, err = idIn(&r.envelope.userID, "user_id"); err != nil {
		return Mapped{}, err
	}
	if m.AnonymousID, err = idIn(&r.envelope.anonymousID, "anonymous_id"); err != nil {
		return Mapped{}, err
	}
	if m.MessageID, err = idIn(&r.envelope.messageID, "message_id"); err != nil {
		return Mapped{}, err
	}
	if m.Time, err = timeIn(&r.envelope.timestamp); err != nil {
		return Mapped{}, err
	}
	if m.Traits, err = r.traits(); err != nil {
		return Mapped{}, err
	}
	if err = m.checkIdentity(); err != nil {
		return Mapped{}, err
	}
	var c conformer
	if m.Properties, err = r.properties(&c); err != nil {
		return Mapped{}, err
	}
	m.TimeZone = string(r.envelope.timezone.text())
	if m.TimeZone == "" && r.envelope.timezone.raw != nil {
		c.warn(r.envelope.timezone.at("timezone"), "bad_timezone", "the timezone %s is not a string and was ignored", clip(r.envelope.timezone.raw))
	}
	m.Warnings, m.MoreWarnings = c.warnings, c.more
	return m, nil
}

func idIn(s *slot, name string) (string, error) {
	id, err := event.ParseID(s.raw)
	if err != nil {
		return "", fault.From(err).In(s.at(name))
	}
	return id, nil
}

func timeIn(s *slot) (time.Time, error) {
	t, err := event.ParseTime(s.raw)
	if err != nil {
		return time.Time{}, fault.From(err).In(s.at("timestamp"))
	}
	return t, nil
}

// traits are those of an identify; other calls keep none.
func (r *reading) traits() (json.RawMessage, error) {
	raw := r.envelope.traits.raw
	if r.kind != typeIdentify || raw == nil {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, notAnObject("traits", raw)
	}
	return appendCompact(make([]byte, 0, len(raw)), raw), nil
}

// checkIdentity refuses a call that says nothing about who it was.
func (m *Mapped) checkIdentity() error {
	const emptyObject = len(`{}`)
	switch {
	case m.UserID == "" && m.AnonymousID == "":
		return fault.Refused("missing_identity", "the call names nobody; send user_id, anonymous_id or both").In("/user_id")
	case m.Type != typeIdentify || m.UserID != "" && m.AnonymousID != "" || len(m.Traits) > emptyObject:
		return nil
	}
	missing := "user_id"
	if m.UserID != "" {
		missing = "anonymous_id"
	}
	return fault.Refused("identify_needs_both", "an identify joins an anonymous_id to a user_id, and %s is missing; send both, or traits to store", missing).In("/" + missing)
}

// properties is the object to store: the sender's properties, over them what the
// mapping computed, all in the form of the schema.
func (r *reading) properties(c *conformer) (json.RawMessage, error) {
	const at = "/properties"
	raw := r.envelope.properties.raw
	var buf [24]member
	members := buf[:0]
	if raw != nil {
		if raw[0] != '{' {
			return nil, notAnObject("properties", raw)
		}
		members, _ = split(members, raw)
	}
	for _, computed := range r.computed {
		members = replace(members, computed)
	}
	const room = 64 // for canonical names beside a sender's own
	return c.object(make([]byte, 0, len(raw)+room), members, r.schema, at)
}

// replace puts m in the place of the members of its name, or at the end.
func replace(members []member, m member) []member {
	found := false
	for i := range members {
		if string(members[i].name) == string(m.name) {
			members[i].value, found = m.value, true
		}
	}
	if !found {
		members = append(members, m)
	}
	return members
}

func notAnObject(name string, raw []byte) error {
	return fault.Refused("wrong_type", "%s is %s where an object was expected", name, clip(raw)).In("/" + name)
}

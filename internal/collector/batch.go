package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"platen/internal/document"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/mapping"
	"platen/internal/profile"
	"platen/internal/workspace"
)

// maxAhead is how far in the future an event may lie: clocks differ, plans are
// no events (shared/spec/collector-and-content.md section 2).
const maxAhead = 24 * time.Hour

// batch is the events of one request on their way to the write path.
type batch struct {
	source   *document.Source
	header   http.Header
	received time.Time
	items    []ingest.Item
	warnings []warning // the first maxWarnings
	more     int       // how many there were besides
}

// maxWarnings is how many warnings of one request are told.
const maxWarnings = 100

func (b *batch) accept() *ingest.Accept {
	return &ingest.Accept{
		Workspace: b.source.Workspace.ID, Source: b.source.Name,
		Received: b.received.UnixMicro(), Items: b.items,
	}
}

// refuseAll makes the whole body one refused item, so that it is kept. It gives
// the error back when the body cannot be kept.
func (b *batch) refuseAll(body []byte, err error) error {
	f := fault.From(err)
	if f.Code == fault.Internal || f.Code == fault.Unavailable || body == nil {
		return err
	}
	b.items = []ingest.Item{{Raw: body, Refused: f}}
	b.warnings, b.more = nil, 0
	return nil
}

// read takes a body apart into items. An error speaks of the whole body.
func (b *batch) read(body []byte) error {
	text, mends, err := parse(body, b.source.Policies.JSON == workspace.LenientJSON)
	if err != nil {
		return err
	}
	for _, m := range mends {
		b.warn(warning{Kind: string(m.Kind), Message: m.Message, Line: m.Line, Column: m.Column})
	}
	events, pointer, err := split(text)
	if err != nil {
		return err
	}
	return b.readEach(events, pointer, b.source.Mapping.Map)
}

// mapper is mapping.Set.Map.
type mapper func(raw []byte, received time.Time) (mapping.Mapped, error)

func (b *batch) readEach(events []json.RawMessage, pointer *string, mapOne mapper) error {
	b.items = make([]ingest.Item, len(events))
	for i, raw := range events {
		mapped, err := mapOne(raw, b.received)
		if fault.CodeOf(err) == fault.Unavailable {
			return err // all of it comes again
		}
		b.items[i] = b.item(i, raw, pointer, mapped, err)
	}
	return nil
}

func (b *batch) warn(w warning) {
	if len(b.warnings) == maxWarnings {
		b.more++
		return
	}
	b.warnings = append(b.warnings, w)
}

// told is the warnings for the answer, with a last one for those left out.
func (b *batch) told() []warning {
	if b.more == 0 {
		return b.warnings
	}
	return append(b.warnings, warning{Kind: "more_warnings", Message: fmt.Sprintf("and %d more", b.more)})
}

// split gives the events of one object, of an array, or of {"events":[…]}, and
// the JSON pointer of the list, nil for a single event.
func split(body []byte) (events []json.RawMessage, pointer *string, err error) {
	list := ""
	body = bytes.TrimSpace(body)
	switch {
	case body[0] == '[':
		err = json.Unmarshal(body, &events)
	case body[0] == '{' && bytes.Contains(body, []byte(`"events"`)):
		var wrapper struct {
			Events json.RawMessage `json:"events"`
			Type   json.RawMessage `json:"type"`
		}
		err = json.Unmarshal(body, &wrapper)
		if err == nil && (len(wrapper.Events) == 0 || wrapper.Events[0] != '[' || wrapper.Type != nil) {
			return []json.RawMessage{body}, nil, nil
		}
		if err == nil {
			list = "/events"
			err = json.Unmarshal(wrapper.Events, &events)
		}
	default:
		return []json.RawMessage{body}, nil, nil
	}
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("split a checked body: %w", err)
	case len(events) == 0:
		return nil, nil, fault.New(fault.Invalid, "no_events", "the list of events is empty").In(list)
	case len(events) > MaxEvents:
		return nil, nil, fault.New(fault.TooLarge, "too_many_events", "the request holds %d events, at most %d are taken at a time", len(events), MaxEvents)
	}
	return events, &list, nil
}

// item makes the item of one event from what its mapping said. What cannot be
// accepted becomes a refused item.
func (b *batch) item(i int, raw json.RawMessage, list *string, mapped mapping.Mapped, err error) ingest.Item {
	at := ""
	if list != nil {
		at = *list + "/" + strconv.Itoa(i)
	}
	item := ingest.Item{Raw: raw}
	if err == nil {
		err = b.fill(&item, i, mapped)
	}
	if err != nil {
		f := *fault.From(err)
		if f.Pointer != "" || list != nil {
			f.Pointer = at + f.Pointer
		}
		if f.Reason == "unmapped" {
			f.Message += fmt.Sprintf(" (source %q)", b.source.Name)
		}
		item.Refused = &f
		return item
	}
	for _, w := range mapped.Warnings {
		b.warn(warning{Index: &i, Kind: w.Kind, Message: w.Message, Pointer: at + w.Pointer})
	}
	b.more += mapped.MoreWarnings
	return item
}

// fill makes the item of a mapped event. Where it refuses the event, the item
// names it already.
func (b *batch) fill(item *ingest.Item, index int, m mapping.Mapped) error {
	at := m.Time
	if at.IsZero() {
		at = b.received
	}
	item.At = at.UnixMicro()
	item.Event = &event.Event{
		Kind: event.Track, Name: m.Event, At: at, OwnTime: !m.Time.IsZero(), TimeZone: m.TimeZone,
		UserID: m.UserID, AnonymousID: m.AnonymousID, Properties: m.Properties, Mapping: m.Schema,
	}
	if m.Type == "identify" {
		item.Event.Kind, item.Event.Name, item.Event.Properties = event.Identify, "identify", m.Traits
	}
	if err := b.checkTime(at); err != nil {
		return err
	}
	if size := len(item.Event.Properties); size > event.MaxPropertiesBytes {
		return fault.New(fault.TooLarge, "properties_too_large", "the properties take %d bytes, of one event at most %d are kept: leave out what no message or picture needs",
			size, event.MaxPropertiesBytes)
	}
	item.Who = profile.Who{UserID: m.UserID, AnonymousID: m.AnonymousID}
	if err := item.Who.Check(); err != nil {
		return err
	}
	both := m.UserID != "" && m.AnonymousID != ""
	item.Claim = both && (m.Type == "identify" || b.source.Policies.Links == workspace.LinkByTrack)
	set, err := settings(m.Traits)
	if err != nil {
		return err
	}
	item.Set = set
	b.remember(item, index, m)
	return nil
}

func (b *batch) checkTime(at time.Time) error {
	age := b.received.Sub(at)
	maxAge := b.source.Policies.MaxAge
	switch {
	case maxAge > 0 && age > maxAge:
		return fault.Refused("too_old", "the event is %s old, this source takes events up to %s old (policy max_age)", days(age), days(maxAge)).In("/timestamp")
	case age < -maxAhead:
		return fault.Refused("in_future", "the event lies %s in the future; check whether the sender counts seconds or milliseconds", days(-age)).In("/timestamp")
	}
	return nil
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

// remember gives the item the key by which it is recognised when it comes again:
// from the strongest id that the request has.
func (b *batch) remember(item *ingest.Item, index int, m mapping.Mapped) {
	key := func(by ingest.SeenBy, id string, index int) {
		k := ingest.NewSeenKey(b.source.Workspace.ID, b.source.Key, by, id, index)
		item.Key = &k
	}
	switch {
	case b.header.Get("Idempotency-Key") != "":
		key(ingest.ByIdempotencyKey, b.header.Get("Idempotency-Key"), index)
	case b.header.Get("Webhook-Id") != "":
		key(ingest.ByWebhookID, b.header.Get("Webhook-Id"), index)
	case m.MessageID != "":
		key(ingest.ByMessageID, m.MessageID, 0)
	case b.source.Policies.DedupeContent > 0 && !m.Time.IsZero():
		key(ingest.ByContent, string(item.Raw), 0)
		item.KeyFor = b.source.Policies.DedupeContent
	}
}

// settings are the traits of an identify as attributes.
func settings(traits json.RawMessage) ([]profile.Setting, error) {
	if len(traits) == 0 {
		return nil, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(traits, &values); err != nil {
		return nil, fault.Refused("wrong_type", "traits are a JSON object").In("/traits")
	}
	set := make([]profile.Setting, 0, len(values))
	for name, value := range values {
		set = append(set, profile.Setting{Name: name, Value: string(value)})
	}
	return set, nil
}

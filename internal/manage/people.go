package manage

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/profile"
	"platen/internal/reply"
)

// Profile is one person as GET /profiles shows it.
type Profile struct {
	ID          string          `json:"id"` // the braze_id of the REST API
	UserID      string          `json:"user_id,omitempty"`
	Identifiers []Identifier    `json:"identifiers"`
	Attributes  json.RawMessage `json:"attributes"`
	Events      []EventCount    `json:"events"`
	Timeline    []Event         `json:"timeline"`
	Identity    []IdentityEntry `json:"identity_log"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
}

// Identifier is one name of a profile.
type Identifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Label string `json:"label,omitempty"` // of an alias
}

// EventCount is how often and when an event happened.
type EventCount struct {
	Name  string    `json:"name"`
	Count int64     `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Event is one entry of the timeline.
type Event struct {
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Time        time.Time       `json:"time"`
	Received    time.Time       `json:"received"`
	TimeZone    string          `json:"timezone,omitempty"`
	UserID      string          `json:"user_id,omitempty"`
	AnonymousID string          `json:"anonymous_id,omitempty"`
	Properties  json.RawMessage `json:"properties,omitempty"`
	Source      string          `json:"source"`
	Mapping     string          `json:"mapping,omitempty"`
}

// IdentityEntry says what happened to the identity of a profile, and why.
type IdentityEntry struct {
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	Detail string    `json:"detail"`
}

// maxRows is the most that one answer lists.
const maxRows = 1000

func (h *Handler) profile(w http.ResponseWriter, r *request) error {
	who, err := whoOf(r)
	if err != nil {
		return err
	}
	limit, err := limitOf(r, 100)
	if err != nil {
		return err
	}
	p, err := h.store.Profile(r.Context(), r.workspace.ID, who, h.now().UnixMicro())
	if err != nil {
		return err
	}
	if p == nil {
		return fault.New(fault.NotFound, "unknown_profile", "nobody in the workspace %q has this identifier", r.workspace.Name)
	}
	timeline, err := h.store.Timeline(r.Context(), p.Spans(), limit)
	if err != nil {
		return err
	}
	records, err := h.store.IdentityLog(r.Context(), p.Root.ID)
	if err != nil {
		return err
	}
	reply.JSON(w, http.StatusOK, view(p, timeline, records))
	return nil
}

// whoOf reads the identifier from the path or the query.
func whoOf(r *request) (profile.Who, error) {
	q := r.URL.Query()
	who := profile.Who{
		UserID: r.PathValue("user_id"), AnonymousID: q.Get("anonymous_id"),
		BrazeID: q.Get("braze_id"), Email: q.Get("email"), Phone: q.Get("phone"),
	}
	if name := q.Get("alias_name"); name != "" {
		who.Alias = profile.AliasOf(q.Get("alias_label"), name).Value
	}
	if who.UserID == "" {
		who.UserID = q.Get("user_id")
	}
	if who == (profile.Who{}) {
		return who, fault.New(fault.Invalid, "missing_identity", "name the person: user_id, anonymous_id, email, phone, braze_id, or alias_label and alias_name")
	}
	return who, nil
}

func limitOf(r *request, usual int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRows {
		return 0, fault.New(fault.Invalid, "bad_limit", "limit is a number from 1 to %d, not %q", maxRows, text)
	}
	return n, nil
}

func view(p *profile.Profile, timeline []event.Event, records []profile.Record) Profile {
	facts := p.Root.Facts()
	v := Profile{
		ID: profile.BrazeIDOf(p.Root.ID), UserID: p.UserID(), Attributes: facts.Attributes.JSON(),
		Identifiers: []Identifier{}, Events: []EventCount{}, Timeline: []Event{}, Identity: []IdentityEntry{},
		Created: micros(p.Root.Created), Updated: micros(p.Root.Updated),
	}
	for _, i := range p.Identifiers() {
		shown := Identifier{Kind: i.Kind.String(), Value: i.Value}
		if i.Kind == profile.Alias {
			shown.Label, shown.Value = profile.AliasParts(i.Value)
		}
		v.Identifiers = append(v.Identifiers, shown)
	}
	for _, c := range facts.Summary.Counts {
		v.Events = append(v.Events, EventCount{Name: c.Name, Count: c.Total, First: micros(c.First), Last: micros(c.Last)})
	}
	for i := range timeline {
		e := &timeline[i]
		v.Timeline = append(v.Timeline, Event{
			ID: e.ID.String(), Type: e.Kind.String(), Name: e.Name, Time: e.At, Received: e.Received(), TimeZone: e.TimeZone,
			UserID: e.UserID, AnonymousID: e.AnonymousID, Properties: e.Properties, Source: e.Source, Mapping: e.Mapping,
		})
	}
	for _, r := range records {
		v.Identity = append(v.Identity, IdentityEntry{Kind: string(r.Kind), Time: micros(r.At), Detail: r.Detail})
	}
	return v
}

func micros(t int64) time.Time { return time.UnixMicro(t).UTC() }

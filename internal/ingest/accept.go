package ingest

import (
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/filter"
	"platen/internal/profile"
)

// Campaigns finds the live campaigns of a workspace that an event may trigger.
type Campaigns func(workspace int64, event string) []*campaign.Campaign

// Item is one event, claim or attribute change of a request.
type Item struct {
	Who profile.Who
	// Claim says that the anonymous id is the user id (rule 2).
	Claim bool
	// ExistingOnly refuses to make a profile for it.
	ExistingOnly bool
	Set          []profile.Setting
	// Event is what to store on the timeline: its ID, Workspace and Part are
	// given here. Nil for a change of attributes alone.
	Event *event.Event
	// At is the time of the statement in unix microseconds: the sender's, or
	// the receipt.
	At int64
	// Key recognises a duplicate; nil when the sender gave no id. Of an item that
	// is Refused it is the refusal's own (see ByRefusal).
	Key *SeenKey
	// KeyFor is how long the key holds; 0 is as long as it is remembered.
	KeyFor time.Duration
	// Raw is the sender's own text, kept when the item is refused or has Left.
	Raw []byte
	// Refused is set for an item that a handler refused already.
	Refused *fault.Error
	// Left says what a handler left out of it, kept in quarantine once the item is
	// accepted; nil for nothing.
	Left *fault.Error
}

// Outcome is what became of an Item.
type Outcome struct {
	Event     event.ID // stored, or stored before when Duplicate
	Duplicate bool     // it came before: nothing was written
	Created   bool     // a new profile was made for it
	// Refused is why it was not stored; Quarantine is then the row that keeps it.
	Refused    *fault.Error
	Quarantine event.ID
}

// Accept stores the items of one request. Each is accepted or refused on its
// own; Outcomes has one entry for each when Submit has returned nil.
type Accept struct {
	Workspace int64
	Source    string // the source's name, or "engage"
	Received  int64  // unix microseconds
	Items     []Item
	Outcomes  []Outcome

	calls []profile.Call // of Items, made when they are touched first
}

// call gives what an item says to the book.
func (a *Accept) call(n int) *profile.Call {
	if a.calls == nil {
		a.calls = make([]profile.Call, len(a.Items))
		for i := range a.Items {
			a.calls[i] = a.callOf(&a.Items[i])
		}
	}
	return &a.calls[n]
}

func (a *Accept) callOf(i *Item) profile.Call {
	c := profile.Call{Workspace: a.Workspace, Who: i.Who, At: i.At, Received: a.Received,
		Claim: i.Claim, Set: i.Set, ExistingOnly: i.ExistingOnly}
	if i.Event != nil && i.Event.Kind != event.Identify {
		c.Event = &profile.Happening{Name: i.Event.Name, At: i.At, Content: true}
	}
	return c
}

// itemBytes is what an item holds beside the text that came with it.
const itemBytes = 512

func (a *Accept) size() int {
	size := itemBytes * len(a.Items)
	for i := range a.Items {
		size += len(a.Items[i].Raw)
	}
	return size
}

func (a *Accept) touch(tx *transaction) {
	for i := range a.Items {
		item := &a.Items[i]
		if item.Key != nil {
			tx.seen(*item.Key)
		}
		if item.Refused == nil {
			tx.Book.Touch(*a.call(i))
		}
	}
}

func (a *Accept) apply(tx *transaction) {
	a.Outcomes = make([]Outcome, len(a.Items))
	for i := range a.Items {
		a.Outcomes[i] = a.accept(tx, i)
	}
}

func (a *Accept) accept(tx *transaction, n int) Outcome {
	i := &a.Items[n]
	before, duplicate := i.seen(tx)
	switch {
	case i.Refused != nil && duplicate:
		return Outcome{Refused: i.Refused, Quarantine: before, Duplicate: true}
	case i.Refused != nil:
		o := a.refuse(tx, i, i.Refused)
		if i.Key != nil {
			tx.remember(*i.Key, o.Quarantine)
		}
		return o
	case duplicate:
		return Outcome{Event: before, Duplicate: true}
	}
	call := *a.call(n)
	id := tx.writer.ids.Next()
	if call.Event != nil {
		call.Event.ID = id
	}
	hits := a.hits(tx, i, call, id)
	placed, err := tx.Book.Apply(call)
	if err != nil {
		return a.refuse(tx, i, fault.From(err))
	}
	if i.Key != nil {
		tx.remember(*i.Key, id)
	}
	if i.Left != nil {
		a.refuse(tx, i, i.Left)
	}
	if i.Event == nil {
		return Outcome{Created: placed.Created}
	}
	e := *i.Event
	e.ID, e.Workspace, e.Part, e.Source = id, a.Workspace, placed.Part.ID, a.Source
	tx.changes.Events = append(tx.changes.Events, &e)
	for _, h := range hits {
		h.Profile = placed.Root.ID
		tx.changes.Hits = append(tx.changes.Hits, h)
	}
	for _, url := range photos(e.Properties) {
		tx.changes.Photos = append(tx.changes.Photos, Photo{Workspace: a.Workspace, URL: url, Shown: a.Received})
	}
	return Outcome{Event: id, Created: placed.Created}
}

// seen gives what an earlier item with the same key left: an event, or a row in
// quarantine.
func (i *Item) seen(tx *transaction) (before event.ID, duplicate bool) {
	if i.Key == nil {
		return 0, false
	}
	id := tx.seen(*i.Key)
	return id, id != 0 && (i.KeyFor == 0 || tx.writer.now().Sub(id.Time()) <= i.KeyFor)
}

// refuse keeps an item, or what was left out of it, in quarantine.
func (a *Accept) refuse(tx *transaction, i *Item, why *fault.Error) Outcome {
	q := quarantined(why, i.Raw)
	q.Workspace, q.Source, q.Received = a.Workspace, a.Source, a.Received
	if i.Event != nil {
		q.Event = i.Event.Name
	}
	return Outcome{Refused: why, Quarantine: tx.refuse(q)}
}

// hits finds the live campaigns that the event triggers. Conditions see the
// profile as it was before this event, but with the name that the call gave it.
func (a *Accept) hits(tx *transaction, i *Item, call profile.Call, id event.ID) []campaign.Hit {
	if i.Event == nil || i.Event.Kind == event.Identify {
		return nil
	}
	live := tx.writer.campaigns(a.Workspace, i.Event.Name)
	if len(live) == 0 {
		return nil
	}
	subject := &filter.Subject{Identifiers: named(call.Who), Now: tx.writer.now()}
	if root := tx.Book.Whose(call); root != nil {
		subject.Identifiers, subject.Facts = root.Identifiers, root.Facts()
	}
	subject.Properties = i.Event.Properties
	var hits []campaign.Hit
	for _, c := range live {
		if !c.Trigger.Matches(i.Event.Name, subject) {
			continue
		}
		_, _, refused := c.Admits(subject)
		hits = append(hits, campaign.Hit{ID: tx.writer.ids.Next(), Workspace: a.Workspace, Campaign: c.ID, Event: id, Refused: refused})
	}
	return hits
}

// named are the identifiers that a call gives a profile it is about to make.
func named(w profile.Who) []profile.Identifier {
	switch {
	case w.UserID != "":
		return []profile.Identifier{{Kind: profile.UserID, Value: w.UserID}}
	case w.AnonymousID != "":
		return []profile.Identifier{{Kind: profile.AnonymousID, Value: w.AnonymousID}}
	case w.Alias != "":
		return []profile.Identifier{{Kind: profile.Alias, Value: w.Alias}}
	}
	return nil // an e-mail or a phone is an attribute
}

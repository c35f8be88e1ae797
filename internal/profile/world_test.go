package profile

import (
	"slices"
	"testing"

	"platen/internal/event"
)

const (
	testWorkspace = 7
	second        = int64(1e6)
	day           = 24 * 3600 * second
	epoch         = 1_700_000_000 * second // the times of the tests count from here
)

// world is a store in memory. It loads into a book exactly what the book asks
// for, so that a forgotten Touch shows, and keeps parts in their stored form.
type world struct {
	t       testing.TB
	parts   map[event.ID]storedPart
	ids     map[Key]event.ID
	looks   map[Key][]event.ID
	events  []writtenEvent
	log     []Record
	last    event.ID
	now     int64 // receipt of the next call
	loaded  int   // parts loaded so far
	written rows
}

// rows counts what was written.
type rows struct{ parts, identifiers, lookups, records, bytes int }

func (r rows) minus(o rows) rows {
	return rows{r.parts - o.parts, r.identifiers - o.identifiers, r.lookups - o.lookups, r.records - o.records, r.bytes - o.bytes}
}

type storedPart struct {
	owner            event.ID
	created, updated int64
	stale            bool
	data             []byte
}

type writtenEvent struct {
	part event.ID
	Happening
	call int // the caller's number
}

func newWorld(t testing.TB) *world {
	return &world{t: t, parts: map[event.ID]storedPart{}, ids: map[Key]event.ID{}, looks: map[Key][]event.ID{},
		now: epoch + 1000*day}
}

func (w *world) newID() event.ID {
	w.last++
	return w.last
}

func (w *world) part(id event.ID) *Part {
	s, ok := w.parts[id]
	if !ok {
		w.t.Fatalf("the store has no part %d", id)
	}
	p := &Part{ID: id, Workspace: testWorkspace, Owner: s.owner, Created: s.created, Updated: s.updated}
	if err := UnmarshalPart(s.data, p); err != nil {
		w.t.Fatalf("part %d: %v", id, err)
	}
	w.loaded++
	return p
}

// fill calls touch and loads what is missing until nothing is.
func (w *world) fill(b *Book, touch func()) {
	for range 10 {
		touch()
		if b.Complete() {
			return
		}
		keys, parts := b.Missing()
		for _, k := range keys {
			w.putKey(b, k)
		}
		for _, id := range parts {
			if _, stored := w.parts[id]; stored {
				b.PutPart(w.part(id))
			} else {
				b.PutPart(&Part{ID: id})
			}
		}
	}
	w.t.Fatal("the book asks for more after ten rounds")
}

func (w *world) putKey(b *Book, k Key) {
	switch id, ok := w.ids[k]; {
	case k.Kind == Email || k.Kind == Phone:
		ids := w.looks[k]
		b.PutKey(k, ids[:min(len(ids), MaxSharers+1)]...)
	case ok:
		b.PutKey(k, id)
	default:
		b.PutKey(k)
	}
}

// save writes the changes of a book.
func (w *world) save(b *Book) {
	c := b.Changes()
	for _, p := range c.Parts {
		w.parts[p.ID] = storedPart{p.Owner, p.Created, p.Updated, p.Stale, MarshalPart(p)}
		w.written.bytes += len(w.parts[p.ID].data)
	}
	w.written.parts += len(c.Parts)
	w.written.identifiers += len(c.Identifiers)
	w.written.lookups += len(c.Lookups)
	w.written.records += len(c.Records)
	for _, row := range c.Identifiers {
		if other, taken := w.ids[row.Key]; taken {
			w.t.Fatalf("%v %q names part %d and part %d", row.Kind, row.Value, other, row.Part)
		}
		w.ids[row.Key] = row.Part
	}
	for _, row := range c.Lookups {
		has := slices.Contains(w.looks[row.Key], row.Part)
		if has != row.Remove || row.Value == "" {
			w.t.Fatalf("look-up %q of part %d: remove is %v, stored is %v", row.Value, row.Part, row.Remove, has)
		}
		w.looks[row.Key] = slices.DeleteFunc(w.looks[row.Key], func(id event.ID) bool { return id == row.Part })
		if !row.Remove {
			w.looks[row.Key] = append(w.looks[row.Key], row.Part)
		}
	}
	w.log = append(w.log, c.Records...)
}

// checkLookups compares the look-up rows with the parts.
func (w *world) checkLookups(parts []*Part) {
	want := 0
	for _, p := range parts {
		for _, i := range append(p.lookupsOf("email"), p.lookupsOf("phone")...) {
			want++
			if !slices.Contains(w.looks[Key{testWorkspace, i}], p.ID) {
				w.t.Fatalf("part %d is not found by %q", p.ID, i.Value)
			}
		}
	}
	rows := 0
	for _, ids := range w.looks {
		rows += len(ids)
	}
	if rows != want {
		w.t.Fatalf("%d look-up rows, want %d", rows, want)
	}
}

// all gives every part.
func (w *world) all() []*Part {
	parts := make([]*Part, 0, len(w.parts))
	for id := range w.parts {
		parts = append(parts, w.part(id))
	}
	return parts
}

// receive gives a call its receipt.
func (w *world) receive(c Call) Call {
	w.now++
	c.Workspace, c.Received = testWorkspace, w.now
	return c
}

// write applies a call in a book and keeps its event under the caller's number.
func (w *world) write(b *Book, c Call, number int) (Placed, error) {
	if c.Event != nil {
		h := *c.Event
		h.ID = w.newID()
		c.Event = &h
	}
	placed, err := b.Apply(c)
	if !b.Complete() {
		w.t.Fatalf("%+v was applied to a book that was not complete for it", c)
	}
	if err == nil && c.Event != nil {
		e := writtenEvent{part: placed.Part.ID, Happening: *c.Event, call: number}
		e.At = c.At
		w.events = append(w.events, e)
	}
	return placed, err
}

func (w *world) try(c Call) (Placed, error) {
	c = w.receive(c)
	b := NewBook(w.newID)
	w.fill(b, func() { b.Touch(c) })
	placed, err := w.write(b, c, 0)
	w.save(b)
	return placed, err
}

func (w *world) do(calls ...Call) (last Placed) {
	w.t.Helper()
	for _, c := range calls {
		var err error
		if last, err = w.try(c); err != nil {
			w.t.Fatalf("%+v: %v", c, err)
		}
	}
	return last
}

func (w *world) name(n Naming) (bool, error) {
	n.Workspace = testWorkspace
	w.now++
	n.Received = w.now
	b := NewBook(w.newID)
	w.fill(b, func() { b.TouchNaming(n) })
	done, err := b.Name(n)
	if !b.Complete() {
		w.t.Fatalf("%+v was done in a book that was not complete for it", n)
	}
	w.save(b)
	return done, err
}

func (w *world) isStale() bool {
	for _, p := range w.parts {
		if p.stale {
			return true
		}
	}
	return false
}

// rebuild does the background step on all stale parts.
func (w *world) rebuild() {
	for id := event.ID(1); id <= w.last; id++ {
		if !w.parts[id].stale {
			continue
		}
		b := NewBook(w.newID)
		w.fill(b, func() { b.TouchRebuild(id) })
		b.Rebuild(b.Part(id), func(yield func(Happening) bool) {
			for _, e := range w.events {
				if e.part == id && !yield(e.Happening) {
					return
				}
			}
		}, w.parts[id].updated)
		if !b.Complete() {
			w.t.Fatalf("part %d was rebuilt in a book that was not complete for it", id)
		}
		w.save(b)
	}
}

// whose is the profile of a person now, nil for none.
func (w *world) whose(who Who) *Profile {
	b := NewBook(w.newID)
	c := Call{Workspace: testWorkspace, Who: who, At: w.now}
	w.fill(b, func() { b.Touch(c) })
	root := b.Whose(c)
	if root == nil {
		return nil
	}
	return w.profile(root.ID)
}

func (w *world) profile(root event.ID) *Profile {
	p := &Profile{Root: w.part(root)}
	for _, id := range p.Root.Members {
		p.Members = append(p.Members, w.part(id))
	}
	return p
}

// timeline is what lies in the spans of a profile.
func (w *world) timeline(p *Profile) []writtenEvent {
	var events []writtenEvent
	for _, s := range p.Spans() {
		for _, e := range w.events {
			if e.part == s.Part && s.From <= e.At && e.At < s.To {
				events = append(events, e)
			}
		}
	}
	return events
}

// did are the names of the events of a person, sorted.
func (w *world) did(who Who) []string {
	p := w.whose(who)
	if p == nil {
		return nil
	}
	var names []string
	for _, e := range w.timeline(p) {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// attributes are those of a person as JSON, "" when there is no such person.
func (w *world) attributes(who Who) string {
	p := w.whose(who)
	if p == nil {
		return ""
	}
	return string(p.Root.Facts().Attributes.JSON())
}

// The calls of the tests, at seconds after the epoch.

func track(who Who, name string, at int64) Call {
	return Call{Who: who, At: epoch + at*second, Event: &Happening{Name: name, Content: true}}
}

func identify(anonymous, user string, at int64) Call {
	return Call{Who: Who{UserID: user, AnonymousID: anonymous}, At: epoch + at*second, Claim: true}
}

func set(who Who, name, value string, at int64) Call {
	return Call{Who: who, At: epoch + at*second, Set: []Setting{{Name: name, Value: value}}}
}

func user(id string) Who      { return Who{UserID: id} }
func anonymous(id string) Who { return Who{AnonymousID: id} }
func email(address string) Who {
	return Who{Email: address}
}

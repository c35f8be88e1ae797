// Package storetest is one suite of tests over every store. A store that passes
// it keeps and finds what the rest of the program relies on.
package storetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"platen/internal/asset"
	"platen/internal/campaign"
	"platen/internal/document"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// Store is everything that the program asks of a store. The interfaces are
// declared, and their methods described, where they are used.
type Store interface {
	ingest.Store
	ingest.RepairStore
	document.Store

	Profile(ctx context.Context, workspace int64, who profile.Who, at int64) (*profile.Profile, error)
	ProfileByID(ctx context.Context, id event.ID) (*profile.Profile, error)
	IdentityLog(ctx context.Context, root event.ID) ([]profile.Record, error)
	Quarantined(ctx context.Context, workspace int64, limit int) ([]ingest.Quarantined, error)

	Events(ctx context.Context, ids []event.ID) ([]event.Event, error)
	Timeline(ctx context.Context, spans []profile.Span, limit int) ([]event.Event, error)
	CountEvents(ctx context.Context, workspace int64) (int64, error)
	EachEvent(ctx context.Context, yield func(*event.Event) error) error
	ForgetSeen(now time.Time) (worked bool, err error)

	Hits(ctx context.Context, limit int) ([]campaign.Hit, error)
	Plan(ctx context.Context, plans []campaign.Plan) error
	HasDue(ctx context.Context, now time.Time) (bool, error)
	Lease(ctx context.Context, now, until time.Time, busy []campaign.Queue, limit int) ([]campaign.Delivery, error)
	SaveRequests(ctx context.Context, rendered []campaign.Delivery) error
	Finish(ctx context.Context, results []campaign.Result) error
	ReleaseLeases(ctx context.Context) error
	Deliveries(ctx context.Context, workspace int64, of event.ID, limit int) ([]campaign.Activity, error)
	EachDelivery(ctx context.Context, yield func(*campaign.Delivery) error) error
	Pending(ctx context.Context) (hits, deliveries int64, err error)
	ReserveCode(ctx context.Context, workspace int64, list string, message event.ID, codes []string) (code string, ok bool, err error)

	QueuedPhotos(ctx context.Context, now time.Time, limit int) ([]asset.Photo, error)
	SavePhoto(ctx context.Context, p asset.Photo) error
	Photo(ctx context.Context, workspace int64, url string) (p asset.Photo, ok bool, err error)

	Shown(ctx context.Context, block, person, params string) (shown engagement.Shown, ok bool, err error)
	Record(ctx context.Context, b engagement.Batch) error

	Ping(ctx context.Context) error
	Close() error
}

// Open opens a store on its data, which is still there when the store was closed
// and is opened again. It must begin a new table of events after TableRows events,
// and one of seen ids after as many keys, so that the suite crosses their borders.
type Open func(t *testing.T, ids *event.IDs) Store

// TableRows is how many rows the tables of a store under test hold.
const TableRows = 8

// Exercise runs the suite. start is called for each test and gives new, empty data.
func Exercise(t *testing.T, start func(t *testing.T) Open) {
	for _, test := range []struct {
		name string
		run  func(*fixture)
	}{
		{"parts", parts},
		{"look-ups", lookups},
		{"braze ids", brazeIDs},
		{"merged profiles", mergedProfiles},
		{"stale parts", staleParts},
		{"identity log", identityLog},
		{"more keys", moreKeys},
		{"roll-back", rollBack},
		{"roll-back of a person", rollBackOfAPerson},
		{"panic in a decision", panicInADecision},
		{"quarantine", quarantine},
		{"events", events},
		{"events by id", eventsByID},
		{"events of a part", eventsOfAPart},
		{"timeline", timeline},
		{"seen keys", seenKeys},
		{"seen keys are forgotten", seenKeysAreForgotten},
		{"ids go on", idsGoOn},
		{"hits and plans", hitsAndPlans},
		{"leases", leases},
		{"busy queues", busyQueues},
		{"results", results},
		{"late results", lateResults},
		{"activity", activity},
		{"put back", putBack},
		{"codes", codes},
		{"codes of a list that changes", codesOfAChangedList},
		{"codes at once", codesAtOnce},
		{"documents", documents},
		{"photos", photos},
		{"shown", shown},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fixture{T: t, open: start(t), clock: time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)}
			f.ids = event.NewIDs(func() time.Time { return f.clock }, 0)
			f.store = f.open(t, f.ids)
			defer func() { f.must(f.store.Close()) }()
			test.run(f)
		})
	}
}

// The workspaces of the tests.
const (
	workspace = 7
	elsewhere = 8
)

// fixture is one test on one store, with a clock that stands still.
type fixture struct {
	*testing.T
	open  Open
	clock time.Time
	ids   *event.IDs
	store Store
}

// reopen closes the store and opens it again, as another process would.
func (f *fixture) reopen() {
	f.Helper()
	f.must(f.store.Close())
	f.ids = event.NewIDs(func() time.Time { return f.clock }, 0)
	f.store = f.open(f.T, f.ids)
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// same compares what was read with what was written.
func (f *fixture) same(what string, got, want any) {
	f.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() != reflect.Slice || w.Kind() != reflect.Slice {
		f.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
		return
	}
	if g.Len() != w.Len() {
		f.Errorf("%s: got %d, want %d", what, g.Len(), w.Len())
	}
	for i := range min(g.Len(), w.Len()) {
		if g, w := g.Index(i).Interface(), w.Index(i).Interface(); !reflect.DeepEqual(g, w) {
			f.Errorf("%s, number %d:\n got %+v\nwant %+v", what, i, g, w)
			return
		}
	}
}

// now is the clock in microseconds.
func (f *fixture) now() int64 { return f.clock.UnixMicro() }

// commit writes changes.
func (f *fixture) commit(c ingest.Changes) {
	f.Helper()
	f.must(f.store.Commit(f.Context(), ingest.Keys{}, func(*ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		return c, ingest.Keys{}
	}))
}

// apply decides on calls in one transaction, and loads what they need.
func (f *fixture) apply(calls ...profile.Call) (placed []profile.Placed) {
	f.Helper()
	f.must(f.store.Commit(f.Context(), ingest.Keys{}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		for i := range calls {
			calls[i].Received = f.now()
			s.Book.Touch(calls[i])
		}
		if !s.Book.Complete() {
			keys, parts := s.Book.Missing()
			return ingest.Changes{}, ingest.Keys{Identifiers: keys, Parts: parts}
		}
		for _, c := range calls {
			p, err := s.Book.Apply(c)
			if err != nil {
				f.Error(err)
			}
			placed = append(placed, p)
		}
		return ingest.Changes{Changes: s.Book.Changes()}, ingest.Keys{}
	}))
	return placed
}

// profile reads a profile of the workspace of the tests, nil when there is none.
func (f *fixture) profile(who profile.Who) *profile.Profile {
	f.Helper()
	p, err := f.store.Profile(f.Context(), workspace, who, f.now())
	f.must(err)
	return p
}

func user(id string) profile.Who      { return profile.Who{UserID: id} }
func anonymous(id string) profile.Who { return profile.Who{AnonymousID: id} }

// call is a call about a person, an hour ago.
func (f *fixture) call(who profile.Who) profile.Call {
	return profile.Call{Workspace: workspace, Who: who, At: f.now() - time.Hour.Microseconds()}
}

// setting is a call that sets one attribute.
func (f *fixture) setting(who profile.Who, name, value string) profile.Call {
	c := f.call(who)
	c.Set = []profile.Setting{{Name: name, Value: value}}
	return c
}

// claim is a call that says who an anonymous id is.
func (f *fixture) claim(anonymous, user string) profile.Call {
	c := f.call(profile.Who{UserID: user, AnonymousID: anonymous})
	c.Claim = true
	return c
}

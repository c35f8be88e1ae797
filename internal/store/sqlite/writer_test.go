package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// path is the write path on a real store.
type path struct {
	*ingest.Writer
	store *sqlite.Store
	dir   string
	fatal atomic.Pointer[error] // what the writer gave up for
}

// newPath opens a store and runs a writer on it until the end of the test.
func newPath(t testing.TB, o sqlite.Options) *path {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.IDs = event.NewIDs(time.Now, 0)
	p := &path{store: open(t, o), dir: o.Dir}
	none := func(int64, string) []*campaign.Campaign { return nil }
	p.Writer = ingest.NewWriter(p.store, none, o.IDs, time.Now, slog.New(slog.DiscardHandler), func(err error) { p.fatal.Store(&err) })
	go p.Run()
	t.Cleanup(func() {
		p.Writer.Close(context.Background())
		p.store.Close()
	})
	return p
}

// reopen closes the store and gives it anew, as another process would see it.
func (p *path) reopen(t testing.TB) *sqlite.Store {
	t.Helper()
	p.Writer.Close(context.Background())
	p.store.Close()
	s := open(t, sqlite.Options{Dir: p.dir, IDs: event.NewIDs(time.Now, 0)})
	t.Cleanup(func() { s.Close() })
	return s
}

// accept submits items and fails the test where one is refused.
func (p *path) accept(t testing.TB, workspace int64, items ...ingest.Item) []ingest.Outcome {
	t.Helper()
	a := &ingest.Accept{Workspace: workspace, Source: "test", Received: time.Now().UnixMicro(), Items: items}
	if err := p.Submit(t.Context(), a); err != nil {
		t.Error(err)
		return nil
	}
	for i, o := range a.Outcomes {
		if o.Refused != nil {
			t.Errorf("item %d: %v", i, o.Refused)
		}
	}
	return a.Outcomes
}

func track(who profile.Who, name string, at time.Time) ingest.Item {
	return ingest.Item{Who: who, At: at.UnixMicro(), Event: &event.Event{Kind: event.Track, Name: name, At: at, OwnTime: true,
		UserID: who.UserID, AnonymousID: who.AnonymousID}}
}

func claim(anonymous, user string, at time.Time) ingest.Item {
	return ingest.Item{Who: profile.Who{UserID: user, AnonymousID: anonymous}, Claim: true, At: at.UnixMicro(),
		Event: &event.Event{Kind: event.Identify, Name: "identify", At: at, OwnTime: true, UserID: user, AnonymousID: anonymous}}
}

func user(n int) profile.Who      { return profile.Who{UserID: fmt.Sprint("u", n)} }
func anonymous(n int) profile.Who { return profile.Who{AnonymousID: fmt.Sprint("a", n)} }

package sqlite_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// A dead host's backlog must not be walked through to find what is due elsewhere.
func TestQueuesAreFoundByTheirIndex(t *testing.T) {
	s := open(t, sqlite.Options{Dir: t.TempDir(), IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	for text, want := range map[string]string{
		sqlite.DueInQueue: "SEARCH deliveries USING INDEX deliveries_queue (workspace=? AND host=? AND <expr><?)",
		sqlite.NextQueue:  "SEARCH deliveries USING COVERING INDEX deliveries_queue ((workspace,host)>(?,?))",
	} {
		plan, err := s.QueryPlan(text)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(plan) != want {
			t.Errorf("%s\nis answered by\n%s", text, plan)
		}
	}
}

// A reader may have taken the list of tables before a table was committed in whose
// events it was told.
func TestATableThatWasCommittedMeanwhileIsFound(t *testing.T) {
	p := newPath(t, sqlite.Options{EventRows: 1})
	var ids []event.ID
	for range 3 {
		ids = append(ids, p.accept(t, 1, track(user(1), "viewed", time.Now()))[0].Event)
	}
	for known := range 4 {
		p.store.KnowEventTables(known)
		events, err := p.store.Events(t.Context(), ids)
		if err != nil || len(events) != 3 {
			t.Errorf("a reader that knows of %d tables finds %d events: %v", known, len(events), err)
		}
	}
}

func TestAReadEndsWithItsContext(t *testing.T) {
	p := newPath(t, sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	for range 20 {
		p.accept(t, 1, track(user(1), "viewed", time.Now()))
	}
	err := p.store.EachEvent(ctx, func(*event.Event) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a read that was given up: %v", err)
	}
	if _, err := p.store.Timeline(ctx, []profile.Span{profile.Always(1)}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that was given up before: %v", err)
	}
	if n, err := p.store.CountEvents(t.Context(), 1); n != 20 || err != nil {
		t.Errorf("another read, on the same connection: %d, %v", n, err)
	}
}

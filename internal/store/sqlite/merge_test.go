package sqlite_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// TestAMergeWritesTheSameRowsWhateverWasDone holds rule 6: the claim of a part
// writes as many rows when it has a million events as when it has ten.
func TestAMergeWritesTheSameRowsWhateverWasDone(t *testing.T) {
	many := 1_000_000
	if testing.Short() {
		many = 20_000
		t.Logf("short: %d events stand for 1,000,000", many)
	}
	p := newPath(t, sqlite.Options{})
	p.fill(t, 1, 10)
	p.fill(t, 2, many)

	rows := map[int64]int64{}
	for _, workspace := range []int64{1, 2} {
		before := p.rowsWritten(t)
		p.accept(t, workspace, claim("a1", "u1", time.Now()))
		rows[workspace] = p.rowsWritten(t) - before
	}
	if rows[1] != rows[2] || rows[1] == 0 || rows[1] > 10 {
		t.Errorf("a merge of 10 events wrote %d rows, one of %d wrote %d", rows[1], many, rows[2])
	}
	found, err := p.store.Profile(t.Context(), 2, user(1), time.Now().UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	if total := found.Root.Facts().Summary.Of("viewed").Total; total != int64(many) {
		t.Errorf("after the merge the user has done it %d times", total)
	}
	start := time.Now()
	events, err := p.store.Timeline(t.Context(), found.Spans(), 50)
	if err != nil || len(events) != 50 || events[0].Kind != event.Identify || events[1].Name != "viewed" {
		t.Errorf("the timeline begins with %v, %v", events, err)
	}
	t.Logf("%d rows for each merge; the newest 50 of %d events were read in %v", rows[2], many, time.Since(start))
}

// fill stores events under one anonymous id.
func (p *path) fill(t *testing.T, workspace int64, events int) {
	t.Helper()
	const perRequest = 1000
	start := time.Now().Add(-time.Hour)
	var requests sync.WaitGroup
	next := make(chan int)
	for range 4 {
		requests.Go(func() {
			for first := range next {
				var items []ingest.Item
				for i := first; i < min(first+perRequest, events); i++ {
					items = append(items, track(profile.Who{AnonymousID: "a1"}, "viewed", start.Add(time.Duration(i)*time.Millisecond)))
				}
				p.accept(t, workspace, items...)
			}
		})
	}
	for first := 0; first < events; first += perRequest {
		next <- first
	}
	close(next)
	requests.Wait()
	if n, err := p.store.CountEvents(t.Context(), workspace); err != nil || n != int64(events) {
		t.Fatal(fmt.Errorf("%d events are stored, %w", n, err))
	}
}

func (p *path) rowsWritten(t *testing.T) int64 {
	t.Helper()
	n, err := p.store.TotalChanges()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

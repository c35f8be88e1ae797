package sqlite_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/store/sqlite"
)

// However often parts move between memory and their table, a reader finds each as
// of one moment: with all the events that it counts, and never older than before.
func TestReadersSeeEachPartAsOfOneMoment(t *testing.T) {
	p := newPath(t, sqlite.Options{Readers: 4, RecentBytes: 3000, LogPages: 20})
	const people, rounds = 30, 60
	var written atomic.Bool
	var readers sync.WaitGroup
	for reader := range 3 {
		readers.Go(func() {
			last := map[int]int64{}
			for n := reader; !written.Load(); n++ {
				who := n % people
				total := p.views(t, who)
				if total < last[who] {
					t.Errorf("person %d had %d events, and then %d", who, last[who], total)
				}
				last[who] = total
			}
		})
	}
	for round := range rounds {
		var who []int
		for n := range people {
			if (n*7+round)%(n%5+1) == 0 { // some are more active than others
				who = append(who, n)
			}
		}
		for _, n := range who {
			p.accept(t, 1, track(user(n), "viewed", time.Now()))
		}
	}
	written.Store(true)
	readers.Wait()
}

// views is how many events a person's summary counts. Their timeline must have
// them, for it is read later.
func (p *path) views(t *testing.T, n int) int64 {
	found, err := p.store.Profile(t.Context(), 1, user(n), time.Now().UnixMicro())
	if err != nil {
		t.Error(err)
	}
	if found == nil {
		return 0
	}
	total := found.Root.Facts().Summary.Of("viewed").Total
	events, err := p.store.Timeline(t.Context(), found.Spans(), 1000)
	if err != nil || int64(len(events)) < total {
		t.Errorf("%d events are counted, %d are found: %v", total, len(events), err)
	}
	return total
}

// A commit that comes between a reader's snapshot and its look into memory makes it
// begin again, whether the part is in memory still or was written to its table.
func TestAnOutdatedReaderBeginsAgain(t *testing.T) {
	for name, bytes := range map[string]int{"in memory": 1 << 20, "written": 200} {
		t.Run(name, func(t *testing.T) {
			p := newPath(t, sqlite.Options{RecentBytes: bytes})
			placed := p.accept(t, 1, track(user(1), "viewed", time.Now()))
			events, err := p.store.Events(t.Context(), []event.ID{placed[0].Event})
			if err != nil {
				t.Fatal(err)
			}
			looks := 0
			part, err := p.store.PartAfter(t.Context(), events[0].Part, func() {
				if looks++; looks > 1 {
					return
				}
				p.accept(t, 1, track(user(1), "viewed", time.Now()))
				for n := range 20 { // these make others leave the memory
					p.accept(t, 1, track(user(100+n), "viewed", time.Now()))
				}
			})
			if err != nil || looks != 2 {
				t.Fatalf("%d looks: %v", looks, err)
			}
			if total := part.Own.Summary.Of("viewed").Total; total != 2 {
				t.Errorf("the part counts %d events", total)
			}
		})
	}
}

func (p *path) end(t *testing.T) {
	t.Helper()
	if err := p.Writer.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is appended is removed once it is in its place, and a store that is opened
// again continues where it was.
func TestRecentPartsMoveToTheirTable(t *testing.T) {
	const limit = 4000
	dir := t.TempDir()
	p := newPath(t, sqlite.Options{Dir: dir, RecentBytes: limit})
	want := map[int]int64{}
	for n := range 600 {
		who := n * n % 37
		p.accept(t, 1, track(user(who), "viewed", time.Now()))
		want[who]++
		if n%200 == 199 {
			recent, placed, err := p.store.RecentParts()
			if err != nil {
				t.Fatal(err)
			}
			if recent > 4*limit || placed == 0 {
				t.Errorf("after %d events %d bytes are appended, and %d parts are in their place", n+1, recent, placed)
			}
			p.end(t)
			p = newPath(t, sqlite.Options{Dir: dir, RecentBytes: limit})
			for who, events := range want {
				found, err := p.store.Profile(t.Context(), 1, user(who), time.Now().UnixMicro())
				if err != nil || found.Root.Facts().Summary.Of("viewed").Total != events {
					t.Fatalf("person %d: %+v, %v; want %d events", who, found, err, events)
				}
			}
		}
	}
	if _, err := p.store.CheckCache(); err != nil {
		t.Error(err)
	}
}

package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/profile"
)

// memory is a store in memory. It loads exactly what is asked for, keeps parts in
// their stored form, and writes nothing when a commit fails.
type memory struct {
	ids *event.IDs
	// entered, when it is set, is told of each commit, which then waits for go.
	entered, leave chan struct{}
	// refuse, when it is set, may fail a commit that is about to be written.
	refuse func(Changes) error

	mu      sync.Mutex
	commits []Changes
	parts   map[event.ID]profile.Part // without what is in data
	data    map[event.ID][]byte
	keys    map[profile.Key][]event.ID
	seen    map[SeenKey]event.ID
}

func newMemory(ids *event.IDs) *memory {
	return &memory{ids: ids, parts: map[event.ID]profile.Part{}, data: map[event.ID][]byte{},
		keys: map[profile.Key][]event.ID{}, seen: map[SeenKey]event.ID{}}
}

func (m *memory) Commit(_ context.Context, keys Keys, decide func(*Snapshot) (Changes, Keys)) error {
	if m.entered != nil {
		m.entered <- struct{}{}
		<-m.leave
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := NewSnapshot(m.ids)
	for more := keys; ; {
		m.load(s, more)
		var changes Changes
		if changes, more = decide(s); !more.Empty() {
			continue
		}
		if m.refuse != nil {
			if err := m.refuse(changes); err != nil {
				return err
			}
		}
		m.write(changes)
		return nil
	}
}

func (m *memory) load(s *Snapshot, keys Keys) {
	for _, k := range keys.Identifiers {
		s.Book.PutKey(k, m.keys[k]...)
	}
	for _, id := range keys.Parts {
		s.Book.PutPart(m.part(id))
	}
	for _, k := range keys.Seen {
		s.Seen[k] = m.seen[k]
	}
	for _, k := range keys.Since {
		s.Since[k] = m.happenings(k.Part, k.After)
	}
}

func (m *memory) part(id event.ID) *profile.Part {
	p := m.parts[id]
	if err := profile.UnmarshalPart(m.data[id], &p); err != nil {
		panic(err)
	}
	return &p
}

func (m *memory) happenings(part, after event.ID) (list []profile.Happening) {
	for _, c := range m.commits {
		for _, e := range c.Events {
			if e.Part == part && e.ID > after && e.Kind != event.Identify {
				list = append(list, profile.Happening{ID: e.ID, Name: e.Name, At: e.At.UnixMicro(), Content: true})
			}
		}
	}
	return list
}

func (m *memory) write(c Changes) {
	m.commits = append(m.commits, c)
	for _, p := range c.Parts {
		m.parts[p.ID] = profile.Part{ID: p.ID, Workspace: p.Workspace, Owner: p.Owner, Created: p.Created, Updated: p.Updated}
		m.data[p.ID] = profile.MarshalPart(p)
	}
	for _, row := range c.Identifiers {
		m.keys[row.Key] = []event.ID{row.Part}
	}
	for _, row := range c.Lookups {
		m.keys[row.Key] = slices.DeleteFunc(slices.Clone(m.keys[row.Key]), func(id event.ID) bool { return id == row.Part })
		if !row.Remove {
			m.keys[row.Key] = append(m.keys[row.Key], row.Part)
		}
	}
	for _, row := range c.Seen {
		m.seen[row.Key] = row.Event
	}
}

func (m *memory) StaleParts(context.Context, int) (stale []*profile.Part, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.parts {
		if p := m.part(id); p.Stale {
			stale = append(stale, p)
		}
	}
	return stale, nil
}

func (m *memory) PartHappenings(_ context.Context, part event.ID, yield func(profile.Happening) error) error {
	m.mu.Lock()
	list := m.happenings(part, 0)
	m.mu.Unlock()
	for _, h := range list {
		if err := yield(h); err != nil {
			return err
		}
	}
	return nil
}

// all gives everything that was written.
func (m *memory) all() (all Changes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.commits {
		all.Events = append(all.Events, c.Events...)
		all.Hits = append(all.Hits, c.Hits...)
		all.Seen = append(all.Seen, c.Seen...)
		all.Quarantined = append(all.Quarantined, c.Quarantined...)
		all.Photos = append(all.Photos, c.Photos...)
		all.Records = append(all.Records, c.Records...)
	}
	return all
}

// bench is a writer on a store in memory, with a clock.
type bench struct {
	*Writer
	store *memory
	clock time.Time
	fatal []error // what the writer gave up for; read after Run has ended

	campaigns []*campaign.Campaign
}

func newBench() *bench {
	b := &bench{clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	now := func() time.Time { return b.clock }
	ids := event.NewIDs(now, 0)
	b.store = newMemory(ids)
	b.Writer = NewWriter(b.store, func(int64, string) []*campaign.Campaign { return b.campaigns }, ids, now,
		slog.New(slog.DiscardHandler), func(err error) { b.fatal = append(b.fatal, err) })
	return b
}

// run runs the writer until the end of the test.
func (b *bench) run(t *testing.T) *bench {
	go b.Run()
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

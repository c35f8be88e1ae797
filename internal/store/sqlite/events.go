package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/profile"
)

// The bounds of one table of events (design.md, "Decisions").
const (
	eventRows = 400_000
	eventAge  = 24 * time.Hour
)

func eventTable(name string) []string {
	return []string{`CREATE TABLE ` + name + ` (
		id           INTEGER PRIMARY KEY,
		prev         INTEGER NOT NULL,
		workspace    INTEGER NOT NULL,
		part         INTEGER NOT NULL,
		kind         INTEGER NOT NULL,
		name         TEXT    NOT NULL,
		at           INTEGER NOT NULL,
		own_time     INTEGER NOT NULL,
		timezone     TEXT    NOT NULL,
		user_id      TEXT    NOT NULL,
		anonymous_id TEXT    NOT NULL,
		properties   BLOB,
		source       TEXT    NOT NULL,
		mapping      TEXT    NOT NULL
	)`}
}

const eventColumns = "id, workspace, part, kind, name, at, own_time, timezone, user_id, anonymous_id, properties, source, mapping"

// putEvents appends events, each with the one stored before it under the same
// part. The last ones are noted in the parts, which are written afterwards, and in
// others of which nothing else changed.
func (s *Store) putEvents(c *sqlite.Conn, events []*event.Event, changed []*profile.Part) (others []*storedPart, err error) {
	t := &s.tables.events
	last := make(map[event.ID]*event.ID, len(changed))
	for _, p := range changed {
		last[p.ID] = &p.LastEvent
	}
	var insert *sqlite.Stmt
	for _, e := range events {
		if !t.takes(e.ID, s.eventRows, eventAge) {
			if err := t.add(c, e.ID, eventTable); err != nil {
				return nil, err
			}
			insert = nil
		}
		if insert == nil {
			insert, err = c.Prepare("INSERT INTO " + t.last().name + " (" + eventColumns + ", prev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
			if err != nil {
				return nil, err
			}
		}
		if last[e.Part] == nil {
			p, err := s.writing().part(e.Part)
			if err != nil {
				return nil, err
			}
			if p == nil {
				return nil, fmt.Errorf("the part %v of an event is missing", e.Part)
			}
			changed := *p
			others = append(others, &changed)
			last[e.Part] = &changed.lastEvent
		}
		prev := *last[e.Part]
		*last[e.Part] = e.ID
		if err := insertEvent(insert, e, prev); err != nil {
			return nil, err
		}
		t.rows++
	}
	for _, p := range others {
		if cached := s.parts.part(p.id); cached != nil {
			cached.LastEvent = p.lastEvent
		}
	}
	return others, nil
}

// insertEvent binds what query would, without a box for each value: nothing is
// done more often.
func insertEvent(insert *sqlite.Stmt, e *event.Event, prev event.ID) error {
	insert.BindInt64(1, int64(e.ID))
	insert.BindInt64(2, e.Workspace)
	insert.BindInt64(3, int64(e.Part))
	insert.BindInt64(4, int64(e.Kind))
	insert.BindText(5, e.Name)
	insert.BindInt64(6, e.At.UnixMicro())
	insert.BindBool(7, e.OwnTime)
	insert.BindText(8, e.TimeZone)
	insert.BindText(9, e.UserID)
	insert.BindText(10, e.AnonymousID)
	if e.Properties == nil {
		insert.BindNull(11)
	} else {
		insert.BindBytes(11, e.Properties)
	}
	insert.BindText(12, e.Source)
	insert.BindText(13, e.Mapping)
	insert.BindInt64(14, int64(prev))
	_, err := insert.Step()
	return errors.Join(err, insert.Reset())
}

// walk calls yield for the events of a part, the last received first, until yield
// gives false or the oldest that is still stored was given.
func walk(v *view, part event.ID, yield func(*event.Event) (bool, error)) error {
	p, err := v.part(part)
	if p == nil || err != nil {
		return err
	}
	for id := p.lastEvent; id != 0 && err == nil; {
		name := of(v.tables, id)
		if name == "" {
			return nil // its table was dropped
		}
		more := false
		var prev event.ID
		err = query(v.c, "SELECT "+eventColumns+", prev FROM "+name+" WHERE id = ?", func(row *sqlite.Stmt) (err error) {
			prev = event.ID(row.ColumnInt64(13))
			e := scanEvent(row)
			more, err = yield(&e)
			return err
		}, id)
		if id = prev; !more {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("read the events of a part: %w", err)
	}
	return nil
}

func scanEvent(row *sqlite.Stmt) event.Event {
	return event.Event{
		ID: event.ID(row.ColumnInt64(0)), Workspace: row.ColumnInt64(1), Part: event.ID(row.ColumnInt64(2)),
		Kind: event.Kind(row.ColumnInt64(3)), Name: row.ColumnText(4), At: time.UnixMicro(row.ColumnInt64(5)).UTC(),
		OwnTime: row.ColumnBool(6), TimeZone: row.ColumnText(7), UserID: row.ColumnText(8), AnonymousID: row.ColumnText(9),
		Properties: blob(row, 10), Source: row.ColumnText(11), Mapping: row.ColumnText(12),
	}
}

// Events gives the stored events with these ids, in no particular order. Ids
// that are no longer stored are left out.
func (s *Store) Events(ctx context.Context, ids []event.ID) (events []event.Event, err error) {
	err = s.readView(ctx, func(v *view) error {
		events = nil
		for _, id := range ids {
			name := of(v.tables, id)
			if name == "" {
				continue
			}
			err := query(v.c, "SELECT "+eventColumns+" FROM "+name+" WHERE id = ?", func(row *sqlite.Stmt) error {
				events = append(events, scanEvent(row))
				return nil
			}, id)
			if err != nil {
				return fmt.Errorf("read events: %w", err)
			}
		}
		return nil
	})
	return events, err
}

const (
	// ahead is how far behind its own time an event may be received (the collector
	// takes no event that lies further in the future).
	ahead = 24 * time.Hour
	// furthest is how many events of one part a timeline looks at. Of a part with
	// more, an event that was received long after it happened may be left out.
	furthest = 20_000
)

// Timeline gives the newest events, by their own time, of the given spans, at
// most limit.
func (s *Store) Timeline(ctx context.Context, spans []profile.Span, limit int) (events []event.Event, err error) {
	err = s.readView(ctx, func(v *view) error {
		events = nil
		for _, span := range spans {
			found, err := inSpan(v, span, limit)
			if err != nil {
				return err
			}
			events = newest(append(events, found...), limit)
		}
		return nil
	})
	return events, err
}

// inSpan gives the newest events of one span. They come in the order of receipt,
// so the walk ends where nothing older in receipt can be newer in its own time.
func inSpan(v *view, span profile.Span, limit int) (events []event.Event, err error) {
	seen, enough := 0, span.From
	err = walk(v, span.Part, func(e *event.Event) (bool, error) {
		seen++
		if at := e.At.UnixMicro(); at >= span.From && at < span.To {
			events = append(events, *e)
		}
		if len(events) >= 2*limit {
			events = newest(events, limit)
			enough = events[limit-1].At.UnixMicro()
		}
		return seen < furthest && e.ID.Time().Add(ahead).UnixMicro() >= enough, nil
	})
	return newest(events, limit), err
}

// newest keeps the newest of some events, newest first.
func newest(events []event.Event, limit int) []event.Event {
	slices.SortFunc(events, func(a, b event.Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	})
	return events[:min(len(events), limit)]
}

// PartHappenings implements ingest.RepairStore.
func (s *Store) PartHappenings(ctx context.Context, part event.ID, yield func(profile.Happening) error) error {
	return s.readView(ctx, func(v *view) error {
		return partHappenings(v, part, 0, yield)
	})
}

// partHappenings calls yield for the events of a part after an id that count in
// summaries.
func partHappenings(v *view, part, after event.ID, yield func(profile.Happening) error) error {
	return walk(v, part, func(e *event.Event) (bool, error) {
		if e.ID <= after {
			return false, nil
		}
		if e.Kind == event.Identify {
			return true, nil
		}
		return true, yield(profile.Happening{ID: e.ID, Name: e.Name, At: e.At.UnixMicro(), Content: true})
	})
}

// CountEvents is the number of events stored in a workspace.
func (s *Store) CountEvents(ctx context.Context, workspace int64) (n int64, err error) {
	err = s.readView(ctx, func(v *view) error {
		n = 0
		for _, t := range v.tables {
			err := query(v.c, "SELECT count(*) FROM "+t.name+" WHERE workspace = ?", func(row *sqlite.Stmt) error {
				n += row.ColumnInt64(0)
				return nil
			}, workspace)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// EachEvent calls yield for every stored event, oldest receipt first. Programs
// that account for a whole store use it.
func (s *Store) EachEvent(ctx context.Context, yield func(*event.Event) error) error {
	return s.readView(ctx, func(v *view) error {
		for _, t := range v.tables {
			err := query(v.c, "SELECT "+eventColumns+" FROM "+t.name+" ORDER BY id", func(row *sqlite.Stmt) error {
				e := scanEvent(row)
				return yield(&e)
			})
			if err != nil {
				return fmt.Errorf("read all events: %w", err)
			}
		}
		return nil
	})
}

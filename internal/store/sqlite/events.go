package sqlite

import (
	"cmp"
	"context"
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
	return []string{
		`CREATE TABLE ` + name + ` (
			id           INTEGER PRIMARY KEY,
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
		)`,
		`CREATE INDEX ` + name + `_part ON ` + name + ` (part, at)`,
	}
}

const eventColumns = "id, workspace, part, kind, name, at, own_time, timezone, user_id, anonymous_id, properties, source, mapping"

func (s *Store) putEvents(c *sqlite.Conn, events []*event.Event) error {
	for _, e := range events {
		t, err := s.events.forWriting(c, e.ID, eventRows, eventAge, "events_", eventTable)
		if err != nil {
			return err
		}
		err = query(c, "INSERT INTO "+t.name+" ("+eventColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", nil,
			e.ID, e.Workspace, e.Part, int64(e.Kind), e.Name, e.At.UnixMicro(), e.OwnTime, e.TimeZone,
			e.UserID, e.AnonymousID, []byte(e.Properties), e.Source, e.Mapping)
		if err != nil {
			return err
		}
		t.rows++
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

// eventTables is the list of tables as a reader may use it: a table that is made
// later holds nothing that the reader has heard of.
func (s *Store) eventTables() []table {
	s.write.Lock()
	defer s.write.Unlock()
	return s.events.snapshot()
}

// Events gives the stored events with these ids, in no particular order. Ids
// that are no longer stored are left out.
func (s *Store) Events(ctx context.Context, ids []event.ID) (events []event.Event, err error) {
	list := s.eventTables()
	err = s.read(ctx, func(c *sqlite.Conn) error {
		for _, id := range ids {
			name := of(list, id)
			if name == "" {
				continue
			}
			err := query(c, "SELECT "+eventColumns+" FROM "+name+" WHERE id = ?", func(row *sqlite.Stmt) error {
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

// Timeline gives the newest events, by their own time, of the given spans, at
// most limit.
func (s *Store) Timeline(ctx context.Context, spans []profile.Span, limit int) (events []event.Event, err error) {
	list := s.eventTables()
	err = s.read(ctx, func(c *sqlite.Conn) error {
		for _, t := range list {
			for _, span := range spans {
				err := query(c, "SELECT "+eventColumns+" FROM "+t.name+" WHERE part = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?",
					func(row *sqlite.Stmt) error {
						events = append(events, scanEvent(row))
						return nil
					}, span.Part, span.From, span.To, limit)
				if err != nil {
					return fmt.Errorf("read a timeline: %w", err)
				}
			}
		}
		return nil
	})
	slices.SortFunc(events, func(a, b event.Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	})
	if len(events) > limit {
		events = events[:limit]
	}
	return events, err
}

// PartHappenings implements ingest.RepairStore.
func (s *Store) PartHappenings(ctx context.Context, part event.ID, yield func(profile.Happening) error) error {
	list := s.eventTables()
	return s.read(ctx, func(c *sqlite.Conn) error {
		return partHappenings(c, list, part, 0, yield)
	})
}

// partHappenings calls yield for the events of a part after an id that count in
// summaries.
func partHappenings(c *sqlite.Conn, list []table, part, after event.ID, yield func(profile.Happening) error) error {
	for i, t := range list {
		if i+1 < len(list) && list[i+1].first <= after {
			continue // all in it were given before
		}
		err := query(c, "SELECT id, name, at FROM "+t.name+" WHERE part = ? AND id > ? AND kind <> ?", func(row *sqlite.Stmt) error {
			return yield(profile.Happening{ID: event.ID(row.ColumnInt64(0)), Name: row.ColumnText(1), At: row.ColumnInt64(2), Content: true})
		}, part, after, int64(event.Identify))
		if err != nil {
			return fmt.Errorf("read the events of a part: %w", err)
		}
	}
	return nil
}

// CountEvents is the number of events stored in a workspace.
func (s *Store) CountEvents(ctx context.Context, workspace int64) (n int64, err error) {
	list := s.eventTables()
	err = s.read(ctx, func(c *sqlite.Conn) error {
		for _, t := range list {
			err := query(c, "SELECT count(*) FROM "+t.name+" WHERE workspace = ?", func(row *sqlite.Stmt) error {
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
	list := s.eventTables()
	return s.read(ctx, func(c *sqlite.Conn) error {
		for _, t := range list {
			err := query(c, "SELECT "+eventColumns+" FROM "+t.name+" ORDER BY id", func(row *sqlite.Stmt) error {
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

package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"maps"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"platen/internal/event"
	"platen/internal/profile"
)

// What tests look at.
var Lasting = lasting

const (
	DueInQueue = dueInQueue
	NextQueue  = nextQueue
)

// TotalChanges is how many rows the writing connection has written.
func (s *Store) TotalChanges() (n int64, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	err = query(s.conn, "SELECT total_changes()", func(row *sqlite.Stmt) error {
		n = row.ColumnInt64(0)
		return nil
	})
	return n, err
}

// Pragma sets something on the writing connection.
func (s *Store) Pragma(text string) error {
	s.write.Lock()
	defer s.write.Unlock()
	return sqlitex.ExecuteTransient(s.conn, "PRAGMA "+text, nil)
}

// BetweenCommits calls f while nothing is written.
func (s *Store) BetweenCommits(f func()) {
	s.write.Lock()
	defer s.write.Unlock()
	f()
}

// WaitingReservations is how many calls of ReserveCode wait to be served.
func (s *Store) WaitingReservations() int {
	s.reservations.mu.Lock()
	defer s.reservations.mu.Unlock()
	return len(s.reservations.waiting)
}

// RefuseCodes makes every write of a code of this list fail.
func (s *Store) RefuseCodes(list string) error {
	s.write.Lock()
	defer s.write.Unlock()
	return sqlitex.ExecuteTransient(s.conn, `CREATE TEMP TRIGGER refuse_codes BEFORE INSERT ON codes WHEN NEW.list = '`+list+`'
		BEGIN SELECT RAISE(ABORT, 'refused'); END`, nil)
}

// KnowEventTables makes readers know of the first few event tables only.
func (s *Store) KnowEventTables(n int) {
	s.write.Lock()
	defer s.write.Unlock()
	list := s.tables.events.list[:n]
	s.eventTables.Store(&list)
}

// QueryPlan is how a query of the writing connection is answered, one step a line.
func (s *Store) QueryPlan(text string) (plan string, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	err = query(s.conn, "EXPLAIN QUERY PLAN "+text, func(row *sqlite.Stmt) error {
		plan += row.ColumnText(3) + "\n"
		return nil
	})
	return plan, err
}

// CheckCache compares every part that is held in memory with the one on disk, and
// says how many there are.
func (s *Store) CheckCache() (parts int, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	held := map[event.ID]*profile.Part{}
	maps.Copy(held, s.parts.parts.old)
	maps.Copy(held, s.parts.parts.young)
	for id, p := range held {
		stored, err := s.writing().loadPart(id)
		if err != nil {
			return 0, err
		}
		if stored == nil || stored.Owner != p.Owner || stored.Updated != p.Updated || stored.LastEvent != p.LastEvent ||
			!bytes.Equal(profile.MarshalPart(stored), profile.MarshalPart(p)) {
			return 0, fmt.Errorf("part %v is held as\n%+v\nand stored as\n%+v", id, p, stored)
		}
	}
	for _, names := range []map[profile.Key]event.ID{s.parts.names.old, s.parts.names.young} {
		for key, id := range names {
			if p := held[id]; p != nil && p.Identifier(key.Kind) != key.Value {
				return 0, fmt.Errorf("%v leads to %+v", key, p)
			}
		}
	}
	return len(held), nil
}

// PartAfter gives a part as a reader sees it that calls f between its snapshot and
// its look at the part.
func (s *Store) PartAfter(ctx context.Context, id event.ID, f func()) (p *profile.Part, err error) {
	err = s.readView(ctx, func(v *view) (err error) {
		f()
		p, err = v.loadPart(id)
		return err
	})
	return p, err
}

// RecentParts is how many bytes are appended, and how many parts are in their
// table.
func (s *Store) RecentParts() (bytes, placed int, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	err = query(s.conn, "SELECT (SELECT sum(length(entries)) FROM parts_recent), (SELECT count(*) FROM parts)", func(row *sqlite.Stmt) error {
		bytes, placed = row.ColumnInt(0), row.ColumnInt(1)
		return nil
	})
	return bytes, placed, err
}

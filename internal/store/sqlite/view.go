package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
)

// view is one snapshot of the data together with what is held in memory: the
// tables of events, and the parts that changed lately.
type view struct {
	c      *sqlite.Conn
	tables []table
	recent *recentParts
	row    int64 // the last of parts_recent in the snapshot
}

// writing is the view of the transaction under way. It does not see the parts that
// the transaction itself changed.
func (s *Store) writing() *view {
	return &view{c: s.conn, tables: s.tables.events.list, recent: &s.recent, row: math.MaxInt64}
}

// part gives a part, nil when there is none.
func (v *view) part(id event.ID) (*storedPart, error) {
	if p, err := v.recent.find(id, v.row); p != nil || err != nil {
		return p, err
	}
	var found *storedPart
	err := query(v.c, "SELECT id, workspace, owner, created, updated, stale, last_event, data FROM parts WHERE id = ?", func(row *sqlite.Stmt) error {
		found = &storedPart{id: event.ID(row.ColumnInt64(0)), workspace: row.ColumnInt64(1), owner: event.ID(row.ColumnInt64(2)),
			created: row.ColumnInt64(3), updated: row.ColumnInt64(4), stale: row.ColumnBool(5), lastEvent: event.ID(row.ColumnInt64(6)),
			data: blob(row, 7)}
		return nil
	}, id)
	if err != nil {
		return nil, fmt.Errorf("load a part: %w", err)
	}
	return found, nil
}

// readTries is how often a reader takes another snapshot because a commit came
// between it and what is held in memory, before it keeps commits away.
const readTries = 20

// readView runs f on one view of the data, again from its beginning where that
// turned out to be outdated. An outdated part is found before any of its events.
func (s *Store) readView(ctx context.Context, f func(*view) error) error {
	look := func(c *sqlite.Conn) error {
		v, err := s.look(c)
		if err != nil {
			return err
		}
		return f(v)
	}
	for range readTries {
		if err := s.read(ctx, look); !errors.Is(err, errOutdated) {
			return err
		}
		s.awaitCommit()
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.read(ctx, look)
}

// awaitCommit returns once the commit under way has been taken over into memory.
func (s *Store) awaitCommit() {
	s.write.Lock()
	defer s.write.Unlock()
}

// look makes the view of a snapshot that has just begun.
func (s *Store) look(c *sqlite.Conn) (*view, error) {
	v := &view{c: c, tables: *s.eventTables.Load(), recent: &s.recent}
	var first, last event.ID
	err := query(c, `SELECT (SELECT min(first_id) FROM event_tables), (SELECT max(first_id) FROM event_tables), (SELECT max(id) FROM parts_recent)`,
		func(row *sqlite.Stmt) error {
			first, last, v.row = event.ID(row.ColumnInt64(0)), event.ID(row.ColumnInt64(1)), row.ColumnInt64(2)
			return nil
		})
	if err != nil {
		return nil, err
	}
	if v.recent.behind(v.row) {
		return nil, errOutdated
	}
	if n := len(v.tables); n == 0 && last == 0 || n > 0 && v.tables[0].first == first && v.tables[n-1].first == last {
		return v, nil
	}
	// A table was committed since, or the last one is not in this snapshot yet.
	v.tables, err = readTables(c, "event_tables")
	return v, err
}

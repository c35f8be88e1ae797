package sqlite

import (
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Lasting is lasting.
var Lasting = lasting

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

// Plan is how a query of the writing connection is answered, one step a line.
func (s *Store) QueryPlan(text string, args ...any) (plan string, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	err = query(s.conn, "EXPLAIN QUERY PLAN "+text, func(row *sqlite.Stmt) error {
		plan += row.ColumnText(3) + "\n"
		return nil
	}, args...)
	return plan, err
}

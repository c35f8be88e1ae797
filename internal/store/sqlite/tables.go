package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
)

// tables is a row of tables of which each holds what was received from its
// first id on. New rows go to the last one, which therefore stays small: churn
// of index pages, not the sync, is what commits cost (measurements).
type tables struct {
	registry string
	list     []table // ascending
}

type table struct {
	first event.ID
	name  string
	rows  int
}

func (t *tables) load(c *sqlite.Conn, registry string) error {
	t.registry, t.list = registry, nil
	err := query(c, "SELECT first_id, name FROM "+registry+" ORDER BY first_id", func(row *sqlite.Stmt) error {
		t.list = append(t.list, table{first: event.ID(row.ColumnInt64(0)), name: row.ColumnText(1)})
		return nil
	})
	if err != nil || len(t.list) == 0 {
		return err
	}
	last := &t.list[len(t.list)-1]
	return query(c, "SELECT count(*) FROM "+last.name, func(row *sqlite.Stmt) error {
		last.rows = row.ColumnInt(0)
		return nil
	})
}

// forWriting gives the table for the next row, and makes a new one when there is
// none yet or the last is full or old. It must be called within a transaction;
// undo forgets the table when that is rolled back.
func (t *tables) forWriting(c *sqlite.Conn, next event.ID, maxRows int, maxAge time.Duration, prefix string, ddl func(name string) []string) (*table, error) {
	if n := len(t.list); n > 0 {
		last := &t.list[n-1]
		if last.rows < maxRows && next.Time().Sub(last.first.Time()) < maxAge {
			return last, nil
		}
	}
	made := table{first: next, name: prefix + next.String()}
	for _, statement := range ddl(made.name) {
		if err := query(c, statement, nil); err != nil {
			return nil, fmt.Errorf("make the table %s: %w", made.name, err)
		}
	}
	if err := query(c, "INSERT INTO "+t.registry+" (first_id, name) VALUES (?, ?)", nil, next, made.name); err != nil {
		return nil, err
	}
	t.list = append(t.list, made)
	return &t.list[len(t.list)-1], nil
}

// snapshot copies the list, so that it can be put back after a roll-back and
// read outside of the write lock.
func (t *tables) snapshot() []table { return slices.Clone(t.list) }

func (t *tables) names() []string {
	names := make([]string, len(t.list))
	for i := range t.list {
		names[i] = t.list[i].name
	}
	return names
}

// of gives the name of the table in which an id lies, "" when it is older than all.
func of(list []table, id event.ID) string {
	i, found := slices.BinarySearchFunc(list, id, func(t table, id event.ID) int { return cmp.Compare(t.first, id) })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	return list[i].name
}

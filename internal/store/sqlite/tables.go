package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"platen/internal/event"
)

// tables is a row of tables of which each holds what was received from its
// first id on. New rows go to the last one, which therefore stays small: churn
// of index pages, not the sync, is what commits cost (measurements).
type tables struct {
	registry string  // the table that lists them
	prefix   string  // of their names
	list     []table // ascending; replaced and never written to, so that copies hold
	rows     int     // in the last one
}

type table struct {
	first event.ID
	name  string
}

func (t *tables) load(c *sqlite.Conn, registry, prefix string) (err error) {
	*t = tables{registry: registry, prefix: prefix}
	if t.list, err = readTables(c, registry); err != nil || len(t.list) == 0 {
		return err
	}
	return query(c, "SELECT count(*) FROM "+t.last().name, func(row *sqlite.Stmt) error {
		t.rows = row.ColumnInt(0)
		return nil
	})
}

func readTables(c *sqlite.Conn, registry string) (list []table, err error) {
	err = query(c, "SELECT first_id, name FROM "+registry+" ORDER BY first_id", func(row *sqlite.Stmt) error {
		list = append(list, table{first: event.ID(row.ColumnInt64(0)), name: row.ColumnText(1)})
		return nil
	})
	return list, err
}

func (t *tables) last() *table { return &t.list[len(t.list)-1] }

// takes says whether the last table, if there is one, takes another row. It holds
// at most maxRows, received within maxAge.
func (t *tables) takes(next event.ID, maxRows int, maxAge time.Duration) bool {
	return len(t.list) > 0 && t.rows < maxRows && next.Time().Sub(t.last().first.Time()) < maxAge
}

// add makes the table for what is received from first on.
func (t *tables) add(c *sqlite.Conn, first event.ID, ddl func(name string) []string) error {
	made := table{first: first, name: t.prefix + first.String()}
	for _, statement := range ddl(made.name) {
		if err := sqlitex.ExecuteTransient(c, statement, nil); err != nil {
			return fmt.Errorf("make the table %s: %w", made.name, err)
		}
	}
	if err := query(c, "INSERT INTO "+t.registry+" (first_id, name) VALUES (?, ?)", nil, first, made.name); err != nil {
		return err
	}
	t.list, t.rows = append(slices.Clone(t.list), made), 0
	return nil
}

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

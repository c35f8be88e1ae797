package sqlite

import (
	"encoding/binary"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/ingest"
)

// The bounds of the memory of ids seen. A repeated request is recognised for a
// day; a table holds an hour at the most, so that it can be dropped whole.
const (
	seenFor   = 24 * time.Hour
	seenAge   = time.Hour
	seenRows  = 1 << 18
	seenBatch = 2000 // rows removed in one commit
)

// seenTables are the tables of ids seen, each with a filter in memory that
// answers most look-ups of new ids without touching the disk.
type seenTables struct {
	tables
	filters map[string]*bloom
}

func (s *seenTables) load(c *sqlite.Conn) error {
	if err := s.tables.load(c, "seen_tables"); err != nil {
		return err
	}
	s.filters = make(map[string]*bloom, len(s.list))
	for _, t := range s.list {
		f := newBloom()
		s.filters[t.name] = f
		err := query(c, "SELECT key FROM "+t.name, func(row *sqlite.Stmt) error {
			var k ingest.SeenKey
			row.ColumnBytes(0, k[:])
			f.add(k)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find gives the event that was stored for a key, 0 for none.
func (s *seenTables) find(c *sqlite.Conn, k ingest.SeenKey) (id event.ID, err error) {
	for i := len(s.list) - 1; i >= 0 && id == 0; i-- {
		name := s.list[i].name
		if !s.filters[name].mayHold(k) {
			continue
		}
		err := query(c, "SELECT event FROM "+name+" WHERE key = ?", func(row *sqlite.Stmt) error {
			id = event.ID(row.ColumnInt64(0))
			return nil
		}, k[:])
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

func (s *seenTables) insert(c *sqlite.Conn, rows []ingest.SeenRow) error {
	if len(rows) == 0 {
		return nil
	}
	t, err := s.forWriting(c, rows[0].Event, seenRows, seenAge, "seen_", func(name string) []string {
		return []string{"CREATE TABLE " + name + " (key BLOB PRIMARY KEY, event INTEGER NOT NULL) WITHOUT ROWID"}
	})
	if err != nil {
		return err
	}
	f := s.filters[t.name]
	if f == nil {
		f = newBloom()
		s.filters[t.name] = f
	}
	for _, r := range rows {
		if err := query(c, "INSERT OR REPLACE INTO "+t.name+" (key, event) VALUES (?, ?)", nil, r.Key[:], r.Event); err != nil {
			return err
		}
		f.add(r.Key) // a key too many in the filter, after a roll-back, costs one look-up
	}
	t.rows += len(rows)
	return nil
}

// ForgetSeen empties the oldest table of seen ids, a batch for each call, once
// all in it are older than a day, and then drops it. It says whether there may
// be more to do.
func (s *Store) ForgetSeen(now time.Time) (worked bool, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	if len(s.seen.list) < 2 || now.Sub(s.seen.list[1].first.Time()) < seenFor {
		return false, nil
	}
	oldest := s.seen.list[0]
	emptied := false
	err = s.updateLocked(func(c *sqlite.Conn) error {
		err := query(c, "DELETE FROM "+oldest.name+" WHERE key IN (SELECT key FROM "+oldest.name+" LIMIT ?)", nil, seenBatch)
		if err != nil || c.Changes() == seenBatch {
			return err
		}
		emptied = true
		if err := query(c, "DELETE FROM seen_tables WHERE name = ?", nil, oldest.name); err != nil {
			return err
		}
		return query(c, "DROP TABLE "+oldest.name, nil)
	})
	if err == nil && emptied {
		s.seen.list = s.seen.list[1:]
		delete(s.seen.filters, oldest.name)
	}
	return true, err
}

// bloom is a Bloom filter for one table: 12 bits for each of seenRows keys, of
// which four are set. A key is a hash already, so its bytes serve as the hashes.
// About 1 in 300 new keys is looked up for nothing.
type bloom [seenRows * 12 / 64]uint64

func newBloom() *bloom { return new(bloom) }

func (b *bloom) add(k ingest.SeenKey) {
	for i := range 4 {
		bit := bitOf(k, i)
		b[bit/64] |= 1 << (bit % 64)
	}
}

func (b *bloom) mayHold(k ingest.SeenKey) bool {
	for i := range 4 {
		bit := bitOf(k, i)
		if b[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

func bitOf(k ingest.SeenKey, i int) uint32 {
	return binary.LittleEndian.Uint32(k[4*i:]) % (seenRows * 12)
}

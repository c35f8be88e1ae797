package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/ingest"
)

// Ids seen before are random, and a B-tree with random keys writes a page for
// each. So they are appended, a row for each commit, and found in memory; once
// there are many they are sorted and written as a run, of which only a filter
// stays in memory. A repeated request is recognised for a day.
const (
	seenFor    = 24 * time.Hour
	seenRunAge = time.Hour
	seenRows   = 1 << 18 // keys of a run
	seenChunk  = 160     // keys in one row of a run, about a page
	seenEntry  = 16 + 8  // bytes: the key, the event's id
	seenDrop   = 2000    // rows of a run removed in one commit
)

var errSeen = errors.New("sqlite: a row of ids seen cannot be read")

// seenKeys is the memory of ids seen. What a transaction writes is noted in it and
// taken into recent once that is committed, so that a copy made before is what it
// was.
type seenKeys struct {
	most   int // keys in recent before they become a run
	recent map[ingest.SeenKey]event.ID
	since  event.ID // of the oldest in recent
	runs   []seenRun

	// Of the transaction under way.
	written []ingest.SeenRow
	run     *seenRun // in the place of what was recent
}

// seenRun is a sorted run, named by the first event in it.
type seenRun struct {
	id     event.ID
	filter bloom
}

// load reads what is stored, and gives the greatest id in it. most is how many
// keys are recent before they become a run.
func (s *seenKeys) load(c *sqlite.Conn, most int) (last event.ID, err error) {
	*s = seenKeys{most: most, recent: map[ingest.SeenKey]event.ID{}}
	err = query(c, "SELECT run, entries FROM seen_runs ORDER BY run", func(row *sqlite.Stmt) error {
		id := event.ID(row.ColumnInt64(0))
		if n := len(s.runs); n == 0 || s.runs[n-1].id != id {
			s.runs = append(s.runs, seenRun{id: id, filter: newBloom(most)})
		}
		filter := s.runs[len(s.runs)-1].filter
		return eachSeen(blob(row, 1), func(r ingest.SeenRow) {
			filter.add(r.Key)
			last = max(last, r.Event)
		})
	})
	if err != nil {
		return 0, err
	}
	err = query(c, "SELECT entries FROM seen_recent ORDER BY id", func(row *sqlite.Stmt) error {
		return eachSeen(blob(row, 0), func(r ingest.SeenRow) {
			s.written = append(s.written, r)
			last = max(last, r.Event)
		})
	})
	s.settle()
	return last, err
}

// settle takes over what the transaction that was just committed wrote.
func (s *seenKeys) settle() {
	if s.run != nil {
		s.runs = append(s.runs[:len(s.runs):len(s.runs)], *s.run)
		s.recent = make(map[ingest.SeenKey]event.ID, s.most)
	}
	if len(s.recent) == 0 && len(s.written) > 0 {
		s.since = s.written[0].Event
	}
	for _, r := range s.written {
		s.recent[r.Key] = r.Event
	}
	s.run, s.written = nil, nil
}

// find gives the event that was stored for a key, 0 for none.
func (s *seenKeys) find(c *sqlite.Conn, k ingest.SeenKey) (event.ID, error) {
	if id, ok := s.recent[k]; ok {
		return id, nil
	}
	for i := len(s.runs) - 1; i >= 0; i-- {
		if !s.runs[i].filter.mayHold(k) {
			continue
		}
		if id, err := findInRun(c, s.runs[i].id, k); err != nil || id != 0 {
			return id, err
		}
	}
	return 0, nil
}

func findInRun(c *sqlite.Conn, run event.ID, k ingest.SeenKey) (id event.ID, err error) {
	err = query(c, "SELECT entries FROM seen_runs WHERE run = ? AND least <= ? ORDER BY least DESC LIMIT 1", func(row *sqlite.Stmt) error {
		return eachSeen(blob(row, 0), func(r ingest.SeenRow) {
			if r.Key == k {
				id = r.Event
			}
		})
	}, run, k[:])
	if err != nil {
		return 0, fmt.Errorf("look up an id seen before: %w", err)
	}
	return id, nil
}

// insert keeps the keys of one transaction. Rows come in the order of their ids.
func (s *seenKeys) insert(c *sqlite.Conn, rows []ingest.SeenRow) error {
	if len(rows) == 0 {
		return nil
	}
	if n := len(s.recent); n > 0 && (n+len(rows) > s.most || rows[0].Event.Time().Sub(s.since.Time()) >= seenRunAge) {
		run, err := s.writeRun(c)
		if err != nil {
			return err
		}
		s.run = &run
	}
	entries := make([]byte, 0, len(rows)*seenEntry)
	for _, r := range rows {
		entries = appendSeen(entries, r)
	}
	s.written = rows
	return query(c, "INSERT INTO seen_recent (id, entries) VALUES (?, ?)", nil, rows[0].Event, entries)
}

// writeRun writes what is recent as a sorted run in its place.
func (s *seenKeys) writeRun(c *sqlite.Conn) (seenRun, error) {
	run := seenRun{id: s.since, filter: newBloom(len(s.recent))}
	sorted := make([]ingest.SeenRow, 0, len(s.recent))
	for k, id := range s.recent {
		sorted = append(sorted, ingest.SeenRow{Key: k, Event: id})
		run.filter.add(k)
	}
	slices.SortFunc(sorted, func(a, b ingest.SeenRow) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for chunk := range slices.Chunk(sorted, seenChunk) {
		entries := make([]byte, 0, len(chunk)*seenEntry)
		for _, r := range chunk {
			entries = appendSeen(entries, r)
		}
		if err := query(c, "INSERT INTO seen_runs (run, least, entries) VALUES (?, ?, ?)", nil, run.id, chunk[0].Key[:], entries); err != nil {
			return run, err
		}
	}
	return run, query(c, "DELETE FROM seen_recent", nil)
}

func appendSeen(b []byte, r ingest.SeenRow) []byte {
	return binary.BigEndian.AppendUint64(append(b, r.Key[:]...), uint64(r.Event))
}

func eachSeen(entries []byte, f func(ingest.SeenRow)) error {
	if len(entries)%seenEntry != 0 {
		return errSeen
	}
	for e := range slices.Chunk(entries, seenEntry) {
		f(ingest.SeenRow{Key: ingest.SeenKey(e[:16]), Event: event.ID(binary.BigEndian.Uint64(e[16:]))})
	}
	return nil
}

// ForgetSeen removes the oldest run, a batch for each call, once all in it are
// older than a day. It says whether there may be more to do.
func (s *Store) ForgetSeen(now time.Time) (worked bool, err error) {
	err = s.update(func(c *sqlite.Conn) error {
		seen := &s.tables.seen
		if len(seen.runs) == 0 || now.Sub(seen.after(0).Time()) < seenFor {
			return nil
		}
		worked = true
		oldest := seen.runs[0].id
		err := query(c, "DELETE FROM seen_runs WHERE run = ?1 AND least IN (SELECT least FROM seen_runs WHERE run = ?1 LIMIT ?2)", nil, oldest, seenDrop)
		if err == nil && c.Changes() < seenDrop {
			seen.runs = seen.runs[1:]
		}
		return err
	})
	return worked, err
}

// after is the first id behind those of a run.
func (s *seenKeys) after(run int) event.ID {
	if run+1 < len(s.runs) {
		return s.runs[run+1].id
	}
	return s.since
}

// bloom is a Bloom filter for the keys of one run: 24 bits for each, of which six
// are set. A key is a hash already, so two halves of it make the six places. About
// 1 in 8,000 new keys is looked up for nothing.
type bloom []uint64

func newBloom(keys int) bloom { return make(bloom, keys*24/64+1) }

func (b bloom) add(k ingest.SeenKey) {
	for place := range b.places(k) {
		b[place/64] |= 1 << (place % 64)
	}
}

func (b bloom) mayHold(k ingest.SeenKey) bool {
	for place := range b.places(k) {
		if b[place/64]&(1<<(place%64)) == 0 {
			return false
		}
	}
	return true
}

func (b bloom) places(k ingest.SeenKey) func(yield func(uint64) bool) {
	return func(yield func(uint64) bool) {
		h, step := binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:])|1
		for range 6 {
			place, _ := bits.Mul64(h, uint64(64*len(b)))
			if !yield(place) {
				return
			}
			h += step
		}
	}
}

package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/profile"
)

// Every event changes a part, and parts lie on pages of their own: to write them
// in place costs a page for each event. So what changed is appended, a row for each
// commit, and held in memory. Once the rows take recentBytes, the parts that did
// not change again are written to their table, in its order and a few with each
// commit, and the rows are removed, the first ones first.
const (
	recentBytes = 64 << 20
	recentTrim  = 4 // rows removed with each commit, which adds one
)

// errOutdated means that a snapshot is not the one that is held in memory; the
// reader takes another.
var errOutdated = errors.New("sqlite: the snapshot is outdated")

// storedPart is a part as it is stored.
type storedPart struct {
	id               event.ID
	workspace        int64
	owner            event.ID
	created, updated int64
	stale            bool
	lastEvent        event.ID
	data             []byte // profile.MarshalPart
	row              int64  // of parts_recent; 0 for one from the table of parts
}

func marshal(p *profile.Part) *storedPart {
	return &storedPart{id: p.ID, workspace: p.Workspace, owner: p.Owner, created: p.Created, updated: p.Updated,
		stale: p.Stale, lastEvent: p.LastEvent, data: profile.MarshalPart(p)}
}

func (s *storedPart) unmarshal() (*profile.Part, error) {
	p := &profile.Part{ID: s.id, Workspace: s.workspace, Owner: s.owner, Created: s.created, Updated: s.updated, LastEvent: s.lastEvent}
	if err := profile.UnmarshalPart(s.data, p); err != nil {
		return nil, fmt.Errorf("read the part %v: %w", s.id, err)
	}
	return p, nil
}

// recentParts are the parts that changed lately, as they are in parts_recent. What
// a transaction changes is noted under way and taken over once it is committed.
type recentParts struct {
	limit int // bytes of the rows of a generation

	// mu is for readers; whoever changes something holds Store.write too.
	mu sync.RWMutex
	// old holds what is being written to the table, young what changed since.
	young, old map[event.ID]*storedPart
	stale      map[event.ID]bool
	row        int64 // the last
	flushed    int64 // the last row whose transaction wrote to the table

	// Known to the writer alone.
	first    int64      // row that is stored
	bytes    int        // of the rows of young
	queue    []event.ID // of old, ascending: not yet in the table
	oldEnd   int64      // the last row of old
	underWay recentChange
}

// recentChange is what a transaction does to the recent parts.
type recentChange struct {
	parts   []*storedPart
	bytes   int
	flushed int // from the queue
	trimmed int64
}

func (r *recentParts) load(c *sqlite.Conn, limit int) (last event.ID, err error) {
	r.limit, r.first = limit, 1
	r.young, r.old, r.stale = map[event.ID]*storedPart{}, map[event.ID]*storedPart{}, map[event.ID]bool{}
	err = query(c, "SELECT id, entries FROM parts_recent ORDER BY id", func(row *sqlite.Stmt) error {
		r.row = row.ColumnInt64(0)
		if len(r.young) == 0 {
			r.first = r.row
		}
		entries := blob(row, 1)
		r.bytes += len(entries)
		return eachRecent(entries, r.held, func(p *storedPart) {
			p.row = r.row
			r.hold(p)
			last = max(last, p.id)
		})
	})
	return last, err
}

// held gives a part that changed since old was begun, nil for another.
func (r *recentParts) held(id event.ID) *storedPart { return r.young[id] }

func (r *recentParts) hold(p *storedPart) {
	r.young[p.id] = p
	if p.stale {
		r.stale[p.id] = true
	} else {
		delete(r.stale, p.id)
	}
}

// find gives a part if it changed lately, as it is in the snapshot whose last row
// this is.
func (r *recentParts) find(id event.ID, row int64) (*storedPart, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p := r.young[id]
	if p == nil {
		p = r.old[id]
	}
	if p != nil && p.row > row || p == nil && r.flushed > row {
		return nil, errOutdated
	}
	return p, nil
}

// behind says whether a row is committed that is not held yet.
func (r *recentParts) behind(row int64) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return row > r.row
}

// insert stores changed parts, no part twice, and does its share of the flushing.
func (r *recentParts) insert(c *sqlite.Conn, parts []*storedPart) error {
	if len(parts) == 0 {
		return nil
	}
	size := 0
	for _, p := range parts {
		size += len(p.data) + 8*binary.MaxVarintLen64
	}
	entries := make([]byte, 0, size)
	for _, p := range parts {
		p.row = r.row + 1
		entries = appendRecent(entries, p, r.held(p.id))
	}
	r.underWay = recentChange{parts: parts, bytes: len(entries)}
	if err := query(c, "INSERT INTO parts_recent (id, entries) VALUES (?, ?)", nil, r.row+1, entries); err != nil {
		return err
	}
	if err := r.flush(c, len(entries)); err != nil {
		return err
	}
	return r.trim(c)
}

// flush writes some of old to the table: so many for each byte that it is done
// before young is half full.
func (r *recentParts) flush(c *sqlite.Conn, bytes int) error {
	n := min(len(r.queue), int(math.Ceil(2*float64(bytes)/float64(r.limit)*float64(len(r.old)))))
	if r.bytes+bytes >= r.limit {
		n = len(r.queue)
	}
	for _, id := range r.queue[:n] {
		if r.young[id] != nil {
			continue // it will be written as it is then
		}
		if err := putPart(c, r.old[id]); err != nil {
			return err
		}
	}
	r.underWay.flushed = n
	return nil
}

func putPart(c *sqlite.Conn, p *storedPart) error {
	return query(c, `INSERT INTO parts (id, workspace, owner, created, updated, stale, last_event, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, updated = excluded.updated, stale = excluded.stale,
			last_event = excluded.last_event, data = excluded.data`,
		nil, p.id, p.workspace, p.owner, p.created, p.updated, p.stale, p.lastEvent, p.data)
}

// trim removes some rows of which every part is in the table, or in a later row.
func (r *recentParts) trim(c *sqlite.Conn) error {
	if len(r.queue) > r.underWay.flushed || r.first > r.oldEnd {
		return nil
	}
	last := min(r.first+recentTrim-1, r.oldEnd)
	r.underWay.trimmed = last - r.first + 1
	return query(c, "DELETE FROM parts_recent WHERE id BETWEEN ? AND ?", nil, r.first, last)
}

// settle takes over what the transaction that was just committed did.
func (r *recentParts) settle() {
	done := r.underWay
	r.underWay = recentChange{}
	if len(done.parts) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.row++
	for _, p := range done.parts {
		r.hold(p)
	}
	for _, id := range r.queue[:done.flushed] {
		delete(r.old, id)
	}
	if done.flushed > 0 {
		r.flushed = r.row
	}
	r.queue = r.queue[done.flushed:]
	r.first += done.trimmed
	if r.bytes += done.bytes; r.bytes >= r.limit {
		r.old, r.young = r.young, make(map[event.ID]*storedPart, len(r.young))
		r.queue, r.oldEnd, r.bytes = slices.Sorted(maps.Keys(r.old)), r.row, 0
	}
}

// forget drops what a transaction did that was rolled back.
func (r *recentParts) forget() { r.underWay = recentChange{} }

// staleIDs gives the parts that changed lately and are stale.
func (r *recentParts) staleIDs() []event.ID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Keys(r.stale))
}

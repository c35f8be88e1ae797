package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
)

// codeList is a promotion list by its name.
type codeList struct {
	workspace int64
	name      string
}

// spentLists are the promotion lists of which every code was found to be given,
// each with the codes it then had: these need not be looked through again. A list
// that was applied anew is another slice.
type spentLists map[codeList]spentCodes

// spentCodes tells slices apart by where they lie.
type spentCodes struct {
	first *string
	count int
}

// reservations are the calls of ReserveCode that wait for each other: whoever has
// the turn serves all that wait by then in one transaction, since each is synced.
type reservations struct {
	turn  sync.Mutex
	spent spentLists // guarded by turn

	mu      sync.Mutex
	waiting []*reservation
}

// reservation is one call of ReserveCode.
type reservation struct {
	of      codeList
	message event.ID
	codes   []string

	// What became of it, guarded by the turn.
	taken bool
	code  string
	ok    bool
	err   error
}

var errNotServed = errors.New("the reservation was not brought to its end")

func (q *reservations) add(r *reservation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
}

// take gives all that wait. They have failed until they are told otherwise, as
// whoever serves them may panic.
func (q *reservations) take() []*reservation {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = nil
	for _, r := range all {
		r.taken, r.err = true, errNotServed
	}
	return all
}

// ReserveCode implements personalize.CodeStore.
func (s *Store) ReserveCode(_ context.Context, workspace int64, list string, message event.ID, codes []string) (code string, ok bool, err error) {
	r := &reservation{of: codeList{workspace, list}, message: message, codes: codes}
	s.reservations.add(r)
	s.reservations.turn.Lock()
	defer s.reservations.turn.Unlock()
	if !r.taken {
		s.serveReservations()
	}
	if r.err != nil {
		return "", false, fmt.Errorf("reserve a code: %w", r.err)
	}
	return r.code, r.ok, nil
}

// serveReservations reserves a code for each call that waits, or none for any. It
// takes them when it may write: meanwhile more have come.
func (s *Store) serveReservations() {
	q := &s.reservations
	var all []*reservation
	err := s.update(func(c *sqlite.Conn) error {
		all = q.take()
		for _, r := range all {
			if err := q.spent.reserve(c, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		clear(q.spent) // by codes that were not given in the end
	}
	if all == nil { // the store has failed before, or is closed
		all = q.take()
	}
	for _, r := range all {
		r.err = err
	}
}

// reserve finds a code for one call. What comes after the cursor of a list is looked
// through first, as all before it is given, unless codes were put in between; so
// each code is passed once as long as there are more.
func (s spentLists) reserve(c *sqlite.Conn, r *reservation) (err error) {
	r.code, r.ok, err = codeGiven(c, r.of, r.message)
	if err != nil || r.ok || len(r.codes) == 0 {
		return err
	}
	these := spentCodes{&r.codes[0], len(r.codes)}
	if s[r.of] == these {
		return nil
	}
	i, err := freeCode(c, r.of, r.codes)
	switch {
	case err != nil:
		return err
	case i < 0:
		s[r.of] = these
		return nil
	}
	r.code, r.ok = r.codes[i], true
	return giveCode(c, r.of, r.message, r.code, i)
}

// codeGiven finds the code that a message has.
func codeGiven(c *sqlite.Conn, of codeList, message event.ID) (code string, ok bool, err error) {
	err = query(c, "SELECT code FROM codes WHERE message = ? AND workspace = ? AND list = ?", func(row *sqlite.Stmt) error {
		code, ok = row.ColumnText(0), true
		return nil
	}, message, of.workspace, of.name)
	return code, ok, err
}

// freeCode finds a code that is not given, from the cursor on and then from the
// start. It gives the index, -1 for none.
func freeCode(c *sqlite.Conn, of codeList, codes []string) (int, error) {
	next := 0
	err := query(c, "SELECT next FROM code_cursors WHERE workspace = ? AND list = ?", func(row *sqlite.Stmt) error {
		next = row.ColumnInt(0)
		return nil
	}, of.workspace, of.name)
	if err != nil {
		return -1, err
	}
	for i := range codes {
		at := (next + i) % len(codes)
		given := false
		err := query(c, "SELECT 1 FROM codes WHERE workspace = ? AND list = ? AND code = ?", func(*sqlite.Stmt) error {
			given = true
			return nil
		}, of.workspace, of.name, codes[at])
		if err != nil || !given {
			return at, err
		}
	}
	return -1, nil
}

// giveCode keeps that a code, the one with this index, belongs to a message.
func giveCode(c *sqlite.Conn, of codeList, message event.ID, code string, index int) error {
	err := query(c, "INSERT INTO codes (workspace, list, code, message) VALUES (?, ?, ?, ?)", nil, of.workspace, of.name, code, message)
	if err != nil {
		return err
	}
	return query(c, `INSERT INTO code_cursors (workspace, list, next) VALUES (?, ?, ?)
		ON CONFLICT (workspace, list) DO UPDATE SET next = excluded.next`, nil, of.workspace, of.name, index+1)
}

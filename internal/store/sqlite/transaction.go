package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/ingest"
)

// layout is what is known in memory of the tables that are made as time goes on.
// It is a value: a copy is not touched by what happens to the original.
type layout struct {
	events tables
	seen   seenKeys
}

// publish makes the event tables known to readers.
func (s *Store) publish() {
	list := s.tables.events.list
	s.eventTables.Store(&list)
}

// read runs f on a connection of the pool, on one snapshot of the data.
func (s *Store) read(ctx context.Context, f func(*sqlite.Conn) error) error {
	err := s.readSnapshot(ctx, f)
	if err != nil && ctx.Err() != nil { // the engine says only that it was interrupted
		return fmt.Errorf("read the store: %w", ctx.Err())
	}
	return err
}

func (s *Store) readSnapshot(ctx context.Context, f func(*sqlite.Conn) error) error {
	c, err := s.pool.Take(ctx)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer s.pool.Put(c)
	s.wasRead.Store(true)
	if err := query(c, "BEGIN", nil); err != nil {
		return err
	}
	defer func() {
		c.SetInterrupt(nil) // the snapshot is given up also when ctx has ended
		query(c, "ROLLBACK", nil)
	}()
	return f(c)
}

// update runs f in a write transaction and syncs it. When that fails, nothing of
// it remains, on disk or in memory. A failure to keep what was written breaks the
// store for good: every later update gives the same *ingest.DurabilityError.
func (s *Store) update(f func(*sqlite.Conn) error) (err error) {
	s.write.Lock()
	defer s.write.Unlock()
	switch {
	case s.broken != nil:
		return s.broken
	case s.closed:
		return errors.New("the store is closed")
	}
	before, committed := s.tables, false
	defer func() { // also when f panics
		if committed {
			s.tables.seen.settle()
			s.recent.settle()
			s.publish()
			s.checkpointer.committed()
			return
		}
		s.tables = before
		s.parts.empty()
		s.recent.forget()
		if rollback := s.rollBack(); err == nil || rollback != nil {
			err = rollback
		}
		if lasting(err) {
			s.broken = &ingest.DurabilityError{Err: err}
			err = s.broken
		}
	}()
	if err := query(s.conn, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	if err := f(s.conn); err != nil {
		return err
	}
	if err := query(s.conn, "COMMIT", nil); err != nil {
		return err
	}
	committed = true
	return nil
}

// rollBack ends a transaction unless the engine has done so by itself.
func (s *Store) rollBack() error {
	if s.conn.AutocommitEnabled() {
		return nil
	}
	if err := query(s.conn, "ROLLBACK", nil); err != nil {
		return &ingest.DurabilityError{Err: fmt.Errorf("roll back: %w", err)}
	}
	return nil
}

// lasting says whether an error means that writes can no longer be trusted: the
// disk is full, a read, write or sync failed, the file is damaged or not to be
// written, or a transaction cannot be ended (https://www.sqlite.org/rescode.html).
func lasting(err error) bool {
	if broken := new(ingest.DurabilityError); errors.As(err, &broken) {
		return true
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultCorrupt, sqlite.ResultNotADB,
		sqlite.ResultCantOpen, sqlite.ResultReadOnly, sqlite.ResultNoLFS:
		return true
	}
	return false
}

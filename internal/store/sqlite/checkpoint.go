package sqlite

import (
	"fmt"
	"os"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"platen/internal/ingest"
)

// A commit appends pages to the log; a checkpoint copies them into the database,
// after which the log begins anew. To copy what gathered takes a tenth of a second
// and more, for which no commit should wait. So a connection of its own copies
// while commits go on, and commits wait only for the last, short rest.
const (
	walPages = 20_000 // 4 KiB each; a page that was written often is copied once
	walRest  = 500    // pages for which commits wait
	walTurns = 5      // of copying what was written meanwhile, before commits wait
)

// checkpointer is the connection that copies, and its goroutine's signals.
type checkpointer struct {
	conn *sqlite.Conn
	// database is the same file once more, to sync it. It is closed after all
	// connections: to close a file gives up the locks that a process has on it
	// (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
	database *os.File

	pages int           // of the log, from which on it copies
	wake  chan struct{} // closed when the store is
	done  chan struct{}
}

func newCheckpointer(path string, pages int) (*checkpointer, error) {
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open the store for checkpoints: %w", err)
	}
	for _, p := range []string{"synchronous = FULL", "checkpoint_fullfsync = ON"} {
		if err := sqlitex.ExecuteTransient(c, "PRAGMA "+p, nil); err != nil {
			c.Close()
			return nil, fmt.Errorf("set %s: %w", p, err)
		}
	}
	database, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("open the store to sync it: %w", err)
	}
	return &checkpointer{conn: c, database: database, pages: pages, wake: make(chan struct{}, 1), done: make(chan struct{})}, nil
}

// close ends the goroutine. It must not be called while write is held.
func (c *checkpointer) close() error {
	close(c.wake)
	<-c.done
	return c.conn.Close()
}

// committed says that the log has grown. It is called while write is held and the
// store is open.
func (c *checkpointer) committed() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// checkpoints runs until the store is closed. Where the database cannot be written
// the store is broken: the log would grow without end.
func (s *Store) checkpoints() {
	defer close(s.checkpointer.done)
	for range s.checkpointer.wake {
		if err := s.checkpoint(); lasting(err) {
			s.write.Lock()
			s.broken = &ingest.DurabilityError{Err: fmt.Errorf("checkpoint: %w", err)}
			s.write.Unlock()
		}
	}
}

// checkpoint copies the log when it is long. Readers of an old snapshot may keep it
// from being copied whole; then it is tried again after the next commit.
func (s *Store) checkpoint() error {
	rest, err := s.checkpointer.copy("NOOP")
	if err != nil || rest < s.checkpointer.pages {
		return err
	}
	for turn := 0; turn < walTurns && rest > walRest; turn++ {
		if rest, err = s.checkpointer.copy("PASSIVE"); err != nil {
			return err
		}
	}
	// The engine syncs the database only once all is copied, and then commits
	// would wait for it.
	if err := s.checkpointer.database.Sync(); err != nil {
		return &ingest.DurabilityError{Err: err}
	}
	s.write.Lock()
	defer s.write.Unlock()
	if _, err = s.checkpointer.copy("PASSIVE"); err != nil {
		return err
	}
	// All connections share one cache of pages. Once readers have filled it, it
	// drops what the writer used last and keeps what they read once.
	if !s.wasRead.Swap(false) {
		return nil
	}
	return query(s.conn, "PRAGMA shrink_memory", nil)
}

// copy runs a checkpoint and gives how many pages of the log are not copied yet
// (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
func (c *checkpointer) copy(mode string) (rest int, err error) {
	err = query(c.conn, "PRAGMA wal_checkpoint("+mode+")", func(row *sqlite.Stmt) error {
		rest = row.ColumnInt(1) - row.ColumnInt(2)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("copy the log: %w", err)
	}
	return rest, nil
}

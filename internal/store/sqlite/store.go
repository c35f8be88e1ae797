// Package sqlite is the embedded store: one file, one process, in write-ahead
// mode with a sync for every commit. It keeps and finds; it holds no rules.
//
// All writes go through one connection, one transaction at a time; reads use a
// pool of connections and never wait for a write.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"platen/internal/event"
)

// FileName is the name of the database in its directory.
const FileName = "platen.db"

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	ids       *event.IDs
	eventRows int // of one table
	lock      *os.File
	pool      *sqlitex.Pool

	checkpointer *checkpointer
	write        sync.Mutex // held for every write transaction; guards all below
	conn         *sqlite.Conn
	tables       layout
	parts        *partCache
	recent       recentParts
	broken       error // the DurabilityError after which nothing is written any more
	closed       bool

	reservations reservations

	// eventTables are those that are committed, for reading without write.
	eventTables atomic.Pointer[[]table]
	wasRead     atomic.Bool // since the last checkpoint
}

// Options of a store.
type Options struct {
	Dir string     // made when it does not exist
	IDs *event.IDs // continues after the greatest id that is stored
	// Readers is the number of reading connections; 0 means 8.
	Readers int
	// EventRows is how many rows a table of events takes before the next one is
	// begun, SeenRows how many ids seen are kept in memory before they are written
	// as a run; 0 means 400,000 and 262,144. Tests set less.
	EventRows, SeenRows int
	// RecentBytes is how much the rows of parts that changed may take before these
	// are written in their places; 0 means 64 MiB. Tests set less.
	RecentBytes int
	// LogPages is how long the write-ahead log may grow before it is copied into
	// the database, in pages of 4 KiB; 0 means 20,000. Tests set less.
	LogPages int
}

// Open opens the store in a directory, or makes it. A directory that belongs to
// a running server, cannot be written, is damaged or holds data of a newer
// version gives a *fault.Error in one line.
func Open(ctx context.Context, o Options) (*Store, error) {
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Readers = orDefault(o.Readers, 8)
	o.SeenRows = orDefault(o.SeenRows, seenRows)
	o.RecentBytes = orDefault(o.RecentBytes, recentBytes)
	s := &Store{ids: o.IDs, lock: lock, parts: newPartCache(), reservations: reservations{spent: spentLists{}}, eventRows: orDefault(o.EventRows, eventRows)}
	if err := s.open(ctx, o); err != nil {
		s.Close()
		return nil, cannotOpen(o.Dir, err)
	}
	return s, nil
}

func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// pragmas of the writing connection, in this order: the page layout must be
// chosen before the first table is made.
var pragmas = []string{
	"auto_vacuum = INCREMENTAL",
	"journal_mode = WAL",
	"synchronous = FULL",
	"fullfsync = ON",                 // elsewhere than on macOS it means nothing
	"checkpoint_fullfsync = ON",      // nor does this
	"wal_autocheckpoint = 0",         // the checkpointer does that
	"journal_size_limit = 268435456", // bytes
	"cache_size = -262144",           // KiB
	"temp_store = MEMORY",
}

func (s *Store) open(ctx context.Context, o Options) (err error) {
	path := filepath.Join(o.Dir, FileName)
	if err := makePrivate(path); err != nil {
		return unusable(o.Dir, err)
	}
	s.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	for _, p := range pragmas {
		if err := sqlitex.ExecuteTransient(s.conn, "PRAGMA "+p, nil); err != nil {
			return fmt.Errorf("set %s: %w", p, err)
		}
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	s.pool, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadWrite, PoolSize: o.Readers,
		PrepareConn: func(c *sqlite.Conn) error {
			return sqlitex.ExecuteTransient(c, "PRAGMA query_only = ON", nil)
		},
	})
	if err != nil {
		return fmt.Errorf("open the store for reading: %w", err)
	}
	if err := s.resume(o); err != nil {
		return err
	}
	s.checkpointer, err = newCheckpointer(path, orDefault(o.LogPages, walPages))
	if err == nil {
		go s.checkpoints()
	}
	return err
}

// makePrivate makes the file of a new database, for its owner alone: it may lie in
// a directory that others can read. The engine gives its log the same permissions.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// resume reads what is kept in memory: the tables of events, the ids seen, and the
// greatest id given so far.
func (s *Store) resume(o Options) error {
	if err := s.tables.events.load(s.conn, "event_tables", "events_"); err != nil {
		return err
	}
	last, err := s.tables.seen.load(s.conn, o.SeenRows)
	if err != nil {
		return err
	}
	s.ids.Resume(last)
	if last, err = s.recent.load(s.conn, o.RecentBytes); err != nil {
		return err
	}
	s.ids.Resume(last)
	for _, table := range append(s.tables.events.names(), "parts", "quarantine", "hits", "deliveries", "impressions", "clicks") {
		err := query(s.conn, "SELECT max(id) FROM "+table, func(row *sqlite.Stmt) error {
			s.ids.Resume(event.ID(row.ColumnInt64(0)))
			return nil
		})
		if err != nil {
			return err
		}
	}
	err = query(s.conn, "SELECT max(message) FROM codes", func(row *sqlite.Stmt) error { // that of a test is kept nowhere else
		s.ids.Resume(event.ID(row.ColumnInt64(0)))
		return nil
	})
	if err != nil {
		return err
	}
	s.publish()
	return nil
}

// Close ends the store. What was committed is on disk already.
func (s *Store) Close() error {
	s.write.Lock()
	closed := s.closed
	s.closed = true
	s.write.Unlock()
	if closed {
		return nil
	}
	var errs []error
	if s.checkpointer != nil {
		errs = append(errs, s.checkpointer.close())
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.checkpointer != nil {
		errs = append(errs, s.checkpointer.database.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Ping says whether the store can be read and has not failed.
func (s *Store) Ping(ctx context.Context) error {
	s.write.Lock()
	broken := s.broken
	s.write.Unlock()
	if broken != nil {
		return broken
	}
	return s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT 1", func(*sqlite.Stmt) error { return nil })
	})
}

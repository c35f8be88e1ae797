// Package sqlite is the embedded store: one file, one process, in write-ahead
// mode with a sync for every commit. It keeps and finds; it holds no rules.
//
// All writes go through one connection, one transaction at a time; reads use a
// pool of connections and never wait for a write.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // database/sql driver for the migrations; the same engine
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
)

// FileName is the name of the database in its directory.
const FileName = "platen.db"

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	ids  *event.IDs
	lock *os.File
	pool *sqlitex.Pool

	write  sync.Mutex // held for every write transaction; guards all below
	conn   *sqlite.Conn
	events tables
	seen   seenTables
	broken error // the DurabilityError after which nothing is written any more
}

// Options of a store.
type Options struct {
	Dir string     // made when it does not exist
	IDs *event.IDs // continues after the greatest id that is stored
	// Readers is the number of reading connections; 0 means 8.
	Readers int
}

// Open opens the store in a directory, or makes it. A directory that belongs to
// a running server, cannot be written, or holds data of a newer version gives a
// *fault.Error in one line.
func Open(ctx context.Context, o Options) (*Store, error) {
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{ids: o.IDs, lock: lock}
	if err := s.open(ctx, filepath.Join(o.Dir, FileName), o.Readers); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, readers int) (err error) {
	// The page layout must be chosen before the first table is made.
	s.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	for _, pragma := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL",
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA wal_autocheckpoint = 10000", // pages; see measurements: 400 MB of WAL gave commits of 480 ms
		"PRAGMA journal_size_limit = 67108864",
		"PRAGMA cache_size = -262144", // KiB
		"PRAGMA temp_store = MEMORY",
	} {
		if err := sqlitex.ExecuteTransient(s.conn, pragma, nil); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	if readers <= 0 {
		readers = 8
	}
	s.pool, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadWrite, PoolSize: readers,
		PrepareConn: func(c *sqlite.Conn) error {
			return sqlitex.ExecuteTransient(c, "PRAGMA query_only = ON", nil)
		},
	})
	if err != nil {
		return fmt.Errorf("open the store for reading: %w", err)
	}
	return s.resume()
}

// resume reads what is kept in memory: the tables of events and of seen ids, and
// the greatest id given so far.
func (s *Store) resume() error {
	if err := s.events.load(s.conn, "event_tables"); err != nil {
		return err
	}
	if err := s.seen.load(s.conn); err != nil {
		return err
	}
	for _, table := range append(s.events.names(), "parts", "quarantine", "hits", "deliveries", "impressions", "clicks") {
		var last event.ID
		err := query(s.conn, "SELECT max(id) FROM "+table, func(row *sqlite.Stmt) error {
			last = event.ID(row.ColumnInt64(0))
			return nil
		})
		if err != nil {
			return err
		}
		s.ids.Resume(last)
	}
	return nil
}

// Close ends the store. What was committed is on disk already.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	var errs []error
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
		s.pool = nil
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
		s.conn = nil
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
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

// lockDir makes sure that only one process uses a directory.
func lockDir(dir string) (*os.File, error) {
	unusable := func(err error) error {
		return fault.New(fault.Invalid, "data_directory", "the data directory %s cannot be used: %v; choose another with --data", dir, plain(err))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unusable(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.New(fault.Conflict, "data_directory_in_use",
				"the data directory %s belongs to a running server; stop it first, or choose another directory with --data", dir)
		}
		return nil, unusable(err)
	}
	return f, nil
}

// plain leaves the operation and the path out of a file error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func migrate(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the data: %w", err)
	}
	if current > target {
		return fault.New(fault.Conflict, "data_is_newer",
			"the data has version %d and this program knows versions up to %d; use the newer program", current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the data: %w", err)
	}
	return nil
}

// read runs f on a connection of the pool, on one snapshot of the data.
func (s *Store) read(ctx context.Context, f func(*sqlite.Conn) error) (err error) {
	c, err := s.pool.Take(ctx)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer s.pool.Put(c)
	end := sqlitex.Transaction(c)
	defer end(&err)
	return f(c)
}

// update runs f in a write transaction and syncs it. A failure to keep what was
// written breaks the store for good.
func (s *Store) update(f func(*sqlite.Conn) error) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.updateLocked(f)
}

func (s *Store) updateLocked(f func(*sqlite.Conn) error) error {
	if s.broken != nil {
		return s.broken
	}
	err := func() (err error) {
		end, err := sqlitex.ImmediateTransaction(s.conn)
		if err != nil {
			return err
		}
		defer end(&err)
		return f(s.conn)
	}()
	if err != nil && lasting(err) {
		s.broken = &ingest.DurabilityError{Err: err}
		return s.broken
	}
	return err
}

// lasting says whether an error of the engine means that writes can no longer be
// trusted: the disk is full, a read, write or sync failed, or the file is damaged.
func lasting(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultCantOpen, sqlite.ResultReadOnly:
		return true
	}
	return false
}

// query runs a statement, which is prepared once for each connection, and calls
// row for each row of its result (row may be nil).
func query(c *sqlite.Conn, text string, row func(*sqlite.Stmt) error, args ...any) error {
	stmt, err := c.Prepare(text)
	if err != nil {
		return err
	}
	bind(stmt, args)
	defer stmt.Reset()
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		if row == nil {
			continue
		}
		if err := row(stmt); err != nil {
			return err
		}
	}
}

func bind(stmt *sqlite.Stmt, args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case int64:
			stmt.BindInt64(i+1, v)
		case event.ID:
			stmt.BindInt64(i+1, int64(v))
		case int:
			stmt.BindInt64(i+1, int64(v))
		case bool:
			stmt.BindBool(i+1, v)
		case string:
			stmt.BindText(i+1, v)
		case time.Time:
			stmt.BindInt64(i+1, micros(v))
		case []byte:
			if v == nil {
				stmt.BindNull(i + 1)
			} else {
				stmt.BindBytes(i+1, v)
			}
		default:
			panic(fmt.Sprintf("sqlite: cannot bind a %T", arg))
		}
	}
}

// blob copies a column; nil for NULL.
func blob(row *sqlite.Stmt, col int) []byte {
	if row.ColumnIsNull(col) {
		return nil
	}
	b := make([]byte, row.ColumnLen(col))
	row.ColumnBytes(col, b)
	return b
}

// micros and at turn times into columns and back; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func at(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/store/sqlite"
)

func TestAFullDiskEndsAcknowledging(t *testing.T) {
	p := newPath(t, sqlite.Options{})
	acknowledged := p.untilRefused(t, func(n int) {
		if n == 100 { // as if the disk had room for a few more pages
			if err := p.store.Pragma("max_page_count = 60"); err != nil {
				t.Error(err)
			}
		}
	})
	p.ended(t, acknowledged, zombiezen.ResultFull)
}

// untilRefused submits events, several at a time, until one is refused, and gives
// how many were acknowledged. step is called before each round.
func (p *path) untilRefused(t *testing.T, step func(acknowledged int)) (acknowledged int) {
	t.Helper()
	const atOnce = 20
	for range 10_000 {
		step(acknowledged)
		errs := make([]error, atOnce)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				a := &ingest.Accept{Workspace: 1, Received: time.Now().UnixMicro(),
					Items: []ingest.Item{track(user(acknowledged+i), "viewed", time.Now())}}
				errs[i] = p.Submit(context.Background(), a)
			})
		}
		all.Wait()
		refused := 0
		for _, err := range errs {
			if err == nil {
				acknowledged++
				continue
			}
			refused++
			if f := fault.From(err); f.Code != fault.Unavailable || f.Reason != "store_failed" && f.Reason != "stopping" {
				t.Errorf("refused with %v", err)
			}
		}
		if refused > 0 {
			return acknowledged
		}
	}
	t.Fatal("nothing was ever refused")
	return 0
}

// ended checks that nothing is acknowledged any more, that the reason is told, and
// that whatever was acknowledged is there for another process.
func (p *path) ended(t *testing.T, acknowledged int, code zombiezen.ResultCode) {
	t.Helper()
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken := new(ingest.DurabilityError)
	if why := p.fatal.Load(); why == nil || !errors.As(*why, &broken) || zombiezen.ErrCode(*why).ToPrimary() != code {
		t.Errorf("the writer gave up for %v", why)
	}
	if err := p.store.Ping(t.Context()); !errors.As(err, &broken) {
		t.Errorf("the store says of itself: %v", err)
	}
	if err := p.store.ReleaseLeases(t.Context()); !errors.As(err, &broken) {
		t.Errorf("another write gives %v", err)
	}
	n, err := p.reopen(t).CountEvents(t.Context(), 1)
	if err != nil || n < int64(acknowledged) {
		t.Errorf("%d events are stored, %d were acknowledged: %v", n, acknowledged, err)
	}
}

func TestWhichErrorsLast(t *testing.T) {
	for code, want := range map[zombiezen.ResultCode]bool{
		zombiezen.ResultFull: true, zombiezen.ResultIOErr: true, zombiezen.ResultIOErrFsync: true, zombiezen.ResultIOErrWrite: true,
		zombiezen.ResultIOErrRead: true, zombiezen.ResultIOErrShortRead: true, zombiezen.ResultIOErrTruncate: true, zombiezen.ResultIOErrSHMMap: true,
		zombiezen.ResultCorrupt: true, zombiezen.ResultNotADB: true, zombiezen.ResultCantOpen: true,
		zombiezen.ResultReadOnly: true, zombiezen.ResultReadOnlyDBMoved: true, zombiezen.ResultNoLFS: true,

		zombiezen.ResultOK: false, zombiezen.ResultError: false, zombiezen.ResultBusy: false, zombiezen.ResultLocked: false,
		zombiezen.ResultInterrupt: false, zombiezen.ResultNoMem: false, zombiezen.ResultTooBig: false,
		zombiezen.ResultConstraintPrimaryKey: false, zombiezen.ResultConstraintNotNull: false, zombiezen.ResultMisuse: false, zombiezen.ResultSchema: false,
	} {
		if got := sqlite.Lasting(fmt.Errorf("store events: %w", code.ToError())); got != want {
			t.Errorf("%v: lasting is %v", code, got)
		}
	}
	if sqlite.Lasting(nil) || sqlite.Lasting(context.Canceled) {
		t.Error("what is no error of the engine lasts")
	}
	if !sqlite.Lasting(fmt.Errorf("commit: %w", &ingest.DurabilityError{Err: errors.New("roll back")})) {
		t.Error("a failed roll-back does not last")
	}
}

// openFails opens a store that cannot be opened, and gives the fault.
func openFails(t *testing.T, dir string) *fault.Error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	if err == nil {
		s.Close()
		t.Fatal("the store was opened")
	}
	f := new(fault.Error)
	if !errors.As(err, &f) {
		t.Fatalf("no fault: %v", err)
	}
	if line := f.Safe(); strings.Contains(line, "\n") || !strings.Contains(line, filepath.Base(dir)) && f.Reason != "data_is_newer" {
		t.Errorf("not one line that names the place: %q", line)
	}
	return f
}

func TestADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	if f := openFails(t, dir); f.Code != fault.Conflict || f.Reason != "data_directory_in_use" {
		t.Errorf("%+v", f)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)}).Close()
}

func TestADirectoryThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	places := []string{file, filepath.Join(file, "below"), "/proc/nowhere"}
	if os.Getuid() == 0 {
		t.Log("root may write everywhere: a read-only directory is not tried")
	} else {
		readOnly := filepath.Join(dir, "read-only")
		if err := os.Mkdir(readOnly, 0o500); err != nil {
			t.Fatal(err)
		}
		places = append(places, readOnly)
	}
	for _, place := range places {
		if f := openFails(t, place); f.Code != fault.Invalid || f.Reason != "data_directory" || !strings.Contains(f.Message, "--data") {
			t.Errorf("%s: %+v", place, f)
		}
	}
}

func TestADirectoryIsMadeWithThoseAbove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)}).Close()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestDataThatIsNoDatabase(t *testing.T) {
	for name, content := range map[string][]byte{
		"another file":       []byte(strings.Repeat("this is a letter, not a database\n", 1000)),
		"a damaged database": append([]byte("SQLite format 3\x00"), make([]byte, 8176)...),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, sqlite.FileName), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if f := openFails(t, dir); f.Code != fault.Conflict || f.Reason != "data_damaged" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, sqlite.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if f := openFails(t, dir); f.Reason != "data_directory" {
		t.Errorf("a directory in the place of the database: %+v", f)
	}
}

func TestDataOfANewerVersion(t *testing.T) {
	dir := t.TempDir()
	open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)}).Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if f := openFails(t, dir); f.Code != fault.Conflict || f.Reason != "data_is_newer" || !strings.Contains(f.Message, "99") {
		t.Errorf("%+v", f)
	}
}

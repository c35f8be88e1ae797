package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"zombiezen.com/go/sqlite"

	"platen/internal/fault"
)

// lockDir makes sure that the directory is there, and that only one process uses
// it for as long as the file that it gives is open.
func lockDir(dir string) (*os.File, error) {
	if err := makeDir(filepath.Clean(dir)); err != nil {
		return nil, unusable(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.New(fault.Conflict, "data_directory_in_use",
				"the data directory %s belongs to a running server; stop it first, or choose another directory with --data", dir)
		}
		return nil, unusable(dir, err)
	}
	return f, nil
}

// makeDir makes a directory and those above it that are missing, and syncs the
// entry of each: a power cut must not take the directory away from under what
// was acknowledged in it.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return SyncDir(filepath.Dir(dir))
}

// SyncDir brings the entries of a directory to disk, as after a file was made in it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func unusable(dir string, err error) error {
	return fault.New(fault.Invalid, "data_directory",
		"the data directory %s cannot be used: %v; choose another with --data", dir, plain(err))
}

// plain leaves the operation and the path out of a file error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// cannotOpen puts into one line for people what kept the store from opening,
// where a person can do something about it.
func cannotOpen(dir string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	switch codeOf(err).ToPrimary() {
	case sqlite.ResultNotADB, sqlite.ResultCorrupt:
		return fault.New(fault.Conflict, "data_damaged",
			"the file %s is damaged or is no database; put a backup in its place, or choose another directory with --data",
			filepath.Join(dir, FileName)).Because(err)
	case sqlite.ResultFull:
		return fault.New(fault.Unavailable, "disk_full", "the disk of the data directory %s is full; make room and start again", dir).Because(err)
	case sqlite.ResultCantOpen, sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultIOErr:
		return fault.New(fault.Invalid, "data_directory",
			"the database in the data directory %s cannot be read and written; check its owner and its permissions, or choose another directory with --data",
			dir).Because(err)
	}
	return err
}

// codeOf is the result code of an error of the engine, by whichever of its two
// drivers it came; SQLITE_ERROR for any other.
func codeOf(err error) sqlite.ResultCode {
	var migration interface{ Code() int }
	if errors.As(err, &migration) {
		return sqlite.ResultCode(migration.Code())
	}
	return sqlite.ErrCode(err)
}

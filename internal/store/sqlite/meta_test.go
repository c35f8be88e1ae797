package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/store/sqlite"
)

func TestMetaIsKept(t *testing.T) {
	dir := t.TempDir()
	ids := event.NewIDs(time.Now, 0)
	s := open(t, sqlite.Options{Dir: dir, IDs: ids})
	if value, err := s.Meta(t.Context(), "color"); value != "" || err != nil {
		t.Errorf("before it was set: %q, %v", value, err)
	}
	for _, value := range []string{"red", "blue"} {
		if err := s.PutMeta("color", value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, sqlite.Options{Dir: dir, IDs: ids})
	defer s.Close()
	if value, err := s.Meta(t.Context(), "color"); value != "blue" || err != nil {
		t.Errorf("after a restart: %q, %v", value, err)
	}
}

// The directory may have been made by somebody else, for all to read.
func TestOnlyTheOwnerReadsTheData(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	if err := s.PutMeta("color", "red"); err != nil { // so that there is a log
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(filepath.Join(dir, sqlite.FileName+suffix)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s%s: %v, %v", sqlite.FileName, suffix, info, err)
		}
	}
}

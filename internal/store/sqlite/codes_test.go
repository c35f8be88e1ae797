package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/store/sqlite"
)

// TestReservationsShareTransactions has many ask while something else is written,
// the last of them when no code is left.
func TestReservationsShareTransactions(t *testing.T) {
	const messages, free = 64, 60
	var codes []string
	for i := range free {
		codes = append(codes, fmt.Sprint("code-", i))
	}
	dir := t.TempDir()
	s := open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	before := logSize(t, dir)
	var mu sync.Mutex
	given := map[string]bool{}
	var asking sync.WaitGroup
	s.BetweenCommits(func() {
		for i := range messages {
			asking.Go(func() {
				code, _, err := s.ReserveCode(t.Context(), 1, "spring", event.ID(i+1), codes)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				given[code] = true
			})
		}
		for s.WaitingReservations() < messages {
			runtime.Gosched()
		}
	})
	asking.Wait()
	if len(given) != free+1 || !given[""] {
		t.Errorf("given: %v", given)
	}
	// A transaction of its own takes a page of the log for each table it changes.
	const page = 4096
	if grown := logSize(t, dir) - before; grown <= 0 || grown > messages/2*page {
		t.Errorf("the log has grown by %d bytes", grown)
	}
}

// logSize is the size of the write-ahead log.
func logSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, sqlite.FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestFailedReservationsGiveNothing has the one transaction of many reservations be
// undone, after which the codes are free again.
func TestFailedReservationsGiveNothing(t *testing.T) {
	s := open(t, sqlite.Options{Dir: t.TempDir(), IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	if err := s.RefuseCodes("bad"); err != nil {
		t.Fatal(err)
	}
	codes := []string{"A"}
	var asking sync.WaitGroup
	s.BetweenCommits(func() {
		for i, list := range []string{"spring", "spring", "bad"} { // the second finds none left
			asking.Go(func() {
				if _, ok, err := s.ReserveCode(t.Context(), 1, list, event.ID(i+1), codes); ok || err == nil {
					t.Errorf("%s: given: %v, %v", list, ok, err)
				}
			})
			for s.WaitingReservations() == i {
				runtime.Gosched()
			}
		}
	})
	asking.Wait()
	if code, ok, err := s.ReserveCode(t.Context(), 1, "spring", 9, codes); code != "A" || !ok || err != nil {
		t.Errorf("afterwards: %q, %v, %v", code, ok, err)
	}
}

// BenchmarkReserveCode takes codes of a long list, and asks when none is left.
func BenchmarkReserveCode(b *testing.B) {
	const all = 100_000
	codes := make([]string, all)
	for i := range codes {
		codes[i] = fmt.Sprintf("SPRING-%06d", i)
	}
	dir := b.TempDir()
	s := open(b, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	message := event.ID(0)
	reserve := func(b *testing.B, codes []string, left bool) {
		message++
		if _, ok, err := s.ReserveCode(b.Context(), 1, "spring", message, codes); err != nil || ok != left {
			b.Fatal(ok, err)
		}
	}
	b.Run("left", func(b *testing.B) {
		for b.Loop() {
			reserve(b, codes, true)
		}
	})
	b.Run("none left", func(b *testing.B) {
		given := codes[:message]
		for b.Loop() {
			reserve(b, given, false)
		}
	})
}

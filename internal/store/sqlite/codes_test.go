package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/store/sqlite"
)

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

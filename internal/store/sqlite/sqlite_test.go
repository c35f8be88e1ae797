package sqlite_test

import (
	"testing"

	"platen/internal/event"
	"platen/internal/store/sqlite"
	"platen/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) storetest.Open {
		dir := t.TempDir()
		return func(t *testing.T, ids *event.IDs) storetest.Store {
			return open(t, sqlite.Options{Dir: dir, IDs: ids, Readers: 2, EventRows: storetest.TableRows, SeenRows: storetest.TableRows,
				RecentBytes: 500, LogPages: 20})
		}
	})
}

func open(t testing.TB, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/store/sqlite"
)

// A dead host's backlog must not be walked through to find what is due elsewhere.
func TestQueuesAreFoundByTheirIndex(t *testing.T) {
	s := open(t, sqlite.Options{Dir: t.TempDir(), IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	for text, want := range map[string]string{
		sqlite.DueInQueue: "SEARCH deliveries USING INDEX deliveries_queue (workspace=? AND host=? AND <expr><?)",
		sqlite.NextQueue:  "SEARCH deliveries USING COVERING INDEX deliveries_queue ((workspace,host)>(?,?))",
	} {
		plan, err := s.QueryPlan(text)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(plan) != want {
			t.Errorf("%s\nis answered by\n%s", text, plan)
		}
	}
}

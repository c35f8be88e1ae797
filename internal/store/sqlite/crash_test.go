package sqlite_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// TestWhatACrashLeavesIsWhole takes images of the files while clients write, as a
// crash at that moment would leave them: some between two commits, some with a
// piece of what was written to the log afterwards. In each, everything that was
// acknowledged before is there once, and no event without its profile.
func TestWhatACrashLeavesIsWhole(t *testing.T) {
	images := 25
	if testing.Short() {
		images = 6
	}
	p := newPath(t, sqlite.Options{EventRows: 500, SeenRows: 300, RecentBytes: 20_000, LogPages: 100})
	c := &clients{path: p, acknowledged: map[string]bool{}}
	c.start(t, 8)
	defer c.stop()

	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	torn := 0
	for n := range images {
		c.waitFor(50 + random.IntN(200))
		before := c.image(t)
		c.waitFor(1 + random.IntN(10))
		after := c.image(t)
		before.check(t, fmt.Sprint("image ", n))
		if bytes.Equal(after.data, before.data) {
			torn++
			before.writeLog(after, random)
			before.check(t, fmt.Sprintf("image %d with a piece of the log of the next", n))
		}
	}
	if torn == 0 && !testing.Short() {
		t.Error("no image with a piece of a later log could be made")
	}
	t.Logf("%d images, and %d with a piece of a later log", images, torn)
}

// clients write events, as far as they are let, and note what was acknowledged.
type clients struct {
	*path
	running sync.WaitGroup

	mu           sync.Mutex
	changed      sync.Cond
	acknowledged map[string]bool // names of events
	limit        int             // how many may be acknowledged
	ended        bool
}

func (c *clients) start(t *testing.T, n int) {
	c.changed.L = &c.mu
	for client := range n {
		c.running.Go(func() {
			for i := 0; c.wait(func() bool { return len(c.acknowledged) < c.limit }); i++ {
				name := fmt.Sprintf("%d/%d", client, i)
				item := track(user((client*7+i)%20), name, time.Now())
				key := keyOf(name)
				item.Key = &key
				a := &ingest.Accept{Workspace: 1, Received: time.Now().UnixMicro(), Items: []ingest.Item{item}}
				if err := c.Submit(t.Context(), a); err != nil {
					t.Error(err)
					return
				}
				c.change(func() { c.acknowledged[name] = true })
			}
		})
	}
}

func (c *clients) stop() {
	c.change(func() { c.ended = true })
	c.running.Wait()
}

func (c *clients) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.changed.Broadcast()
}

// wait waits until something is so, and gives false when all is over.
func (c *clients) wait(so func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ended && !so() {
		c.changed.Wait()
	}
	return !c.ended
}

// waitFor waits until some more events are acknowledged. Others are then still
// being written.
func (c *clients) waitFor(more int) {
	const underWay = 50
	until := 0
	c.change(func() {
		until = len(c.acknowledged) + more
		c.limit = until + underWay
	})
	c.wait(func() bool { return len(c.acknowledged) >= until })
}

// image is the files of a store, with what had been acknowledged before.
type image struct {
	data, log    []byte
	acknowledged []string
}

// image takes the files between two commits.
func (c *clients) image(t *testing.T) *image {
	t.Helper()
	i := &image{}
	c.mu.Lock()
	for name := range c.acknowledged {
		i.acknowledged = append(i.acknowledged, name)
	}
	c.mu.Unlock()
	c.store.BetweenCommits(func() {
		i.data, i.log = read(t, filepath.Join(c.dir, sqlite.FileName)), read(t, filepath.Join(c.dir, sqlite.FileName+"-wal"))
	})
	return i
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeLog writes to the log of an image what was written to it until another one
// was made, up to a random byte. Between the two there was no checkpoint, so the
// log was written from some place on and nothing else was.
func (i *image) writeLog(after *image, random *rand.Rand) {
	from := 0
	for from < min(len(i.log), len(after.log)) && i.log[from] == after.log[from] {
		from++
	}
	to := len(after.log)
	for to > from && to <= len(i.log) && i.log[to-1] == after.log[to-1] {
		to--
	}
	cut := from + random.IntN(to-from+1)
	i.log = append(bytes.Clone(after.log[:cut]), i.log[min(cut, len(i.log)):]...)
}

// check opens a copy of the image and accounts for all events.
func (i *image) check(t *testing.T, what string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{sqlite.FileName: i.data, sqlite.FileName + "-wal": i.log} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, sqlite.Options{Dir: dir, IDs: event.NewIDs(time.Now, 0)})
	defer s.Close()
	stored, byPart := map[string]int{}, map[event.ID]int{}
	err := s.EachEvent(t.Context(), func(e *event.Event) error {
		stored[e.Name]++
		byPart[e.Part]++
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for name, n := range stored {
		if n != 1 {
			t.Errorf("%s: event %s is there %d times", what, name, n)
		}
	}
	known := i.known(t, s)
	for _, name := range i.acknowledged {
		if stored[name] == 0 || known[keyOf(name)] == 0 {
			t.Errorf("%s: event %s was acknowledged; it is there %d times, and its id leads to %v", what, name, stored[name], known[keyOf(name)])
		}
	}
	for n := range 20 {
		p, err := s.Profile(t.Context(), 1, user(n), 0)
		if err != nil || p == nil {
			t.Fatalf("%s: profile %d: %v, %v", what, n, p, err)
		}
		root, found := p.Root, 0
		err = s.PartHappenings(t.Context(), root.ID, func(profile.Happening) error {
			found++
			return nil
		})
		recent := len(root.Facts().Summary.Recent)
		if err != nil || found != byPart[root.ID] || recent != min(found, profile.SummaryRecent) {
			t.Errorf("%s: profile %d: %d events are stored, %d found, %d known: %v", what, n, byPart[root.ID], found, recent, err)
		}
		delete(byPart, root.ID)
	}
	if len(byPart) > 0 {
		t.Errorf("%s: %d parts have events and no profile", what, len(byPart))
	}
}

func keyOf(name string) ingest.SeenKey {
	return ingest.NewSeenKey(1, "test", ingest.ByMessageID, name, 0)
}

// known gives the events to which the ids of what was acknowledged lead.
func (i *image) known(t *testing.T, s *sqlite.Store) (known map[ingest.SeenKey]event.ID) {
	t.Helper()
	var keys ingest.Keys
	for _, name := range i.acknowledged {
		keys.Seen = append(keys.Seen, keyOf(name))
	}
	err := s.Commit(t.Context(), keys, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		known = s.Seen
		return ingest.Changes{}, ingest.Keys{}
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

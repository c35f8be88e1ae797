package engagement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/event"
)

// memory is a store. With a gate set, Record tells that it was entered and waits
// until the gate is closed.
type memory struct {
	mu      sync.Mutex
	batches []Batch
	shown   map[shownKey]Shown
	err     error

	entered, gate chan struct{}
}

func (m *memory) Record(_ context.Context, b Batch) error {
	if m.gate != nil {
		m.entered <- struct{}{}
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.batches = append(m.batches, b)
	for _, s := range b.Shown {
		if m.shown == nil {
			m.shown = map[shownKey]Shown{}
		}
		m.shown[s.key()] = s
	}
	return nil
}

func (m *memory) Shown(_ context.Context, block, person, params string) (Shown, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.shown[shownKey{block, person, params}]
	return s, ok, nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// counts gives the rows stored and the number of batches.
func (m *memory) counts() (impressions, clicks, shown, batches int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.batches {
		impressions, clicks = impressions+len(b.Impressions), clicks+len(b.Clicks)
	}
	return impressions, clicks, len(m.shown), len(m.batches)
}

func newRecorder(m *memory) *Recorder {
	return NewRecorder(m, event.NewIDs(time.Now, 0), time.Now, slog.New(slog.DiscardHandler))
}

func shownTo(person string, links ...string) *Shown {
	return &Shown{Block: "b", Person: person, Params: "p", Links: links}
}

func TestRowsAreGatheredAndWrittenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &memory{}
		r := newRecorder(m)
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })

		for i := range 5 {
			r.Opened(Impression{Block: "b", Person: fmt.Sprint(i)}, shownTo(fmt.Sprint(i), "x"))
		}
		r.Clicked(Click{Block: "b"})
		synctest.Wait()
		if i, c, s, _ := m.counts(); i+c+s != 0 {
			t.Errorf("%d, %d and %d rows are stored at once", i, c, s)
		}
		time.Sleep(flushDelay)
		synctest.Wait()
		if i, c, s, n := m.counts(); i != 5 || c != 1 || s != 5 || n != 1 {
			t.Errorf("%d impressions, %d clicks and %d shown in %d batches", i, c, s, n)
		}
		first := m.batches[0].Impressions[0]
		if first.ID == 0 || first.At.IsZero() || m.batches[0].Shown[0].At.IsZero() {
			t.Errorf("the rows have no id or time: %+v", first)
		}

		time.Sleep(time.Hour)
		synctest.Wait()
		if _, _, _, n := m.counts(); n != 1 {
			t.Errorf("an idle recorder wrote %d batches", n)
		}
		cancel()
		running.Wait()
	})
}

func TestManyRowsAreWrittenAtOnceAndInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &memory{}
		r := newRecorder(m)
		const rows = 2*batchRows + 1
		for i := range rows {
			r.Opened(Impression{}, shownTo(fmt.Sprint(i)))
		}
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })
		synctest.Wait() // no time passes
		if i, _, s, n := m.counts(); i != rows || s != rows || n != 3 {
			t.Errorf("%d impressions and %d shown in %d batches", i, s, n)
		}
		cancel()
		running.Wait()
	})
}

func TestWhatWasShownIsReadAtOnce(t *testing.T) {
	m := &memory{entered: make(chan struct{}), gate: make(chan struct{})}
	r := newRecorder(m)
	read := func(when, person, want string) {
		t.Helper()
		s, ok, err := r.Shown(t.Context(), "b", person, "p")
		if err != nil || ok != (want != "") || ok && s.Links[0] != want {
			t.Errorf("%s: %v, %v, %v; want %q", when, s.Links, ok, err, want)
		}
	}
	read("before", "u", "")
	r.Opened(Impression{}, shownTo("u", "one"))
	r.Opened(Impression{}, nil)
	read("waiting", "u", "one")
	read("waiting", "other", "")

	closed := make(chan error)
	go func() { closed <- r.Close(t.Context()) }()
	<-m.entered
	read("being written", "u", "one")
	r.Opened(Impression{}, shownTo("u", "two"))
	read("newer while the older is written", "u", "two")
	go func() { <-m.entered }() // the second batch
	close(m.gate)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	read("stored", "u", "two")
	if i, _, s, n := m.counts(); i != 3 || s != 1 || n != 2 {
		t.Errorf("%d impressions and %d shown in %d batches", i, s, n)
	}
}

func TestRowsStayWhenTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &memory{err: errors.New("disk on fire")}
		r := newRecorder(m)
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })
		r.Opened(Impression{Person: "first"}, shownTo("u", "one"))
		time.Sleep(flushDelay)
		synctest.Wait()
		if s, ok, _ := r.Shown(ctx, "b", "u", "p"); !ok || s.Links[0] != "one" {
			t.Error("what was shown is lost with the batch")
		}
		r.Opened(Impression{Person: "second"}, shownTo("u", "two"))
		m.fail(nil)
		time.Sleep(retryDelay + flushDelay)
		synctest.Wait()
		if i, _, _, n := m.counts(); i != 2 || n != 1 || m.batches[0].Impressions[0].Person != "first" {
			t.Errorf("%d impressions in %d batches", i, n)
		}
		if s, ok, _ := r.Shown(ctx, "b", "u", "p"); !ok || s.Links[0] != "two" {
			t.Errorf("the older row won: %v", s.Links)
		}
		cancel()
		running.Wait()
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m := &memory{}
	r := newRecorder(m)
	for i := range maxRows + 10 {
		r.Opened(Impression{}, shownTo(fmt.Sprint(i)))
		r.Clicked(Click{})
	}
	r.Opened(Impression{}, shownTo("0", "newest")) // a known key takes no more room
	if s, _, _ := r.Shown(t.Context(), "b", "0", "p"); len(s.Links) != 1 {
		t.Error("a full recorder forgot what it was told about a key it holds")
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, c, s, _ := m.counts(); i != maxRows || c != maxRows || s != maxRows {
		t.Errorf("%d impressions, %d clicks and %d shown are stored, want %d of each", i, c, s, maxRows)
	}
}

func TestMemoryIsBoundedInBytes(t *testing.T) {
	m := &memory{}
	r := newRecorder(m)
	const most = 5
	long := strings.Repeat("x", maxBytes/most-100)
	for i := range most + 3 {
		r.Opened(Impression{}, shownTo(fmt.Sprint(i), long))
	}
	r.Clicked(Click{Destination: long})
	r.Opened(Impression{}, shownTo("0", "short")) // makes room again
	r.Opened(Impression{}, shownTo("last", long))
	if r.pending.bytes > maxBytes {
		t.Errorf("%d bytes wait", r.pending.bytes)
	}

	m.fail(errors.New("disk on fire"))
	before := r.pending.bytes
	if err := r.Close(t.Context()); err == nil || r.pending.bytes != before {
		t.Errorf("%d bytes wait after the store failed, %d did before", r.pending.bytes, before)
	}
	m.fail(nil)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, c, s, _ := m.counts(); i != most+5 || c != 0 || s != most+1 {
		t.Errorf("%d impressions, %d clicks and %d shown are stored", i, c, s)
	}
	if r.pending.bytes != 0 {
		t.Errorf("%d bytes are counted where nothing waits", r.pending.bytes)
	}
}

func TestBytesOfWhatIsReplacedWhileItIsWritten(t *testing.T) {
	m := &memory{err: errors.New("disk on fire"), entered: make(chan struct{}), gate: make(chan struct{})}
	r := newRecorder(m)
	r.Opened(Impression{}, shownTo("u", "the old one"))
	closed := make(chan error)
	go func() { closed <- r.Close(t.Context()) }()
	<-m.entered
	r.Opened(Impression{}, shownTo("u", "new"))
	close(m.gate)
	if err := <-closed; err == nil {
		t.Fatal("it was stored")
	}
	if want := shownTo("u", "new").bytes(); r.pending.bytes != want {
		t.Errorf("%d bytes are counted, want %d", r.pending.bytes, want)
	}
}

func TestCloseReportsTheStoresError(t *testing.T) {
	m := &memory{err: errors.New("disk on fire")}
	r := newRecorder(m)
	r.Clicked(Click{})
	if err := r.Close(t.Context()); !errors.Is(err, m.err) {
		t.Errorf("got %v", err)
	}
}

package engagement

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"platen/internal/event"
)

const (
	// flushDelay is how long a row waits at most for others to be written with.
	flushDelay = 200 * time.Millisecond
	// retryDelay is how long a recorder waits after the store refused a batch.
	retryDelay = 5 * time.Second
	// batchRows is how many rows of each kind one transaction holds, which keeps
	// the store free for events in between.
	batchRows = 2000
	// maxRows is how many rows of each kind wait at most, about half a minute of
	// 1,000 opens a second. More are dropped, told in the log.
	maxRows = 32_768
	// maxBytes is how much the texts of all waiting rows take at most.
	maxBytes = 64 << 20
)

// Store keeps what is recorded.
type Store interface {
	// Record writes a batch in one transaction. Of what was shown under one key
	// the latest stays.
	Record(ctx context.Context, b Batch) error
	// Shown gives what a person was last shown by a block under the same
	// parameters; ok is false when nothing was.
	Shown(ctx context.Context, block, person, params string) (shown Shown, ok bool, err error)
}

// Recorder gathers impressions, clicks and what was shown in memory and writes
// them in batches. It is safe for concurrent use, and what was recorded can be
// read at once.
type Recorder struct {
	store Store
	ids   *event.IDs
	now   func() time.Time
	log   *slog.Logger
	wake  chan struct{} // something waits
	full  chan struct{} // a whole batch waits

	flushing sync.Mutex // one flush at a time

	mu      sync.Mutex // guards all below
	pending rows
	writing rows // taken from pending, not known to be stored yet
	dropped int
}

// rows are what waits to be written.
type rows struct {
	impressions []Impression
	clicks      []Click
	shown       map[shownKey]Shown
	bytes       int // of their texts
}

// room says whether a row of a kind of which count wait may wait as well, and counts
// its bytes if so.
func (r *rows) room(count, bytes int) bool {
	if count >= maxRows || r.bytes+bytes > maxBytes {
		return false
	}
	r.bytes += bytes
	return true
}

type shownKey struct{ block, person, params string }

func (s *Shown) key() shownKey { return shownKey{s.Block, s.Person, s.Params} }

// NewRecorder makes a recorder; Run must be called for it to write.
func NewRecorder(store Store, ids *event.IDs, now func() time.Time, log *slog.Logger) *Recorder {
	return &Recorder{
		store: store, ids: ids, now: now, log: log,
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		pending: rows{shown: map[shownKey]Shown{}},
	}
}

// Opened records an answered image request and what it showed; shown is nil where
// that says nothing about the person.
func (r *Recorder) Opened(i Impression, shown *Shown) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i.ID, i.At = r.ids.Next(), r.now()
	if r.pending.room(len(r.pending.impressions), i.bytes()) {
		r.pending.impressions = append(r.pending.impressions, i)
	} else {
		r.dropped++
	}
	if shown != nil {
		r.remember(*shown, i.At)
	}
	r.tell()
}

// remember keeps what was shown in the place of what was shown before.
func (r *Recorder) remember(s Shown, at time.Time) {
	s.At = at
	if before, known := r.pending.shown[s.key()]; known {
		delete(r.pending.shown, s.key())
		r.pending.bytes -= before.bytes()
	}
	if r.pending.room(len(r.pending.shown), s.bytes()) {
		r.pending.shown[s.key()] = s
	} else {
		r.dropped++
	}
}

// Clicked records a followed link.
func (r *Recorder) Clicked(c Click) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.ID, c.At = r.ids.Next(), r.now()
	if r.pending.room(len(r.pending.clicks), c.bytes()) {
		r.pending.clicks = append(r.pending.clicks, c)
	} else {
		r.dropped++
	}
	r.tell()
}

// Shown gives what a person was last shown by a block under the same parameters,
// stored or not; ok is false when nothing was.
func (r *Recorder) Shown(ctx context.Context, block, person, params string) (shown Shown, ok bool, err error) {
	key := shownKey{block, person, params}
	r.mu.Lock()
	shown, ok = r.pending.shown[key]
	if !ok {
		shown, ok = r.writing.shown[key]
	}
	r.mu.Unlock()
	if ok {
		return shown, true, nil
	}
	return r.store.Shown(ctx, block, person, params)
}

// tell wakes Run. It is called with mu held.
func (r *Recorder) tell() {
	signal(r.wake)
	if len(r.pending.impressions) >= batchRows || len(r.pending.clicks) >= batchRows {
		signal(r.full)
	}
}

// signal never blocks; a signal that was not taken yet stands for both.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run writes what is recorded, at the latest flushDelay after it was, until ctx
// ends. What still waits then is left to Close.
func (r *Recorder) Run(ctx context.Context) {
	for {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		select {
		case <-r.full:
		case <-time.After(flushDelay):
		case <-ctx.Done():
			return
		}
		err := r.flush(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.log.Error("opens and clicks could not be stored; they are kept and tried again", "error", err)
		select {
		case <-time.After(retryDelay):
			signal(r.wake)
		case <-ctx.Done():
			return
		}
	}
}

// Close writes what still waits. Nothing may be recorded afterwards.
func (r *Recorder) Close(ctx context.Context) error { return r.flush(ctx) }

// flush writes batches until nothing waits or the store fails.
func (r *Recorder) flush(ctx context.Context) error {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	for {
		batch := r.take()
		if len(batch.Impressions)+len(batch.Clicks)+len(batch.Shown) == 0 {
			return nil
		}
		err := r.store.Record(ctx, batch)
		r.settle(err == nil)
		if err != nil {
			return err
		}
	}
}

// take moves rows for one batch from pending to writing.
func (r *Recorder) take() Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped > 0 {
		r.log.Warn("opens and clicks were dropped: the store did not keep up", "rows", r.dropped)
		r.dropped = 0
	}
	r.writing = rows{shown: map[shownKey]Shown{}}
	r.writing.impressions, r.pending.impressions = split(r.pending.impressions)
	r.writing.clicks, r.pending.clicks = split(r.pending.clicks)
	batch := Batch{Impressions: r.writing.impressions, Clicks: r.writing.clicks}
	for key, shown := range r.pending.shown {
		if len(batch.Shown) == batchRows {
			break
		}
		batch.Shown = append(batch.Shown, shown)
		r.writing.shown[key] = shown
		delete(r.pending.shown, key)
	}
	r.writing.bytes = batch.bytes()
	r.pending.bytes -= r.writing.bytes
	return batch
}

// split divides off at most batchRows. Nothing is written to either part but by
// appending to the second.
func split[T any](list []T) (taken, left []T) {
	n := min(len(list), batchRows)
	if n == len(list) {
		return list, nil
	}
	return list[:n:n], list[n:]
}

// settle forgets what was written, or puts it back where it was.
func (r *Recorder) settle(stored bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !stored {
		r.pending.impressions = append(r.writing.impressions, r.pending.impressions...)
		r.pending.clicks = append(r.writing.clicks, r.pending.clicks...)
		r.pending.bytes += r.writing.bytes
		for key, shown := range r.writing.shown {
			if _, newer := r.pending.shown[key]; newer {
				r.pending.bytes -= shown.bytes()
			} else {
				r.pending.shown[key] = shown
			}
		}
	}
	r.writing = rows{}
}

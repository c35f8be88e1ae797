package asset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"platen/internal/document"
	"platen/internal/outbound"
)

const (
	// batchSize is how many photos a step fetches, and atOnce how many of these at a
	// time. Of one workspace, and of one host of it, it fetches fewer, as each may
	// take fetchWithin.
	batchSize    = 64
	perWorkspace = 16
	perHost      = 8
	atOnce       = 8

	// maxSpared is how many photos of silent hosts a step settles without fetching
	// them. Each costs a write.
	maxSpared = 512

	// lookAhead is how many photos at the head of the queue a step chooses from: so
	// many can a workspace queue before those behind them wait for it.
	lookAhead = 4096

	// pollEvery is how long a photo waits at most that nothing woke the fetcher
	// for: one to be tried again, or left from before a restart.
	pollEvery = 15 * time.Second
)

// pauses are the times between the attempts on one photo; after the last attempt
// it is given up.
var pauses = []time.Duration{30 * time.Second, 5 * time.Minute}

// Store keeps photos.
type Store interface {
	// QueuedPhotos gives photos that wait to be fetched by now, those that wait
	// longest first, at most limit.
	QueuedPhotos(ctx context.Context, now time.Time, limit int) ([]Photo, error)
	// SavePhoto keeps what became of fetching a photo.
	SavePhoto(ctx context.Context, p Photo) error
}

// Fetcher fetches the photos that events brought up. Wake may be called from any
// goroutine, the rest from one.
type Fetcher struct {
	store    Store
	registry *document.Registry
	client   *outbound.Client
	now      func() time.Time
	log      *slog.Logger
	wake     chan struct{}
	silent   *silence

	// decoding is held while a photo is in memory in full, which may take 400 MB: 40
	// million pixels, once as they lie in the file and once turned upright or put
	// together, and what scaling takes.
	decoding sync.Mutex
}

// NewFetcher makes a fetcher. It fetches through client under the egress policy
// of each photo's workspace.
func NewFetcher(store Store, registry *document.Registry, client *outbound.Client, now func() time.Time, log *slog.Logger) *Fetcher {
	return &Fetcher{
		store: store, registry: registry, client: client, now: now, log: log,
		wake: make(chan struct{}, 1), silent: newSilence(),
	}
}

// Wake tells Run that there are photos. It never blocks.
func (f *Fetcher) Wake() {
	select {
	case f.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run fetches photos until ctx ends.
func (f *Fetcher) Run(ctx context.Context) {
	for {
		worked, err := f.Step(ctx, f.now())
		if err != nil && ctx.Err() == nil {
			f.log.Error("photos could not be fetched; they stay queued", "error", err)
		}
		if worked && err == nil {
			continue
		}
		select {
		case <-f.wake:
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return
		}
	}
}

// Step fetches some photos and says whether there were any. Photos that cannot be
// fetched are no error; those under way when ctx ends stay queued.
func (f *Fetcher) Step(ctx context.Context, now time.Time) (worked bool, err error) {
	queued, err := f.store.QueuedPhotos(ctx, now, lookAhead)
	if err != nil || len(queued) == 0 {
		return false, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, p := range f.take(queued, now) {
		group.Go(func() error { return f.process(ctx, p, now) })
	}
	return true, group.Wait()
}

// take chooses the photos of a step from those queued. Those of silent hosts are
// counted apart, as they are not fetched.
func (f *Fetcher) take(queued []Photo, now time.Time) []Photo {
	var taken []Photo
	workspaces, hosts := map[int64]int{}, map[host]int{}
	fetched, spared := 0, 0
	for _, p := range queued {
		h := hostOf(p)
		switch {
		case f.silent.holds(h, now):
			if spared == maxSpared {
				continue
			}
			spared++
		case fetched == batchSize, workspaces[p.Workspace] == perWorkspace, hosts[h] == perHost:
			continue
		default:
			fetched++
			workspaces[p.Workspace]++
			hosts[h]++
		}
		taken = append(taken, p)
	}
	return taken
}

// process fetches one photo and stores what became of it.
func (f *Fetcher) process(ctx context.Context, p Photo, now time.Time) error {
	picture, err := f.fetch(ctx, p, now)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return f.store.SavePhoto(ctx, settle(p, picture, err, now))
}

// settle decides what becomes of a photo after an attempt.
func settle(p Photo, picture []byte, err error, now time.Time) Photo {
	p.Attempts++
	p.Next = time.Time{}
	if err == nil {
		p.State, p.Picture, p.Error, p.Fetched = Ready, picture, "", now
		return p
	}
	p.Error = message(err)
	if attempt := p.Attempts - 1; !isFinal(err) && attempt < len(pauses) {
		p.State, p.Next = Queued, now.Add(pauses[attempt])
		return p
	}
	p.State, p.Fetched = Failed, now
	return p
}

// message is what people are told about a failure.
func message(err error) string {
	var (
		refused *refusal
		failed  *outbound.Error
	)
	switch {
	case errors.As(err, &refused):
		return refused.message
	case errors.As(err, &failed):
		return failed.Message
	}
	return "the photo could not be fetched"
}

// isFinal says whether another attempt would fail as well.
func isFinal(err error) bool {
	if refused := new(refusal); errors.As(err, &refused) {
		return !refused.passing
	}
	switch outbound.KindOf(err) {
	case outbound.BadURL, outbound.BadRequest, outbound.Denied:
		return true
	}
	return false
}

// refusal is a reply that is no photo that can be used.
type refusal struct {
	message string // for people
	passing bool   // another attempt may fare better
	cause   error
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return fmt.Sprintf("%s: %v", r.message, r.cause)
	}
	return r.message
}

func (r *refusal) Unwrap() error { return r.cause }

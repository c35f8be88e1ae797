package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"platen/internal/ingest"
)

// A worker that failed starts again after a rest, which doubles as long as it fails.
const (
	firstRest   = time.Second
	longestRest = time.Minute
)

// startWorkers runs what works in the background. Each wakes the next.
func (s *Server) startWorkers(ctx context.Context, running *sync.WaitGroup) {
	s.Writer.OnCommit(func(c ingest.Committed) {
		if c.Hits > 0 {
			s.planner.Wake()
		}
		if c.Photos > 0 {
			s.photos.Wake()
		}
		if c.Stale {
			s.repair.Wake()
		}
	})
	for name, run := range map[string]func(context.Context) error{
		"repair": s.repair.Run, "planner": s.planner.Run, "delivery": s.Delivery.Run, "forget": s.forget,
	} {
		running.Go(func() { s.keep(ctx, name, run) })
	}
	running.Go(func() { s.photos.Run(ctx) })
	running.Go(func() { s.recorder.Run(ctx) })
}

// keep runs a worker until ctx ends. Only a store that can keep nothing more ends
// the server: one row that cannot be read must not stop all the rest, again after
// every start.
func (s *Server) keep(ctx context.Context, name string, run func(context.Context) error) {
	for rest := firstRest; ctx.Err() == nil; rest = min(2*rest, longestRest) {
		began := time.Now()
		err := run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if broken := new(ingest.DurabilityError); errors.As(err, &broken) {
			s.fail(err)
			return
		}
		if time.Since(began) > longestRest {
			rest = firstRest
		}
		s.log.Error("a worker failed; what it was to do stays queued, and it starts again", "worker", name, "in", rest, "error", err)
		s.resting.add(name)
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
		s.resting.remove(name)
	}
}

// names is a set of names, for use by many goroutines.
type names struct {
	mu   sync.Mutex
	list []string // sorted
}

func (n *names) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, name)
	slices.Sort(n.list)
}

func (n *names) remove(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(other string) bool { return other == name })
}

func (n *names) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// fail stops the server because its store failed; only the first reason counts.
// What was accepted is queued, and goes on when the server is started again.
func (s *Server) fail(err error) {
	select {
	case s.broken <- err:
	default:
	}
}

// forget drops ids that were seen more than a day ago.
func (s *Server) forget(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for worked := true; worked && ctx.Err() == nil; {
			var err error
			if worked, err = s.Store.ForgetSeen(s.config.Now()); err != nil {
				return err
			}
		}
	}
}

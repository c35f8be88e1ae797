package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/ingest"
)

// failing is a worker that fails so many times, and notes when it began.
type failing struct {
	errs  []error
	began []time.Duration
}

func (f *failing) run(start time.Time) func(context.Context) error {
	return func(ctx context.Context) error {
		f.began = append(f.began, time.Since(start))
		if n := len(f.began); n <= len(f.errs) {
			return f.errs[n-1]
		}
		<-ctx.Done()
		return nil
	}
}

func TestAWorkerThatFailsStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{}
		s := &Server{log: slog.New(slog.NewTextHandler(l, nil)), broken: make(chan error, 1)}
		w := &failing{errs: slices.Repeat([]error{errors.New("row 7 cannot be read")}, 8)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.keep(ctx, "planner", w.run(time.Now()))
		}()
		synctest.Wait()
		if resting := s.resting.all(); !slices.Equal(resting, []string{"planner"}) {
			t.Errorf("after the first failure rest %q", resting)
		}
		time.Sleep(time.Hour) // on the clock of the bubble
		if resting := s.resting.all(); len(resting) > 0 {
			t.Errorf("after the last failure rest %q", resting)
		}
		stop()
		<-ended
		if got, want := fmt.Sprint(w.began), "[0s 1s 3s 7s 15s 31s 1m3s 2m3s 3m3s]"; got != want {
			t.Errorf("it began at %s, want %s", got, want)
		}
		if n := strings.Count(l.String(), "row 7 cannot be read"); n != len(w.errs) || len(s.broken) > 0 {
			t.Errorf("%d failures logged; the server ends: %v\n%s", n, len(s.broken) > 0, l)
		}
	})
}

func TestAWorkerThatRestsEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{log: slog.New(slog.DiscardHandler), broken: make(chan error, 1)}
		ctx, stop := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(firstRest/2, stop)
		w := &failing{errs: []error{errors.New("no"), errors.New("no")}}
		s.keep(ctx, "planner", w.run(start))
		if time.Since(start) != firstRest/2 || len(w.began) != 1 {
			t.Errorf("it ended after %s and began at %v", time.Since(start), w.began)
		}
	})
}

func TestAStoreThatKeepsNothingMoreEndsTheServer(t *testing.T) {
	broken := fmt.Errorf("plan: %w", &ingest.DurabilityError{Err: errors.New("fsync failed")})
	s := &Server{log: slog.New(slog.DiscardHandler), broken: make(chan error, 1)}
	w := &failing{errs: []error{broken}}
	s.keep(t.Context(), "planner", w.run(time.Now()))
	select {
	case err := <-s.broken:
		if err != broken {
			t.Errorf("the server ends with %v", err)
		}
	default:
		t.Error("the server goes on")
	}
}

package delivery

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/outbound"
)

// takes is a receiver that answers after a while, or when it is given up.
func takes(d time.Duration, status int) func(context.Context, outbound.Request) (*outbound.Response, error) {
	return func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
		select {
		case <-time.After(d):
			return answers(status, "")(ctx, r)
		case <-ctx.Done():
			return nil, &outbound.Error{Kind: outbound.Canceled, Message: "given up"}
		}
	}
}

// bubble is a world on the clock of a synctest bubble.
func bubble(t *testing.T) *world {
	w := newWorld(t)
	w.clock = time.Now
	return w
}

// started runs a sender. The returned function closes it and checks that it
// ended well.
func started(t *testing.T, w *world, change ...func(*Options)) (s *Sender, stop func()) {
	s = w.sender(change...)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.WithoutCancel(t.Context())) }()
	synctest.Wait()
	return s, func() {
		t.Helper()
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// stored waits until results that are there by now are stored.
func stored() {
	time.Sleep(linger)
	synctest.Wait()
}

// queueMany adds deliveries of one campaign.
func (w *world) queueMany(from event.ID, n int, campaignID string) {
	for i := range n {
		w.queue(from+event.ID(i), campaignID)
	}
}

func hosts(w *world, names ...string) {
	for _, name := range names {
		w.define(name, campaign.Webhook{URL: "https://" + name + ".example/"})
	}
}

func TestRunDeliversWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s, stop := started(t, w)
		w.queueMany(1, 2*batch+7, "c")
		s.Wake()
		time.Sleep(pollEvery / 2) // what has no room at first goes back to the store
		if n := w.count(campaign.Delivered); n != 2*batch+7 {
			t.Errorf("%d delivered", n)
		}
		stop()
		if len(w.requests()) != 2*batch+7 || w.saves != 2*batch+7 {
			t.Errorf("%d requests, %d renders", len(w.requests()), w.saves)
		}
	})
}

func TestRunFindsRetriesByTheClockAndRestsOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = answers(500, "")
		w.queueMany(1, 1, "c")
		_, stop := started(t, w)
		stored()
		w.mu.Lock()
		w.receive = answers(200, "")
		leases := w.leases
		wait := time.Until(w.rows[1].next)
		w.mu.Unlock()
		if leases != 1 || wait < 30*time.Second {
			t.Fatalf("%d leases, the retry waits %v", leases, wait)
		}
		time.Sleep(wait - time.Millisecond)
		if w.leasesMade() != leases {
			t.Error("it leased while nothing was due")
		}
		time.Sleep(pollEvery + time.Millisecond)
		stored()
		if w.delivery(1).State != campaign.Delivered {
			t.Errorf("%+v", w.delivery(1))
		}
		stop()
	})
}

// TestCloseEndsWhatIsInFlight closes while attempts run and others wait.
func TestCloseEndsWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(10*time.Second, 200)
		w.queueMany(1, 20, "c")
		_, stop := started(t, w, func(o *Options) { o.PerHost = 3 })
		begun := time.Now()
		stop()
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("Close took %v", took)
		}
		if sent, left := w.count(campaign.Delivered), w.count(campaign.Queued); sent != 3 || left != 17 || w.leased() != 0 {
			t.Errorf("%d delivered, %d queued, %d leased", sent, left, w.leased())
		}
		for id := event.ID(1); id <= 20; id++ {
			if d := w.delivery(id); d.Request == nil {
				t.Errorf("what was rendered for %s is lost", id)
			}
		}
		w.step(w.sender(), time.Now())
		if n := w.count(campaign.Delivered); n != 20 {
			t.Errorf("%d delivered after the restart", n)
		}
	})
}

func TestCloseBeforeRun(t *testing.T) {
	s := newWorld(t).sender()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(time.Hour, 200)
		w.queueMany(1, 3, "c")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.sender().Run(ctx); err != nil {
			t.Error(err)
		}
		if w.count(campaign.Queued) != 3 || w.leased() != 0 || len(w.attempts) != 0 {
			t.Errorf("%d queued, %d leased, %d attempts", w.count(campaign.Queued), w.leased(), len(w.attempts))
		}
	})
}

// TestRunStartsAgain runs the same sender after a failure of the store.
func TestRunStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.crashAt = 5
		w.queueMany(1, 10, "c")
		s := w.sender()
		if err := s.Run(t.Context()); !errors.Is(err, errCrash) {
			t.Fatalf("Run ended with %v", err)
		}
		w.restart()
		ended := make(chan error, 1)
		go func() { ended <- s.Run(context.WithoutCancel(t.Context())) }()
		stored()
		if n := w.count(campaign.Delivered); n != 10 {
			t.Errorf("%d of 10 delivered", n)
		}
		if err := errors.Join(s.Close(t.Context()), <-ended); err != nil {
			t.Error(err)
		}
	})
}

func TestRunEndsWhenTheStoreFails(t *testing.T) {
	for crashAt := 1; crashAt <= 11; crashAt++ {
		synctest.Test(t, func(t *testing.T) {
			w := bubble(t)
			w.crashAt = crashAt
			w.queueMany(1, 1, "c")
			if err := w.sender().Run(t.Context()); !errors.Is(err, errCrash) {
				t.Errorf("failure %d: Run ended with %v", crashAt, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.fail = errors.New("the disk is full")
		w.receive = takes(time.Second, 200)
		w.queueMany(1, 3*batch, "c")
		if err := w.sender().Run(t.Context()); !errors.Is(err, w.fail) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
		stored()
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

// TestDeadHostDoesNotHoldUpOthers has more due for a host that never answers
// than all slots and all room for waiting.
func TestDeadHostDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		hosts(w, "dead", "b", "c")
		w.receive = func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
			if hostOf(r) == "dead.example" {
				<-ctx.Done()
				return nil, &outbound.Error{Kind: outbound.Canceled, Message: "given up"}
			}
			return takes(time.Millisecond, 200)(ctx, r)
		}
		w.queueMany(1, 3*maxQueue, "dead")
		w.queueMany(100_000, 300, "b")
		w.queueMany(200_000, 300, "c")
		s, _ := started(t, w)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n := w.count(campaign.Delivered); n != 600 {
			t.Errorf("%d of 600 were delivered beside the dead host", n)
		}
		if n := w.leased(); n > maxQueue+DefaultPerHost {
			t.Errorf("%d deliveries are held for one dead host", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		if w.leased() != 0 || len(w.attempts) != 600 {
			t.Errorf("%d leases were kept, %d attempts stored", w.leased(), len(w.attempts))
		}
	})
}

// TestHostsKnownOnlyAfterRendering has the host in Liquid, so that its rows
// cannot be passed over before they were rendered once.
func TestHostsKnownOnlyAfterRendering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.define("dead", campaign.Webhook{URL: "https://{{'dead'}}.example/"})
		hosts(w, "b")
		w.receive = func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
			if hostOf(r) == "dead.example" {
				return takes(time.Hour, 200)(ctx, r)
			}
			return answers(200, "")(ctx, r)
		}
		const dead = 3*maxQueue + 11
		w.queueMany(1, dead, "dead")
		w.queueMany(100_000, 10, "b")
		s, _ := started(t, w)
		time.Sleep(time.Second)
		if n := w.count(campaign.Delivered); n != 10 {
			t.Errorf("%d of 10 were delivered", n)
		}
		if w.saves != dead+10 {
			t.Errorf("%d renders of %d deliveries", w.saves, dead+10)
		}
		if n := w.leased(); n > maxQueue+DefaultPerHost {
			t.Errorf("%d deliveries are held", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.Close(ctx)
		if w.leased() != 0 {
			t.Errorf("%d leases were kept", w.leased())
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		hosts(w, "a", "b", "c")
		var mu sync.Mutex
		running, most := map[string]int{}, map[string]int{}
		add := func(host string, n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, key := range []string{host, "all"} {
				running[key] += n
				most[key] = max(most[key], running[key])
			}
		}
		w.receive = func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
			add(hostOf(r), 1)
			defer add(hostOf(r), -1)
			return takes(time.Second, 200)(ctx, r)
		}
		for i, name := range []string{"a", "b", "c"} {
			w.queueMany(event.ID(1000*i+1), 40, name)
		}
		begun := time.Now()
		s, stop := started(t, w, func(o *Options) { o.PerHost, o.Total = 4, 10 })
		for w.count(campaign.Delivered) < 120 {
			s.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		// 120 messages, 10 at a time, but at the end fewer hosts have any left.
		if took := time.Since(begun); took > 14*time.Second {
			t.Errorf("it took %v", took)
		}
		stop()
		if most["a.example"] != 4 || most["b.example"] != 4 || most["c.example"] != 4 || most["all"] != 10 {
			t.Errorf("at most %v ran at a time", most)
		}
	})
}

// TestCloseEndsWhatIsInFlight closes while attempts run and others wait.
func TestCloseEndsWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(10*time.Second, 200)
		w.queueMany(1, 20, "c")
		_, stop := started(t, w, func(o *Options) { o.PerHost = 5 })
		begun := time.Now()
		stop()
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("Close took %v", took)
		}
		if sent, left := w.count(campaign.Delivered), w.count(campaign.Queued); sent != 5 || left != 15 || w.leased() != 0 {
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

func TestRunEndsWhenTheStoreFails(t *testing.T) {
	for crashAt := 1; crashAt <= 7; crashAt++ {
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

// TestWaitingLongerThanTheLease queues more for a slow host than it takes while a
// lease lasts: whatever would be sent on a lease that is nearly over is leased
// anew, and nothing is sent twice.
func TestWaitingLongerThanTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(time.Minute, 200)
		const n = 40
		w.queueMany(1, n, "c")
		_, stop := started(t, w, func(o *Options) { o.PerHost = 1 })
		time.Sleep((n + 10) * time.Minute)
		if sent := len(w.requests()); sent != n || w.count(campaign.Delivered) != n {
			t.Errorf("%d requests, %d of %d delivered", sent, w.count(campaign.Delivered), n)
		}
		stop()
	})
}

// TestLeaseRunsOutWhileWaiting has one slot for four hosts. The second message of
// a is leased at once, waits behind a, b and c, and is leased again meanwhile: it
// is sent once all the same.
func TestLeaseRunsOutWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(80*time.Second, 200)
		hosts(w, "x", "a", "b", "c")
		w.queueMany(1, 1, "x")
		w.queueMany(2, 2, "a")
		s, stop := started(t, w, func(o *Options) { o.PerHost, o.Total = 1, 1 })
		time.Sleep(150 * time.Second)
		w.queueMany(4, 1, "b")
		w.queueMany(5, 1, "c")
		s.Wake()
		time.Sleep(95 * time.Second)
		if n := w.leasesMade(); n != 3 {
			t.Errorf("it was leased %d times, not again", n)
		}
		time.Sleep(10 * time.Minute)
		if sent := len(w.requests()); sent != 5 || w.count(campaign.Delivered) != 5 {
			t.Errorf("%d requests, %d of 5 delivered", sent, w.count(campaign.Delivered))
		}
		stop()
	})
}

// TestWhatIsGivenBackIsTakenAgain has a store that gives out what it got back
// before it has said so.
func TestWhatIsGivenBackIsTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.receive = takes(time.Minute, 200)
		w.syncing = 3 * time.Second
		w.queueMany(1, 10, "c")
		_, stop := started(t, w, func(o *Options) { o.PerHost = 1 })
		time.Sleep(11 * time.Minute)
		if n := w.count(campaign.Delivered); n != 10 {
			t.Errorf("%d of 10 delivered", n)
		}
		stop()
	})
}

func TestExpiredLeaseIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	s := w.sender()
	for _, test := range []struct {
		left        time.Duration
		held, tried bool
	}{
		{-time.Second, false, false},
		{0, false, false},
		{s.hold() - 1, true, false},
		{s.hold(), true, true},
	} {
		t.Run(fmt.Sprint(test.left), func(t *testing.T) {
			d := campaign.Delivery{ID: 1, Campaign: "c", State: campaign.Queued, Request: &campaign.Request{URL: "https://a.example/"}}
			result, held := s.try(t.Context(), job{d, noon.Add(test.left)})
			if held != test.held || (result.Attempt != nil) != test.tried {
				t.Errorf("held %v, result %+v", held, result)
			}
		})
	}
}

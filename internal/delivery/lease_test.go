package delivery

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/campaign"
)

// TestClockJumpsDuringAnAttempt has a lease run out at once, as when the machine
// was asleep: the delivery is leased again, and is not sent twice.
func TestClockJumpsDuringAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		w := newWorld(t)
		w.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		w.receive = takes(time.Minute, 200)
		w.queueMany(1, 3, "c")
		s, stop := started(t, w, func(o *Options) { o.PerHost = 2 })
		ahead.Store(int64(10 * time.Minute))
		s.Wake()
		synctest.Wait()
		if leases, sent := w.leasesMade(), len(w.requests()); leases != 2 || sent != 2 {
			t.Fatalf("it was leased %d times and sent %d times", leases, sent)
		}
		time.Sleep(2*time.Minute + linger)
		stop()
		if sent := len(w.requests()); sent != 3 || w.count(campaign.Delivered) != 3 || len(w.attempts) != 3 {
			t.Errorf("%d requests, %d of 3 delivered, %d attempts", sent, w.count(campaign.Delivered), len(w.attempts))
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
			result := s.try(t.Context(), &d, test.left)
			if held := result != nil; held != test.held || held && (result.Attempt != nil) != test.tried {
				t.Errorf("result %+v", result)
			}
		})
	}
}

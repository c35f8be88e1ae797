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

// mostHeld is how many deliveries are held at a time for one silent host: what
// waits, what is tried, and what was being stored meanwhile.
const mostHeld = (full+1)*unproven + 2*batch

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
		w.queueMany(1, 3*batch, "dead")
		w.queueMany(100_000, 300, "b")
		w.queueMany(200_000, 300, "c")
		s, _ := started(t, w)
		time.Sleep(pollEvery / 2)
		if n := w.count(campaign.Delivered); n != 600 {
			t.Errorf("%d of 600 were delivered beside the dead host", n)
		}
		if n := w.leased(); n > mostHeld {
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
		const dead = 6*batch + 11
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
		if n := w.leased(); n > mostHeld {
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

// TestManySilentHostsDoNotHoldUpOthers has more due for hosts that never answer
// than all slots, and then one message for another host.
func TestManySilentHostsDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		hosts(w, "good")
		w.receive = func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
			if hostOf(r) == "good.example" {
				return answers(200, "")(ctx, r)
			}
			time.Sleep(DefaultTimeout)
			return refuses(outbound.Timeout, "did not answer in time")(ctx, r)
		}
		for i := range 16 {
			name := fmt.Sprint("silent", i)
			hosts(w, name)
			w.queueMany(event.ID(1000*(i+1)), 100, name)
		}
		s, stop := started(t, w)
		for id := range event.ID(4) {
			w.queueMany(id+1, 1, "good")
			s.Wake()
			stored()
			if d := w.delivery(id + 1); d.State != campaign.Delivered {
				t.Errorf("%v after the start the message for a healthy host is %s", time.Duration(id)*DefaultTimeout, d.State)
			}
			time.Sleep(DefaultTimeout)
		}
		stop()
	})
}

// TestSlowRenderingDoesNotHoldUpOthers has a campaign whose messages take longer to
// make than anything takes to send.
func TestSlowRenderingDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		hosts(w, "slow", "b")
		w.loading = func(id event.ID) {
			if id == slow {
				time.Sleep(time.Hour)
			}
		}
		w.queueMany(1, 300, "slow")
		for _, r := range w.rows {
			r.delivery.Profile = slow
		}
		w.queueMany(1000, 10, "b")
		_, stop := started(t, w)
		stored()
		if n := w.count(campaign.Delivered); n != 10 {
			t.Errorf("%d of 10 were delivered", n)
		}
		stop()
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
		s, stop := started(t, w, func(o *Options) { o.PerHost, o.Total = 4, 10*workspaceShare })
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

package personalize

import (
	"net/http"
	"sync"
	"time"

	"platen/internal/outbound"
)

// When a receiver is left alone, shared/spec/engage.md section 1.4. Its window
// slides; here one follows the other.
const (
	healthWindow = time.Minute
	sickFailures = 3000 // more than these in a window,
	sickPercent  = 90   // and more than this part of its calls
	haltedFor    = time.Minute
)

// maxReceivers is how many receivers are watched before those that were not called
// for a while are forgotten.
const maxReceivers = 4096

// receiver is a host as one workspace calls it.
type receiver struct {
	workspace int64
	host      string
}

// health counts what becomes of calls, so that a receiver that is down is not
// called on and on.
type health struct {
	mu     sync.Mutex
	pulses map[receiver]*pulse
}

// pulse is the present window of one receiver.
type pulse struct {
	ends            time.Time
	calls, failures int
	halted          bool // until it ends
}

func newHealth() *health { return &health{pulses: map[receiver]*pulse{}} }

// admits says whether a receiver may be called.
func (h *health) admits(r receiver, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pulses[r]
	return p == nil || !p.halted || !now.Before(p.ends)
}

// count adds a call that was made.
func (h *health) count(r receiver, sick bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pulses[r]
	if p == nil || !now.Before(p.ends) {
		h.forget(now)
		p = &pulse{ends: now.Add(healthWindow)}
		h.pulses[r] = p
	}
	p.calls++
	if sick {
		p.failures++
	}
	if !p.halted && p.failures > sickFailures && 100*p.failures > sickPercent*p.calls {
		p.halted, p.ends = true, now.Add(haltedFor)
	}
}

// forget drops the windows that are over, once there are many.
func (h *health) forget(now time.Time) {
	if len(h.pulses) < maxReceivers {
		return
	}
	for r, p := range h.pulses {
		if !now.Before(p.ends) {
			delete(h.pulses, r)
		}
	}
}

// isSick says whether a failure, nil for none, tells that the receiver is not
// well: it did not answer, or with one of the statuses of shared/spec/engage.md
// section 1.4.
func (f *failure) isSick() bool {
	if f == nil {
		return false
	}
	const overloaded = 529
	switch f.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, overloaded:
		return true
	}
	switch outbound.KindOf(f.cause) {
	case outbound.DNS, outbound.Connect, outbound.TLS, outbound.Timeout, outbound.Protocol:
		return true
	}
	return false
}

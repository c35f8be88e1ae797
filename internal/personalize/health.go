package personalize

import (
	"net/http"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

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

// silentInARow is how many calls in a row without a whole answer it takes to leave
// a receiver alone. The numbers above are not for these: each holds a message up
// for callTimeout, so a host that hangs would hardly ever fail so often in a window.
const silentInARow = 20

// maxReceivers is how many receivers are watched. Beyond these, those that are
// seldom called are forgotten.
const maxReceivers = 4096

// receiver is a host as one workspace calls it.
type receiver struct {
	workspace int64
	host      string
}

// health counts what becomes of calls, so that a receiver that is down is not
// called on and on.
type health struct {
	mu     sync.Mutex // for the pulses themselves
	pulses *otter.Cache[receiver, *pulse]
}

// pulse is how one receiver does. It is beating until there are too many failures;
// then it is halted, until a single call shows that the receiver is well again.
type pulse struct {
	ends            time.Time // of the present window
	calls, failures int       // in it
	silent          int       // calls since the last whole answer

	halted  bool
	probeAt time.Time // when the next call may be made, while it is halted
	probing bool      // that call was let through
}

func newHealth() *health {
	return &health{pulses: otter.Must(&otter.Options[receiver, *pulse]{
		MaximumSize: maxReceivers,
		Executor:    func(f func()) { f() }, // what there is to do is little
	})}
}

// admits says whether a receiver may be called. Of one that was left alone for long
// enough, the first who asks may; the others wait for what becomes of that call, or
// as long again when nothing does.
func (h *health) admits(r receiver, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.pulses.GetIfPresent(r)
	switch {
	case !known || !p.halted:
		return true
	case now.Before(p.probeAt):
		return false
	}
	p.probing, p.probeAt = true, now.Add(haltedFor)
	return true
}

// count adds a call that was made.
func (h *health) count(r receiver, c condition, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.pulses.GetIfPresent(r)
	if !known {
		p = &pulse{}
		h.pulses.Set(r, p)
	}
	if !p.halted {
		p.beat(c, now)
		return
	}
	// Calls that were under way when it was halted say nothing new; they have ended
	// long before there is a probe.
	if p.probing && c == well {
		*p = pulse{}
	}
}

// beat adds a call to a pulse that is not halted.
func (p *pulse) beat(c condition, now time.Time) {
	if !now.Before(p.ends) {
		p.ends, p.calls, p.failures = now.Add(healthWindow), 0, 0
	}
	p.calls++
	if c != well {
		p.failures++
	}
	p.silent++
	if c != silent {
		p.silent = 0
	}
	if p.silent >= silentInARow || p.failures > sickFailures && 100*p.failures > sickPercent*p.calls {
		p.halted, p.probeAt = true, now.Add(haltedFor)
	}
}

// condition is what a call tells about its receiver.
type condition int

const (
	well   condition = iota
	sick             // it answered with one of the statuses of shared/spec/engage.md section 1.4
	silent           // it gave no whole answer
)

// condition says what a failure, nil for none, tells about the receiver.
func (f *failure) condition() condition {
	if f == nil {
		return well
	}
	switch outbound.KindOf(f.cause) {
	case outbound.DNS, outbound.Connect, outbound.TLS, outbound.Timeout, outbound.Protocol:
		return silent
	}
	const overloaded = 529
	switch f.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, overloaded:
		return sick
	}
	return well
}

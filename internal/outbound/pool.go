package outbound

import (
	"net/http"
	"sync"
)

// transports keeps one HTTP transport per policy, so that a connection opened
// under one policy is never reused under another that would not allow it. Equal
// policies share theirs, whatever the order of their ranges.
type transports struct {
	max  int
	make func(Policy) *http.Transport

	mu    sync.Mutex
	byKey map[string]*pooled
	uses  uint64 // counts calls; orders the pooled transports by last use
}

type pooled struct {
	transport *http.Transport
	lastUse   uint64
}

func newTransports(limit int, build func(Policy) *http.Transport) *transports {
	return &transports{max: limit, make: build, byKey: map[string]*pooled{}}
}

// of is the transport for a policy. Past the limit the one unused for longest is
// let go: its idle connections close now, those in use when their request has
// ended and the idle time is over.
func (t *transports) of(policy Policy) *http.Transport {
	policy = policy.canonical()
	key := policy.key()

	t.mu.Lock()
	defer t.mu.Unlock()
	t.uses++
	if found, ok := t.byKey[key]; ok {
		found.lastUse = t.uses
		return found.transport
	}
	if len(t.byKey) >= t.max {
		t.dropOldest()
	}
	made := &pooled{transport: t.make(policy), lastUse: t.uses}
	t.byKey[key] = made
	return made.transport
}

// dropOldest runs under the lock. Looking through all is cheap: it happens only
// when a policy is new and there are few.
func (t *transports) dropOldest() {
	var oldestKey string
	var oldest *pooled
	for key, p := range t.byKey {
		if oldest == nil || p.lastUse < oldest.lastUse {
			oldestKey, oldest = key, p
		}
	}
	delete(t.byKey, oldestKey)
	oldest.transport.CloseIdleConnections()
}

func (t *transports) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.byKey {
		p.transport.CloseIdleConnections()
	}
}

package delivery

import (
	"sync"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
)

// held are the deliveries that a run has leased and is not done with, each with
// the end of its lease. When a lease runs out while its delivery waits or is being
// tried, as it does when the clock jumps, the store gives the delivery out again:
// without this it would be sent twice at a time.
type held struct {
	mu    sync.Mutex
	until map[event.ID]time.Time
}

// take notes leases and gives the deliveries that were not held before. Of the
// others the lease is renewed.
func (h *held) take(leased []campaign.Delivery, until time.Time) (fresh []campaign.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range leased {
		if _, known := h.until[d.ID]; !known {
			fresh = append(fresh, d)
		}
		h.until[d.ID] = until
	}
	return fresh
}

// left is how much of a lease is left. One that has run out is held no more.
func (h *held) left(id event.ID, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	left := h.until[id].Sub(now)
	if left <= 0 {
		delete(h.until, id)
	}
	return left
}

// drop ends the hold on some of the results' deliveries.
func (h *held) drop(results []result, which func(*result) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range results {
		if which(&results[i]) {
			delete(h.until, results[i].Delivery.ID)
		}
	}
}

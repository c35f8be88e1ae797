package campaign

import (
	"time"

	"platen/internal/event"
)

// Plan is what became of a hit: a delivery that is queued, or the row that says
// why nothing is sent.
type Plan struct {
	Hit      event.ID
	Delivery Delivery
}

// Queue names the deliveries that wait for one host of one workspace, so that a
// bad host holds up only its own.
type Queue struct {
	Workspace int64
	Host      string
}

// Result is what became of a leased delivery.
type Result struct {
	Delivery Delivery
	Attempt  *Attempt  // nil when nothing was tried
	Next     time.Time // when to try again, while the delivery is Queued
}

// AttemptsBefore is how many attempts the delivery had when it was leased.
func (r *Result) AttemptsBefore() int {
	if r.Attempt == nil {
		return r.Delivery.Attempts
	}
	return r.Attempt.Number - 1
}

// Activity is a delivery with its attempts, as the activity log shows it.
type Activity struct {
	Delivery
	Tries []Attempt
}

package delivery

import (
	"errors"
	"fmt"
	"runtime/debug"

	"platen/internal/campaign"
)

// errPanicked stands for a panic, which is in the log.
var errPanicked = errors.New("a delivery panicked")

// guarded calls f and makes a panic an error. One message on which the program
// fails must not end it, and again after every start.
func (s *Sender) guarded(d *campaign.Delivery, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a delivery panicked", "delivery", d.ID.String(), "campaign", d.Campaign,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	return f()
}

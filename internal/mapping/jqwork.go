package mapping

import (
	"context"
	"encoding/json"
	"math/big"
	"time"

	"platen/internal/fault"
)

// What gojq may do for one event. The bound is one of work and not of time, so
// that it depends on the event and the mappings alone: an event is not refused
// because the machine was busy. maxTime is the last resort behind it.
const (
	maxSteps = 1_000_000 // instructions of gojq, about 40 ns each
	maxTime  = 2 * time.Second
)

const errTooMuchWork = jqError("it takes more than 1,000,000 steps for this event")

var errOutOfTime = &fault.Error{Code: fault.Unavailable, Reason: "mapping_slow", RetryAfter: 5 * time.Second,
	Message: "the mappings of the source were not evaluated in time; send the event again"}

// work counts what gojq does. It is the context that gojq runs in: gojq asks for
// Done before each instruction.
type work struct {
	context.Context
	left  int       // steps
	until time.Time // when even the last resort ends
	look  int       // the clock is looked at when left falls below this
	err   error     // why the work is over
}

func newWork(steps int, until time.Time) *work {
	return &work{Context: context.Background(), left: steps, until: until, look: steps}
}

var over = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done counts one step.
func (w *work) Done() <-chan struct{} {
	if w.spend(1) != nil {
		return over
	}
	return nil
}

// Err is why the work is over, nil before.
func (w *work) Err() error { return w.err }

// spend takes steps off what is left. Once it has failed it always fails.
func (w *work) spend(steps int) error {
	const between = 1000 // looks at the clock
	w.left -= steps
	switch {
	case w.err != nil:
	case w.left < 0:
		w.err = errTooMuchWork
	case w.left < w.look:
		w.look = w.left - between
		if time.Now().After(w.until) {
			w.err = errOutOfTime
		}
	}
	return w.err
}

// bytesPerStep is how many bytes of text are read in about the time of a step.
const bytesPerStep = 16

// weight is how many steps it takes to read all of a value. Values share their
// parts, so that a small one may be endless to read: counting ends beyond most.
func weight(v any, most int) int {
	steps := 1
	switch v := v.(type) {
	case string:
		steps += len(v) / bytesPerStep
	case json.Number:
		steps += len(v) * len(v) / bytesPerStep // to read digits costs their square
	case *big.Int:
		steps += v.BitLen() * v.BitLen() / 64 / bytesPerStep
	case []any:
		for _, item := range v {
			if steps > most {
				break
			}
			steps += weight(item, most-steps)
		}
	case map[string]any:
		for name, value := range v {
			if steps > most {
				break
			}
			steps += len(name)/bytesPerStep + weight(value, most-steps)
		}
	}
	return steps
}

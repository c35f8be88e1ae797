package bench

import (
	"sync/atomic"
	"time"
)

// tally counts what became of the events of one load.
type tally struct {
	started           time.Time
	answered, refused atomic.Int64
	latencies         []histogram // of each sender
}

func newTally(senders int) *tally {
	return &tally{started: time.Now(), latencies: make([]histogram, senders)}
}

// add counts one event of a sender. Each sender does this from one goroutine.
func (t *tally) add(sender int, sent time.Time, accepted bool) {
	t.latencies[sender].record(time.Since(sent))
	if accepted {
		t.answered.Add(1)
	} else {
		t.refused.Add(1)
	}
}

// result sums up, once all senders have ended.
func (t *tally) result() LoadResult {
	all := &histogram{}
	for i := range t.latencies {
		all.add(&t.latencies[i])
	}
	return LoadResult{
		Answered: t.answered.Load(), Refused: t.refused.Load(), Seconds: time.Since(t.started).Seconds(),
		P50Millis: all.quantile(0.5), P99Millis: all.quantile(0.99),
	}
}

// histogram counts latencies in steps of a tenth of a millisecond up to 2 s.
type histogram struct{ steps [20_000]uint32 }

func (h *histogram) record(d time.Duration) {
	h.steps[min(int(d/(100*time.Microsecond)), len(h.steps)-1)]++
}

func (h *histogram) add(o *histogram) {
	for i, n := range o.steps {
		h.steps[i] += n
	}
}

// quantile is in milliseconds.
func (h *histogram) quantile(q float64) float64 {
	var total, below uint64
	for _, n := range h.steps {
		total += uint64(n)
	}
	for i, n := range h.steps {
		if below += uint64(n); below > 0 && float64(below) >= q*float64(total) {
			return float64(i+1) / 10
		}
	}
	return 0
}

package content

import (
	"slices"
	"sync"
	"time"
)

// watch measures the stages of making a picture. Another goroutine may look at it
// meanwhile.
type watch struct {
	now func() time.Time

	mu      sync.Mutex
	stages  []Stage
	stage   string
	started time.Time
}

// Stage is how long a part of the work took.
type Stage struct {
	Name         string  `json:"name"`
	Milliseconds float64 `json:"ms"`
}

func newWatch(now func() time.Time) *watch {
	return &watch{now: now, stage: "waiting for its turn", started: now()}
}

// begin ends the stage before.
func (w *watch) begin(stage string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.stages = append(w.stages, Stage{w.stage, float64(now.Sub(w.started)) / float64(time.Millisecond)})
	w.stage, w.started = stage, now
}

// current is the stage that is going on.
func (w *watch) current() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stage
}

// finish ends the last stage and gives all.
func (w *watch) finish() []Stage {
	w.begin("")
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.stages)
}

package bench

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"platen/internal/fault"
)

func TestNumbersWithNothingToMeasure(t *testing.T) {
	good := Ingest{Rounds: 1, Connections: 1, Profiles: 1, Duration: time.Second}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for flag, change := range map[string]func(*Ingest){
		"--rounds":      func(b *Ingest) { b.Rounds = 0 },
		"--connections": func(b *Ingest) { b.Connections = -1 },
		"--profiles":    func(b *Ingest) { b.Profiles = 0 },
		"--duration":    func(b *Ingest) { b.Duration = 0 },
	} {
		b := good
		change(&b)
		if _, err := b.Run(t.Context()); fault.ReasonOf(err) != "bad_number" || !strings.HasPrefix(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestFillEndsWhenNothingIsStored(t *testing.T) {
	// Without connections every pass ends without an event, as if all were refused.
	rig, err := newRig(t.Context(), Ingest{Data: t.TempDir(), Stored: 1, Profiles: 1, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer rig.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := rig.fill(ctx); err == nil || !strings.HasPrefix(err.Error(), "no event was stored") {
		t.Errorf("fill ended with %v", err)
	}
}

func TestATallyIsSummedUpOverItsSenders(t *testing.T) {
	count := newTally(2)
	count.add(0, time.Now(), true)
	count.add(1, time.Now(), true)
	count.add(1, time.Now().Add(-time.Second), false)
	if r := count.result(); r.Answered != 2 || r.Refused != 1 || r.P50Millis >= r.P99Millis || r.P99Millis < 1000 {
		t.Errorf("%+v", r)
	}
}

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

func TestARatioIsTakenRoundByRound(t *testing.T) {
	var whole, bare Part
	for _, r := range [][2]int64{{40, 100}, {10, 20}, {30, 100}} {
		whole.add(LoadResult{Answered: r[0], Seconds: 1}, 0)
		bare.add(LoadResult{Answered: r[1], Seconds: 1}, 0)
	}
	if got := whole.over(bare); got != 0.4 {
		t.Errorf("%v", got)
	}
}

// A part begins with a copy of the filled store, which stays as it was filled.
func TestPartsLeaveTheFilledStoreAsItIs(t *testing.T) {
	b := Ingest{Data: t.TempDir(), Stored: 50, Rounds: 1, Connections: 4, Profiles: 10, Duration: 30 * time.Millisecond, Progress: io.Discard}
	for range 2 {
		if stored, err := b.fill(t.Context()); err != nil || stored != 50 {
			t.Fatalf("%d events are stored: %v", stored, err)
		}
		err := b.onFilled(t.Context(), func(r *rig) error {
			n, err := r.count(t.Context())
			if n < 50 {
				t.Errorf("a part begins with %d events", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

package ingest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/event"
	"platen/internal/profile"
)

// shared makes an anonymous id whose history a late claim has divided: of the
// three events, the last belongs to u1 and those before to u2.
func (b *bench) shared(t *testing.T) {
	t.Helper()
	now := b.clock
	for _, ago := range []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour} {
		i := b.track(anonymous("a1"), "viewed", "")
		i.At, i.Event.At = now.Add(-ago).UnixMicro(), now.Add(-ago)
		b.accept(t, i)
	}
	b.accept(t, b.claim("a1", "u1", now.Add(-90*time.Minute)))
	b.accept(t, b.claim("a1", "u2", now.Add(-150*time.Minute)))
}

// views is how many events a user's summary counts.
func (b *bench) views(user string) int64 {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	ids := b.store.keys[profile.Key{Workspace: testWorkspace, Identifier: profile.Identifier{Kind: profile.UserID, Value: user}}]
	return b.store.part(ids[0]).Facts().Summary.Of("viewed").Total
}

func TestRepairDividesWhatALateClaimMoved(t *testing.T) {
	b := newBench().run(t)
	b.shared(t)
	r := NewRepair(b.store, b.Writer)
	if worked, err := r.Step(t.Context()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if u1, u2 := b.views("u1"), b.views("u2"); u1 != 1 || u2 != 2 {
		t.Errorf("u1 has %d and u2 %d", u1, u2)
	}
	if worked, err := r.Step(t.Context()); worked || err != nil {
		t.Errorf("nothing is left to do: %v, %v", worked, err)
	}
}

// busyPart is a store whose stale part is written to while it is read.
type busyPart struct {
	*memory
	meanwhile func()
}

func (b busyPart) PartHappenings(ctx context.Context, part event.ID, yield func(profile.Happening) error) error {
	err := b.memory.PartHappenings(ctx, part, yield)
	b.meanwhile()
	return err
}

func TestRepairCountsWhatArrivesMeanwhile(t *testing.T) {
	b := newBench().run(t)
	b.shared(t)
	busy := busyPart{b.store, func() { b.accept(t, b.track(anonymous("a1"), "viewed", "")) }}
	if worked, err := NewRepair(busy, b.Writer).Step(t.Context()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if u1, u2 := b.views("u1"), b.views("u2"); u1 != 2 || u2 != 2 {
		t.Errorf("u1 has %d and u2 %d", u1, u2)
	}
	b.accept(t, b.track(anonymous("a1"), "viewed", ""))
	if u1, u2 := b.views("u1"), b.views("u2"); u1 != 3 || u2 != 2 {
		t.Errorf("afterwards: u1 has %d and u2 %d", u1, u2)
	}
}

func TestRepairCountsEventsOfItsOwnTransaction(t *testing.T) {
	b := newBench().run(t)
	b.shared(t)
	stale, err := b.store.StaleParts(t.Context(), 1)
	if err != nil || len(stale) != 1 {
		t.Fatal(stale, err)
	}
	mend := &rebuild{part: stale[0].ID}
	if err := b.store.PartHappenings(t.Context(), mend.part, mend.read); err != nil {
		t.Fatal(err)
	}
	event := &Accept{Workspace: testWorkspace, Source: "shop", Received: b.clock.UnixMicro(), Items: []Item{b.track(anonymous("a1"), "viewed", "")}}
	if deferred, err := b.Writer.decide([]*pending{{command: event}, {command: mend}}); err != nil || len(deferred) != 0 {
		t.Fatal(deferred, err)
	}
	if u1, u2 := b.views("u1"), b.views("u2"); u1 != 2 || u2 != 2 {
		t.Errorf("u1 has %d and u2 %d", u1, u2)
	}
}

func TestRepairRunsWhenItIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		r := NewRepair(b.store, b.Writer)
		b.OnCommit(func(c Committed) {
			if c.Stale {
				r.Wake()
			}
		})
		b.run(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		b.shared(t)
		synctest.Wait()
		if u1, u2 := b.views("u1"), b.views("u2"); u1 != 1 || u2 != 2 {
			t.Errorf("u1 has %d and u2 %d", u1, u2)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRepairWaitsWhileTheWriterIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench().run(t)
		b.shared(t)
		b.bytes.Add(waitingBytes) // the waiting room is full
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- NewRepair(b.store, b.Writer).Run(ctx) }()
		synctest.Wait()
		if u2 := b.views("u2"); u2 != 0 {
			t.Errorf("u2 has %d while nothing is taken", u2)
		}
		b.bytes.Add(-waitingBytes)
		time.Sleep(2 * repairAgain) // of the bubble's clock
		if u2 := b.views("u2"); u2 != 2 {
			t.Errorf("u2 has %d", u2)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// unreadable is a store whose stale parts cannot be found.
type unreadable struct{ *memory }

var errUnreadable = errors.New("disk I/O error")

func (unreadable) StaleParts(context.Context, int) ([]*profile.Part, error) {
	return nil, errUnreadable
}

func TestRepairEndsWhenTheStoreCannotBeRead(t *testing.T) {
	b := newBench()
	if err := NewRepair(unreadable{b.store}, b.Writer).Run(t.Context()); !errors.Is(err, errUnreadable) {
		t.Errorf("Run gave %v", err)
	}
}

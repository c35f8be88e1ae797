package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"platen/internal/event"
	"platen/internal/fault"
)

// note is a command that leaves a row with its name.
type note struct {
	name    string
	bytes   int
	touches func(*transaction) // nil: nothing
	decides func(*transaction) // before it leaves the row; nil: nothing
}

func (n *note) size() int { return n.bytes }

func (n *note) touch(tx *transaction) {
	if n.touches != nil {
		n.touches(tx)
	}
}

func (n *note) apply(tx *transaction) {
	if n.decides != nil {
		n.decides(tx)
	}
	tx.refuse(Quarantined{Reason: n.name})
}

// names are what the notes of one transaction left.
func names(c Changes) string {
	var all []string
	for _, q := range c.Quarantined {
		all = append(all, q.Reason)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// held is a writer whose first transaction holds only the note "first" and does
// not end before release.
type held struct {
	*bench
	first chan error
}

func hold(t *testing.T) *held {
	h := &held{bench: newBench()}
	h.store.entered, h.store.leave = make(chan struct{}), make(chan struct{})
	go h.Run()
	h.first = h.submit(context.Background(), &note{name: "first"})
	<-h.store.entered
	return h
}

func (h *held) submit(ctx context.Context, c Command) chan error {
	answer := make(chan error, 1)
	go func() { answer <- h.Submit(ctx, c) }()
	return answer
}

// releaseOne lets only the transaction under way end.
func (h *held) releaseOne() { h.store.leave <- struct{}{} }

// release lets the transaction under way and all later ones end.
func (h *held) release() {
	go func() {
		for {
			select {
			case <-h.store.entered:
			case <-h.done:
				return
			}
		}
	}()
	close(h.store.leave)
}

func (h *held) end(t *testing.T) {
	t.Helper()
	if err := h.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// sizes are how many notes each transaction held.
func (h *held) sizes() []int {
	var sizes []int
	for _, c := range h.store.commits {
		sizes = append(sizes, len(c.Quarantined))
	}
	return sizes
}

func TestCommandsThatWaitShareATransaction(t *testing.T) {
	for name, c := range map[string]struct {
		commands, bytes int
		want            []int
	}{
		"all of them":             {300, 1, []int{1, 300}},
		"as many as fit":          {MaxBatch + 88, 1, []int{1, MaxBatch, 88}},
		"not more than its bytes": {5, batchBytes/2 + 1, []int{1, 2, 2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hold(t)
				var answers []chan error
				for range c.commands {
					answers = append(answers, h.submit(t.Context(), &note{name: "n", bytes: c.bytes}))
				}
				synctest.Wait()
				if h.Waiting() != c.commands {
					t.Errorf("%d are waiting", h.Waiting())
				}
				h.release()
				for _, a := range append(answers, h.first) {
					if err := <-a; err != nil {
						t.Error(err)
					}
				}
				h.end(t)
				if !slices.Equal(h.sizes(), c.want) {
					t.Errorf("the transactions held %v commands, expected %v", h.sizes(), c.want)
				}
			})
		})
	}
}

func TestAFullWaitingRoomRefuses(t *testing.T) {
	for name, c := range map[string]struct{ fit, bytes int }{
		"of commands": {WaitingRoom, 1},
		"of bytes":    {4, waitingBytes / 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hold(t)
				var answers []chan error
				for range c.fit {
					answers = append(answers, h.submit(t.Context(), &note{name: "n", bytes: c.bytes}))
				}
				synctest.Wait()
				err := h.Submit(t.Context(), &note{name: "one too many", bytes: c.bytes})
				if f := fault.From(err); f.Code != fault.Unavailable || f.Reason != "busy" || f.RetryAfter <= 0 {
					t.Errorf("refused with %+v", f)
				}
				h.release()
				for _, a := range answers {
					if err := <-a; err != nil {
						t.Error(err)
					}
				}
				if err := h.Submit(t.Context(), &note{name: "later", bytes: c.bytes}); err != nil {
					t.Errorf("with room again: %v", err)
				}
				h.end(t)
				if all := h.store.all(); len(all.Quarantined) != c.fit+2 || strings.Contains(names(all), "many") {
					t.Errorf("%d were committed", len(all.Quarantined))
				}
			})
		})
	}
}

func TestCloseFinishesWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hold(t)
		waiting := h.submit(t.Context(), &note{name: "waiting"})
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Close(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Close gave %v while a transaction was under way", err)
		}
		if f := fault.From(h.Submit(t.Context(), &note{name: "late"})); f.Code != fault.Unavailable || f.Reason != "stopping" {
			t.Errorf("after Close: %+v", f)
		}
		h.release()
		h.end(t)
		for _, a := range []chan error{h.first, waiting} {
			if err := <-a; err != nil {
				t.Error(err)
			}
		}
		if all := h.store.all(); names(all) != "first waiting" {
			t.Errorf("%q were committed", names(all))
		}
	})
}

func TestNobodyFailsWithANeighbour(t *testing.T) {
	for name, bad := range map[string]struct {
		command *note
		refuse  func(Changes) error
	}{
		"whose decision panics": {command: &note{name: "bad", decides: func(*transaction) { panic("a bug") }}},
		"whose rows are refused": {command: &note{name: "bad"}, refuse: func(c Changes) error {
			if strings.Contains(names(c), "bad") {
				return errors.New("constraint")
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hold(t)
				h.store.refuse = bad.refuse
				good := []chan error{h.submit(t.Context(), &note{name: "a"})}
				synctest.Wait()
				failed := h.submit(t.Context(), bad.command)
				synctest.Wait()
				good = append(good, h.submit(t.Context(), &note{name: "b"}))
				synctest.Wait()
				h.release()
				for _, a := range good {
					if err := <-a; err != nil {
						t.Errorf("a neighbour: %v", err)
					}
				}
				if err := <-failed; fault.CodeOf(err) != fault.Internal {
					t.Errorf("the bad one: %v", err)
				}
				h.end(t)
				if all := h.store.all(); names(all) != "a b first" || len(h.fatal) > 0 {
					t.Errorf("%q were committed, fatal: %v", names(all), h.fatal)
				}
			})
		})
	}
}

func TestADurabilityErrorEndsAcknowledging(t *testing.T) {
	lost := fmt.Errorf("commit: %w", &DurabilityError{errors.New("fsync: input/output error")})
	for name, refuse := range map[string]func(Changes) error{
		"in a batch": func(Changes) error { return lost },
		// "odd" fails alone, so the batch is tried one by one, and "lost" is met
		// with a neighbour still to come.
		"one by one": func(c Changes) error {
			switch all := names(c); {
			case all == "lost":
				return lost
			case strings.Contains(all, "odd"):
				return errors.New("constraint")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hold(t)
				var answers []chan error
				for _, name := range []string{"odd", "lost", "next"} {
					answers = append(answers, h.submit(t.Context(), &note{name: name}))
					synctest.Wait()
				}
				for range MaxBatch { // fills the batch and leaves three waiting
					answers = append(answers, h.submit(t.Context(), &note{name: "later"}))
				}
				synctest.Wait()
				h.releaseOne()
				if err := <-h.first; err != nil {
					t.Errorf("the transaction before: %v", err)
				}
				<-h.store.entered
				h.store.refuse = refuse
				h.release()
				for i, a := range answers {
					err := <-a
					if i == 0 && name == "one by one" {
						continue // it failed by itself
					}
					if f := fault.From(err); f.Code != fault.Unavailable || f.Reason != "store_failed" || f.RetryAfter <= 0 {
						t.Errorf("%d: %+v", i, f)
					}
				}
				h.end(t)
				if len(h.fatal) != 1 || !errors.Is(h.fatal[0], lost) {
					t.Errorf("fatal was called with %v", h.fatal)
				}
				if err := h.Submit(t.Context(), &note{}); fault.CodeOf(err) != fault.Unavailable {
					t.Errorf("a command after the end: %v", err)
				}
				if all := h.store.all(); names(all) != "first" {
					t.Errorf("%q were committed", names(all))
				}
			})
		})
	}
}

func TestACommandThatNeedsMoreAfterAnotherIsDeferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hold(t)
		first, second := SeenKey{1}, SeenKey{2}
		h.store.seen[second] = 77
		one := &note{name: "one",
			touches: func(tx *transaction) { tx.seen(first) },
			decides: func(tx *transaction) { tx.remember(first, 5) },
		}
		var saw event.ID
		two := &note{name: "two",
			touches: func(tx *transaction) {
				if tx.seen(first) == 5 {
					tx.seen(second)
				}
			},
			decides: func(tx *transaction) { saw = tx.Seen[second] },
		}
		answers := []chan error{h.submit(t.Context(), one)}
		synctest.Wait()
		answers = append(answers, h.submit(t.Context(), two))
		synctest.Wait()
		answers = append(answers, h.submit(t.Context(), &note{name: "three"}))
		synctest.Wait()
		h.release()
		for _, a := range answers {
			if err := <-a; err != nil {
				t.Error(err)
			}
		}
		h.end(t)
		var got []string
		for _, c := range h.store.commits {
			got = append(got, names(c))
		}
		if want := []string{"first", "one three", "two"}; !slices.Equal(got, want) {
			t.Errorf("the transactions held %q, expected %q", got, want)
		}
		if saw != 77 {
			t.Errorf("the deferred command saw %d", saw)
		}
	})
}

func TestACommandThatNobodyWaitsForIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hold(t)
		ctx, cancel := context.WithCancel(t.Context())
		gone := h.submit(ctx, &note{name: "gone"})
		stays := h.submit(t.Context(), &note{name: "stays"})
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) || fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("given up: %v", err)
		}
		h.release()
		if err := <-stays; err != nil {
			t.Error(err)
		}
		h.end(t)
		if all := h.store.all(); names(all) != "first stays" {
			t.Errorf("%q were committed", names(all))
		}
	})
}

func TestACommandGivenUpWhileItIsCommittedIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hold(t)
		ctx, cancel := context.WithCancel(t.Context())
		h.releaseOne()
		<-h.first
		gone := h.submit(ctx, &note{name: "gone"})
		<-h.store.entered
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		h.release()
		h.end(t)
		if all := h.store.all(); names(all) != "first gone" {
			t.Errorf("%q were committed", names(all))
		}
	})
}

package ingest

import (
	"context"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/profile"
)

// RepairStore finds what late claims left to do.
type RepairStore interface {
	// StaleParts gives at most limit parts whose history a late claim moved.
	StaleParts(ctx context.Context, limit int) ([]*profile.Part, error)
	// PartHappenings calls yield for every event written under a part that counts
	// in summaries, in no particular order. It ends with yield's error.
	PartHappenings(ctx context.Context, part event.ID, yield func(profile.Happening) error) error
}

// Repair divides the summaries of stale parts anew between their claimants.
type Repair struct {
	store  RepairStore
	writer *Writer
	wake   chan struct{}
}

// NewRepair makes a Repair, to be used through Run, or through Step by one
// goroutine.
func NewRepair(store RepairStore, writer *Writer) *Repair {
	return &Repair{store: store, writer: writer, wake: make(chan struct{}, 1)}
}

// Wake tells Run that there may be something to do. It never blocks.
func (r *Repair) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// repairAgain is when Run looks again after it was refused: the server was busy.
const repairAgain = 30 * time.Second

// Run mends what is stale at the start, and again whenever it is woken, until ctx
// ends, which is no error, or the store cannot be read.
func (r *Repair) Run(ctx context.Context) error {
	for {
		worked, err := r.Step(ctx)
		refused := fault.CodeOf(err) == fault.Unavailable
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !refused:
			return err
		case worked && !refused:
			continue
		}
		var again <-chan time.Time
		if refused {
			again = time.After(repairAgain)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-again:
		}
	}
}

// Step mends at most a few parts and says whether it did any. A part that cannot
// be mended is left as it is; the writer has logged why.
func (r *Repair) Step(ctx context.Context) (worked bool, err error) {
	parts, err := r.store.StaleParts(ctx, 16)
	if err != nil {
		return false, err
	}
	for _, p := range parts {
		c := &rebuild{part: p.ID}
		if err := r.store.PartHappenings(ctx, p.ID, c.read); err != nil {
			return worked, err
		}
		switch err := r.writer.Submit(ctx, c); fault.CodeOf(err) {
		case "":
			worked = true
		case fault.Internal:
		default:
			return worked, err
		}
	}
	return worked, nil
}

// rebuild divides one part anew. All but its latest events were read before the
// transaction, so that nobody waits for that; the transaction reads the rest.
type rebuild struct {
	part   event.ID
	events []profile.Happening
	last   event.ID // the greatest id in events
}

func (r *rebuild) read(h profile.Happening) error {
	r.events = append(r.events, h)
	r.last = max(r.last, h.ID)
	return nil
}

func (r *rebuild) size() int { return 64 * len(r.events) }

func (r *rebuild) touch(tx *transaction) {
	tx.Book.TouchRebuild(r.part)
	tx.since(Since{r.part, r.last})
}

func (r *rebuild) apply(tx *transaction) {
	p := tx.Book.Part(r.part)
	if !p.Stale {
		return
	}
	lately, now := tx.since(Since{r.part, r.last}), tx.written(r.part)
	tx.Book.Rebuild(p, func(yield func(profile.Happening) bool) {
		for _, list := range [][]profile.Happening{r.events, lately, now} {
			for _, h := range list {
				if !yield(h) {
					return
				}
			}
		}
	}, p.Updated)
}

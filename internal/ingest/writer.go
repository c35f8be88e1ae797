package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
)

// The bounds of the write path (design.md, "Decisions"). Those in bytes keep
// requests of many events from filling the memory, or one transaction for long.
const (
	WaitingRoom  = 8192      // commands waiting; more are answered 503
	waitingBytes = 256 << 20 // of commands waiting; more are answered 503
	MaxBatch     = 512       // commands in one transaction
	batchBytes   = 4 << 20   // a transaction that holds as much takes no more commands
)

// Writer gathers commands into transactions: it takes what is waiting, up to
// MaxBatch, commits, answers, and takes again. While one batch is synced the
// next one gathers, so the busier it is the larger batches become.
type Writer struct {
	store     Store
	campaigns Campaigns
	ids       *event.IDs
	now       func() time.Time
	log       *slog.Logger
	fatal     func(error)
	committed func(Committed)

	waiting chan *pending
	bytes   atomic.Int64 // of the commands in waiting
	done    chan struct{}

	mu     sync.RWMutex // guards closed against a send on waiting
	closed bool
}

// pending is a command that somebody waits for.
type pending struct {
	ctx     context.Context
	command Command
	size    int64
	result  chan error
}

// NewWriter makes a Writer; Run must be called. fatal is called once, with an
// error that wraps a *DurabilityError, when nothing more can be acknowledged.
func NewWriter(store Store, campaigns Campaigns, ids *event.IDs, now func() time.Time, log *slog.Logger, fatal func(error)) *Writer {
	return &Writer{
		store: store, campaigns: campaigns, ids: ids, now: now, log: log, fatal: fatal,
		committed: func(Committed) {},
		waiting:   make(chan *pending, WaitingRoom),
		done:      make(chan struct{}),
	}
}

var (
	errFull = &fault.Error{Code: fault.Unavailable, Reason: "busy", RetryAfter: time.Second,
		Message: "too many requests are waiting to be stored; nothing of this one was kept, send it again"}
	errClosed = &fault.Error{Code: fault.Unavailable, Reason: "stopping", RetryAfter: 5 * time.Second,
		Message: "the server is stopping; nothing of this request was kept, send it again"}
	errBroken = &fault.Error{Code: fault.Unavailable, Reason: "store_failed", RetryAfter: 30 * time.Second,
		Message: "the store failed; this request was not acknowledged, send it again"}
	errLeft = &fault.Error{Code: fault.Unavailable, Reason: "gave_up", RetryAfter: time.Second,
		Message: "the sender gave up before the answer; what it sent may have been stored, send it again"}
)

// Submit queues a command and waits until it is on disk. When ctx ends first the
// command may still be committed. The error is a *fault.Error, or internal when
// the command itself could not be decided or stored.
func (w *Writer) Submit(ctx context.Context, c Command) error {
	p := &pending{ctx: ctx, command: c, size: int64(c.size()), result: make(chan error, 1)}
	if err := w.enqueue(p); err != nil {
		return err
	}
	select {
	case err := <-p.result:
		return err
	case <-ctx.Done():
		return errLeft.Because(ctx.Err())
	}
}

func (w *Writer) enqueue(p *pending) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	if w.bytes.Add(p.size) <= waitingBytes {
		select {
		case w.waiting <- p:
			return nil
		default:
		}
	}
	w.bytes.Add(-p.size)
	return errFull
}

// Committed tells of one transaction: how many commands it held, and what it left
// for others to do.
type Committed struct {
	Commands     int
	Hits, Photos int
	Stale        bool // a late claim moved history
}

// OnCommit calls f after every transaction, from the goroutine of Run. It must be
// set before Run starts.
func (w *Writer) OnCommit(f func(Committed)) { w.committed = f }

// Waiting is how many commands wait for a transaction.
func (w *Writer) Waiting() int { return len(w.waiting) }

// Run commits batches until Close is called and everything waiting is answered,
// or the store fails.
func (w *Writer) Run() {
	defer close(w.done)
	var batch []*pending
	for first := range w.waiting {
		// Whoever was just answered goes first: what they send next then shares
		// this transaction, which holds about twice as much.
		runtime.Gosched()
		batch = w.gather(batch[:0], first)
		if err := w.commit(batch); err != nil {
			w.shut()
			w.fatal(err)
			for p := range w.waiting {
				p.result <- errBroken
			}
			return
		}
	}
}

// gather adds what is waiting right now; it never waits for more. A command that
// nobody waits for any more is dropped: under load that is most of the work.
func (w *Writer) gather(batch []*pending, next *pending) []*pending {
	for bytes := int64(0); ; {
		w.bytes.Add(-next.size)
		if next.ctx.Err() == nil {
			batch = append(batch, next)
			bytes += next.size
		}
		if len(batch) == MaxBatch || bytes >= batchBytes {
			return batch
		}
		var ok bool
		select {
		case next, ok = <-w.waiting:
			if !ok {
				return batch
			}
		default:
			return batch
		}
	}
}

// Close stops accepting commands; those accepted are still committed. It waits
// until Run has ended or ctx is done.
func (w *Writer) Close(ctx context.Context) error {
	w.shut()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.waiting)
	}
}

// commit decides a batch in one transaction, or in several where commands had to
// be deferred, and answers it. A batch that fails is tried again one by one, so
// that nobody fails with a neighbour. The error is a *DurabilityError.
func (w *Writer) commit(batch []*pending) error {
	for len(batch) > 0 {
		deferred, err := w.decide(batch)
		switch broken := new(DurabilityError); {
		case errors.As(err, &broken):
			answer(batch, errBroken.Because(err))
			return err
		case err != nil && len(batch) > 1:
			return w.commitEach(batch)
		case err != nil:
			w.log.Error("a command could not be committed", "error", err)
		}
		for _, p := range batch {
			if !slices.Contains(deferred, p) {
				p.result <- err
			}
		}
		batch = deferred
	}
	return nil
}

func (w *Writer) commitEach(batch []*pending) error {
	for i := range batch {
		if err := w.commit(batch[i : i+1]); err != nil {
			answer(batch[i+1:], errBroken.Because(err))
			return err
		}
	}
	return nil
}

func answer(batch []*pending, err error) {
	for _, p := range batch {
		p.result <- err
	}
}

// decide commits a batch. Commands that need rows which an earlier one of the
// batch brought up are not decided but deferred to another transaction; the first
// one never is.
func (w *Writer) decide(batch []*pending) (deferred []*pending, err error) {
	defer func() {
		if p := recover(); p != nil {
			deferred, err = nil, fmt.Errorf("a decision panicked: %v\n%s", p, debug.Stack())
		}
	}()
	var left Committed
	err = w.store.Commit(context.Background(), Keys{}, func(s *Snapshot) (Changes, Keys) {
		tx := newTransaction(w, s)
		for _, p := range batch {
			p.command.touch(tx)
		}
		if missing := tx.missing(); !missing.Empty() {
			return Changes{}, missing
		}
		deferred = nil
		for _, p := range batch {
			p.command.touch(tx)
			if !tx.missing().Empty() {
				tx.forget()
				deferred = append(deferred, p)
				continue
			}
			p.command.apply(tx)
		}
		tx.changes.Changes = s.Book.Changes()
		left = tx.changes.leave()
		return tx.changes, Keys{}
	})
	if err != nil {
		return nil, err
	}
	left.Commands = len(batch) - len(deferred)
	w.committed(left)
	return deferred, nil
}

func (c *Changes) leave() Committed {
	left := Committed{Hits: len(c.Hits), Photos: len(c.Photos)}
	for _, p := range c.Parts {
		left.Stale = left.Stale || p.Stale
	}
	return left
}

package delivery

import (
	"context"
	"sync"
	"time"

	"platen/internal/campaign"
)

// pollEvery is how long a retry that has become due waits at most, as nobody
// wakes the sender for it. Looking is one read of an index.
const pollEvery = time.Second

// linger is how long a result waits for others that are stored with it. Every
// commit is synced and keeps the leases waiting meanwhile; without this the
// results of a fast receiver would be stored thirty at a time.
const linger = 20 * time.Millisecond

// Run sends what is due until Close is called or ctx ends, which is no error, or
// the store fails. It may be called once.
//
// One goroutine leases and renders, one stores results, and each slot has its own,
// so that none waits for another as long as there is work in between.
func (s *Sender) Run(ctx context.Context) error {
	s.started.Store(true)
	defer close(s.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.hurry, cancel)()

	r := &run{Sender: s, results: make(chan campaign.Result, batch), cancel: cancel}
	recorded := make(chan struct{})
	go func() {
		defer close(recorded)
		r.record(ctx)
	}()
	r.feed(ctx)
	for _, d := range s.queues.drain() {
		r.results <- unchanged(d, s.now())
	}
	r.attempts.Wait()
	close(r.results)
	<-recorded
	return r.err
}

// Close stops leasing, lets the attempts in flight end and gives back what was
// not begun. When ctx ends first it cuts the attempts off, which are then made
// again later under the same webhook-id, and gives the error of ctx.
func (s *Sender) Close(ctx context.Context) error {
	s.closing.Do(func() { close(s.stop) })
	if !s.started.Load() {
		return nil
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.abort()
		<-s.done
		return ctx.Err()
	}
}

// run is what the goroutines of one Run share.
type run struct {
	*Sender
	results  chan campaign.Result
	attempts sync.WaitGroup

	cancel context.CancelFunc // ends everything
	once   sync.Once
	err    error // of the store, the first one; read when all have ended
}

// failed ends the run for an error of the store.
func (r *run) failed(err error) {
	r.once.Do(func() { r.err = err })
	r.cancel()
}

// feed leases and starts attempts until it is to stop.
func (r *run) feed(ctx context.Context) {
	for !r.stopped(ctx) {
		worked, err := r.feedOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.failed(err)
			return
		case worked:
			continue
		}
		select {
		case <-r.wake:
		case <-time.After(pollEvery):
		case <-r.stop:
		case <-ctx.Done():
		}
	}
}

func (r *run) stopped(ctx context.Context) bool {
	select {
	case <-r.stop:
		return true
	default:
		return ctx.Err() != nil
	}
}

// feedOnce leases one batch and queues what can be tried of it. It says whether
// there was anything.
func (r *run) feedOnce(ctx context.Context) (worked bool, err error) {
	limit, busy := r.queues.room()
	if limit <= 0 {
		return false, nil
	}
	leased, until, err := r.lease(ctx, r.now(), busy, limit)
	if err != nil || len(leased) == 0 {
		return false, err
	}
	ready, refused, err := r.prepare(ctx, leased)
	if err != nil {
		return false, err
	}
	for _, result := range refused {
		r.results <- result
	}
	for _, d := range ready {
		if !r.queues.add(job{d, until}) {
			r.results <- unchanged(d, r.now())
		}
	}
	r.start(ctx)
	return true, nil
}

// start makes as many attempts as there are slots for.
func (r *run) start(ctx context.Context) {
	for {
		j, ok := r.queues.take()
		if !ok {
			return
		}
		r.attempts.Go(func() { r.work(ctx, j) })
	}
}

// work makes the attempt of a job, and then of those that its slot is for next.
func (r *run) work(ctx context.Context, j job) {
	for ok := true; ok; j, ok = r.queues.release(&j.delivery) {
		if result, held := r.try(ctx, j); held {
			r.results <- result
		}
	}
}

// record stores results, many at a time, until there will be no more. After a
// failure of the store it only takes them, so that nobody waits.
func (r *run) record(ctx context.Context) {
	broken := false
	for first := range r.results {
		results := r.gather(first)
		if broken {
			continue
		}
		if err := r.finish(ctx, results); err != nil {
			r.failed(err)
			broken = true
		}
	}
}

// gather takes a batch of results, or what there is after a little while.
func (r *run) gather(first campaign.Result) []campaign.Result {
	results := []campaign.Result{first}
	enough := time.After(linger)
	for len(results) < batch {
		select {
		case next, ok := <-r.results:
			if !ok {
				return results
			}
			results = append(results, next)
		case <-enough:
			return results
		}
	}
	return results
}

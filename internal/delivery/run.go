package delivery

import (
	"context"
	"sync"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
)

// pollEvery is how long a retry that has become due waits at most, as nobody
// wakes the sender for it. Looking is one read of an index.
const pollEvery = time.Second

// linger is how long a result waits for others that are stored with it. Every
// commit is synced and keeps the leases waiting meanwhile; without this the
// results of a fast receiver would be stored thirty at a time.
const linger = 20 * time.Millisecond

// Run sends what is due until Close is called or ctx ends, which is no error, or
// the store fails. It may be called again when it has ended.
//
// One goroutine leases, one stores rendered requests, one results, and each slot
// has its own, in which a delivery is rendered or tried: so none waits for another
// as long as there is work in between.
func (s *Sender) Run(ctx context.Context) error {
	s.running <- struct{}{}
	defer func() { <-s.running }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.hurry, cancel)()

	r := &run{
		Sender: s, cancel: cancel,
		queues:   newQueues(s.perHost, s.total, s.Wake),
		held:     held{until: map[event.ID]time.Time{}},
		rendered: make(chan rendered, batch),
		results:  make(chan result, batch),
	}
	var stored sync.WaitGroup
	stored.Go(func() { r.keep(ctx) })
	stored.Go(func() { r.record(ctx) })
	r.feed(ctx)
	for _, d := range r.queues.close() {
		r.results <- *unchanged(&d, r.now())
	}
	r.working.Wait()
	close(r.rendered)
	close(r.results)
	stored.Wait()
	return r.err
}

// Close stops leasing, lets the attempts in flight end and gives back what was
// not begun. When ctx ends first it cuts the attempts off, which are then made
// again later under the same webhook-id, and gives the error of ctx.
func (s *Sender) Close(ctx context.Context) error {
	s.closing.Do(func() { close(s.stop) })
	select {
	case s.running <- struct{}{}:
		<-s.running
		return nil
	case <-ctx.Done():
		s.abort()
		s.running <- struct{}{}
		<-s.running
		return ctx.Err()
	}
}

// run is what the goroutines of one Run share.
type run struct {
	*Sender
	queues   *queues
	held     held
	rendered chan rendered
	results  chan result
	working  sync.WaitGroup // all that may still give results

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

// feedOnce leases one batch and queues it. It says whether there was anything.
func (r *run) feedOnce(ctx context.Context) (worked bool, err error) {
	limit, busy := r.queues.room()
	if limit <= 0 {
		return false, nil
	}
	leased, until, err := r.lease(ctx, r.now(), busy, limit)
	if err != nil || len(leased) == 0 {
		return false, err
	}
	for _, d := range r.held.take(leased, until) {
		r.enqueue(d, false)
	}
	r.start(ctx)
	return true, nil
}

// enqueue puts a delivery into its queue, or gives it back to the store.
func (r *run) enqueue(d campaign.Delivery, back bool) {
	if !r.queues.add(d, back) {
		r.results <- *unchanged(&d, r.now())
	}
}

// start begins as much as there are slots for.
func (r *run) start(ctx context.Context) {
	for {
		d, from := r.queues.take()
		if from == nil {
			return
		}
		r.working.Go(func() {
			r.queues.release(from, r.work(ctx, d))
			r.start(ctx)
		})
	}
}

// work tries a delivery, or renders it where that was not done. It gives the
// attempt, nil when none was made. That rendering has a turn of its own keeps slots
// free while requests are stored.
func (r *run) work(ctx context.Context, d campaign.Delivery) *campaign.Attempt {
	left := r.held.left(d.ID, r.now())
	if r.mayRender(&d, left) {
		r.render(ctx, d)
		return nil
	}
	done := r.try(ctx, &d, left)
	if done == nil {
		return nil
	}
	r.results <- *done
	return done.Attempt
}

// rendered is a delivery whose request is to be stored.
type rendered struct {
	delivery campaign.Delivery
	back     bool // into the queue that it comes from, as its host was known
}

// render renders a delivery and hands it to keep, which lines it up again.
func (r *run) render(ctx context.Context, d campaign.Delivery) {
	planned := d.Host
	switch done, err := r.prepare(ctx, &d); {
	case err != nil:
		r.failed(err)
	case done != nil:
		r.results <- *done
	default:
		r.working.Add(1)
		r.rendered <- rendered{delivery: d, back: d.Host == planned}
	}
}

// keep stores rendered requests until there will be no more, together those that
// came while others were stored, as every commit is synced.
func (r *run) keep(ctx context.Context) {
	for first := range r.rendered {
		waiting := []rendered{first}
		for len(waiting) < batch && len(r.rendered) > 0 {
			waiting = append(waiting, <-r.rendered)
		}
		deliveries := make([]campaign.Delivery, len(waiting))
		for i := range waiting {
			deliveries[i] = waiting[i].delivery
		}
		if err := r.store.SaveRequests(context.WithoutCancel(ctx), deliveries); err != nil {
			r.failed(err) // after which nothing is tried
		}
		for _, w := range waiting {
			r.enqueue(w.delivery, w.back)
		}
		r.start(ctx)
		r.working.Add(-len(waiting))
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
		// What is given back may be leased again before Finish returns, and is then
		// to be taken. Anything else, also what is put back to be rendered later, is
		// held until its result is stored: else a lease that has run out meanwhile
		// would have it sent twice.
		r.held.drop(results, func(done *result) bool { return done.unchanged })
		if err := r.finish(ctx, results); err != nil {
			r.failed(err)
			broken = true
		}
		r.held.drop(results, func(done *result) bool { return !done.unchanged })
		r.Wake() // there may be room by now for what was given back
	}
}

// gather takes a batch of results, or what there is after a little while.
func (r *run) gather(first result) []result {
	results := []result{first}
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

// Package delivery sends what was planned: it leases due deliveries, renders
// each once, sends it through internal/outbound, and keeps every attempt with
// what follows from it.
//
// What a crash can do is decided by the order of four steps: lease, store the
// rendered request, try it, store the result. Whatever is cut off in between is
// leased again when its lease has run out and sent with the stored request under
// the same webhook-id, so a receiver may see a message twice but never two
// messages, and none is lost.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/personalize"
	"platen/internal/profile"
)

// What holds where Options leave a field at zero.
const (
	DefaultTimeout = 90 * time.Second // of one attempt; shared/spec/engage.md section 1.3

	defaultPerHost = 32
	defaultTotal   = 512
)

// batch is how many deliveries are leased, and how many results are stored, in
// one transaction.
const batch = 256

// leaseSlack is what a lease leaves beside the attempt or the render for storing.
const leaseSlack = 30 * time.Second

// Store keeps deliveries and finds what they are made of.
type Store interface {
	// Lease gives queued deliveries whose next attempt may start by now, the
	// longest waiting first and at most limit, and holds them until the given
	// time. Queues in busy are passed over.
	Lease(ctx context.Context, now, until time.Time, busy []campaign.Queue, limit int) ([]campaign.Delivery, error)
	// HasDue says whether there is anything to lease, busy or not, without writing.
	HasDue(ctx context.Context, now time.Time) (bool, error)
	// SaveRequests keeps Host, Request, Extras and Calls of deliveries.
	SaveRequests(ctx context.Context, rendered []campaign.Delivery) error
	// Finish keeps what became of leased deliveries and gives up their leases. A
	// result changes nothing when another was stored since the lease.
	Finish(ctx context.Context, results []campaign.Result) error
	// Events gives the stored events with these ids, in no particular order;
	// those that are no longer stored are left out.
	Events(ctx context.Context, ids []event.ID) ([]event.Event, error)
	// ProfileByID gives the profile that a part belongs to, nil when there is none.
	ProfileByID(ctx context.Context, id event.ID) (*profile.Profile, error)
	personalize.CodeStore
}

// Definitions are the documents as they are now. *document.Live is one.
type Definitions interface {
	personalize.Definitions
	Campaign(id string) (*campaign.Campaign, bool)
}

// Options of a sender. The first four are needed.
type Options struct {
	Definitions func() Definitions // the latest snapshot
	Client      personalize.Client
	IDs         *event.IDs // for test sends
	Now         func() time.Time

	UserAgent string        // sent where a webhook names none, as "Platen/1.2"
	Log       *slog.Logger  // nil: slog.Default
	Timeout   time.Duration // of one attempt
	PerHost   int           // attempts at a time to one host of a workspace that takes messages
	Total     int           // attempts at a time, of which a workspace has at most a quarter
}

// Sender sends deliveries. It is used through Run, or through Step by one
// goroutine; Wake, Close, Preview and TestSend may be called from any.
type Sender struct {
	store       Store
	definitions func() Definitions
	client      personalize.Client
	content     *personalize.Content
	ids         *event.IDs
	now         func() time.Time
	userAgent   string
	log         *slog.Logger
	timeout     time.Duration
	perHost     int
	total       int

	wake    chan struct{}
	running chan struct{} // full while Run is going on
	closing sync.Once
	stop    chan struct{} // closed: nothing new is leased
	hurry   context.Context
	abort   context.CancelFunc // ends hurry, and with it the attempts in flight
}

// New makes a sender.
func New(store Store, o Options) *Sender {
	s := &Sender{
		store: store, definitions: o.Definitions, client: o.Client, ids: o.IDs, now: o.Now,
		userAgent: o.UserAgent, log: o.Log,
		timeout: orDefault(o.Timeout, DefaultTimeout),
		perHost: orDefault(o.PerHost, defaultPerHost),
		total:   orDefault(o.Total, defaultTotal),
		wake:    make(chan struct{}, 1),
		running: make(chan struct{}, 1),
		stop:    make(chan struct{}),
	}
	s.content = personalize.NewContent(o.Client, func() time.Time { return s.now() })
	if s.log == nil {
		s.log = slog.Default()
	}
	s.hurry, s.abort = context.WithCancel(context.Background())
	return s
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// Wake tells Run that something may be due. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Step leases one batch, tries it, one delivery after the other, and stores what
// became of it. It says whether there was anything to do.
func (s *Sender) Step(ctx context.Context, now time.Time) (worked bool, err error) {
	leased, until, err := s.lease(ctx, now, nil, batch)
	if err != nil || len(leased) == 0 {
		return false, err
	}
	var results []result
	for i := range leased {
		done, err := s.deliver(ctx, &leased[i], until)
		if err != nil {
			return true, errors.Join(err, s.finish(ctx, results))
		}
		if done != nil {
			results = append(results, *done)
		}
	}
	return true, s.finish(ctx, results)
}

// deliver renders a delivery where that was not done, and tries it. It gives nil
// when the lease has run out.
func (s *Sender) deliver(ctx context.Context, d *campaign.Delivery, until time.Time) (*result, error) {
	if s.mayRender(d, until.Sub(s.now())) {
		if refused, err := s.prepare(ctx, d); refused != nil || err != nil {
			return refused, err
		}
		if err := s.store.SaveRequests(ctx, []campaign.Delivery{*d}); err != nil {
			return nil, err
		}
	}
	return s.try(ctx, d, until.Sub(s.now())), nil
}

// lease takes due deliveries. It asks before it writes, so that an idle server
// writes nothing.
func (s *Sender) lease(ctx context.Context, now time.Time, busy []campaign.Queue, limit int) (leased []campaign.Delivery, until time.Time, err error) {
	due, err := s.store.HasDue(ctx, now)
	if err != nil || !due {
		return nil, until, err
	}
	until = now.Add(2 * s.hold())
	leased, err = s.store.Lease(ctx, now, until, busy, limit)
	return leased, until, err
}

// hold is how much of its lease a delivery must have left when it is rendered or
// tried. A lease is twice as long, so a delivery may wait this long for its turn.
func (s *Sender) hold() time.Duration { return max(s.timeout, personalize.MaxWait) + leaseSlack }

// mayRender says whether a delivery is to be rendered now. One with too little left
// of its lease is not: try gives it back.
func (s *Sender) mayRender(d *campaign.Delivery, left time.Duration) bool {
	return d.Request == nil && left >= s.hold()
}

// finish stores results, also when ctx has ended: they have happened.
func (s *Sender) finish(ctx context.Context, results []result) error {
	if len(results) == 0 {
		return nil
	}
	stored := make([]campaign.Result, len(results))
	for i := range results {
		stored[i] = results[i].Result
	}
	return s.store.Finish(context.WithoutCancel(ctx), stored)
}

// result is what became of a leased delivery.
type result struct {
	campaign.Result
	unchanged bool // it remains due as it was when it was leased
}

// unchanged is the result of a delivery that was not tried and remains due.
func unchanged(d *campaign.Delivery, now time.Time) *result {
	return &result{Result: campaign.Result{Delivery: *d, Next: now}, unchanged: true}
}

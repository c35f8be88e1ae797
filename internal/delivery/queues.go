package delivery

import (
	"sync"

	"platen/internal/campaign"
)

// The bounds of what waits in memory. A queue is filled again when fewer than
// refill are left in it, so that its host does not idle while the next are
// leased; whatever would go beyond maxQueue goes back to the store.
const (
	refill     = batch
	maxQueue   = 2 * batch
	maxWaiting = 32 * batch // in all queues
)

// queues hold leased deliveries, by workspace and host, until one of the slots
// is free. Hosts take turns, and each has its own bound, so that one that is
// slow or dead does not hold up the others.
type queues struct {
	perHost, total int
	relieved       func() // called when there is room again where there was none

	mu      sync.Mutex
	byKey   map[campaign.Queue]*queue
	turns   []*queue // every queue that could start a job, the next one first
	running int
	waiting int
}

type queue struct {
	key     campaign.Queue
	waiting []job // oldest first
	running int
	inTurn  bool
}

func newQueues(perHost, total int, relieved func()) *queues {
	return &queues{
		perHost: perHost, total: total, relieved: relieved,
		byKey: map[campaign.Queue]*queue{},
	}
}

func keyOf(d *campaign.Delivery) campaign.Queue {
	return campaign.Queue{Workspace: d.Workspace, Host: d.Host}
}

// room is how many deliveries may be leased, and which queues need none.
func (q *queues) room() (limit int, busy []campaign.Queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, queue := range q.byKey {
		if len(queue.waiting) >= refill {
			busy = append(busy, key)
		}
	}
	return min(batch, maxWaiting-q.waiting), busy
}

// add puts a job at the end of its queue. It gives false when that is full.
func (q *queues) add(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := keyOf(&j.delivery)
	to := q.byKey[key]
	if to == nil {
		to = &queue{key: key}
		q.byKey[key] = to
	}
	if len(to.waiting) >= maxQueue {
		return false
	}
	to.waiting = append(to.waiting, j)
	q.waiting++
	q.giveTurn(to)
	return true
}

// take gives the next job and a slot to do it in, if there are both.
func (q *queues) take() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next()
}

// release frees the slot of a job and gives the next one.
func (q *queues) release(d *campaign.Delivery) (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := q.byKey[keyOf(d)]
	from.running--
	q.running--
	q.giveTurn(from)
	if from.running == 0 && len(from.waiting) == 0 {
		delete(q.byKey, from.key)
	}
	return q.next()
}

func (q *queues) next() (job, bool) {
	if q.running >= q.total || len(q.turns) == 0 {
		return job{}, false
	}
	from := q.turns[0]
	q.turns = q.turns[1:]
	from.inTurn = false

	j := from.waiting[0]
	from.waiting[0] = job{} // the array lives on
	from.waiting = from.waiting[1:]
	from.running++
	q.running++
	q.waiting--
	q.giveTurn(from)
	if len(from.waiting) == refill-1 || q.waiting == maxWaiting-1 {
		q.relieved()
	}
	return j, true
}

// giveTurn lines a queue up when it could start a job.
func (q *queues) giveTurn(to *queue) {
	if !to.inTurn && len(to.waiting) > 0 && to.running < q.perHost {
		to.inTurn = true
		q.turns = append(q.turns, to)
	}
}

// drain empties all queues and gives what waited in them.
func (q *queues) drain() []campaign.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting []campaign.Delivery
	for key, queue := range q.byKey {
		for _, j := range queue.waiting {
			waiting = append(waiting, j.delivery)
		}
		queue.waiting, queue.inTurn = nil, false
		if queue.running == 0 {
			delete(q.byKey, key)
		}
	}
	q.turns, q.waiting = nil, 0
	return waiting
}

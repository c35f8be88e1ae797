package delivery

import (
	"sync"

	"platen/internal/campaign"
)

// The bounds of what waits in memory. A queue is filled again when fewer than
// refill for each of its slots are left in it, so that its host does not idle
// while the next are leased; whatever would go beyond full for each goes back to
// the store.
const (
	refill     = 8
	full       = 16
	maxWaiting = 32 * batch // in all queues
)

// unproven is how many slots a host has until it takes a message, and again after
// an attempt in which it did not. A silent one keeps each for the whole time-out.
const unproven = 4

// workspaceShare is how many workspaces it takes to fill all slots.
const workspaceShare = 4

// queues hold leased deliveries, by workspace and host, until one of the slots
// is free. Workspaces take turns, and in each its hosts; both have their own
// bounds, so that one that is slow or dead does not hold up the others.
type queues struct {
	perHost, total int
	relieved       func() // called when there is room again where there was none

	mu         sync.Mutex
	byKey      map[campaign.Queue]*queue
	workspaces map[int64]*tenant // all that ever had something to send
	turns      []*tenant         // every one that could start an attempt, the next one first
	running    int
	waiting    int
	closed     bool
}

// tenant is a workspace.
type tenant struct {
	turns   []*queue // every queue that could start an attempt, the next one first
	running int
	inTurn  bool
}

type queue struct {
	key     campaign.Queue
	tenant  *tenant
	waiting []campaign.Delivery // oldest first
	running int
	inTurn  bool
	proven  bool // the host took the last message
}

func newQueues(perHost, total int, relieved func()) *queues {
	return &queues{
		perHost: perHost, total: total, relieved: relieved,
		byKey: map[campaign.Queue]*queue{}, workspaces: map[int64]*tenant{},
	}
}

func keyOf(d *campaign.Delivery) campaign.Queue {
	return campaign.Queue{Workspace: d.Workspace, Host: d.Host}
}

// slots is how many attempts a queue may have at a time.
func (q *queues) slots(of *queue) int {
	if of.proven {
		return q.perHost
	}
	return min(q.perHost, unproven)
}

// room is how many deliveries may be leased, and which queues need none.
func (q *queues) room() (limit int, busy []campaign.Queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, queue := range q.byKey {
		if len(queue.waiting) >= refill*q.slots(queue) {
			busy = append(busy, key)
		}
	}
	return min(batch, maxWaiting-q.waiting), busy
}

// add puts a delivery at the end of its queue. It gives false when that is full,
// or closed. For what comes back, as it was only rendered, there is always room.
func (q *queues) add(d campaign.Delivery, back bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	to := q.queueOf(&d)
	if !back && len(to.waiting) >= full*q.slots(to) {
		return false
	}
	to.waiting = append(to.waiting, d)
	q.waiting++
	q.giveTurn(to)
	return true
}

func (q *queues) queueOf(d *campaign.Delivery) *queue {
	key := keyOf(d)
	found := q.byKey[key]
	if found == nil {
		of := q.workspaces[key.Workspace]
		if of == nil {
			of = &tenant{}
			q.workspaces[key.Workspace] = of
		}
		found = &queue{key: key, tenant: of}
		q.byKey[key] = found
	}
	return found
}

// take gives the next delivery and the queue whose slot it takes; nil when there
// is none, or no slot for it.
func (q *queues) take() (d campaign.Delivery, from *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running >= q.total || len(q.turns) == 0 {
		return d, nil
	}
	of := q.turns[0]
	q.turns = q.turns[1:]
	of.inTurn = false
	from = of.turns[0]
	of.turns = of.turns[1:]
	from.inTurn = false

	d = from.waiting[0]
	from.waiting[0] = campaign.Delivery{} // the array lives on
	from.waiting = from.waiting[1:]
	from.running++
	of.running++
	q.running++
	q.waiting--
	q.giveTurn(from)
	if len(from.waiting) == refill*q.slots(from)-1 || q.waiting == maxWaiting-1 {
		q.relieved()
	}
	return d, from
}

// release frees a slot after the attempt that was made in it, if one was.
func (q *queues) release(from *queue, a *campaign.Attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from.running--
	from.tenant.running--
	q.running--
	if a != nil {
		took := a.Status >= 200 && a.Status < 300
		if took && !from.proven {
			q.relieved() // there is room for more
		}
		from.proven = took
	}
	q.giveTurn(from)
	if from.running == 0 && len(from.waiting) == 0 {
		delete(q.byKey, from.key)
	}
}

// giveTurn lines a queue up when it could start an attempt, and its workspace.
func (q *queues) giveTurn(to *queue) {
	if !to.inTurn && len(to.waiting) > 0 && to.running < q.slots(to) {
		to.inTurn = true
		to.tenant.turns = append(to.tenant.turns, to)
	}
	if of := to.tenant; !of.inTurn && len(of.turns) > 0 && of.running < max(1, q.total/workspaceShare) {
		of.inTurn = true
		q.turns = append(q.turns, of)
	}
}

// close empties all queues for good and gives what waited in them.
func (q *queues) close() []campaign.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting []campaign.Delivery
	for _, queue := range q.byKey {
		waiting = append(waiting, queue.waiting...)
		queue.waiting, queue.inTurn = nil, false
		queue.tenant.turns = nil
	}
	q.closed, q.turns, q.waiting = true, nil, 0
	return waiting
}

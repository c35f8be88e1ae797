package delivery

import (
	"slices"
	"testing"

	"platen/internal/campaign"
	"platen/internal/event"
)

func waiting(id event.ID, host string) job {
	return job{delivery: campaign.Delivery{ID: id, Workspace: 1, Host: host}}
}

func TestHostsTakeTurns(t *testing.T) {
	q := newQueues(2, 5, func() {})
	for i, host := range []string{"a", "a", "a", "a", "b", "b", "b", "c"} {
		q.add(waiting(event.ID(i), host))
	}
	var order []string
	var running []job
	for j, ok := q.take(); ok; j, ok = q.take() {
		order = append(order, j.delivery.Host)
		running = append(running, j)
	}
	// Two slots for each host, five in all.
	if want := []string{"a", "b", "c", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
	// The slot of c goes to nobody, as the others have theirs; that of a goes to a.
	if j, ok := q.release(&running[2].delivery); ok {
		t.Errorf("%s got a third slot", j.delivery.Host)
	}
	if j, ok := q.release(&running[0].delivery); !ok || j.delivery.ID != 2 {
		t.Errorf("got %v, %v; want the third of a", j.delivery.ID, ok)
	}
}

func TestSameHostOfTwoWorkspacesHasTwoQueues(t *testing.T) {
	q := newQueues(1, 10, func() {})
	first, second := waiting(1, "a"), waiting(2, "a")
	second.delivery.Workspace = 2
	q.add(first)
	q.add(second)
	q.take()
	if _, ok := q.take(); !ok {
		t.Error("one workspace waits for the other")
	}
}

func TestRoom(t *testing.T) {
	relieved := 0
	q := newQueues(1, 10, func() { relieved++ })
	for i := range refill - 1 {
		q.add(waiting(event.ID(i), "a"))
	}
	if limit, busy := q.room(); limit != batch || len(busy) != 0 {
		t.Errorf("room for %d, busy %v", limit, busy)
	}
	for i := range maxQueue - refill + 1 {
		if !q.add(waiting(event.ID(1000+i), "a")) {
			t.Fatal("the queue is full too early")
		}
	}
	if q.add(waiting(5000, "a")) {
		t.Error("the queue is never full")
	}
	if _, busy := q.room(); !slices.Equal(busy, []campaign.Queue{{Workspace: 1, Host: "a"}}) {
		t.Errorf("busy: %v", busy)
	}
	j, _ := q.take()
	for range maxQueue - refill {
		j, _ = q.release(&j.delivery)
	}
	if relieved != 1 {
		t.Errorf("told %d times that there is room", relieved)
	}
	if _, busy := q.room(); len(busy) != 0 {
		t.Errorf("busy: %v", busy)
	}
}

func TestRoomInAll(t *testing.T) {
	relieved := 0
	q := newQueues(1, 1, func() { relieved++ })
	for i := range maxWaiting {
		q.add(waiting(event.ID(i), string(rune('a'+i%64))))
	}
	if limit, _ := q.room(); limit != 0 {
		t.Errorf("room for %d", limit)
	}
	q.take()
	if limit, _ := q.room(); limit != 1 || relieved != 1 {
		t.Errorf("room for %d, told %d times", limit, relieved)
	}
}

func TestDrain(t *testing.T) {
	q := newQueues(1, 10, func() {})
	for id := event.ID(1); id <= 3; id++ {
		q.add(waiting(id, "a"))
	}
	j, _ := q.take()
	if left := q.drain(); len(left) != 2 {
		t.Errorf("%d left", len(left))
	}
	if _, ok := q.release(&j.delivery); ok {
		t.Error("there is still something to do")
	}
	if len(q.byKey) != 0 || q.waiting != 0 || q.running != 0 {
		t.Errorf("%+v", q)
	}
}

package delivery

import (
	"fmt"
	"slices"
	"testing"

	"platen/internal/campaign"
	"platen/internal/event"
)

func waiting(id event.ID, host string) campaign.Delivery {
	return campaign.Delivery{ID: id, Workspace: 1, Host: host}
}

// taken takes until there is nothing to do or no slot, and gives the hosts.
func taken(q *queues) (hosts []string, slots []*queue) {
	for d, from := q.take(); from != nil; d, from = q.take() {
		hosts, slots = append(hosts, d.Host), append(slots, from)
	}
	return hosts, slots
}

var (
	took    = &campaign.Attempt{Status: 204}
	refused = &campaign.Attempt{Status: 429}
	silent  = &campaign.Attempt{Error: campaign.HTTPTimeout}
)

func TestHostsTakeTurns(t *testing.T) {
	q := newQueues(2, 5*workspaceShare, func() {})
	for i, host := range []string{"a", "a", "a", "a", "b", "b", "b", "c"} {
		q.add(waiting(event.ID(i), host), false)
	}
	// Two slots for each host, five for the workspace.
	order, slots := taken(q)
	if want := []string{"a", "b", "c", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
	// The slot of c goes to nobody, as the others have theirs; that of a goes to a.
	q.release(slots[2], nil)
	if d, from := q.take(); from != nil {
		t.Errorf("%s got a third slot", d.Host)
	}
	q.release(slots[0], nil)
	if d, from := q.take(); from == nil || d.ID != 2 {
		t.Errorf("got %v, %v; want the third of a", d.ID, from)
	}
}

// TestWorkspacesTakeTurns has one with more hosts than there are slots.
func TestWorkspacesTakeTurns(t *testing.T) {
	q := newQueues(1, 3*workspaceShare, func() {})
	for i := range 100 {
		q.add(waiting(event.ID(i), fmt.Sprint("many", i)), false)
	}
	hosts, slots := taken(q)
	if len(hosts) != 3 {
		t.Errorf("one workspace has %d slots", len(hosts))
	}
	for w := range int64(2 * workspaceShare) {
		other := waiting(event.ID(1000+w), "few")
		other.Workspace = 2 + w
		q.add(other, false)
	}
	if others, _ := taken(q); len(others) != 2*workspaceShare {
		t.Errorf("%d of %d others have a slot", len(others), 2*workspaceShare)
	}
	q.release(slots[0], nil)
	q.release(slots[1], nil)
	if more, _ := taken(q); len(more) != 2 {
		t.Errorf("%d slots are used again", len(more))
	}
	if q.running != 3+2*workspaceShare {
		t.Errorf("%d run", q.running)
	}
}

func TestAllSlots(t *testing.T) {
	q := newQueues(4, 8, func() {})
	for i := range 50 {
		d := waiting(event.ID(i), "a")
		d.Workspace = int64(i % 10)
		q.add(d, false)
	}
	if hosts, _ := taken(q); len(hosts) != 8 {
		t.Errorf("%d run, want 8", len(hosts))
	}
}

// TestHostsProveThemselves follows the slots of one host.
func TestHostsProveThemselves(t *testing.T) {
	q := newQueues(10, 100*workspaceShare, func() {})
	add := func() {
		for i := range event.ID(full * unproven) {
			q.add(waiting(i, "a"), false)
		}
	}
	add()
	_, slots := taken(q)
	if len(slots) != unproven {
		t.Errorf("a host nobody knows has %d slots", len(slots))
	}
	for _, step := range []struct {
		attempt *campaign.Attempt
		want    int
	}{
		{nil, unproven}, {took, 10}, {nil, 10}, {took, 10}, {silent, 9}, {nil, 8}, {took, 10}, {refused, 9}, {silent, 8},
		{silent, 7}, {silent, 6}, {silent, 5}, {silent, unproven}, {silent, unproven}, {took, 10},
	} {
		add()
		q.release(slots[0], step.attempt)
		taken(q)
		if slots[0].running != step.want {
			t.Errorf("after %+v it has %d, want %d", step.attempt, slots[0].running, step.want)
		}
	}
}

func TestSameHostOfTwoWorkspacesHasTwoQueues(t *testing.T) {
	q := newQueues(1, 10, func() {})
	first, second := waiting(1, "a"), waiting(2, "a")
	second.Workspace = 2
	q.add(first, false)
	q.add(second, false)
	if hosts, _ := taken(q); len(hosts) != 2 {
		t.Error("one workspace waits for the other")
	}
}

func TestRoom(t *testing.T) {
	relieved := 0
	q := newQueues(1, 10, func() { relieved++ })
	for i := range refill - 1 {
		q.add(waiting(event.ID(i), "a"), false)
	}
	if limit, busy := q.room(); limit != batch || len(busy) != 0 {
		t.Errorf("room for %d, busy %v", limit, busy)
	}
	for i := range full - refill + 1 {
		if !q.add(waiting(event.ID(1000+i), "a"), false) {
			t.Fatal("the queue is full too early")
		}
	}
	if q.add(waiting(5000, "a"), false) {
		t.Error("the queue is never full")
	}
	if !q.add(waiting(5000, "a"), true) {
		t.Error("what was taken out has no place")
	}
	if _, busy := q.room(); !slices.Equal(busy, []campaign.Queue{{Workspace: 1, Host: "a"}}) {
		t.Errorf("busy: %v", busy)
	}
	for range full - refill + 2 {
		_, from := q.take()
		q.release(from, nil)
	}
	if relieved != 1 {
		t.Errorf("told %d times that there is room", relieved)
	}
	if _, busy := q.room(); len(busy) != 0 {
		t.Errorf("busy: %v", busy)
	}
}

// TestRoomGrowsWithTheSlots fills the queue of a host that then takes a message.
func TestRoomGrowsWithTheSlots(t *testing.T) {
	relieved := 0
	q := newQueues(32, 512, func() { relieved++ })
	for i := range full * unproven {
		q.add(waiting(event.ID(i), "a"), false)
	}
	_, from := q.take()
	if _, busy := q.room(); len(busy) != 1 || relieved != 0 {
		t.Errorf("busy: %v, told %d times that there is room", busy, relieved)
	}
	q.release(from, took)
	if _, busy := q.room(); len(busy) != 0 || relieved != 1 {
		t.Errorf("busy: %v, told %d times that there is room", busy, relieved)
	}
}

func TestRoomInAll(t *testing.T) {
	relieved := 0
	q := newQueues(1, 1, func() { relieved++ })
	for i := range maxWaiting {
		q.add(waiting(event.ID(i), fmt.Sprint(i/full)), false)
	}
	if limit, _ := q.room(); limit != 0 {
		t.Errorf("room for %d", limit)
	}
	q.take()
	if limit, _ := q.room(); limit != 1 || relieved != 1 {
		t.Errorf("room for %d, told %d times", limit, relieved)
	}
}

func TestClosedQueues(t *testing.T) {
	q := newQueues(1, 10, func() {})
	for id := event.ID(1); id <= 3; id++ {
		q.add(waiting(id, "a"), false)
	}
	_, from := q.take()
	if left := q.close(); len(left) != 2 {
		t.Errorf("%d left", len(left))
	}
	if q.add(waiting(4, "b"), false) {
		t.Error("it takes more")
	}
	q.release(from, took)
	if _, from := q.take(); from != nil {
		t.Error("there is still something to do")
	}
	if len(q.turns) != 0 || q.waiting != 0 || q.running != 0 {
		t.Errorf("%+v", q)
	}
}

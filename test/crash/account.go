package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/store/sqlite"
)

// message is one event, named by a number.
type message struct{ n int }

func (m message) id() string { return "message-" + strconv.Itoa(m.n) }
func (m message) shelf() int { return m.n % 10 }

// triggers says whether the event sets the campaign off.
func (m message) triggers() bool { return m.shelf() == 3 }

// ledger is kept outside of the server: what was sent and what was acknowledged.
type ledger struct {
	mu      sync.Mutex
	sent    int
	again   []message // sent, no answer came: to be sent again under the same id
	acked   map[int]bool
	resent  int // sent again
	doubled int // the server had it already when it was sent again
}

func newLedger() *ledger { return &ledger{acked: map[int]bool{}} }

// next gives a message that was not answered, or a new one.
func (l *ledger) next() message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.again); n > 0 {
		m := l.again[n-1]
		l.again = l.again[:n-1]
		l.resent++
		return m
	}
	l.sent++
	return message{l.sent}
}

func (l *ledger) settle(m message, known bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.again = append(l.again, m)
		return
	}
	if known {
		l.doubled++
	}
	l.acked[m.n] = true
}

// open takes all messages that were never answered.
func (l *ledger) open() []message {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := l.again
	l.again = nil
	return open
}

func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d sent, %d acknowledged, %d without an answer, %d found stored when sent again", l.sent, len(l.acked), len(l.again), l.doubled)
}

// receiver takes the webhooks and remembers under which ids and with which
// bodies each event came.
type receiver struct {
	server *httptest.Server
	url    string

	mu     sync.Mutex
	ids    map[string]map[string]bool // by event
	bodies map[string]map[string]bool // by webhook-id
	calls  int
}

func newReceiver() *receiver {
	r := &receiver{ids: map[string]map[string]bool{}, bodies: map[string]map[string]bool{}}
	r.server = httptest.NewServer(http.HandlerFunc(r.receive))
	r.url = r.server.URL + "/hook"
	return r
}

func (r *receiver) close() { r.server.Close() }

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var sent struct{ ID string }
	if err != nil || json.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.calls++
	note(r.ids, sent.ID, req.Header.Get("Webhook-Id"))
	note(r.bodies, req.Header.Get("Webhook-Id"), string(body))
	r.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

func note(m map[string]map[string]bool, key, value string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][value] = true
}

// account opens the store, now that no server runs, and compares.
func (r *rig) account(ctx context.Context) error {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: r.data, IDs: event.NewIDs(time.Now, 0)})
	if err != nil {
		return err
	}
	defer store.Close()
	stored := map[string][]event.ID{}
	err = store.EachEvent(ctx, func(e *event.Event) error {
		var p struct{ ID string }
		if err := json.Unmarshal(e.Properties, &p); err != nil {
			return err
		}
		stored[p.ID] = append(stored[p.ID], e.ID)
		return nil
	})
	if err != nil {
		return err
	}
	deliveries := map[event.ID][]campaign.State{}
	err = store.EachDelivery(ctx, func(d *campaign.Delivery) error {
		deliveries[d.Event] = append(deliveries[d.Event], d.State)
		return nil
	})
	if err != nil {
		return err
	}
	return r.compare(stored, deliveries)
}

func (r *rig) compare(stored map[string][]event.ID, deliveries map[event.ID][]campaign.State) error {
	var problems []error
	complain := func(format string, args ...any) {
		if len(problems) < 20 {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	delivered, queued := 0, 0
	for n := range r.ledger.acked {
		m := message{n}
		ids := stored[m.id()]
		if len(ids) != 1 {
			complain("%s was acknowledged and is stored %d times", m.id(), len(ids))
			continue
		}
		states := deliveries[ids[0]]
		switch {
		case m.triggers() && len(states) != 1:
			complain("%s triggered the campaign and has %d deliveries", m.id(), len(states))
		case !m.triggers() && len(states) != 0:
			complain("%s did not trigger the campaign and has %d deliveries", m.id(), len(states))
		case !m.triggers():
		case states[0] == campaign.Delivered:
			delivered++
			if len(r.receiver.ids[m.id()]) == 0 {
				complain("%s counts as delivered and never arrived", m.id())
			}
		case states[0] == campaign.Queued:
			queued++
		default:
			complain("the delivery of %s is %s", m.id(), states[0])
		}
	}
	for id, under := range r.receiver.ids {
		if len(under) != 1 {
			complain("%s was sent under %d webhook-ids", id, len(under))
		}
	}
	for id, bodies := range r.receiver.bodies {
		if len(bodies) != 1 {
			complain("%s was sent with %d bodies", id, len(bodies))
		}
	}
	fmt.Printf("%s\n%d events stored, %d deliveries done, %d queued, %d webhooks received for %d messages\n",
		r.ledger, len(stored), delivered, queued, r.receiver.calls, len(r.receiver.bodies))
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("not everything is accounted for:\n%w", err)
	}
	fmt.Println("acknowledged events missing: 0, stored twice: 0, hits lost: 0, deliveries lost: 0, sent under two ids: 0")
	return nil
}

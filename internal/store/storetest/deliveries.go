package storetest

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/personalize"
)

// plan stores deliveries by way of hits.
func (f *fixture) plan(deliveries ...campaign.Delivery) {
	f.Helper()
	var hits []campaign.Hit
	var plans []campaign.Plan
	for _, d := range deliveries {
		h := campaign.Hit{ID: f.ids.Next(), Workspace: d.Workspace}
		hits, plans = append(hits, h), append(plans, campaign.Plan{Hit: h.ID, Delivery: d})
	}
	f.commit(ingest.Changes{Hits: hits})
	f.must(f.store.Plan(f.Context(), plans))
}

// queued makes a delivery that is due in some seconds.
func (f *fixture) queued(host string, seconds int) campaign.Delivery {
	return campaign.Delivery{ID: f.ids.Next(), Workspace: workspace, Campaign: "c", Variant: "v", Profile: 5, Event: 6,
		State: campaign.Queued, Due: f.in(seconds), Created: f.clock, Host: host}
}

func (f *fixture) in(seconds int) time.Time {
	return f.clock.Add(time.Duration(seconds) * time.Second)
}

// lease leases what is due in some seconds for a minute, and gives the ids.
func (f *fixture) lease(seconds, limit int, busy ...campaign.Queue) (ids []event.ID) {
	f.Helper()
	now := f.in(seconds)
	due, err := f.store.HasDue(f.Context(), now)
	f.must(err)
	leased, err := f.store.Lease(f.Context(), now, now.Add(time.Minute), busy, limit)
	f.must(err)
	for _, d := range leased {
		ids = append(ids, d.ID)
	}
	if !due && len(ids) > 0 || due && len(ids) == 0 && len(busy) == 0 {
		f.Errorf("HasDue says %v, and %d were leased", due, len(ids))
	}
	return ids
}

func hitsAndPlans(f *fixture) {
	hits := make([]campaign.Hit, 3)
	for i := range hits {
		hits[i] = campaign.Hit{ID: f.ids.Next(), Workspace: workspace, Campaign: "c", Event: event.ID(10 + i), Profile: event.ID(20 + i)}
	}
	hits[1].Refused = "plan is not gold"
	f.commit(ingest.Changes{Hits: hits})
	f.reopen()
	got, err := f.store.Hits(f.Context(), 2)
	f.must(err)
	f.same("the oldest hits", got, hits[:2])

	sent, not := f.queued("x.example", 0), f.queued("", 0)
	not.State, not.Reason, not.Detail, not.Finished = campaign.NotSent, campaign.NotInAudience, "plan is not gold", f.clock
	plans := []campaign.Plan{{Hit: hits[0].ID, Delivery: sent}, {Hit: hits[1].ID, Delivery: not}}
	f.must(f.store.Plan(f.Context(), plans))
	second := plans
	second[0].Delivery.ID, second[1].Delivery.ID = f.ids.Next(), f.ids.Next()
	f.must(f.store.Plan(f.Context(), second)) // planned before: nothing is written again
	got, err = f.store.Hits(f.Context(), 10)
	f.must(err)
	f.same("hits left", got, hits[2:])
	waiting, queued, err := f.store.Pending(f.Context())
	f.must(err)
	f.same("hits and deliveries pending", []int64{waiting, queued}, []int64{1, 1})
	f.reopen()
	f.sameDeliveries(sent, not)
}

func (f *fixture) sameDeliveries(want ...campaign.Delivery) {
	f.Helper()
	var got []campaign.Delivery
	f.must(f.store.EachDelivery(f.Context(), func(d *campaign.Delivery) error {
		got = append(got, *d)
		return nil
	}))
	f.same("deliveries", got, want)
}

func leases(f *fixture) {
	d := []campaign.Delivery{f.queued("x.example", 2), f.queued("y.example", 1), f.queued("x.example", 3), f.queued("", 4)}
	not := f.queued("x.example", 0)
	not.State = campaign.NotSent
	f.plan(append(slices.Clone(d), not)...)
	f.same("before anything is due", f.lease(0, 10), []event.ID(nil))
	f.same("at most two, the longest waiting first", f.lease(3, 2), []event.ID{d[1].ID, d[0].ID})
	f.same("what is not held", f.lease(4, 10), []event.ID{d[2].ID, d[3].ID})
	f.same("while all are held", f.lease(62, 10), []event.ID(nil))
	f.same("when leases have run out", f.lease(63, 10), []event.ID{d[0].ID, d[1].ID})
	f.same("no more than asked for", len(f.lease(300, 3)), 3)

	leased, err := f.store.Lease(f.Context(), f.in(1000), f.in(2000), nil, 10)
	f.must(err)
	slices.SortFunc(leased, func(a, b campaign.Delivery) int { return int(a.ID - b.ID) })
	f.same("what is leased", leased, d)
	f.reopen()
	f.same("after a restart", f.lease(1001, 10), []event.ID(nil))
	f.must(f.store.ReleaseLeases(f.Context()))
	f.same("after the leases were given up", f.lease(1001, 10), []event.ID{d[1].ID, d[0].ID, d[2].ID, d[3].ID})
}

func busyQueues(f *fixture) {
	var dead []campaign.Delivery
	for i := range 20 {
		dead = append(dead, f.queued("dead.example", -100+i))
	}
	alive, other := f.queued("alive.example", 0), f.queued("dead.example", 0)
	other.Workspace = elsewhere
	f.plan(append(dead, alive, other)...)
	busy := campaign.Queue{Workspace: workspace, Host: "dead.example"}
	f.same("what is not busy", f.lease(0, 10, busy), []event.ID{alive.ID, other.ID})
	f.same("nothing else", f.lease(0, 10, busy), []event.ID(nil))
	f.same("when it is busy no more", f.lease(0, 3), []event.ID{dead[0].ID, dead[1].ID, dead[2].ID})
	f.same("all but the rest", f.lease(0, 100, campaign.Queue{Workspace: elsewhere, Host: "dead.example"}, campaign.Queue{Workspace: workspace, Host: "none.example"})[0], dead[3].ID)
}

func results(f *fixture) {
	d := []campaign.Delivery{f.queued("", 0), f.queued("", 1), f.queued("", 2)}
	f.plan(d...)
	f.lease(2, 10)
	request := &campaign.Request{Method: http.MethodPost, URL: "https://x.example/a?b=c", Header: [][2]string{{"Content-Type", "application/json"}, {"X-A", ""}},
		Body: []byte("{\"a\":\"ü\x00\"}"), Credential: "token"}
	for i := range 2 {
		d[i].Host, d[i].Request = "x.example", request
	}
	f.must(f.store.SaveRequests(f.Context(), d[:2]))
	f.sameDeliveries(d...)

	tries := []campaign.Attempt{
		{Delivery: d[0].ID, Number: 1, At: f.clock, Duration: 1500 * time.Microsecond, Status: 204, RemoteAddr: "192.0.2.1:443"},
		{Delivery: d[1].ID, Number: 1, At: f.clock, Duration: time.Minute, Error: "timeout", Message: "no answer", Response: []byte{0, 255}},
	}
	d[0].State, d[0].Finished, d[0].Attempts = campaign.Delivered, f.clock, 1
	d[1].Reason, d[1].Detail, d[1].Attempts = "timeout", "no answer", 1
	f.must(f.store.Finish(f.Context(), []campaign.Result{
		{Delivery: d[0], Attempt: &tries[0]},
		{Delivery: d[1], Attempt: &tries[1], Next: f.in(30)},
		{Delivery: d[2], Next: f.in(2)}, // given back
	}))
	f.reopen()
	f.sameDeliveries(d...)
	f.same("what was given back", f.lease(29, 10), []event.ID{d[2].ID})
	f.same("what is tried again", f.lease(30, 10), []event.ID{d[1].ID})

	d[1].State, d[1].Reason, d[1].Finished, d[1].Attempts = campaign.Failed, "gave_up", f.in(30), 2
	last := campaign.Attempt{Delivery: d[1].ID, Number: 2, At: f.in(30), Status: 500, Response: []byte("no")}
	f.must(f.store.Finish(f.Context(), []campaign.Result{{Delivery: d[1], Attempt: &last}}))
	list, err := f.store.Deliveries(f.Context(), workspace, 0, 10)
	f.must(err)
	f.same("deliveries with their attempts", list, []campaign.Activity{
		{Delivery: d[2]}, {Delivery: d[1], Tries: []campaign.Attempt{tries[1], last}}, {Delivery: d[0], Tries: tries[:1]},
	})
	_, pending, err := f.store.Pending(f.Context())
	f.must(err)
	f.same("deliveries pending", pending, int64(1))
}

// putBack renders a delivery whose connected content is not to be had at first.
func putBack(f *fixture) {
	d := f.queued("", 0)
	f.plan(d)
	f.lease(0, 1)
	failed := personalize.Call{At: f.clock, Method: http.MethodGet, URL: "https://x.example/a?b=…", Status: 503, Duration: time.Millisecond, Why: "answered 503"}
	stale := d
	d.PutBack, d.Reason, d.Detail, d.Calls = 1, campaign.ContentUnavailable, "answered 503", []personalize.Call{failed}
	f.must(f.store.Finish(f.Context(), []campaign.Result{{Delivery: d, Next: f.in(55)}}))
	f.same("before its time", f.lease(54, 1), []event.ID(nil))
	f.same("at its time", f.lease(55, 1), []event.ID{d.ID})
	f.must(f.store.Finish(f.Context(), []campaign.Result{{Delivery: stale, Next: f.in(0)}})) // too late
	f.reopen()
	f.sameDeliveries(d)
	f.same("while it is held", f.lease(56, 1), []event.ID(nil))

	d.Request, d.Host, d.Extras = &campaign.Request{Method: http.MethodPost, URL: "https://y.example/"}, "y.example", map[string]string{"k": "ü\""}
	d.AddCalls([]personalize.Call{failed})
	f.must(f.store.SaveRequests(f.Context(), []campaign.Delivery{d}))
	f.sameDeliveries(d)
}

// lateResults has a lease run out while the attempt was under way: the delivery
// was leased again, and both holders come back with a result.
func lateResults(f *fixture) {
	d := f.queued("x.example", 0)
	f.plan(d)
	f.lease(0, 1)
	f.same("leased again", f.lease(60, 1), []event.ID{d.ID})
	late, first := d, d
	first.Reason, first.Attempts = "timeout", 1
	try := campaign.Attempt{Delivery: d.ID, Number: 1, At: f.clock, Error: "timeout"}
	f.must(f.store.Finish(f.Context(), []campaign.Result{{Delivery: first, Attempt: &try, Next: f.in(90)}}))

	late.State, late.Finished, late.Attempts = campaign.Delivered, f.clock, 1
	lateTry := campaign.Attempt{Delivery: d.ID, Number: 1, At: f.clock, Status: 200}
	tooLate := []campaign.Result{{Delivery: late, Attempt: &lateTry}, {Delivery: d, Next: f.in(0)}}
	f.must(f.store.Finish(f.Context(), tooLate))
	f.sameDeliveries(first)

	first.State, first.Finished, first.Attempts = campaign.Failed, f.in(90), 2
	last := campaign.Attempt{Delivery: d.ID, Number: 2, At: f.in(90), Status: 404}
	f.must(f.store.Finish(f.Context(), []campaign.Result{{Delivery: first, Attempt: &last}}))
	tooLate = append(tooLate, campaign.Result{Delivery: first, Next: f.in(0)})
	tooLate[2].Delivery.State = campaign.Queued
	f.must(f.store.Finish(f.Context(), tooLate))
	list, err := f.store.Deliveries(f.Context(), workspace, 0, 10)
	f.must(err)
	f.same("what came in time", list, []campaign.Activity{{Delivery: first, Tries: []campaign.Attempt{try, last}}})
}

func activity(f *fixture) {
	var all []campaign.Delivery
	for i := range 5 {
		d := f.queued("x.example", 0)
		d.Event, d.Campaign = event.ID(100+i/2), fmt.Sprint("c", i)
		all = append(all, d)
	}
	all[4].Workspace = elsewhere
	f.plan(all...)
	for _, c := range []struct {
		workspace int64
		of        event.ID
		limit     int
		want      []campaign.Delivery
	}{
		{workspace, 0, 3, []campaign.Delivery{all[3], all[2], all[1]}},
		{workspace, 100, 10, []campaign.Delivery{all[1], all[0]}},
		{elsewhere, 0, 10, []campaign.Delivery{all[4]}},
		{elsewhere, 100, 10, nil},
	} {
		list, err := f.store.Deliveries(f.Context(), c.workspace, c.of, c.limit)
		f.must(err)
		var got []campaign.Delivery
		for _, a := range list {
			got = append(got, a.Delivery)
		}
		f.same(fmt.Sprintf("of workspace %d and event %v", c.workspace, c.of), got, c.want)
	}
}

package planner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/profile"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// memory is a store that keeps what the planner's store promises, and can crash
// before or after any of its calls.
type memory struct {
	mu         sync.Mutex
	hits       []campaign.Hit
	lastHit    event.ID
	deliveries []campaign.Delivery
	profiles   map[event.ID]*profile.Profile

	calls   int
	crashAt int // the how manieth moment, counted from 1; 0 for never
	reads   int
}

var errCrash = errors.New("the process was killed")

func (m *memory) crash() error {
	if m.calls++; m.calls == m.crashAt {
		return errCrash
	}
	return nil
}

func (m *memory) Hits(_ context.Context, limit int) ([]campaign.Hit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	return slices.Clone(m.hits[:min(limit, len(m.hits))]), m.crash()
}

func (m *memory) ProfileByID(_ context.Context, id event.ID) (*profile.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.profiles[id], m.crash()
}

func (m *memory) Plan(_ context.Context, plans []campaign.Plan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.crash(); err != nil {
		return err
	}
	for _, p := range plans {
		i := slices.IndexFunc(m.hits, func(h campaign.Hit) bool { return h.ID == p.Hit })
		if i < 0 {
			continue
		}
		m.hits = slices.Delete(m.hits, i, i+1)
		m.deliveries = append(m.deliveries, p.Delivery)
	}
	return m.crash()
}

// put adds hits of one campaign and gives how often the store was read before.
func (m *memory) put(hits int) (reads int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range hits {
		m.lastHit++
		m.hits = append(m.hits, campaign.Hit{ID: m.lastHit, Campaign: "active", Profile: 5, Event: 1000 + m.lastHit})
	}
	return m.reads
}

func (m *memory) counts() (deliveries, reads int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.deliveries), m.reads
}

func root(id event.ID) *profile.Profile { return &profile.Profile{Root: &profile.Part{ID: id}} }

var campaigns = map[string]*campaign.Campaign{
	"active": {ID: "active", State: campaign.Active, Variants: []campaign.Variant{
		{ID: "v1", Percent: 100, Webhook: campaign.Webhook{URL: "https://Hooks.example.com/in?u={{${user_id}}}"}}}},
	"open host": {ID: "open host", State: campaign.Active, Variants: []campaign.Variant{
		{ID: "v2", Percent: 100, Webhook: campaign.Webhook{URL: "https://{{${city}}}.example.com/"}}}},
	"control": {ID: "control", State: campaign.Active, ControlPercent: 100},
	"stopped": {ID: "stopped", State: campaign.Stopped},
	"draft":   {ID: "draft", State: campaign.Draft},
}

func find(id string) (*campaign.Campaign, bool) {
	c, ok := campaigns[id]
	return c, ok
}

func newPlanner(store Store) *Planner {
	now := func() time.Time { return noon }
	return New(store, find, event.NewIDs(now, 1), now, func() {})
}

func TestPlan(t *testing.T) {
	for _, test := range []struct {
		name string
		hit  campaign.Hit
		want campaign.Delivery
	}{
		{"queued", campaign.Hit{Campaign: "active", Profile: 5},
			campaign.Delivery{State: campaign.Queued, Variant: "v1", Profile: 5, Host: "hooks.example.com"}},
		{"the host is known later", campaign.Hit{Campaign: "open host", Profile: 5},
			campaign.Delivery{State: campaign.Queued, Variant: "v2", Profile: 5}},
		{"merged since", campaign.Hit{Campaign: "active", Profile: 6},
			campaign.Delivery{State: campaign.Queued, Variant: "v1", Profile: 5, Host: "hooks.example.com"}},
		{"control group", campaign.Hit{Campaign: "control", Profile: 5},
			campaign.Delivery{State: campaign.NotSent, Profile: 5, Reason: campaign.ControlGroup,
				Detail: "the person is in the campaign's control group, which is sent nothing"}},
		{"stopped", campaign.Hit{Campaign: "stopped", Profile: 5},
			campaign.Delivery{State: campaign.NotSent, Profile: 5, Reason: campaign.CampaignDisabled, Detail: "the campaign is stopped"}},
		{"a draft again", campaign.Hit{Campaign: "draft", Profile: 5},
			campaign.Delivery{State: campaign.NotSent, Profile: 5, Reason: campaign.CampaignDisabled, Detail: "the campaign is draft"}},
		{"removed", campaign.Hit{Campaign: "gone", Profile: 5},
			campaign.Delivery{State: campaign.NotSent, Profile: 5, Reason: campaign.CampaignGone,
				Detail: "the campaign was removed after the event came in"}},
		{"refused", campaign.Hit{Campaign: "active", Profile: 5, Refused: "user_id is blank; it must not be blank"},
			campaign.Delivery{State: campaign.NotSent, Profile: 5, Reason: campaign.NotInAudience,
				Detail: "user_id is blank; it must not be blank"}},
		{"no profile", campaign.Hit{Campaign: "active", Profile: 404},
			campaign.Delivery{State: campaign.NotSent, Profile: 404, Reason: campaign.ProfileGone,
				Detail: "the profile was removed after the event came in"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.hit.ID, test.hit.Workspace, test.hit.Event = 1, 7, 3
			store := &memory{hits: []campaign.Hit{test.hit}, profiles: map[event.ID]*profile.Profile{5: root(5), 6: root(5)}}
			worked, err := newPlanner(store).Step(t.Context(), noon)
			if err != nil || !worked {
				t.Fatalf("worked %v, %v", worked, err)
			}
			want := test.want
			want.ID, want.Workspace, want.Campaign, want.Event = store.deliveries[0].ID, 7, test.hit.Campaign, 3
			want.Due, want.Created = noon, noon
			if want.State == campaign.NotSent {
				want.Finished = noon
			}
			if len(store.deliveries) != 1 || len(store.hits) != 0 || !reflect.DeepEqual(store.deliveries[0], want) {
				t.Errorf("got %+v\nwant %+v", store.deliveries, want)
			}
		})
	}
}

// TestCrashAtEveryMoment kills the planner at each call to the store, before and
// after it had its effect, and goes on: every hit becomes one delivery.
func TestCrashAtEveryMoment(t *testing.T) {
	const hits = batch + 3
	for moment := 1; ; moment++ {
		store := &memory{profiles: map[event.ID]*profile.Profile{5: root(5)}, crashAt: moment}
		store.put(hits)
		crashed := false
		for p, steps := newPlanner(store), 0; len(store.hits) > 0; steps++ {
			if steps > 10 {
				t.Fatal("it does not come to an end")
			}
			_, err := p.Step(t.Context(), noon)
			if err != nil {
				if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				crashed = true
				p = newPlanner(store)
			}
		}
		seen := map[event.ID]bool{}
		for _, d := range store.deliveries {
			seen[d.Event] = true
		}
		if len(store.deliveries) != hits || len(seen) != hits {
			t.Fatalf("crash %d: %d deliveries for %d of %d events", moment, len(store.deliveries), len(seen), hits)
		}
		if !crashed && moment <= store.calls {
			t.Fatalf("crash %d was not noticed", moment)
		}
		if moment > store.calls {
			return // the run had no such moment any more
		}
	}
}

func TestRunPlansWhenWokenAndRestsOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{profiles: map[event.ID]*profile.Profile{5: root(5)}}
		var told atomic.Int32
		p := New(store, find, event.NewIDs(time.Now, 1), time.Now, func() { told.Add(1) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()

		synctest.Wait()
		store.put(batch + 1)
		p.Wake()
		synctest.Wait()
		if deliveries, _ := store.counts(); deliveries != batch+1 || told.Load() != 2 {
			t.Errorf("%d deliveries, told %d times", deliveries, told.Load())
		}

		// Hits that nobody told of are found by the clock; until then it rests.
		before := store.put(1)
		time.Sleep(pollEvery)
		synctest.Wait()
		if deliveries, reads := store.counts(); deliveries != batch+2 || reads != before+2 {
			t.Errorf("%d deliveries after %d reads", deliveries, reads-before)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func TestRunEndsWhenTheStoreFails(t *testing.T) {
	store := &memory{crashAt: 1}
	if err := newPlanner(store).Run(t.Context()); !errors.Is(err, errCrash) {
		t.Errorf("got %v", err)
	}
}

func TestErrorsNameTheHit(t *testing.T) {
	store := &memory{hits: []campaign.Hit{{ID: 1, Campaign: "active", Profile: 5}}, crashAt: 2}
	_, err := newPlanner(store).Step(t.Context(), noon)
	if want := fmt.Sprintf("plan hit %s: ", event.ID(1)) + errCrash.Error(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

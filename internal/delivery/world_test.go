package delivery

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/catalog"
	"platen/internal/document"
	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/personalize"
	"platen/internal/profile"
	"platen/internal/workspace"
	"platen/liquid"
)

// What the program gives a sender.
var (
	_ Definitions        = (*document.Live)(nil)
	_ personalize.Client = (*outbound.Client)(nil)
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// world is everything around a sender: the store, the documents, the receivers
// and the clock. It can kill the process before and after each call that leaves
// the sender.
type world struct {
	t  testing.TB
	mu sync.Mutex

	rows      map[event.ID]*row
	attempts  []campaign.Attempt
	events    map[event.ID]event.Event
	profiles  map[event.ID]*profile.Profile
	campaigns map[string]*campaign.Campaign
	secrets   map[string]*workspace.Credential
	catalogs  map[string]*catalog.Catalog
	snippets  map[string]*liquid.Template
	lists     map[string]*catalog.PromotionList
	codes     map[string]event.ID // given, by list and code

	receive func(ctx context.Context, r outbound.Request) (*outbound.Response, error)
	got     []outbound.Request

	clock   func() time.Time
	moments int // calls so far, counted twice: before and after their effect
	crashAt int // 0: never
	dead    bool
	log     bytes.Buffer
	loading func(event.ID) // of a profile, for as long as it likes
	leases  int
	saves   int
	fail    error         // of every Finish
	stalled time.Duration // before the effect of Finish
	syncing time.Duration // from the effect of Finish to its return
}

// row is a delivery as it is stored.
type row struct {
	delivery     campaign.Delivery
	next, leased time.Time
}

var errCrash = errors.New("the process was killed")

const (
	person    event.ID = 5
	viewed    event.ID = 6
	slow      event.ID = 7
	theSecret          = `pa"ss/wörd+1`
)

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, rows: map[event.ID]*row{}, clock: func() time.Time { return noon },
		events:   map[event.ID]event.Event{viewed: {ID: viewed, Properties: json.RawMessage(`{"title":"Wipes","price":1.990}`)}},
		profiles: map[event.ID]*profile.Profile{},
		secrets: map[string]*workspace.Credential{"shop": {
			Workspace: 1, Name: "shop", Host: "a.example", Kind: workspace.Basic, Username: "u", Secret: workspace.NewSecret(theSecret)}},
		campaigns: map[string]*campaign.Campaign{},
		codes:     map[string]event.ID{},
		receive:   answers(200, ""),
		loading:   func(event.ID) {},
	}
	w.setName("Ada")
	w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{"name":"{{${first_name}}}","title":"{{event_properties.${title}}}","at":{{'now' | date: '%s'}}}`})
	return w
}

// setName changes the person.
func (w *world) setName(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, _ := json.Marshal(name)
	w.profiles[person] = &profile.Profile{Root: &profile.Part{ID: person, Own: profile.Facts{
		Attributes: profile.Attributes{"first_name": {{Value: string(text)}}}}}}
}

// define makes an active campaign of one variant, "v".
func (w *world) define(id string, hook campaign.Webhook) {
	hook.Method = cmp.Or(hook.Method, "POST")
	c := &campaign.Campaign{ID: id, Workspace: 1, Name: "Campaign " + id, State: campaign.Active,
		Variants: []campaign.Variant{{ID: "v", Name: "Variant 1", Percent: 100, Webhook: hook}}}
	if errs := c.Compile(); len(errs) > 0 {
		w.t.Fatalf("%+v", errs)
	}
	w.campaigns[id] = c
}

func (w *world) setState(id string, state campaign.CampaignState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := *w.campaigns[id]
	changed.State = state
	w.campaigns[id] = &changed
}

// queue adds a delivery that is due now.
func (w *world) queue(id event.ID, campaignID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	hook := &campaign.Webhook{}
	if c := w.campaigns[campaignID]; c != nil {
		hook = &c.Variants[0].Webhook
	}
	host, _ := hook.LiteralHost()
	now := w.clock()
	w.put(campaign.Delivery{ID: id, Workspace: 1, Campaign: campaignID, Variant: "v", Profile: person, Event: viewed,
		State: campaign.Queued, Due: now, Created: now, Host: host}, now, time.Time{})
}

// put stores a delivery, through JSON so that nothing is shared with the sender.
func (w *world) put(d campaign.Delivery, next, leased time.Time) {
	text, err := json.Marshal(d)
	if err != nil {
		w.t.Fatal(err)
	}
	stored := &row{next: next, leased: leased}
	if err := json.Unmarshal(text, &stored.delivery); err != nil {
		w.t.Fatal(err)
	}
	w.rows[d.ID] = stored
}

func (w *world) delivery(id event.ID) campaign.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows[id].delivery
}

// count is how many deliveries are in a state.
func (w *world) count(state campaign.State) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rows {
		if r.delivery.State == state {
			n++
		}
	}
	return n
}

// leased is how many deliveries somebody holds.
func (w *world) leased() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rows {
		if !r.leased.IsZero() {
			n++
		}
	}
	return n
}

// leasesMade is how often the store was asked to lease.
func (w *world) leasesMade() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leases
}

// requests are those that receivers saw.
func (w *world) requests() []outbound.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// moment is a point at which the process may be killed, after which nothing has an
// effect until the next one starts. The caller holds mu.
func (w *world) moment() error {
	if w.dead {
		return errCrash
	}
	if w.moments++; w.moments == w.crashAt {
		w.dead = true
		return errCrash
	}
	return nil
}

func (w *world) HasDue(_ context.Context, now time.Time) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.due(now, nil)) > 0, w.moment()
}

func (w *world) due(now time.Time, busy []campaign.Queue) (due []campaign.Delivery) {
	for _, r := range w.rows {
		d := &r.delivery
		if d.State == campaign.Queued && !r.next.After(now) && !r.leased.After(now) &&
			!slices.Contains(busy, campaign.Queue{Workspace: d.Workspace, Host: d.Host}) {
			due = append(due, *d)
		}
	}
	slices.SortFunc(due, func(a, b campaign.Delivery) int {
		return cmp.Or(w.rows[a.ID].next.Compare(w.rows[b.ID].next), cmp.Compare(a.ID, b.ID))
	})
	return due
}

func (w *world) Lease(_ context.Context, now, until time.Time, busy []campaign.Queue, limit int) ([]campaign.Delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.moment(); err != nil {
		return nil, err
	}
	w.leases++
	due := w.due(now, busy)
	due = due[:min(limit, len(due))]
	for _, d := range due {
		w.rows[d.ID].leased = until
	}
	return due, w.moment()
}

func (w *world) SaveRequests(_ context.Context, rendered []campaign.Delivery) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.moment(); err != nil {
		return err
	}
	w.saves += len(rendered)
	for _, d := range rendered {
		was := w.rows[d.ID]
		stored := was.delivery
		if stored.Request != nil {
			w.t.Errorf("delivery %s was rendered twice", d.ID)
		}
		stored.Host, stored.Request, stored.Extras, stored.Calls = d.Host, d.Request, d.Extras, d.Calls
		w.put(stored, was.next, was.leased)
	}
	return w.moment()
}

func (w *world) Finish(_ context.Context, results []campaign.Result) error {
	time.Sleep(w.stalled)
	defer time.Sleep(w.syncing) // on the clock of a bubble, or not at all
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := cmp.Or(w.fail, w.moment()); err != nil {
		return err
	}
	for _, r := range results {
		stored := w.rows[r.Delivery.ID].delivery
		if stored.State != campaign.Queued || stored.Attempts != r.AttemptsBefore() || stored.PutBack > r.Delivery.PutBack {
			continue // too late
		}
		stored.State, stored.Reason, stored.Detail = r.Delivery.State, r.Delivery.Reason, r.Delivery.Detail
		stored.Finished, stored.Attempts = r.Delivery.Finished, r.Delivery.Attempts
		stored.PutBack, stored.Calls = r.Delivery.PutBack, r.Delivery.Calls
		w.put(stored, r.Next, time.Time{})
		if r.Attempt != nil {
			w.addAttempt(*r.Attempt)
		}
	}
	return w.moment()
}

func (w *world) addAttempt(a campaign.Attempt) {
	for _, known := range w.attempts {
		if known.Delivery == a.Delivery && known.Number == a.Number {
			w.t.Errorf("delivery %s has two attempts with the number %d", a.Delivery, a.Number)
		}
	}
	w.attempts = append(w.attempts, a)
}

func (w *world) Events(_ context.Context, ids []event.ID) (found []event.Event, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if e, ok := w.events[id]; ok {
			found = append(found, e)
		}
	}
	return found, w.moment()
}

func (w *world) ProfileByID(_ context.Context, id event.ID) (*profile.Profile, error) {
	w.loading(id)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.profiles[id], w.moment()
}

func (w *world) ReserveCode(_ context.Context, _ int64, list string, message event.ID, codes []string) (string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.moment(); err != nil {
		return "", false, err
	}
	for _, code := range codes {
		key := list + "/" + code
		if by := w.codes[key]; by == 0 || by == message {
			w.codes[key] = message
			return code, true, w.moment()
		}
	}
	return "", false, w.moment()
}

// restart is what a process does at its start.
func (w *world) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
	for _, r := range w.rows {
		r.leased = time.Time{}
	}
}

func (w *world) Campaign(id string) (*campaign.Campaign, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.campaigns[id]
	return c, ok
}

func (w *world) Credential(_ int64, name string) (*workspace.Credential, bool) {
	c, ok := w.secrets[name]
	return c, ok
}

func (w *world) Catalog(_ int64, name string) (*catalog.Catalog, bool) {
	c, ok := w.catalogs[name]
	return c, ok
}

func (w *world) Snippet(_ int64, name string) (*liquid.Template, bool) {
	t, ok := w.snippets[name]
	return t, ok
}

func (w *world) PromotionList(_ int64, name string) (*catalog.PromotionList, bool) {
	l, ok := w.lists[name]
	return l, ok
}

func (w *world) Workspace(id int64) (*workspace.Workspace, bool) {
	if id != 1 {
		return nil, false
	}
	return &workspace.Workspace{ID: id, Egress: outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}, true
}

// Do hands the request to the scripted receiver, unless the process is killed
// before it is sent or before the answer is seen: then whatever it gives is lost.
func (w *world) Do(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
	w.mu.Lock()
	if err := w.moment(); err != nil {
		w.mu.Unlock()
		return nil, err
	}
	w.got = append(w.got, r)
	w.mu.Unlock()
	reply, err := w.receive(ctx, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	return reply, cmp.Or(w.moment(), err)
}

// answers is a receiver that always says the same.
func answers(status int, body string) func(context.Context, outbound.Request) (*outbound.Response, error) {
	return func(context.Context, outbound.Request) (*outbound.Response, error) {
		return &outbound.Response{Status: status, Header: http.Header{}, Body: []byte(body), RemoteAddr: netip.MustParseAddr("93.184.216.34")}, nil
	}
}

// refuses is a receiver that is not there.
func refuses(kind outbound.Kind, message string) func(context.Context, outbound.Request) (*outbound.Response, error) {
	return func(context.Context, outbound.Request) (*outbound.Response, error) {
		return nil, &outbound.Error{Kind: kind, Message: message}
	}
}

// breaksOff is a receiver that closes the connection in the middle of its answer.
func breaksOff(status int) func(context.Context, outbound.Request) (*outbound.Response, error) {
	return func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
		reply, _ := answers(status, "half of")(ctx, r)
		return reply, &outbound.Error{Kind: outbound.Protocol, Message: hostOf(r) + " closed the connection"}
	}
}

func hostOf(r outbound.Request) string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return fmt.Sprint(err)
	}
	return u.Host
}

func (w *world) sender(change ...func(*Options)) *Sender {
	o := Options{
		Definitions: func() Definitions { return w }, Client: w, IDs: event.NewIDs(w.clock, 1), Now: w.clock,
		UserAgent: "Platen/test", Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	return New(w, o)
}

// step makes one step at a time.
func (w *world) step(s *Sender, now time.Time) {
	w.t.Helper()
	w.clock = func() time.Time { return now }
	s.now = w.clock
	if _, err := s.Step(context.Background(), now); err != nil {
		w.t.Fatal(err)
	}
}

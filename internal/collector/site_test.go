package collector

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/document"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// The sources of the tests. Each has the password "secret".
const documents = `
kind: Workspace
name: content
---
kind: Source # as a new one is: strict, 30 days
workspace: content
name: shop
key: shop
username: shop
password: {env: SECRET}
presets: [movable-ink]
---
kind: Source
workspace: content
name: history
key: history
username: shop
password: {env: SECRET}
presets: [movable-ink]
policies: {max_age: off}
---
kind: Source
workspace: content
name: lenient
key: lenient
username: shop
password: {env: SECRET}
presets: [movable-ink]
policies: {json: lenient, max_age: off}
---
kind: Source
workspace: content
name: linking
key: linking
username: shop
password: {env: SECRET}
presets: [movable-ink]
policies: {links: track, dedupe: {content: 10m}}
---
kind: Source
workspace: content
name: own
key: own
username: shop
password: {env: SECRET}
mappings:
  - event: ticket_bought
    match: '.kind == "ticket"'
    fields: {user_id: .who, seat: .place.seat}
`

const ours = int64(1) // the number of the workspace

// site is the collector over the write path and the embedded store, on a clock
// that stands still.
type site struct {
	*testing.T
	clock  time.Time
	store  *sqlite.Store
	writer *ingest.Writer
	mux    *http.ServeMux
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, clock: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), mux: http.NewServeMux()}
	now := func() time.Time { return s.clock }
	ids := event.NewIDs(now, 0)
	var err error
	if s.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), IDs: ids, Readers: 1}); err != nil {
		t.Fatal(err)
	}
	registry := s.documents(now)
	log := slog.New(slog.DiscardHandler)
	none := func(int64, string) []*campaign.Campaign { return nil }
	s.writer = ingest.NewWriter(s.store, none, ids, now, log, func(err error) { t.Error(err) })
	go s.writer.Run()
	New(registry.Current, s.writer, now, log).Register(s.mux)
	t.Cleanup(func() {
		if err := s.writer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		s.store.Close()
	})
	return s
}

func (s *site) documents(now func() time.Time) *document.Registry {
	sealer, err := workspace.NewSealer(make([]byte, workspace.SealerKeyBytes), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	registry := document.NewRegistry(s.store, sealer)
	_, err = document.NewService(registry, rand.Reader, now).Apply(s.Context(), document.Input{
		Files:  []document.File{{Name: "test.yaml", Data: []byte(documents)}},
		Lookup: workspace.Lookup{Getenv: func(string) (string, bool) { return "secret", true }},
	})
	if err != nil {
		s.Fatal(err)
	}
	return registry
}

// request makes a request with the right credentials. Headers come in pairs; an
// empty value takes one away.
func request(method, key string, body io.Reader, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "/behavioral/"+key, body)
	r.SetBasicAuth("shop", "secret")
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	return r
}

func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// said is an answer as a sender reads it.
type said struct {
	Message    string
	RequestID  string `json:"request_id"`
	Accepted   *int
	Duplicates *int
	Rejected   []struct {
		Index                    int
		Reason, Message, Pointer string
		Line, Column             int
		Quarantine               string
	}
	Warnings []struct {
		Index                  *int
		Kind, Message, Pointer string
		Line, Column           int
	}
}

// post sends a body and checks the status and the form of the answer.
func (s *site) post(key, body string, status int, headers ...string) said {
	s.Helper()
	return s.answer(s.do(request(http.MethodPost, key, strings.NewReader(body), headers...)), status)
}

func (s *site) answer(w *httptest.ResponseRecorder, status int) (a said) {
	s.Helper()
	if w.Code != status {
		s.Fatalf("status %d, want %d: %.500s", w.Code, status, w.Body)
	}
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		s.Fatalf("the answer is not as described: %v", err)
	}
	if w.Header().Get("Content-Type") != "application/json" {
		s.Errorf("the answer is of type %q", w.Header().Get("Content-Type"))
	}
	if id := w.Header().Get("X-Request-Id"); id != a.RequestID || len(id) != 36 {
		s.Errorf("the request id is %q in the head and %q in the body", id, a.RequestID)
	}
	return a
}

// counts checks how many events were accepted and how many were duplicates.
func (s *site) counts(a said, accepted, duplicates int) {
	s.Helper()
	if a.Accepted == nil || a.Duplicates == nil || *a.Accepted != accepted || *a.Duplicates != duplicates {
		s.Errorf("accepted %v and duplicates %v, want %d and %d: %+v", value(a.Accepted), value(a.Duplicates), accepted, duplicates, a)
	}
}

func value(n *int) any {
	if n == nil {
		return nil
	}
	return *n
}

// stored is how many events are stored.
func (s *site) stored() int {
	s.Helper()
	n, err := s.store.CountEvents(s.Context(), ours)
	if err != nil {
		s.Fatal(err)
	}
	return int(n)
}

// quarantined gives the rows in quarantine, newest first.
func (s *site) quarantined() []ingest.Quarantined {
	s.Helper()
	rows, err := s.store.Quarantined(s.Context(), ours, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return rows
}

// profile gives a person, nil for nobody.
func (s *site) profile(who profile.Who) *profile.Profile {
	s.Helper()
	p, err := s.store.Profile(s.Context(), ours, who, s.clock.UnixMicro())
	if err != nil {
		s.Fatal(err)
	}
	return p
}

// timeline gives what a person did, newest first.
func (s *site) timeline(who profile.Who) []event.Event {
	s.Helper()
	p := s.profile(who)
	if p == nil {
		s.Fatalf("nobody is %+v", who)
	}
	events, err := s.store.Timeline(s.Context(), p.Spans(), 2000)
	if err != nil {
		s.Fatal(err)
	}
	return events
}

// view is a product view of a user.
func view(user, more string) string {
	return `{"type":"track","event":"product_viewed","user_id":"` + user + `","properties":{"id":"1"}` + more + `}`
}

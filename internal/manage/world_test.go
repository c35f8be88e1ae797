package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/collector"
	"platen/internal/content"
	"platen/internal/delivery"
	"platen/internal/document"
	"platen/internal/engage"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/manage"
	"platen/internal/outbound"
	"platen/internal/planner"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// documents are two tenants. ADDRESS stands for the address of the test's receiver.
const documents = `
kind: Workspace
name: shop
link_domains: [www.example.com]
egress: {allow: [127.0.0.0/8]}
---
kind: Workspace
name: other
---
kind: APIKey
workspace: shop
name: manager
token: {env: SHOP_MANAGER}
permissions: [manage, users.track, users.identify]
---
kind: APIKey
workspace: shop
name: backend
token: {env: SHOP_BACKEND}
permissions: [users.track]
---
kind: APIKey
workspace: other
name: manager
token: {env: OTHER_MANAGER}
permissions: [manage]
---
kind: Source
workspace: shop
name: site
key: shop-site
username: shop
password: {env: SHOP_PASSWORD}
presets: [movable-ink]
---
kind: Credential
workspace: shop
name: receiver
host: ADDRESS
basic: {username: platen, password: {env: RECEIVER_PASSWORD}}
---
kind: Campaign
workspace: shop
name: Viewed
state: active
trigger: {event: Product Viewed}
audience: {field: email, is: not_blank}
variants:
  - name: First
    percent: 100
    webhook:
      url: http://ADDRESS/hook
      method: POST
      headers: {Content-Type: application/json}
      credential: receiver
      body: '{"user": "{{ ${user_id} | json_escape }}", "title": "{{ event_properties.${title} | json_escape }}"}'
---
kind: Block
workspace: shop
name: recent
id: 00000000000000aa
show:
  - items: {event: product_viewed, limit: 1}
    layout: cards
fallback: {title: New this week}
link: '{{ items[0].url }}'
---
kind: Block
workspace: other
name: foreign
id: 00000000000000bb
show:
  - items: {event: product_viewed, limit: 1}
    layout: cards
fallback: {title: Foreign}
`

// The tokens and passwords of the documents, and the one of the server itself.
const (
	adminToken    = "admin-token-0123456789abcdef0123456789abcdef"
	shopManager   = "shop-manager-0123456789abcdef"
	shopBackend   = "shop-backend-0123456789abcdef"
	otherManager  = "other-manager-0123456789abcdef"
	shopPassword  = "shop-password-0123456789abcdef"
	hookPassword  = "hook-password-0123456789abcdef"
	receiverReply = `{"thanks":true}`
)

func getenv(name string) (string, bool) {
	value, ok := map[string]string{
		"SHOP_MANAGER": shopManager, "SHOP_BACKEND": shopBackend, "OTHER_MANAGER": otherManager,
		"SHOP_PASSWORD": shopPassword, "RECEIVER_PASSWORD": hookPassword,
	}[name]
	return value, ok
}

// world is the API on a real store, with the doors through which its data comes.
type world struct {
	t       *testing.T
	mux     *http.ServeMux
	planner *planner.Planner
	// receiver is its address, as http://127.0.0.1:4711.
	receiver string
	sender   *delivery.Sender
	hooks    atomic.Int64 // requests that the receiver got
	status   atomic.Int64 // what it answers
	unread   atomic.Bool  // after the next put the documents cannot be read
	logged   bytes.Buffer
}

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// forgetful is a store whose documents cannot be read after a put.
type forgetful struct {
	document.Store
	unread *atomic.Bool // from the next put on
	put    atomic.Bool
}

func (f *forgetful) Documents(ctx context.Context) ([]document.Stored, int64, error) {
	if f.put.Load() {
		return nil, 0, errors.New("disk on fire")
	}
	return f.Store.Documents(ctx)
}

func (f *forgetful) PutDocuments(ctx context.Context, expect int64, changed []document.Stored) (int64, error) {
	revision, err := f.Store.PutDocuments(ctx, expect, changed)
	f.put.Store(err == nil && f.unread.Load())
	return revision, err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, mux: http.NewServeMux()}
	w.status.Store(http.StatusOK)
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hooks.Add(1)
		rw.WriteHeader(int(w.status.Load()))
		io.WriteString(rw, receiverReply)
	}))
	t.Cleanup(receiver.Close)
	w.receiver = receiver.URL

	log := slog.New(slog.NewTextHandler(&w.logged, nil))
	ids := event.NewIDs(now, 0)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), IDs: ids, Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	random := rand.NewChaCha8([32]byte{})
	sealer, err := workspace.NewSealer(make([]byte, workspace.SealerKeyBytes), random)
	if err != nil {
		t.Fatal(err)
	}
	registry := document.NewRegistry(&forgetful{Store: store, unread: &w.unread}, sealer)
	service := document.NewService(registry, random, now)
	text := strings.ReplaceAll(documents, "ADDRESS", strings.TrimPrefix(receiver.URL, "http://"))
	_, err = service.Apply(t.Context(), document.Input{
		Files:  []document.File{{Name: "test.yaml", Data: []byte(text)}},
		Lookup: workspace.Lookup{Getenv: getenv},
	})
	if err != nil {
		t.Fatal(err)
	}

	live := registry.Current
	campaigns := func(workspace int64, name string) []*campaign.Campaign { return live().LiveCampaigns(workspace, name) }
	writer := ingest.NewWriter(store, campaigns, ids, now, log, func(err error) { t.Error(err) })
	go writer.Run()
	t.Cleanup(func() { writer.Close(context.Background()) })
	w.sender = delivery.New(store, delivery.Options{
		Definitions: func() delivery.Definitions { return live() },
		Client:      outbound.New(outbound.Options{}), IDs: ids, Now: now,
	})
	w.planner = planner.New(store, func(id string) (*campaign.Campaign, bool) { return live().Campaign(id) }, ids, now, w.sender.Wake)
	pictures, err := content.New(store, registry, engagement.NewRecorder(store, ids, now, log), now, log)
	if err != nil {
		t.Fatal(err)
	}
	collector.New(live, writer, now, log).Register(w.mux)
	engage.New(func(token string) (*workspace.APIKey, bool) { return live().APIKey(token) }, writer, now, log).Register(w.mux)
	manage.New(store, live, service, pictures, w.sender, adminToken, now, log).Register(w.mux)
	return w
}

// ask sends a request with a bearer token, "" for none.
func (w *world) ask(method, path, token, body string) *httptest.ResponseRecorder {
	r := w.request(method, path, body)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return w.serve(r)
}

func (w *world) request(method, path, body string) *http.Request {
	return httptest.NewRequest(method, path, strings.NewReader(body))
}

func (w *world) serve(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

// get reads a JSON answer, which must be a success, with the server's own token.
func (w *world) get(path string, into any) {
	w.t.Helper()
	w.read(w.ask(http.MethodGet, path, adminToken, ""), into)
}

func (w *world) read(rec *httptest.ResponseRecorder, into any) {
	w.t.Helper()
	if rec.Code != http.StatusOK {
		w.t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
		w.t.Fatal(err)
	}
}

// tracks sends /users/track as the shop's backend does.
func (w *world) tracks(body string) {
	w.t.Helper()
	if rec := w.ask(http.MethodPost, "/users/track", shopBackend, body); rec.Code != http.StatusCreated {
		w.t.Fatalf("track: status %d: %s", rec.Code, rec.Body)
	}
}

// collects sends a behavioural event and gives the status.
func (w *world) collects(body string) int {
	w.t.Helper()
	r := w.request(http.MethodPost, "/behavioral/shop-site", body)
	r.SetBasicAuth("shop", shopPassword)
	return w.serve(r).Code
}

// settle plans and sends until nothing is due.
func (w *world) settle() {
	w.t.Helper()
	for worked := true; worked; {
		planned, err := w.planner.Step(w.t.Context(), now())
		if err != nil {
			w.t.Fatal(err)
		}
		sent, err := w.sender.Step(w.t.Context(), now())
		if err != nil {
			w.t.Fatal(err)
		}
		worked = planned || sent
	}
}

// anna is somebody who has an e-mail address and looked at a lamp.
func (w *world) anna() {
	w.t.Helper()
	w.tracks(`{"attributes":[{"external_id":"anna","email":"anna@example.com","first_name":"Anna"}],
		"events":[{"external_id":"anna","name":"Product Viewed","time":"2026-03-01T11:00:00Z","properties":{"title":"Lamp"}}]}`)
	w.settle()
}

package content

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platen/internal/asset"
	"platen/internal/campaign"
	"platen/internal/document"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/outbound"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// documents are the blocks of the tests.
const documents = `
kind: Workspace
name: shop
link_domains: [www.example.com]
egress: {allow: [127.0.0.0/8]}
---
kind: Block
workspace: shop
id: 00000000000000aa
name: recent
show:
  - when: {event: product_viewed, within: 30d}
    items: {event: product_viewed, distinct: id, exclude: {event: order_completed}, limit: 3}
    layout: cards
fallback: {title: New this week, text: Have a look around our <shop>}
link: '{{ items[0].url }}'
---
kind: Block
workspace: shop
name: with-default
show:
  - items: {event: product_viewed, limit: 1}
    layout: cards
fallback: {title: Something else}
link: '{{ items[0].url | default: "https://www.example.com/all" }}{% if params.variant %}?v={{ params.variant }}{% endif %}'
---
kind: Block
workspace: shop
name: broken-link
show:
  - items: {event: product_viewed, limit: 1}
    layout: cards
fallback: {title: New this week}
link: '{% if items[0] %}{{ 1 | divided_by: 0 }}{% endif %}'
---
kind: Catalog
workspace: shop
name: pages
csv: |
  id,path
  lamp,lights/lamp
  home,start
---
kind: Snippet
workspace: shop
name: shop
text: https://www.example.com
---
kind: Block
workspace: shop
name: from-catalog
show:
  - items: {event: product_viewed, limit: 1}
    layout: cards
fallback: {title: New this week}
link: '{% assign id = items[0].id | default: "home" %}{% catalog_items pages {{id}} %}{{content_blocks.${shop}}}/{{items[0].path}}'
`

// site is the way from an event to the picture of it, on a real store.
type site struct {
	*Renderer
	t       *testing.T
	sqlite  *sqlite.Store
	written *ledger
	writer  *ingest.Writer
	fetcher *asset.Fetcher
	mux     *http.ServeMux
	clock   *clock
	logged  *syncBuffer
}

// clock is the time of a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// ledger remembers what the recorder wrote to the store.
type ledger struct {
	engagement.Store
	impressions []engagement.Impression
	clicks      []engagement.Click
	shown       []engagement.Shown
}

func (l *ledger) Record(ctx context.Context, b engagement.Batch) error {
	l.impressions = append(l.impressions, b.Impressions...)
	l.clicks = append(l.clicks, b.Clicks...)
	l.shown = append(l.shown, b.Shown...)
	return l.Store.Record(ctx, b)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newSite makes a site; wrap may put something between the renderer and the store.
func newSite(t *testing.T, wrap func(Store) Store) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, logged: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(s.logged, nil))
	ids := event.NewIDs(s.clock.now, 0)
	var err error
	if s.sqlite, err = sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), IDs: ids, Readers: 4}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.sqlite.Close() })
	registry := newRegistry(t, s.sqlite, s.clock.now)
	s.writer = ingest.NewWriter(s.sqlite, func(int64, string) []*campaign.Campaign { return nil }, ids, s.clock.now, log, func(err error) { t.Error(err) })
	go s.writer.Run()
	t.Cleanup(func() { s.writer.Close(context.Background()) })
	s.fetcher = asset.NewFetcher(s.sqlite, registry, outbound.New(outbound.Options{}), s.clock.now, log)
	s.written = &ledger{Store: s.sqlite}
	recorder := engagement.NewRecorder(s.written, ids, s.clock.now, log)
	var store Store = s.sqlite
	if wrap != nil {
		store = wrap(store)
	}
	if s.Renderer, err = New(store, registry, recorder, s.clock.now, log); err != nil {
		t.Fatal(err)
	}
	s.deadline = time.Minute // a test machine may be slow; TestAStoreThatHangs tests the real one
	s.mux = http.NewServeMux()
	NewHandler(s.Renderer, recorder, s.clock.now).Register(s.mux)
	return s
}

func newRegistry(t *testing.T, store document.Store, now func() time.Time) *document.Registry {
	t.Helper()
	random := rand.NewChaCha8([32]byte{})
	sealer, err := workspace.NewSealer(make([]byte, workspace.SealerKeyBytes), random)
	if err != nil {
		t.Fatal(err)
	}
	registry := document.NewRegistry(store, sealer)
	service := document.NewService(registry, random, now)
	if _, err := service.Apply(t.Context(), document.Input{Files: []document.File{{Name: "test.yaml", Data: []byte(documents)}}}); err != nil {
		t.Fatal(err)
	}
	return registry
}

// product is what events are about.
type product map[string]any

// does stores an event a second after the one before.
func (s *site) does(user, name string, p product) {
	s.t.Helper()
	s.clock.pass(time.Second)
	properties, err := json.Marshal(p)
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.clock.now()
	accept := &ingest.Accept{Workspace: 1, Source: "test", Received: now.UnixMicro(), Items: []ingest.Item{{
		Who: profile.Who{UserID: user}, At: now.UnixMicro(),
		Event: &event.Event{Kind: event.Track, Name: name, At: now, UserID: user, Properties: properties},
	}}}
	if err := s.writer.Submit(s.t.Context(), accept); err != nil {
		s.t.Fatal(err)
	}
	if refused := accept.Outcomes[0].Refused; refused != nil {
		s.t.Fatal(refused)
	}
}

func (s *site) views(user string, p product) {
	s.t.Helper()
	s.does(user, "product_viewed", p)
}

func (s *site) fetchPhotos() {
	s.t.Helper()
	if worked, err := s.fetcher.Step(s.t.Context(), s.clock.now()); err != nil || !worked {
		s.t.Fatalf("photos: worked %v, %v", worked, err)
	}
}

func (s *site) get(path string) *httptest.ResponseRecorder { return s.ask(http.MethodGet, path) }

func (s *site) ask(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// opens asks for a picture, which must be there, and gives its file.
func (s *site) opens(path string) []byte {
	s.t.Helper()
	w := s.get(path)
	if w.Code != http.StatusOK || w.Body.Len() == 0 {
		s.t.Fatalf("GET %s: %d with %d bytes", path, w.Code, w.Body.Len())
	}
	return w.Body.Bytes()
}

// explains gives what Draw says about a path.
func (s *site) explains(path string) Drawn {
	s.t.Helper()
	address, err := url.Parse(path)
	if err != nil {
		s.t.Fatal(err)
	}
	name, extension, _ := strings.Cut(strings.TrimPrefix(address.Path, "/p/rp/"), ".")
	b, ok := s.Block(name)
	if !ok {
		s.t.Fatalf("there is no block %s", name)
	}
	return s.Draw(s.t.Context(), NewRequest(b, address.Query(), Format(extension), s.clock.now()))
}

// clicks follows a link and gives where it leads, "" for nowhere.
func (s *site) clicks(path string) string {
	s.t.Helper()
	w := s.get(path)
	switch w.Code {
	case http.StatusFound:
		return w.Header().Get("Location")
	case http.StatusOK:
		return ""
	}
	s.t.Fatalf("GET %s: %d", path, w.Code)
	return ""
}

// flush writes what was recorded.
func (s *site) flush() *ledger {
	s.t.Helper()
	if err := s.recorder.Close(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return s.written
}

// texts are all texts that a picture shows.
func (d Drawn) texts() []string {
	var all []string
	for _, t := range d.Explain.Drawn.Texts {
		all = append(all, t.Text)
	}
	return all
}

func mustShow(t *testing.T, d Drawn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !slices.Contains(d.texts(), text) {
			t.Errorf("the picture shows %q and not %q", d.texts(), text)
		}
	}
}

// photoServer serves photos whose colour is in their path, as /ff8800.png.
func photoServer(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := color.NRGBA{A: 255}
		if n, _ := fmt.Sscanf(r.URL.Path, "/%02x%02x%02x.png", &c.R, &c.G, &c.B); n != 3 {
			http.NotFound(w, r)
			return
		}
		img := image.NewNRGBA(image.Rect(0, 0, 300, 500))
		for i := 0; i < len(img.Pix); i += 4 {
			copy(img.Pix[i:], []byte{c.R, c.G, c.B, 255})
		}
		png.Encode(w, img)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

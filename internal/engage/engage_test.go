package engage

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// received is when the tests begin; each request arrives a second after the last.
var received = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)

const (
	ours     = int64(1) // the workspace of the keys
	goodKey  = "pt_all-permissions-0123456789"
	trackKey = "pt_only-tracks-0123456789abc"
)

// server is the handler over the write path and the embedded store.
type server struct {
	t      *testing.T
	store  *sqlite.Store
	writer *ingest.Writer
	mux    *http.ServeMux
	passed atomic.Int64 // seconds since received
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, mux: http.NewServeMux()}
	ids := event.NewIDs(s.now, 0)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), IDs: ids, Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	none := func(int64, string) []*campaign.Campaign { return nil }
	s.store, s.writer = store, ingest.NewWriter(store, none, ids, s.now, log, func(err error) { t.Error(err) })
	go s.writer.Run()
	New(keyOf, s.writer, s.now, log).Register(s.mux)
	t.Cleanup(func() {
		s.stop()
		store.Close()
	})
	return s
}

func (s *server) now() time.Time {
	return received.Add(time.Duration(s.passed.Load()) * time.Second)
}

func (s *server) stop() {
	if err := s.writer.Close(context.Background()); err != nil {
		s.t.Error(err)
	}
}

func keyOf(token string) (*workspace.APIKey, bool) {
	switch token {
	case goodKey:
		return &workspace.APIKey{Workspace: ours, Name: "backend", Permissions: []workspace.Permission{workspace.UsersTrack, workspace.UsersIdentify}}, true
	case trackKey:
		return &workspace.APIKey{Workspace: ours, Name: "tracker", Permissions: []workspace.Permission{workspace.UsersTrack}}, true
	}
	return nil, false
}

// do sends a request; headers come in pairs and go before the usual ones.
func (s *server) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.passed.Add(1)
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+goodKey)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// send posts a body that must be answered with a status, and gives the answer.
func (s *server) send(path, body string, status int, headers ...string) (a sent) {
	s.t.Helper()
	w := s.do(http.MethodPost, path, body, headers...)
	if w.Code != status {
		s.t.Fatalf("POST %s %.300s: status %d, want %d: %s", path, body, w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// sent is an answer as a client reads it.
type sent struct {
	Attributes *int `json:"attributes_processed"`
	Events     *int `json:"events_processed"`
	Purchases  *int `json:"purchases_processed"`
	Aliases    *int `json:"aliases_processed"`
	Message    string
	Errors     []struct {
		Type  string
		Array string `json:"input_array"`
		Index *int
	}
}

// person is what the store holds of one.
type person struct {
	Identifiers []string        `json:"identifiers"`
	Attributes  json.RawMessage `json:"attributes"`
	Timeline    []happened      `json:"timeline"`
}

type happened struct {
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	At         time.Time       `json:"at"`
	OwnTime    bool            `json:"own_time"`
	UserID     string          `json:"user_id,omitempty"`
	Properties json.RawMessage `json:"properties,omitempty"`
}

// person gives what is stored of one, nil for nobody.
func (s *server) person(who profile.Who) *person {
	s.t.Helper()
	found, err := s.store.Profile(s.t.Context(), ours, who, s.now().UnixMicro())
	if err != nil {
		s.t.Fatal(err)
	}
	if found == nil {
		return nil
	}
	p := &person{Attributes: found.Root.Facts().Attributes.JSON()}
	for _, i := range found.Identifiers() {
		p.Identifiers = append(p.Identifiers, i.Kind.String()+" "+strings.ReplaceAll(i.Value, "\x00", "/"))
	}
	events, err := s.store.Timeline(s.t.Context(), found.Spans(), 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Source != "engage" || e.Workspace != ours {
			s.t.Errorf("event %+v has the wrong source or workspace", e)
		}
		p.Timeline = append(p.Timeline, happened{e.Kind.String(), e.Name, e.At, e.OwnTime, e.UserID, e.Properties})
	}
	return p
}

// attributes gives the attributes of a user as JSON.
func (s *server) attributes(user string) string {
	s.t.Helper()
	p := s.person(profile.Who{UserID: user})
	if p == nil {
		s.t.Fatalf("there is no user %q", user)
	}
	return string(p.Attributes)
}

func (s *server) quarantined() []ingest.Quarantined {
	s.t.Helper()
	rows, err := s.store.Quarantined(s.t.Context(), ours, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// A golden case is a list of calls and the people to look at afterwards. Beside it
// lies what was answered and stored.
type goldenCase struct {
	Calls []struct {
		Path string            `json:"path"`
		Head map[string]string `json:"headers"`
		Body json.RawMessage   `json:"body"`
		Text string            `json:"text"` // instead of body, for what is no JSON
	} `json:"calls"`
	People []profile.Who `json:"people"`
}

type goldenResult struct {
	Answers    []goldenAnswer  `json:"answers"`
	People     []*person       `json:"people"`
	Quarantine []goldenRefused `json:"quarantine"`
}

type goldenAnswer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

type goldenRefused struct {
	Event   string `json:"event,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Raw     string `json:"raw"`
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.case.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".case.json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c goldenCase
			text, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(text, &c)
			}
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(file, ".case.json")+".golden.json", runCase(t, c))
		})
	}
}

func runCase(t *testing.T, c goldenCase) goldenResult {
	s := newServer(t)
	var result goldenResult
	for _, call := range c.Calls {
		body := call.Text
		if body == "" {
			body = string(call.Body)
		}
		var headers []string
		for name, value := range call.Head {
			headers = append(headers, name, value)
		}
		w := s.do(http.MethodPost, call.Path, body, headers...)
		result.Answers = append(result.Answers, goldenAnswer{w.Code, w.Body.Bytes()})
	}
	for _, who := range c.People {
		result.People = append(result.People, s.person(who))
	}
	for _, q := range s.quarantined() {
		result.Quarantine = append(result.Quarantine, goldenRefused{q.Event, q.Reason, q.Message, string(q.Raw)})
	}
	return result
}

func compareGolden(t *testing.T, file string, result goldenResult) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(result); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs (run with -update and look at the difference):\n%s", file, b.Bytes())
	}
}

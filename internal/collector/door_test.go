package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"platen/internal/ingest"
)

// TestAnUnknownKeyTellsNothing holds fact 4 of the spec: whatever is sent to an
// unknown key, the answer is the same.
func TestAnUnknownKeyTellsNothing(t *testing.T) {
	s := newSite(t)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		for _, body := range []string{"", view("u1", ""), "{not json", strings.Repeat("x", MaxBody+1)} {
			for _, credentials := range []string{"", "Basic c2hvcDpzZWNyZXQ=", "Basic nonsense", "Bearer x"} {
				for _, key := range []string{"unknown", "SHOP", "shop2", "sho", "%00", "..%2Fshop"} {
					w := s.do(request(method, key, strings.NewReader(body), "Authorization", credentials))
					a := s.answer(w, http.StatusNotFound)
					if a.Message != "Behavioral endpoint key not found" || a.Accepted != nil || len(w.Header()) != 4 {
						t.Fatalf("%s %s, %d bytes, %q: %+v %v", method, key, len(body), credentials, a, w.Header())
					}
				}
			}
		}
	}
	if rows := s.quarantined(); len(rows) > 0 {
		t.Errorf("%d rows are in quarantine", len(rows))
	}
}

func TestOtherPathsAreNotOurs(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/behavioral", "/behavioral/", "/behavioral/shop/", "/behavioral/shop/x"} {
		w := s.do(httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusNotFound || strings.TrimSpace(w.Body.String()) != "404 page not found" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestARequestIsJudgedInOrder sends requests with several mistakes: the first in
// the order of the package comment is told.
func TestARequestIsJudgedInOrder(t *testing.T) {
	s := newSite(t)
	const wrong = "Basic c2hvcDp3cm9uZw==" // shop:wrong
	large := strings.Repeat(" ", MaxBody+1)
	for _, c := range []struct {
		name, method, credentials, body string
		status                          int
		header, value                   string
	}{
		{"method before credentials", http.MethodGet, wrong, "{", 405, "Allow", "POST"},
		{"method before size", http.MethodPut, wrong, large, 405, "Allow", "POST"},
		{"credentials before size", http.MethodPost, wrong, large, 401, "WWW-Authenticate", `Basic realm="behavioral", charset="UTF-8"`},
		{"credentials before JSON", http.MethodPost, "", "{", 401, "WWW-Authenticate", `Basic realm="behavioral", charset="UTF-8"`},
		{"another name", http.MethodPost, "Basic U2hvcDpzZWNyZXQ=", view("u1", ""), 401, "", ""}, // Shop:secret
		{"no name", http.MethodPost, "Basic OnNlY3JldA==", view("u1", ""), 401, "", ""},          // :secret
		{"another scheme", http.MethodPost, "Bearer secret", view("u1", ""), 401, "", ""},
		{"size before JSON", http.MethodPost, "Basic c2hvcDpzZWNyZXQ=", large, 413, "", ""},
		{"all is well", http.MethodPost, "Basic c2hvcDpzZWNyZXQ=", view("u1", ""), 200, "", ""},
	} {
		w := s.do(request(c.method, "shop", strings.NewReader(c.body), "Authorization", c.credentials))
		if w.Code != c.status || c.header != "" && w.Header().Get(c.header) != c.value {
			t.Errorf("%s: %d %v", c.name, w.Code, w.Header())
		}
		if a := s.answer(w, c.status); strings.Contains(a.Message, "secret") || a.Message == "" {
			t.Errorf("%s: %q", c.name, a.Message)
		}
	}
	if n, rows := s.stored(), s.quarantined(); n != 1 || len(rows) != 1 {
		t.Errorf("%d are stored and %d in quarantine", n, len(rows))
	}
}

// endless is a body that says nothing of its length.
type endless struct{ io.Reader }

func TestABodyThatIsTooLarge(t *testing.T) {
	s := newSite(t)
	body := `{"type":"track","padding":"` + strings.Repeat("x", MaxBody) + `"}`
	for name, r := range map[string]*http.Request{
		"with its length": request(http.MethodPost, "shop", strings.NewReader(body)),
		"in chunks":       request(http.MethodPost, "shop", endless{strings.NewReader(body)}),
	} {
		a := s.answer(s.do(r), http.StatusRequestEntityTooLarge)
		if len(a.Rejected) != 1 || a.Rejected[0].Reason != "too_large" || a.Rejected[0].Quarantine == "" {
			t.Errorf("%s: %+v", name, a)
		}
		rows := s.quarantined()
		if rows[0].ID.String() != a.Rejected[0].Quarantine || len(rows[0].Raw) != ingest.MaxQuarantineBytes || !strings.HasPrefix(body, string(rows[0].Raw)) {
			t.Errorf("%s: kept %.80q (%d bytes)", name, rows[0].Raw, len(rows[0].Raw))
		}
	}
	padding := strings.Repeat("x", MaxBody-len(view("u1", `,"padding":""`)))
	fits := view("u1", `,"padding":"`+padding+`"`)
	if len(fits) != MaxBody {
		t.Fatalf("the body that fits has %d bytes", len(fits))
	}
	s.counts(s.post("shop", fits, 200), 1, 0)
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read(p []byte) (int, error) { return copy(p, `{"type"`), io.ErrUnexpectedEOF }

func TestABodyThatBreaksOff(t *testing.T) {
	s := newSite(t)
	a := s.answer(s.do(request(http.MethodPost, "shop", broken{})), http.StatusBadRequest)
	if !strings.Contains(a.Message, "broke off") || len(s.quarantined()) > 0 {
		t.Errorf("%+v, %d in quarantine", a, len(s.quarantined()))
	}
}

func TestMalformedJSONNamesItsPlace(t *testing.T) {
	s := newSite(t)
	for body, place := range map[string]string{
		"{\n  \"type\": \"track\",\n  oops\n}": "3:3",
		"{\"type\": \"track\",}":               "1:17",
		"":                                     "1:1",
		"  \n\t ":                              "1:1",
		"{\"a\": \"é\" \"b\"}":                 "1:11",
		"[1, 2":                                "1:6",
		"nonsense":                             "1:1",
		"{} {}":                                "1:4",
	} {
		a := s.post("shop", body, http.StatusBadRequest)
		if len(a.Rejected) != 1 {
			t.Fatalf("%q: %+v", body, a)
		}
		r := a.Rejected[0]
		if got := fmt.Sprintf("%d:%d", r.Line, r.Column); got != place || r.Reason != "malformed_json" ||
			!strings.Contains(a.Message, fmt.Sprintf("line %d, column %d", r.Line, r.Column)) {
			t.Errorf("%q: at %s, want %s: %+v", body, got, place, a)
		}
		row := s.quarantined()[0]
		if row.ID.String() != r.Quarantine || string(row.Raw) != body || row.Source != "shop" {
			t.Errorf("%q: kept %+v", body, row)
		}
	}
}

func TestACompressedBodyIsRefusedByName(t *testing.T) {
	s := newSite(t)
	r := request(http.MethodPost, "shop", strings.NewReader("\x1f\x8b"), "Content-Encoding", "gzip")
	if a := s.answer(s.do(r), http.StatusUnsupportedMediaType); !strings.Contains(a.Message, `Content-Encoding "gzip"`) {
		t.Errorf("%+v", a)
	}
	s.counts(s.post("shop", view("u1", ""), 200, "Content-Encoding", "identity"), 1, 0)
}

func TestABusyWriterIsToldWithATime(t *testing.T) {
	s := newSite(t)
	if err := s.writer.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	w := s.do(request(http.MethodPost, "shop", strings.NewReader(view("u1", ""))))
	if a := s.answer(w, http.StatusServiceUnavailable); w.Header().Get("Retry-After") == "" || !strings.Contains(a.Message, "send it again") {
		t.Errorf("%v %+v", w.Header(), a)
	}
}

// TestOverHTTP sends one request through a real server and client.
func TestOverHTTP(t *testing.T) {
	s := newSite(t)
	server := httptest.NewServer(s.mux)
	defer server.Close()
	r, err := http.NewRequest(http.MethodPost, server.URL+"/behavioral/shop", endless{strings.NewReader(view("u1", ""))})
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("shop", "secret")
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.ContentLength != int64(len(body)) || !strings.Contains(string(body), `"accepted":1`) {
		t.Errorf("%d %s %v", answer.StatusCode, body, err)
	}
}

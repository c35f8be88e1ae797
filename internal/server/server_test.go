package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"platen/internal/fault"
)

// log is a log that many goroutines write and the test reads.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a server that serves.
type running struct {
	*Server
	t      *testing.T
	log    *log
	stop   context.CancelFunc
	served chan error
}

func start(t *testing.T, data string, change ...func(*Server)) *running {
	t.Helper()
	r := &running{t: t, log: &log{}, served: make(chan error, 1)}
	var err error
	r.Server, err = Open(t.Context(), Config{Data: data, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r.Server)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.served <- r.Serve(ctx) }()
	return r
}

// ends stops the server and gives what Serve returned.
func (r *running) ends() error {
	r.t.Helper()
	r.stop()
	err := <-r.served
	if closing := r.Close(); closing != nil {
		r.t.Errorf("close: %v", closing)
	}
	return err
}

func (r *running) get(path string) (status int, body string) {
	r.t.Helper()
	resp, err := http.Get("http://" + r.Addr() + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestServeFromStartToStop(t *testing.T) {
	r := start(t, t.TempDir())
	if status, body := r.get("/healthz"); status != 200 || !strings.Contains(body, `"status":"ok"`) {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, body := r.get("/readyz"); status != 200 || body != `{"status":"ready","waiting":0}` {
		t.Errorf("readyz: %d %s", status, body)
	}
	if err := r.ends(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	for _, line := range []string{"msg=serving", "msg=stopping", "msg=stopped"} {
		if !strings.Contains(r.log.String(), line) {
			t.Errorf("the log lacks %s:\n%s", line, r.log)
		}
	}
	if strings.Contains(r.log.String(), r.token) {
		t.Error("the log shows the server's token")
	}
	if conn, err := net.Dial("tcp", r.Addr()); err == nil {
		conn.Close()
		t.Error("the server still listens")
	}
}

func TestReadyzTellsWhyNot(t *testing.T) {
	r := start(t, t.TempDir())
	ask := func(ctx context.Context) string {
		w := httptest.NewRecorder()
		r.ready(w, httptest.NewRequest("GET", "/readyz", nil).WithContext(ctx))
		return fmt.Sprint(w.Code, " ", w.Body)
	}
	r.resting.add("planner")
	r.resting.add("delivery")
	if got, want := ask(t.Context()), `200 {"resting":["delivery","planner"],"status":"ready","waiting":0}`; got != want {
		t.Errorf("when workers rest: %s", got)
	}
	r.resting.remove("planner")
	r.resting.remove("delivery")
	gone, cancel := context.WithCancel(t.Context())
	cancel() // the store gives no answer within the request's time
	if got, want := ask(gone), `503 {"status":"the store does not answer","waiting":0}`; got != want {
		t.Errorf("without an answer of the store: %s", got)
	}
	if err := r.ends(); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t.Context()), `503 {"status":"stopping","waiting":0}`; got != want {
		t.Errorf("when it stops: %s", got)
	}
}

func TestAFailedStoreEndsTheServer(t *testing.T) {
	r := start(t, t.TempDir())
	broken := errors.New("the disk is full")
	r.fail(broken)
	r.fail(errors.New("the second reason")) // only the first counts
	if err := <-r.served; !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
	if !strings.Contains(r.log.String(), "the disk is full") {
		t.Errorf("the log does not say why:\n%s", r.log)
	}
	r.Close()
}

func TestPathsThatAreNotThere(t *testing.T) {
	r := start(t, t.TempDir())
	defer r.ends()
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/favicon.ico", 404, ""},
		{"POST", "/behavioral/", 404, ""},
		{"GET", "/api/v1/nothing", 404, ""},
		{"DELETE", "/healthz", 405, "GET"},
		{"POST", "/readyz", 405, "GET"},
		{"GET", "/api/v1/apply", 405, "POST"},
		{"POST", "/p/rp/recent.png", 405, "GET"},
		{"GET", "/" + strings.Repeat("a", 5000), 404, ""},
	} {
		w := httptest.NewRecorder()
		r.http.Handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		var body struct {
			Message   string `json:"message"`
			RequestID string `json:"request_id"`
		}
		err := json.Unmarshal(w.Body.Bytes(), &body)
		if err != nil || w.Code != c.status || w.Header().Get("Allow") != c.allow || body.Message == "" || body.RequestID == "" {
			t.Errorf("%s %.40s: status %d, allow %q, %v: %s", c.method, c.path, w.Code, w.Header().Get("Allow"), err, w.Body)
		}
		if len(body.Message) > 400 {
			t.Errorf("%s %.40s: the message has %d bytes", c.method, c.path, len(body.Message))
		}
	}
}

func TestAPanicIsAnsweredAndLoggedOnce(t *testing.T) {
	l := &log{}
	h := recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret innards") }), slog.New(slog.NewTextHandler(l, nil)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "innards") || strings.Contains(w.Body.String(), ".go") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if id := w.Header().Get("X-Request-Id"); id == "" || !strings.Contains(w.Body.String(), `"request_id":"`+id+`"`) || !strings.Contains(l.String(), id) {
		t.Errorf("the request %q is answered with %s and logged as %s", id, w.Body, l)
	}
	if n := strings.Count(l.String(), "a handler panicked"); n != 1 || !strings.Contains(l.String(), "server_test.go") {
		t.Errorf("logged %d times, without its place:\n%s", n, l)
	}
}

func TestAnAbortedAnswerStaysAborted(t *testing.T) {
	h := recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), slog.New(slog.DiscardHandler))
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("net/http sees %v", p)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestAddresses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct{ listen, reason, says, reached string }{
		{listen: "127.0.0.1:0", reached: "127.0.0.1:"},
		{listen: ":0", reached: "127.0.0.1:"},
		{listen: "0.0.0.0:0", reached: "127.0.0.1:"},
		{listen: taken.Addr().String(), reason: "port_in_use", says: "is in use by another program"},
		{listen: "nonsense", reason: "listen", says: `"nonsense": missing port in address;`},
		{listen: "127.0.0.1:99999", reason: "listen", says: `"127.0.0.1:99999": invalid port;`},
		{listen: "192.0.2.1:0", reason: "listen", says: `"192.0.2.1:0": cannot assign requested address;`},
	} {
		s, err := Open(t.Context(), Config{Data: t.TempDir(), Listen: c.listen})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Listen()
		if fault.ReasonOf(err) != c.reason || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.listen, err)
		}
		if err == nil && (!strings.HasPrefix(s.Addr(), c.reached) || s.PublicURL() != "http://"+s.Addr()) {
			t.Errorf("%s: reached at %s, public at %s", c.listen, s.Addr(), s.PublicURL())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A client that never finishes its request must not keep a stop from ending well.
func TestAStopCutsOffASlowClient(t *testing.T) {
	r := start(t, t.TempDir())
	r.stopWithin = 50 * time.Millisecond
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v1/apply HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", r.token)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the handler does not read: %q, %v", line, err)
	}
	if err := r.ends(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if !strings.Contains(r.log.String(), "requests were cut off") {
		t.Errorf("the log does not tell:\n%s", r.log)
	}
}

const forwarding = `kind: Workspace
name: shop
egress: {allow: [127.0.0.0/8]}
---
kind: APIKey
workspace: shop
name: backend
token: {env: TOKEN}
permissions: [users.track]
---
kind: Campaign
workspace: shop
name: Forward
state: active
trigger: {event: Viewed}
variants:
  - name: First
    percent: 100
    webhook: {url: "%s", method: POST, body: '{}'}
`

// A receiver that does not answer must not keep a stop from ending well either;
// what it was sent stays queued and goes on after the next start.
func TestAStopLeavesASlowDeliveryQueued(t *testing.T) {
	calls, hang := make(chan string, 10), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		calls <- r.Header.Get("Webhook-Id")
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer receiver.Close()
	data := t.TempDir()
	const token = "a-token-of-some-length-0123456789"

	r := start(t, data)
	r.stopWithin = 50 * time.Millisecond
	if err := r.ApplyText(t.Context(), "a.yaml", fmt.Sprintf(forwarding, receiver.URL), map[string]string{"TOKEN": token}); err != nil {
		t.Fatal(err)
	}
	track(t, r.Addr(), token, `{"events":[{"external_id":"anna","name":"Viewed","time":"2026-01-01T00:00:00Z"}]}`)
	first := <-calls
	if err := r.ends(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if !strings.Contains(r.log.String(), "deliveries were cut off") {
		t.Errorf("the log does not tell:\n%s", r.log)
	}

	close(hang)
	r = start(t, data)
	select {
	case again := <-calls:
		if again != first || first == "" {
			t.Errorf("sent as %q and then as %q", first, again)
		}
	case <-time.After(30 * time.Second):
		t.Error("the delivery was not sent after the restart")
	}
	if err := r.ends(); err != nil {
		t.Error(err)
	}
}

func track(t *testing.T, address, token, body string) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+address+"/users/track", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("track: %d %s", resp.StatusCode, b)
	}
}

package personalize

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/catalog"
	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/workspace"
	"platen/liquid"
)

// desk is what stands around messages: documents, a scripted receiver, the store
// of codes, and a clock that is set by hand.
type desk struct {
	secrets  map[string]*workspace.Credential
	lists    map[string]*catalog.PromotionList
	snippets map[string]*liquid.Template
	egress   outbound.Policy

	mu      sync.Mutex
	got     []outbound.Request
	receive func(outbound.Request) (*outbound.Response, error)
	given   map[string]event.ID // by code
	clock   time.Time
}

const theSecret = "s3cr3t+token/of=shop"

func newDesk() *desk {
	return &desk{
		secrets: map[string]*workspace.Credential{"shop": {
			Workspace: 1, Name: "shop", Host: "a.example", Kind: workspace.Bearer, Secret: workspace.NewSecret(theSecret)}},
		lists: map[string]*catalog.PromotionList{
			"spring": {Workspace: 1, Name: "spring", Codes: []string{"A", "B"}},
			"old":    {Workspace: 1, Name: "old", Codes: []string{"Z"}, Expires: now},
		},
		receive: replies(200, `{"n":1}`), given: map[string]event.ID{}, clock: now,
	}
}

func (d *desk) Workspace(id int64) (*workspace.Workspace, bool) {
	return &workspace.Workspace{ID: id, Egress: d.egress}, true
}

func (d *desk) Credential(_ int64, name string) (*workspace.Credential, bool) {
	c, ok := d.secrets[name]
	return c, ok
}

func (d *desk) Catalog(int64, string) (*catalog.Catalog, bool) { return nil, false }

func (d *desk) Snippet(_ int64, name string) (*liquid.Template, bool) {
	t, ok := d.snippets[name]
	return t, ok
}

func (d *desk) PromotionList(_ int64, name string) (*catalog.PromotionList, bool) {
	l, ok := d.lists[name]
	return l, ok
}

func (d *desk) ReserveCode(_ context.Context, _ int64, _ string, message event.ID, codes []string) (string, bool, error) {
	for _, code := range codes {
		if by := d.given[code]; by == 0 || by == message {
			d.given[code] = message
			return code, true, nil
		}
	}
	return "", false, nil
}

func (d *desk) Do(_ context.Context, r outbound.Request) (*outbound.Response, error) {
	d.mu.Lock()
	d.got = append(d.got, r)
	receive := d.receive
	d.mu.Unlock()
	return receive(r)
}

func (d *desk) calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got)
}

func (d *desk) now() time.Time { return d.clock }

// content makes what all messages share.
func (d *desk) content() *Content { return NewContent(d, d.now) }

func (d *desk) message(c *Content, workspaceID int64, id event.ID) *Message {
	return &Message{Library: &Library{Definitions: d, Workspace: workspaceID}, Content: c, Codes: d, ID: id, Now: d.now}
}

func replies(status int, body string) func(outbound.Request) (*outbound.Response, error) {
	return func(outbound.Request) (*outbound.Response, error) {
		return &outbound.Response{Status: status, Header: http.Header{}, Body: []byte(body)}, nil
	}
}

func get(url string) liquid.FetchRequest {
	return liquid.FetchRequest{Method: http.MethodGet, URL: url}
}

func post(url, body string) liquid.FetchRequest {
	return liquid.FetchRequest{Method: http.MethodPost, URL: url, Body: body}
}

func TestHeaders(t *testing.T) {
	for _, test := range []struct {
		name    string
		request liquid.FetchRequest
		want    http.Header
	}{
		{"of a GET", get("https://a.example/"), http.Header{"Accept": {"*/*"}, "Content-Type": {"application/json"}}},
		{"of a POST", post("https://a.example/", "a=b"), http.Header{"Accept": {"*/*"}, "Content-Type": {"application/x-www-form-urlencoded"}}},
		{"with a content type", liquid.FetchRequest{Method: "POST", URL: "https://a.example/", ContentType: "application/json"},
			http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}},
		{"with headers", liquid.FetchRequest{Method: "GET", URL: "https://a.example/", Header: [][2]string{{"accept", "text/csv"}, {"X-A", "1"}}},
			http.Header{"Accept": {"text/csv"}, "Content-Type": {"application/json"}, "X-A": {"1"}}},
		{"with a credential", liquid.FetchRequest{Method: "GET", URL: "https://a.example/", Credential: "shop", Header: [][2]string{{"Authorization", "mine"}}},
			http.Header{"Accept": {"*/*"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + theSecret}}},
	} {
		d := newDesk()
		reply, err := d.message(d.content(), 1, 1).Fetch(t.Context(), test.request)
		if err != nil || reply.Status != 200 || string(reply.Body) != `{"n":1}` {
			t.Errorf("%s: %+v, %v", test.name, reply, err)
		}
		got := d.got[0]
		if !reflect.DeepEqual(got.Header, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got.Header, test.want)
		}
		if got.Limits != (outbound.Limits{Timeout: 2 * time.Second, MaxResponseBytes: 1 << 20}) || string(got.Body) != test.request.Body {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestCredentialsStayAtTheirHost has all that must not be called.
func TestCredentialsStayAtTheirHost(t *testing.T) {
	for _, test := range []struct {
		credential, url string
		want            Reason
	}{
		{"gone", "https://a.example/", CredentialGone},
		{"shop", "https://evil.example/", CredentialHost},
		{"shop", "https://a.example.evil.example/", CredentialHost},
		{"shop", "https://a.example:8443/", CredentialHost},
		{"shop", "https://a.example@evil.example/", CredentialHost},
		{"shop", "%", CredentialHost},
	} {
		d := newDesk()
		r := get(test.url)
		r.Credential = test.credential
		_, err := d.message(d.content(), 1, 1).Fetch(t.Context(), r)
		var no *Refusal
		if !errors.As(err, &no) || no.Reason != test.want || d.calls() != 0 || strings.Contains(err.Error(), theSecret) {
			t.Errorf("%+v: %v after %d calls", test, err, d.calls())
		}
	}
}

func TestCache(t *testing.T) {
	const url = "https://a.example/p?id=1"
	with := func(r liquid.FetchRequest, change func(*liquid.FetchRequest)) liquid.FetchRequest {
		change(&r)
		return r
	}
	for _, test := range []struct {
		name  string
		first liquid.FetchRequest
		again liquid.FetchRequest
		after time.Duration
		in    int64 // workspace of the second
		calls int
	}{
		{"a GET", get(url), get(url), 299 * time.Second, 1, 1},
		{"a GET after five minutes", get(url), get(url), 301 * time.Second, 1, 2},
		{"of another workspace", get(url), get(url), 0, 2, 2},
		{"another URL", get(url), get(url + "2"), 0, 1, 2},
		{"another header", get(url), with(get(url), func(r *liquid.FetchRequest) { r.Header = [][2]string{{"X-A", "1"}} }), 0, 1, 2},
		{"with a credential", get(url), with(get(url), func(r *liquid.FetchRequest) { r.Credential = "shop" }), 0, 1, 2},
		{"no cache", with(get(url), func(r *liquid.FetchRequest) { r.NoCache = true }), with(get(url), func(r *liquid.FetchRequest) { r.NoCache = true }), 0, 1, 2},
		{"a POST", post(url, "a"), post(url, "a"), 0, 1, 2},
		{"a POST that is kept", with(post(url, "a"), func(r *liquid.FetchRequest) { r.CacheFor = time.Hour }),
			with(post(url, "a"), func(r *liquid.FetchRequest) { r.CacheFor = time.Hour }), 59 * time.Minute, 1, 1},
		{"a POST with another body", with(post(url, "a"), func(r *liquid.FetchRequest) { r.CacheFor = time.Hour }),
			with(post(url, "b"), func(r *liquid.FetchRequest) { r.CacheFor = time.Hour }), 0, 1, 2},
	} {
		d := newDesk()
		content := d.content()
		for i, r := range []liquid.FetchRequest{test.first, test.again} {
			in := int64(1)
			if i == 1 {
				in, d.clock = test.in, d.clock.Add(test.after)
			}
			reply, err := d.message(content, in, event.ID(i+1)).Fetch(t.Context(), r)
			if err != nil || reply.Status != 200 || string(reply.Body) != `{"n":1}` {
				t.Errorf("%s: %+v, %v", test.name, reply, err)
			}
		}
		if d.calls() != test.calls {
			t.Errorf("%s: %d calls, want %d", test.name, d.calls(), test.calls)
		}
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	d := newDesk()
	content := d.content()
	d.receive = replies(500, "no")
	m := d.message(content, 1, 1)
	for range 2 {
		reply, err := m.Fetch(t.Context(), get("https://a.example/"))
		if err != nil || reply.Status != 500 || reply.Body != nil {
			t.Errorf("%+v, %v", reply, err)
		}
	}
	d.receive = replies(200, "yes")
	reply, err := m.Fetch(t.Context(), get("https://a.example/"))
	if err != nil || string(reply.Body) != "yes" || d.calls() != 3 || len(m.Failed) != 2 {
		t.Errorf("%+v, %v after %d calls, %+v", reply, err, d.calls(), m.Failed)
	}
}

// TestCacheIsBounded asks for more than is kept.
func TestCacheIsBounded(t *testing.T) {
	d := newDesk()
	content := d.content()
	d.receive = replies(200, strings.Repeat("x", 1<<20))
	const asked = 2 * cacheBytes >> 20
	for i := range asked {
		if _, err := d.message(content, 1, 1).Fetch(t.Context(), get(fmt.Sprint("https://a.example/", i))); err != nil {
			t.Fatal(err)
		}
	}
	content.kept.CleanUp()
	if kept := content.kept.WeightedSize(); kept > cacheBytes || kept < cacheBytes/2 {
		t.Errorf("%d bytes are kept", kept)
	}
}

// TestOneCallForMany has messages ask for the same at a time, of which the first is
// given up meanwhile.
func TestOneCallForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.receive = func(outbound.Request) (*outbound.Response, error) {
			time.Sleep(time.Second)
			return &outbound.Response{Status: 200, Body: []byte("shared")}, nil
		}
		content := d.content()
		first, giveUp := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		ask := func(ctx context.Context) {
			asking.Go(func() {
				reply, err := d.message(content, 1, 1).Fetch(ctx, get("https://a.example/"))
				if ctx.Err() == nil && (err != nil || string(reply.Body) != "shared") {
					t.Errorf("%+v, %v", reply, err)
				}
			})
		}
		ask(first)
		synctest.Wait()
		for range 10 {
			ask(t.Context())
		}
		synctest.Wait()
		giveUp()
		asking.Wait()
		if d.calls() != 1 {
			t.Errorf("%d calls", d.calls())
		}
	})
}

func TestFailures(t *testing.T) {
	const url = "https://a.example/p/7?api_key=" + theSecret + "&sku=1&naked"
	for _, test := range []struct {
		name    string
		request liquid.FetchRequest
		receive func(outbound.Request) (*outbound.Response, error)
		status  int
		why     string
		final   bool // also with :retry it is not tried again
	}{
		{"refused", get(url), replies(404, "no"), 404, "answered 404 Not Found", false},
		{"moved", get(url), replies(302, ""), 302, "answered 302 Found", false},
		{"too long", get(url), func(outbound.Request) (*outbound.Response, error) {
			return &outbound.Response{Status: 200, Truncated: true}, nil
		}, 200, "the answer is longer than 1048576 bytes", false},
		{"coded", get(url), func(outbound.Request) (*outbound.Response, error) {
			return &outbound.Response{Status: 200, Header: http.Header{"Content-Encoding": {"gzip"}}}, nil
		}, 200, "the answer has a content coding, which was not asked for", false},
		{"not there", get(url), func(outbound.Request) (*outbound.Response, error) {
			return nil, &outbound.Error{Kind: outbound.Connect, Message: "a.example refused the connection"}
		}, 0, "a.example refused the connection", false},
		{"broken off", get(url), func(outbound.Request) (*outbound.Response, error) {
			return &outbound.Response{Status: 200}, &outbound.Error{Kind: outbound.Protocol, Message: "a.example closed the connection"}
		}, 200, "a.example closed the connection", false},
		{"an error that may tell anything", get(url), func(outbound.Request) (*outbound.Response, error) {
			return nil, errors.New(theSecret)
		}, 0, "the call failed", false},
		{"no address", get(""), nil, 0, "the URL is empty", true},
		{"no web address", get("ftp://a.example/"), nil, 0, "the URL must begin with http:// or https://", true},
		{"closed", get(url), func(outbound.Request) (*outbound.Response, error) {
			return nil, &outbound.Error{Kind: outbound.Denied, Message: "a.example leads to a closed address"}
		}, 0, "a.example leads to a closed address", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk()
			d.receive = test.receive
			m := d.message(d.content(), 1, 1)
			reply, err := m.Fetch(t.Context(), test.request)
			if err != nil || isSuccess(reply.Status) || !isSuccess(test.status) && reply.Status != test.status || reply.Body != nil {
				t.Errorf("%+v, %v", reply, err)
			}
			if len(m.Failed) != 1 || m.Failed[0].Status != test.status || !strings.HasPrefix(m.Failed[0].Why, test.why) || m.Failed[0].At != now {
				t.Errorf("noted as %+v", m.Failed)
			}
			if test.request.URL == url && m.Failed[0].URL != "https://a.example/p/7?api_key=…&sku=…&=…" {
				t.Errorf("the address is shown as %s", m.Failed[0].URL)
			}
			test.request.Retry = true
			_, err = m.Fetch(t.Context(), test.request)
			var no *Refusal
			var later *Unavailable
			switch {
			case test.final && (!errors.As(err, &no) || no.Reason != ExhaustedContent):
				t.Errorf("with :retry: %v", err)
			case !test.final && (!errors.As(err, &later) || later.Status != test.status || !strings.Contains(later.Detail, test.why)):
				t.Errorf("with :retry: %#v", err)
			}
			if notes := fmt.Sprint(m.Failed, err); strings.Contains(notes, "s3cr3t") {
				t.Errorf("the secret is told: %s", notes)
			}
		})
	}
}

// TestOnlyThePortsOfTheWebArePublic asks at other ports, also where the workspace
// has opened a range.
func TestOnlyThePortsOfTheWebArePublic(t *testing.T) {
	var dialled []string
	client := outbound.New(outbound.Options{Dial: func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
		dialled = append(dialled, addr.String())
		return nil, errors.New("nobody is there")
	}})
	d := newDesk()
	for _, allow := range [][]netip.Prefix{nil, {netip.MustParsePrefix("10.1.2.0/24")}} {
		d.egress = outbound.Policy{Allow: allow}
		m := d.message(NewContent(client, d.now), 1, 1)
		for _, url := range []string{"http://93.184.216.34:25/", "http://93.184.216.34/", "http://10.1.2.3:6379/"} {
			if _, err := m.Fetch(t.Context(), get(url)); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(m.Failed[0].Why, "port 25 of 93.184.216.34 is closed") {
			t.Errorf("%+v", m.Failed[0])
		}
	}
	if want := []string{"93.184.216.34:80", "93.184.216.34:80", "10.1.2.3:6379"}; !reflect.DeepEqual(dialled, want) {
		t.Errorf("dialled %v, want %v", dialled, want)
	}
}

// TestPrivateAddressesAreClosed calls a real server on the loopback address.
func TestPrivateAddressesAreClosed(t *testing.T) {
	called := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	d := newDesk()
	content := NewContent(outbound.New(outbound.Options{}), d.now)
	m := d.message(content, 1, 1)
	for _, url := range []string{server.URL, "http://127.0.0.1/", "http://localhost/", "http://[::ffff:127.0.0.1]/"} {
		if reply, err := m.Fetch(t.Context(), get(url)); err != nil || reply.Status != 0 {
			t.Errorf("%s: %+v, %v", url, reply, err)
		}
	}
	if called != 0 || len(m.Failed) != 4 {
		t.Errorf("it was called %d times; noted: %+v", called, m.Failed)
	}

	d.egress = outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if reply, err := m.Fetch(t.Context(), get(server.URL)); err != nil || reply.Status != 302 || called != 1 {
		t.Errorf("where it is open: %+v, %v after %d calls", reply, err, called)
	}
}

func TestAMessageMakesOnlySoManyCalls(t *testing.T) {
	d := newDesk()
	m := d.message(d.content(), 1, 1)
	for range maxCalls {
		if _, err := m.Fetch(t.Context(), get("https://a.example/")); err != nil {
			t.Fatal(err)
		}
	}
	_, err := m.Fetch(t.Context(), get("https://a.example/"))
	var no *Refusal
	if !errors.As(err, &no) || no.Reason != TooManyCalls {
		t.Errorf("got %v", err)
	}
}

func TestACallThatIsGivenUpIsNoFailure(t *testing.T) {
	d := newDesk()
	ctx, cancel := context.WithCancel(t.Context())
	d.receive = func(outbound.Request) (*outbound.Response, error) {
		cancel()
		return nil, &outbound.Error{Kind: outbound.Canceled, Message: "given up"}
	}
	for _, r := range []liquid.FetchRequest{get("https://a.example/"), post("https://a.example/", "a=b")} {
		m := d.message(d.content(), 1, 1)
		if _, err := m.Fetch(ctx, r); !errors.Is(err, context.Canceled) || len(m.Failed) != 0 {
			t.Errorf("%s: %v, noted %+v", r.Method, err, m.Failed)
		}
	}
}

// TestEchoedCredentialsStayOutOfMessages has a host answer with what it was shown.
func TestEchoedCredentialsStayOutOfMessages(t *testing.T) {
	for _, header := range []string{"Authorization", "X-Api-Key"} {
		d := newDesk()
		if header != "Authorization" {
			d.secrets["shop"].Kind, d.secrets["shop"].HeaderName = workspace.Header, header
		}
		d.receive = func(r outbound.Request) (*outbound.Response, error) {
			return replies(200, `{"headers":{"`+header+`":"`+r.Header.Get(header)+`"},"n":1}`)(r)
		}
		content := d.content()
		for _, noCache := range []bool{true, false, false} { // made, made, and taken from the cache
			r := get("https://a.example/")
			r.Credential, r.NoCache = "shop", noCache
			reply, err := d.message(content, 1, 1).Fetch(t.Context(), r)
			if err != nil || strings.Contains(string(reply.Body), theSecret) || !strings.Contains(string(reply.Body), `[secret]"},"n":1}`) {
				t.Errorf("%s: %s, %v", header, reply.Body, err)
			}
		}
		if d.calls() != 2 {
			t.Errorf("%d calls", d.calls())
		}
	}
}

func TestCodes(t *testing.T) {
	d := newDesk()
	first, second, third := d.message(nil, 1, 1), d.message(nil, 1, 2), d.message(nil, 1, 3)
	for _, test := range []struct {
		m    *Message
		list string
		want string
	}{
		{first, "spring", "A"}, {first, "spring", "A"}, {second, "spring", "B"},
		{d.message(nil, 1, 1), "spring", "A"}, // rendered again
		{third, "spring", string(PromotionExhausted)},
		{third, "winter", string(PromotionGone)},
		{third, "old", string(PromotionExpired)},
		{d.message(nil, 1, 0), "spring", UnsentCode},
		{d.message(nil, 1, 0), "old", string(PromotionExpired)},
	} {
		got, err := test.m.Code(t.Context(), test.list)
		var no *Refusal
		if errors.As(err, &no) {
			got = string(no.Reason)
		}
		if got != test.want {
			t.Errorf("%s for message %d: %q, %v; want %q", test.list, test.m.ID, got, err, test.want)
		}
	}
	if len(d.given) != 2 {
		t.Errorf("given: %v", d.given)
	}
}

func TestExtras(t *testing.T) {
	m := &Message{}
	m.addExtra("a", "first")
	m.addExtra("a", "second")
	m.addExtra("b", strings.Repeat("ü", 1000))
	m.addExtra("c", "no room")
	want := map[string]string{"a": "first", "b": strings.Repeat("ü", (maxExtras-len("a")-len("first")-len("b"))/2)}
	if !reflect.DeepEqual(m.Extras, want) {
		t.Errorf("got %d, %d and %d bytes", len(m.Extras["a"]), len(m.Extras["b"]), len(m.Extras["c"]))
	}
}

package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRealServerOnLoopback(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", strings.Join([]string{r.Method, r.URL.RequestURI(), r.Header.Get("X-Given"), string(body)}, "|"))
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short and stout")
	}))
	defer server.Close()
	c := New(Options{})
	defer c.CloseIdleConnections()

	r := Request{
		Method: http.MethodPost,
		URL:    server.URL + "/in?q=1",
		Header: http.Header{"X-Given": {"yes"}},
		Body:   []byte("water"),
		Policy: policy(t, "127.0.0.0/8"),
	}
	got, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != http.StatusTeapot || string(got.Body) != "short and stout" || got.Truncated {
		t.Errorf("got %d %q, truncated %v", got.Status, got.Body, got.Truncated)
	}
	if seen := got.Header.Get("X-Seen"); seen != "POST|/in?q=1|yes|water" {
		t.Errorf("the server saw %q", seen)
	}
	if got.RemoteAddr != local || Classify(got.RemoteAddr) != Loopback {
		t.Errorf("the reply came from %s", got.RemoteAddr)
	}
	if got.Duration <= 0 {
		t.Errorf("it took %s", got.Duration)
	}

	r.Policy = Policy{}
	_, err = c.Do(t.Context(), r)
	if e := wantKind(t, err, Denied); !strings.Contains(e.Message, "egress: {allow: [127.0.0.0/8]}") {
		t.Errorf("the message does not name the setting: %s", e.Message)
	}
}

func TestDurationComesFromTheClock(t *testing.T) {
	n := newNetwork(t, hello)
	now := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	c := n.client(t, func(o *Options) {
		o.Now = func() time.Time { now = now.Add(3 * time.Second); return now }
	})
	got, err := c.Do(t.Context(), Request{URL: "http://93.184.215.14/"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Duration != 3*time.Second {
		t.Errorf("took %s, want 3s", got.Duration)
	}
}

func TestNumericHostsReachNothing(t *testing.T) {
	n := newNetwork(t, hello)
	for _, host := range []string{
		"2130706433", "0", "0.0", "00", "127.1", "127.0.1", "0177.0.0.1", "0177.1", "017700000001", "127.0.0.01",
		"0x7f000001", "0x7f.0.0.1", "0X7F.1", "0x", "127.0.0.0x1", "127.0.0.1.", "10.1", "169.254.43518",
		"1.2.3.4.5", "256.0.0.1", "4294967297", "①②⑦.0.0.1", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]", "[::]", "[::1]",
		"[0:0:0:0:0:ffff:0a00:0001]", "[64:ff9b::7f00:1]", "127。0。0。1",
	} {
		// Whoever answers for such a name says that it is this machine.
		n.name(host, addrs(local))
		n.name(strings.TrimSuffix(host, "."), addrs(local))
		_, err := n.client(t).Do(t.Context(), Request{URL: "http://" + host + "/"})
		if kind := KindOf(err); kind != BadURL && kind != Denied {
			t.Errorf("%s: error is %v", host, err)
		}
	}
	n.wantDialled(t)
	if n.lookups > 0 {
		t.Errorf("%d numbers were looked up as names", n.lookups)
	}
}

func TestNamesThatLookLikeNumbersAreNames(t *testing.T) {
	for _, host := range []string{"1.example", "0x7f.example.com", "3com", "a.0xg", "example.com.", "xn--bcher-kva.example", "7f"} {
		if endsInNumber(host) {
			t.Errorf("%s is taken for a number", host)
		}
	}
}

func TestRebinding(t *testing.T) {
	n := newNetwork(t, hello)
	n.name("rebind.example", addrs(publicA), addrs(local))
	c := n.client(t)
	r := Request{URL: "http://rebind.example/"}
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if n.lookups != 1 {
		t.Fatalf("%d lookups for one connection: what is dialled is not what was judged", n.lookups)
	}
	c.CloseIdleConnections()
	_, err := c.Do(t.Context(), r)
	wantKind(t, err, Denied)
	n.wantDialled(t, publicA)
}

func TestOnlyTheOpenAddressesOfANameAreDialled(t *testing.T) {
	n := newNetwork(t, hello)
	n.name("mixed.example", addrs(private, publicA, local))
	got, err := n.client(t).Do(t.Context(), Request{URL: "http://mixed.example/"})
	if err != nil {
		t.Fatal(err)
	}
	if got.RemoteAddr != publicA {
		t.Errorf("the reply came from %s", got.RemoteAddr)
	}
	n.wantDialled(t, publicA)
}

func TestRedirectsAreReturned(t *testing.T) {
	n := newNetwork(t, http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	got, err := n.client(t).Do(t.Context(), Request{URL: "http://93.184.215.14/"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != http.StatusFound || got.Header.Get("Location") != "http://169.254.169.254/latest/meta-data/" {
		t.Errorf("got %d to %q", got.Status, got.Header.Get("Location"))
	}
	n.wantDialled(t, publicA)
}

func TestCookiesAreNotKept(t *testing.T) {
	n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		io.WriteString(w, r.Header.Get("Cookie"))
	}))
	c := n.client(t)
	for range 2 {
		got, err := c.Do(t.Context(), Request{URL: "http://93.184.215.14/"})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Body) > 0 {
			t.Errorf("the server got the cookie %q", got.Body)
		}
	}
}

// The environment is read once per process, so setting it here would prove nothing.
func TestNoProxyIsAsked(t *testing.T) {
	if New(Options{}).transports.of(Policy{}).Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestConnectionsAreKeptPerPolicy(t *testing.T) {
	n := newNetwork(t, hello)
	c := n.client(t)
	do := func(p Policy) error {
		_, err := c.Do(t.Context(), Request{URL: "http://127.0.0.1/", Policy: p})
		return err
	}
	for _, p := range []Policy{
		policy(t, "127.0.0.0/8", "10.0.0.0/8"),
		policy(t, "10.0.0.0/8", "127.0.0.0/8"), // the same in another order
	} {
		if err := do(p); err != nil {
			t.Fatal(err)
		}
	}
	n.wantDialled(t, local)

	wantKind(t, do(Policy{}), Denied) // although a connection stands open
	n.wantDialled(t, local)

	if err := do(policy(t, "127.0.0.0/8")); err != nil {
		t.Fatal(err)
	}
	n.wantDialled(t, local, local)
}

func TestTheOldestPolicyIsLetGo(t *testing.T) {
	n := newNetwork(t, hello)
	c := n.client(t, func(o *Options) { o.MaxPolicies = 2 })
	for _, step := range []struct {
		allow string
		dials int
	}{
		{"127.0.0.1", 1}, {"127.0.0.0/8", 2}, {"127.0.0.1", 2}, {"127.0.0.0/9", 3}, {"127.0.0.1", 3}, {"127.0.0.0/8", 4},
	} {
		if _, err := c.Do(t.Context(), Request{URL: "http://127.0.0.1/", Policy: policy(t, step.allow)}); err != nil {
			t.Fatal(err)
		}
		if got := len(n.dialled()); got != step.dials {
			t.Fatalf("after %s: %d connections were made, want %d", step.allow, got, step.dials)
		}
	}
	if kept := len(c.transports.byKey); kept != 2 {
		t.Errorf("%d policies are kept, want 2", kept)
	}
}

func TestLettingAPolicyGoClosesItsIdleConnections(t *testing.T) {
	n := newNetwork(t, hello)
	closed := make(chan struct{}, 1)
	n.hosts[local] = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		conn, err := n.serve(ctx, addr)
		return tellsClose{conn, closed}, err
	}
	c := n.client(t, func(o *Options) { o.MaxPolicies = 1 })
	if _, err := c.Do(t.Context(), Request{URL: "http://127.0.0.1/", Policy: policy(t, "127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), Request{URL: "http://93.184.215.14/"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	default:
		t.Error("the connection is still open")
	}
}

func TestBodiesAreCutAtTheLimit(t *testing.T) {
	n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "0123456789")
	}))
	for _, step := range []struct {
		limit     int64
		body      string
		truncated bool
	}{
		{0, "0123456789", false}, {11, "0123456789", false}, {10, "0123456789", false}, {9, "012345678", true}, {1, "0", true},
	} {
		got, err := n.client(t).Do(t.Context(), Request{URL: "http://93.184.215.14/", Limits: Limits{MaxResponseBytes: step.limit}})
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Body) != step.body || got.Truncated != step.truncated {
			t.Errorf("limit %d: got %q, truncated %v", step.limit, got.Body, got.Truncated)
		}
	}
}

func TestABodyThatJustFitsKeepsItsConnection(t *testing.T) {
	n := newNetwork(t, hello)
	c := n.client(t)
	for range 3 {
		if _, err := c.Do(t.Context(), Request{URL: "http://93.184.215.14/", Limits: Limits{MaxResponseBytes: int64(len("hello"))}}); err != nil {
			t.Fatal(err)
		}
	}
	n.wantDialled(t, publicA)
}

func TestCodedBodiesAreNotInflated(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	w.Write(make([]byte, 1<<20))
	w.Close()
	n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Accepted", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
	}))
	got, err := n.client(t).Do(t.Context(), Request{URL: "http://93.184.215.14/"})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Body, bomb.Bytes()) || got.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("got %d bytes coded as %q, want the %d sent", len(got.Body), got.Header.Get("Content-Encoding"), bomb.Len())
	}
	if asked := got.Header.Get("X-Accepted"); asked != "identity" {
		t.Errorf("asked for coding %q", asked)
	}
}

func TestLongHeadsAreRefused(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		for i := range 12 {
			w.Header().Set(fmt.Sprint("X-Long-", i), strings.Repeat("x", 1000))
		}
	})
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		r := Request{URL: server.URL, Policy: policy(t, "127.0.0.0/8")}

		roomy := New(Options{RootCAs: roots})
		defer roomy.CloseIdleConnections()
		got, err := roomy.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; got.Header.Get("X-Proto") != want {
			t.Errorf("spoke %s, want %s", got.Header.Get("X-Proto"), want)
		}
		if got.RemoteAddr != local {
			t.Errorf("the reply came from %s", got.RemoteAddr)
		}

		narrow := New(Options{RootCAs: roots, MaxResponseHeaderBytes: 8_000})
		defer narrow.CloseIdleConnections()
		_, err = narrow.Do(t.Context(), r)
		wantKind(t, err, TooLarge)
	}
}

func TestManyAtOnce(t *testing.T) {
	var served atomic.Int64
	n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		io.Copy(w, r.Body)
	}))
	n.name("shop.example", addrs(local))
	c := n.client(t, func(o *Options) { o.MaxPolicies = 2 })
	policies := []Policy{{}, policy(t, "127.0.0.0/8"), policy(t, "127.0.0.1"), policy(t, "10.0.0.0/8")}
	opens := []bool{false, true, true, false}

	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := range 25 {
				which := (worker + i) % len(policies)
				body := fmt.Sprint(worker, " ", i)
				got, err := c.Do(t.Context(), Request{Method: "POST", URL: "http://shop.example/", Body: []byte(body), Policy: policies[which]})
				switch {
				case !opens[which] && KindOf(err) != Denied:
					t.Errorf("policy %d: error is %v, want a refusal", which, err)
				case opens[which] && err != nil:
					t.Errorf("policy %d: %v", which, err)
				case opens[which] && string(got.Body) != body:
					t.Errorf("policy %d: got %q, want %q", which, got.Body, body)
				}
			}
		})
	}
	wg.Wait()
	if served.Load() != 16*25/2 {
		t.Errorf("%d requests were served, want %d", served.Load(), 16*25/2)
	}
}

func FuzzNoURLReachesAClosedAddress(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]:80/", "http://0x7f.1/", "http://a@10.0.0.1/",
		"https://[fe80::1%25lo]/", "http://127.0.0.1%2f@93.184.215.14/", "http://①②⑦.0.0.1/", "http:\\\\127.0.0.1", "http://93.184.215.14#@10.0.0.1/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		n := newNetwork(t, hello)
		n.hosts[publicA] = saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		resolve := resolverFunc(func(host string) []netip.Addr { return addrs(local, publicA) })
		_, err := n.client(t, func(o *Options) { o.Resolver = resolve }).Do(t.Context(), Request{URL: url})
		if err != nil && KindOf(err) == "" {
			t.Errorf("untyped error %v", err)
		}
		for _, addr := range n.dialled() {
			if Classify(addr) != Public {
				t.Errorf("%q led to %s", url, addr)
			}
		}
	})
}

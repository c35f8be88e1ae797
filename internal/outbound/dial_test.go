package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

type resolverFunc func(host string) []netip.Addr

func (f resolverFunc) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return f(host), nil
}

type hangingResolver struct{}

func (hangingResolver) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Each phase that hangs ends by its own limit and is told from the others. The
// clock is the bubble's, so the times are exact and nothing waits.
func TestTimeouts(t *testing.T) {
	const connectTimeout, timeout = 4 * time.Second, 9 * time.Second
	for name, c := range map[string]struct {
		url    string
		change func(*network, *Options)
		kind   Kind
		after  time.Duration
		status int
	}{
		"lookup":    {"http://a.example/", func(_ *network, o *Options) { o.Resolver = hangingResolver{} }, DNS, connectTimeout, 0},
		"connect":   {"http://a.example/", func(n *network, _ *Options) { n.hosts[publicA] = unreachable }, Connect, connectTimeout, 0},
		"handshake": {"https://a.example/", func(n *network, _ *Options) { n.hosts[publicA] = silent }, TLS, connectTimeout, 0},
		"reply":     {"http://a.example/", func(n *network, _ *Options) { n.hosts[publicA] = silent }, Timeout, timeout, 0},
		"body":      {"http://a.example/slow", func(*network, *Options) {}, Timeout, timeout, 200},
		"whole, before connected": {"http://a.example/", func(n *network, o *Options) {
			n.hosts[publicA] = unreachable
			o.ConnectTimeout = 2 * timeout
		}, Connect, timeout, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, "so far")
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				}))
				n.name("a.example", addrs(publicA))
				client := n.client(t, func(o *Options) {
					o.ConnectTimeout = connectTimeout
					c.change(n, o)
				})
				started := time.Now()
				got, err := client.Do(t.Context(), Request{URL: c.url, Limits: Limits{Timeout: timeout}})
				e := wantKind(t, err, c.kind)
				if took := time.Since(started); took != c.after {
					t.Errorf("gave up after %s, want %s", took, c.after)
				}
				if !e.Timeout() {
					t.Errorf("%v is not known as a time-out", e)
				}
				if !strings.Contains(e.Message, "a.example") {
					t.Errorf("the message names no host: %s", e.Message)
				}
				if c.status == 0 && got != nil {
					t.Errorf("there is a response of status %d", got.Status)
				}
				if c.status != 0 && (got == nil || got.Status != c.status || string(got.Body) != "so far") {
					t.Errorf("the response is %+v, want what had arrived", got)
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	for name, host := range map[string]DialFunc{"before connected": unreachable, "after": silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, hello)
				n.hosts[publicA] = host
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				_, err := n.client(t).Do(ctx, Request{URL: "http://93.184.215.14/"})
				e := wantKind(t, err, Canceled)
				if !errors.Is(err, context.Canceled) || e.Timeout() {
					t.Errorf("%v is not known as given up", err)
				}
			})
		})
	}
}

func TestASilentAddressIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, hello)
		n.name("two.example", addrs(publicB, publicA))
		n.hosts[publicB] = unreachable
		started := time.Now()
		got, err := n.client(t).Do(t.Context(), Request{URL: "http://two.example/"})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(started); took != attemptDelay || got.RemoteAddr != publicA {
			t.Errorf("%s answered after %s, want %s after %s", got.RemoteAddr, took, publicA, attemptDelay)
		}
		n.wantDialled(t, publicB, publicA)
	})
}

func TestALateConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, hello)
		n.name("two.example", addrs(publicB, publicA))
		overtaken, closed := make(chan struct{}), make(chan struct{}, 1)
		n.hosts[publicB] = func(context.Context, netip.AddrPort) (net.Conn, error) {
			<-overtaken
			near, _ := net.Pipe()
			return tellsClose{near, closed}, nil
		}
		if _, err := n.client(t).Do(t.Context(), Request{URL: "http://two.example/"}); err != nil {
			t.Fatal(err)
		}
		close(overtaken)
		<-closed // deadlocks, and so fails, if the late connection stays open
	})
}

func TestAttemptsAreBoundedAndAlternate(t *testing.T) {
	n := newNetwork(t, hello)
	var v4, v6 []netip.Addr
	for i := range byte(20) {
		v4 = append(v4, netip.AddrFrom4([4]byte{93, 184, 215, i}))
		v6 = append(v6, netip.AddrFrom16([16]byte{0x26, 0x06, 15: i}))
	}
	n.name("many.example", slices.Concat(v6[:5], v4))
	refuse := func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	for _, addr := range slices.Concat(v4, v6) {
		n.hosts[addr] = refuse
	}
	_, err := n.client(t).Do(t.Context(), Request{URL: "http://many.example/"})
	e := wantKind(t, err, Connect)
	if e.Addr != v6[0] || e.Message != "many.example:80 refused the connection" || e.Timeout() {
		t.Errorf("the error is %q about %s", e.Message, e.Addr)
	}
	n.wantDialled(t, v6[0], v4[0], v6[1], v4[1], v6[2], v4[2], v6[3], v4[3])
}

func TestAlternateKeepsAll(t *testing.T) {
	a, b := publicA, publicB
	for _, c := range []struct{ in, want []netip.Addr }{
		{addrs(a), addrs(a)},
		{addrs(a, a), addrs(a, a)},
		{addrs(b, b, b, a), addrs(b, a, b, b)},
		{addrs(a, b, b, b), addrs(a, b, b, b)},
	} {
		if got := alternate(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%v became %v, want %v", c.in, got, c.want)
		}
	}
}

func TestLookupFailures(t *testing.T) {
	n := newNetwork(t, hello)
	for name, c := range map[string]struct {
		resolver Resolver
		says     string
	}{
		"unknown name": {n, "the name a.example has no address"},
		"no address":   {resolverFunc(func(string) []netip.Addr { return nil }), "the name a.example has no address"},
		"server fails": {failingResolver{}, "the address of a.example could not be looked up"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.client(t, func(o *Options) { o.Resolver = c.resolver }).Do(t.Context(), Request{URL: "http://a.example/"})
			if e := wantKind(t, err, DNS); e.Message != c.says || e.Host != "a.example" {
				t.Errorf("the error is %q about %q", e.Message, e.Host)
			}
		})
	}
}

type failingResolver struct{}

func (failingResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
}

func TestBrokenReplies(t *testing.T) {
	n := newNetwork(t, hello)
	for name, c := range map[string]struct {
		sent, says string
		response   bool
	}{
		"nothing":    {"", "closed the connection before its reply was complete", false},
		"no HTTP":    {"220 mail.example ESMTP\r\n", "sent no valid HTTP reply", false},
		"half head":  {"HTTP/1.1 200 OK\r\nX-A: 1\r\n", "closed the connection before its reply was complete", false},
		"half body":  {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", "closed the connection before its reply was complete", true},
		"bad chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "sent no valid HTTP reply", true},
	} {
		t.Run(name, func(t *testing.T) {
			n.hosts[publicA] = saying(c.sent)
			got, err := n.client(t).Do(t.Context(), Request{Method: "POST", URL: "http://93.184.215.14/", Body: []byte("x")})
			e := wantKind(t, err, Protocol)
			if e.Message != "93.184.215.14 "+c.says || e.Addr != publicA {
				t.Errorf("the error is %q about %s", e.Message, e.Addr)
			}
			if (got != nil) != c.response {
				t.Errorf("the response is %+v", got)
			}
		})
	}
}

func TestAFailedHandshakeClosesItsConnection(t *testing.T) {
	n := newNetwork(t, hello)
	closed := make(chan struct{}, 1)
	n.hosts[publicA] = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		conn, err := saying("220 mail.example ESMTP\r\n")(ctx, addr)
		return tellsClose{conn, closed}, err
	}
	_, err := n.client(t).Do(t.Context(), Request{URL: "https://93.184.215.14/"})
	wantKind(t, err, TLS)
	select {
	case <-closed:
	default:
		t.Error("the connection is still open")
	}
}

func TestTLSFailuresAreNamed(t *testing.T) {
	secure := httptest.NewUnstartedServer(hello)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	old := httptest.NewUnstartedServer(hello)
	old.Config.ErrorLog = secure.Config.ErrorLog
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	plain := httptest.NewServer(hello)
	defer plain.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())

	port := func(s *httptest.Server) string { return s.URL[strings.LastIndexByte(s.URL, ':')+1:] }
	for name, c := range map[string]struct {
		url   string
		roots *x509.CertPool
		says  string
	}{
		"authority": {"https://example.com:" + port(secure), x509.NewCertPool(), "its certificate comes from an unknown authority"},
		"name":      {"https://other.test:" + port(secure), roots, "its certificate is for another name"},
		"no TLS":    {"https://example.com:" + port(plain), roots, "the port does not speak TLS"},
		"too old":   {"https://example.com:" + port(old), roots, "it refused the handshake"},
		"good":      {"https://example.com:" + port(secure), roots, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(Options{RootCAs: c.roots, Resolver: resolverFunc(func(string) []netip.Addr { return addrs(local) })})
			defer client.CloseIdleConnections()
			got, err := client.Do(t.Context(), Request{URL: c.url, Policy: policy(t, "127.0.0.0/8")})
			if c.says == "" {
				if err != nil || string(got.Body) != "hello" {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if e := wantKind(t, err, TLS); !strings.HasSuffix(e.Message, ": "+c.says) || e.Addr != local {
				t.Errorf("the error is %q about %s", e.Message, e.Addr)
			}
		})
	}
}

package outbound

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// network is a small internet in memory: names with answers, a web server behind
// every address, and a record of what was looked up and dialled.
type network struct {
	listener pipeListener

	mu      sync.Mutex
	names   map[string][][]netip.Addr // the answers to a name in turn; the last one stays
	hosts   map[netip.Addr]DialFunc   // addresses that do something else than serve
	lookups int
	dials   []netip.AddrPort
}

func newNetwork(t *testing.T, handler http.Handler) *network {
	n := &network{
		listener: pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})},
		names:    map[string][][]netip.Addr{},
		hosts:    map[netip.Addr]DialFunc{},
	}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(&n.listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return n
}

// client is a client of the network, with what the caller changes.
func (n *network) client(t *testing.T, change ...func(*Options)) *Client {
	opts := Options{Resolver: n, Dial: n.dial}
	for _, c := range change {
		c(&opts)
	}
	c := New(opts)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func (n *network) name(name string, answers ...[]netip.Addr) { n.names[name] = answers }

func (n *network) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookups++
	answers := n.names[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.names[host] = answers[1:]
	}
	return answers[0], nil
}

func (n *network) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, addr)
	host := n.hosts[addr.Addr()]
	n.mu.Unlock()
	if host != nil {
		return host(ctx, addr)
	}
	return n.serve(ctx, addr)
}

// serve connects to the web server.
func (n *network) serve(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case n.listener.conns <- far:
		return pipeConn{near, addr}, nil
	case <-n.listener.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dialled are the addresses dialled so far, in order.
func (n *network) dialled() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	var addrs []netip.Addr
	for _, d := range n.dials {
		addrs = append(addrs, d.Addr())
	}
	return addrs
}

func (n *network) wantDialled(t *testing.T, want ...netip.Addr) {
	t.Helper()
	if got := n.dialled(); !slices.Equal(got, want) {
		t.Errorf("dialled %v, want %v", got, want)
	}
}

// silent accepts and never answers.
func silent(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
	near, far := net.Pipe()
	go io.Copy(io.Discard, far)
	return pipeConn{near, addr}, nil
}

// unreachable neither accepts nor refuses.
func unreachable(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// saying accepts, reads a request and sends the text.
func saying(text string) DialFunc {
	return func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			buf := make([]byte, 4<<10)
			far.Read(buf)
			io.WriteString(far, text)
		}()
		return pipeConn{near, addr}, nil
	}
}

// tellsClose tells of its first closing.
type tellsClose struct {
	net.Conn
	closed chan<- struct{}
}

func (c tellsClose) Close() error {
	select {
	case c.closed <- struct{}{}:
	default:
	}
	return c.Conn.Close()
}

type pipeConn struct {
	net.Conn
	remote netip.AddrPort
}

func (c pipeConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// Two addresses that are public and belong to no special block.
var (
	publicA = netip.MustParseAddr("93.184.215.14")
	publicB = netip.MustParseAddr("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
	private = netip.MustParseAddr("10.0.0.7")
	local   = netip.MustParseAddr("127.0.0.1")
)

func addrs(a ...netip.Addr) []netip.Addr { return a }

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })

func policy(t testing.TB, cidrs ...string) Policy {
	t.Helper()
	p, err := ParsePolicy(cidrs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantKind(t *testing.T, err error, want Kind) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || e.Kind != want {
		t.Fatalf("error is %v (kind %q), want kind %q", err, KindOf(err), want)
	}
	return e
}

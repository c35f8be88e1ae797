// Package outbound is the only HTTP client of the program: webhooks, connected
// content, photos and notices all leave through it.
//
// It reaches public addresses and, beyond them, only the ranges that a workspace
// opened by name. A name is resolved here, each resolved address is judged here,
// and the connection is made to the very address that was judged, so that a name
// cannot mean one thing when it is checked and another when it is dialled. Where
// a name has open and closed addresses, only the open ones are dialled.
//
// Redirects, cookies and the proxy variables of the environment are not followed.
// A reply's body is handed over as it was sent: the client asks for no content
// coding and undoes none, so a small reply cannot swell in memory.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"time"
)

// What holds where Options or Limits leave a field at zero. The time-out is what
// receivers of webhooks are used to (Svix: 15 s hosted, 30 s self-hosted); callers
// with a promise of their own set theirs.
const (
	DefaultTimeout          = 15 * time.Second
	DefaultMaxResponseBytes = 1 << 20

	defaultConnectTimeout         = 10 * time.Second
	defaultMaxResponseHeaderBytes = 64 << 10
	defaultMaxPolicies            = 64
	defaultMaxIdleConns           = 1024
	defaultMaxIdleConnsPerHost    = 32
	defaultIdleConnTimeout        = 60 * time.Second
	defaultUserAgent              = "Platen"

	// An HTTP/2 connection that has been silent this long is probed, so that a
	// dead one does not swallow every request to its host.
	silenceBeforePing = 20 * time.Second
)

// Resolver finds the addresses of a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DialFunc opens a TCP connection to an address that was judged before. It takes
// an address and never a name, so nothing can be resolved a second time. It must
// return soon after ctx ends.
type DialFunc func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

// Options are the settings of a client. The zero value is fit for use.
type Options struct {
	Resolver  Resolver         // nil: the system's
	Dial      DialFunc         // nil: the system's TCP
	RootCAs   *x509.CertPool   // nil: the system's
	Now       func() time.Time // nil: time.Now
	UserAgent string           // sent where a request names none

	// ConnectTimeout bounds lookup, connecting and TLS handshake together.
	ConnectTimeout time.Duration
	// MaxResponseHeaderBytes bounds the head of a reply.
	MaxResponseHeaderBytes int64

	// MaxPolicies is how many different policies keep connections at a time.
	// The two idle limits hold for each policy.
	MaxPolicies         int
	MaxIdleConns        int
	MaxIdleConnsPerHost int
	IdleConnTimeout     time.Duration
}

// Limits bound one request. Zero fields take the defaults of this package.
type Limits struct {
	// Timeout is for everything from the lookup to the last byte of the reply.
	Timeout time.Duration
	// MaxResponseBytes is how much of the reply's body is kept.
	MaxResponseBytes int64
}

// Request is one HTTP request. Header may not decide about the connection: Host,
// Content-Length and the hop-by-hop fields of RFC 9110, section 7.6.1, follow from
// the rest and are left out when given. Body must not be changed later, as it may
// still be on its way when the reply is complete.
type Request struct {
	Method string // empty: GET
	URL    string // absolute, http or https, without credentials
	Header http.Header
	Body   []byte
	Policy Policy
	Limits Limits
}

// Response is what came back, whatever its status.
type Response struct {
	Status     int
	Header     http.Header
	Body       []byte // as sent, so possibly still coded; see Content-Encoding
	Truncated  bool   // the body was longer than Limits.MaxResponseBytes
	Duration   time.Duration
	RemoteAddr netip.Addr // the address that answered; Classify tells its class
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	transports *transports
	userAgent  string
	now        func() time.Time
}

// New makes a client.
func New(opts Options) *Client {
	opts = opts.withDefaults()
	return &Client{
		transports: newTransports(opts.MaxPolicies, opts.transport),
		userAgent:  opts.UserAgent,
		now:        opts.Now,
	}
}

// Do sends one request and reads its reply. Every error is an *Error. A reply
// whose head arrived and whose body broke off gives both: the response with what
// was read, and the error.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	limits := r.Limits.withDefaults()
	started := c.now()
	ctx, cancel := context.WithTimeout(ctx, limits.Timeout)
	defer cancel()

	var peer peer
	req, err := c.build(httptrace.WithClientTrace(ctx, peer.trace()), r)
	if err != nil {
		return nil, err
	}
	reply, err := c.transports.of(r.Policy).RoundTrip(req)
	if err != nil {
		return nil, exchangeError(ctx, req.URL.Host, peer.addr(), err)
	}
	defer reply.Body.Close()

	body, truncated, err := readAtMost(reply.Body, limits.MaxResponseBytes)
	response := &Response{
		Status:     reply.StatusCode,
		Header:     reply.Header,
		Body:       body,
		Truncated:  truncated,
		Duration:   c.now().Sub(started),
		RemoteAddr: peer.addr(),
	}
	if err != nil {
		return response, exchangeError(ctx, req.URL.Host, peer.addr(), err)
	}
	return response, nil
}

// CloseIdleConnections closes every connection that no request is using.
func (c *Client) CloseIdleConnections() { c.transports.closeIdle() }

// peer remembers which address a request was given a connection to. The
// transport may tell it from another goroutine, even after the request ended.
type peer struct{ remote atomic.Pointer[netip.Addr] }

func (p *peer) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		addr := addrOf(info.Conn.RemoteAddr())
		p.remote.Store(&addr)
	}}
}

// addr is the zero Addr until there is a connection.
func (p *peer) addr() netip.Addr {
	if addr := p.remote.Load(); addr != nil {
		return *addr
	}
	return netip.Addr{}
}

func addrOf(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// readAtMost reads up to limit bytes and tells whether there were more.
func readAtMost(r io.Reader, limit int64) (body []byte, truncated bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r, limit))
	if err != nil || int64(len(body)) < limit {
		return body, false, err
	}
	// One byte more tells a body that just fits from one that was cut, and lets
	// the connection of one that fits be used again.
	var next [1]byte
	n, err := io.ReadFull(r, next[:])
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return body, n > 0, err
}

// transport makes the HTTP transport of one policy.
func (o Options) transport(policy Policy) *http.Transport {
	d := &dialer{
		resolver: o.Resolver,
		dial:     o.Dial,
		timeout:  o.ConnectTimeout,
		policy:   policy,
		tls: &tls.Config{
			RootCAs:    o.RootCAs,
			MinVersion: tls.VersionTLS12,
			NextProtos: []string{"h2", "http/1.1"},
		},
	}
	return &http.Transport{
		Proxy:                  nil, // never the environment's
		DialContext:            d.dialPlain,
		DialTLSContext:         d.dialTLS,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: silenceBeforePing},
		DisableCompression:     true,
		MaxIdleConns:           o.MaxIdleConns,
		MaxIdleConnsPerHost:    o.MaxIdleConnsPerHost,
		IdleConnTimeout:        o.IdleConnTimeout,
		MaxResponseHeaderBytes: o.MaxResponseHeaderBytes,
	}
}

func (o Options) withDefaults() Options {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = dialSystem
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	orDefault(&o.UserAgent, defaultUserAgent)
	orDefault(&o.ConnectTimeout, defaultConnectTimeout)
	orDefault(&o.MaxResponseHeaderBytes, defaultMaxResponseHeaderBytes)
	orDefault(&o.MaxPolicies, defaultMaxPolicies)
	orDefault(&o.MaxIdleConns, defaultMaxIdleConns)
	orDefault(&o.MaxIdleConnsPerHost, defaultMaxIdleConnsPerHost)
	orDefault(&o.IdleConnTimeout, defaultIdleConnTimeout)
	return o
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.Timeout, DefaultTimeout)
	orDefault(&l.MaxResponseBytes, DefaultMaxResponseBytes)
	return l
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	// How long one address may stay silent before the next is tried beside it
	// (RFC 8305, section 5: recommended 250 ms).
	attemptDelay = 250 * time.Millisecond
	// How many addresses of one name are tried, so that whoever owns the name
	// cannot make one request open any number of connections.
	maxAttempts = 8
)

// dialer opens the connections of one policy.
type dialer struct {
	resolver Resolver
	dial     DialFunc
	tls      *tls.Config
	timeout  time.Duration
	policy   Policy
}

func dialSystem(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr.String())
}

func (d *dialer) dialPlain(ctx context.Context, _, hostPort string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return d.connect(ctx, hostPort)
}

// dialTLS makes the handshake itself instead of leaving it to the transport, so
// that its failures are told from those of the connection.
func (d *dialer) dialTLS(ctx context.Context, _, hostPort string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	conn, err := d.connect(ctx, hostPort)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(hostPort)
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, tlsError(hostPort, addrOf(conn.RemoteAddr()), err)
	}
	return secure, nil
}

// connect resolves, judges and dials, in this order and once.
func (d *dialer) connect(ctx context.Context, hostPort string) (net.Conn, error) {
	host, portText, hostErr := net.SplitHostPort(hostPort)
	port, portErr := strconv.ParseUint(portText, 10, 16)
	if err := errors.Join(hostErr, portErr); err != nil {
		return nil, &Error{Kind: BadURL, Message: "the URL has no usable host and port", Host: hostPort, cause: err}
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs, err = d.permitted(host, uint16(port), addrs)
	if err != nil {
		return nil, err
	}
	addrs = alternate(addrs)
	var targets []netip.AddrPort
	for _, addr := range addrs[:min(len(addrs), maxAttempts)] {
		targets = append(targets, netip.AddrPortFrom(addr, uint16(port)))
	}
	return d.race(ctx, hostPort, targets)
}

// resolve gives the addresses of a host in normal form, at least one.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{normal(addr)}, nil
	}
	if endsInNumber(host) {
		return nil, &Error{
			Kind: BadURL, Host: host,
			Message: "the host " + host + " is neither a name nor an address; write an IPv4 address as four decimal numbers, as 192.0.2.1",
		}
	}
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return nil, lookupError(host, err)
	}
	normalised := make([]netip.Addr, len(addrs))
	for i, addr := range addrs {
		normalised[i] = normal(addr)
	}
	return normalised, nil
}

// endsInNumber finds hosts that some resolvers read as an IPv4 address in decimal,
// octal or hexadecimal form, as 2130706433, 0177.1 or 0x7f.0.0.1: those whose last
// label is a number (WHATWG URL, "ends in a number"). No top-level domain is one.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		last, digits = hex, "0123456789abcdef"
	} else if last == "" {
		return false
	}
	return strings.Trim(last, digits) == ""
}

// permitted leaves out the addresses that are closed, or closed at this port. It
// fails when none is left, with the reason of the first.
func (d *dialer) permitted(host string, port uint16, addrs []netip.Addr) ([]netip.Addr, error) {
	var open []netip.Addr
	var refusal *Error
	for _, addr := range addrs {
		refused := d.judge(host, port, addr)
		switch {
		case refused == nil:
			open = append(open, addr)
		case refusal == nil:
			refusal = refused
		}
	}
	if len(open) == 0 {
		return nil, refusal
	}
	return open, nil
}

// judge gives the reason why an address may not be dialled, nil for none.
func (d *dialer) judge(host string, port uint16, addr netip.Addr) *Error {
	if b, refused := d.policy.refuses(addr); refused {
		return deniedError(host, addr, b)
	}
	if d.policy.closesPort(addr, port) {
		return closedPortError(host, port, addr, d.policy.PublicPorts)
	}
	return nil
}

// alternate lets IPv6 and IPv4 take turns, beginning with the family that the
// resolver put first (RFC 8305, section 4), so that a host whose one family is
// broken is reached with the second attempt.
func alternate(addrs []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	for _, addr := range addrs {
		if addr.Is4() == addrs[0].Is4() {
			first = append(first, addr)
		} else {
			second = append(second, addr)
		}
	}
	ordered := make([]netip.Addr, 0, len(addrs))
	for len(first) > 0 {
		ordered = append(ordered, first[0])
		first, second = second, first[1:]
	}
	return append(ordered, second...)
}

type dialed struct {
	conn net.Conn
	addr netip.Addr
	err  error
}

// race dials the targets one after the other, the next as soon as one has failed
// or stayed silent for attemptDelay, and gives the first connection. If all fail
// the error is that of the first to fail.
func (d *dialer) race(ctx context.Context, hostPort string, targets []netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialed)
	started, running := 0, 0
	next := func() {
		target := targets[started]
		started++
		running++
		go func() {
			conn, err := d.dial(ctx, target)
			results <- dialed{conn, target.Addr(), err}
		}()
	}
	// Whatever is still dialling when this returns is closed as it arrives.
	defer func() { go closeAll(results, running) }()

	delay := time.NewTicker(attemptDelay)
	defer delay.Stop()
	var failure error
	next()
	for {
		select {
		case <-delay.C:
		case r := <-results:
			running--
			if r.err == nil {
				return r.conn, nil
			}
			if failure == nil {
				failure = connectError(hostPort, r.addr, r.err)
			}
		}
		switch {
		case started < len(targets) && ctx.Err() == nil:
			next()
		case running == 0:
			return nil, failure
		}
	}
}

func closeAll(results <-chan dialed, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			r.conn.Close()
		}
	}
}

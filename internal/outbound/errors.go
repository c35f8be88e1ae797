package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Kind is the class of an Error: how far the request came.
type Kind string

// The kinds. Nothing was sent for those up to TLS; for the others the receiver
// may have seen the request.
const (
	BadURL     Kind = "bad_url"     // the URL cannot be called
	BadRequest Kind = "bad_request" // method or headers cannot be sent, or are too long
	Denied     Kind = "denied"      // closed: the address for the workspace, or what the URL asks for
	DNS        Kind = "dns"         // the name has no address, or none was found in time
	Connect    Kind = "connect"     // no connection, or none in time
	TLS        Kind = "tls"         // no secure connection, or none in time
	Timeout    Kind = "timeout"     // connected, but no whole reply in time
	Canceled   Kind = "canceled"    // the caller gave up
	Protocol   Kind = "protocol"    // the reply was no HTTP, or broke off
	TooLarge   Kind = "too_large"   // the head of the reply is over its limit
)

// Error says why there is no reply, or no whole one. Message is safe to show: it
// names hosts and ports, never a path, a query, credentials or what the receiver
// sent. Error adds the cause, for the log.
type Error struct {
	Kind    Kind
	Message string
	Host    string     // as dialled, with the port where known; empty for an unreadable URL
	Addr    netip.Addr // the address refused or tried; the zero Addr where there was none

	cause error
}

// Error gives the message and the cause, for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Timeout tells whether time ran out, in whichever phase.
func (e *Error) Timeout() bool { return isTimeout(e.cause) }

// KindOf is the kind of an error that came from Do, and "" for any other.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func deniedError(host string, addr netip.Addr, b block) *Error {
	return &Error{
		Kind: Denied, Host: host, Addr: addr,
		Message: fmt.Sprintf("%s leads to a closed address: %s (%s, %s). To reach it, open the range in the workspace: egress: {allow: [%s]}",
			host, b.class, b.prefix, b.source, b.prefix),
	}
}

func closedPortError(host string, port uint16, addr netip.Addr, open []uint16) *Error {
	return &Error{
		Kind: Denied, Host: host, Addr: addr,
		Message: fmt.Sprintf("port %d of %s is closed here, as its address is public; the open ports are %s",
			port, host, strings.Trim(fmt.Sprint(open), "[]")),
	}
}

func lookupError(host string, cause error) *Error {
	e := &Error{Kind: DNS, Host: host, cause: cause}
	var dns *net.DNSError
	switch {
	case cause == nil, errors.As(cause, &dns) && dns.IsNotFound:
		e.Message = "the name " + host + " has no address"
	case isTimeout(cause):
		e.Message = "the address of " + host + " was not found in time"
	default:
		e.Message = "the address of " + host + " could not be looked up"
	}
	return e
}

func connectError(host string, addr netip.Addr, cause error) *Error {
	e := &Error{Kind: Connect, Host: host, Addr: addr, cause: cause}
	switch {
	case isTimeout(cause):
		e.Message = host + " did not accept a connection in time"
	case errors.Is(cause, syscall.ECONNREFUSED):
		e.Message = host + " refused the connection"
	case errors.Is(cause, syscall.EHOSTUNREACH), errors.Is(cause, syscall.ENETUNREACH):
		e.Message = "there is no network route to " + host
	default:
		e.Message = "no connection to " + host + " could be made"
	}
	return e
}

func tlsError(host string, addr netip.Addr, cause error) *Error {
	return &Error{
		Kind: TLS, Host: host, Addr: addr, cause: cause,
		Message: "no secure connection to " + host + ": " + tlsReason(cause),
	}
}

func tlsReason(cause error) string {
	var (
		notTLS    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		remote    *net.OpError
	)
	switch {
	case isTimeout(cause):
		return "the handshake was not done in time"
	case errors.As(cause, &notTLS):
		return "the port does not speak TLS"
	case errors.As(cause, &authority):
		return "its certificate comes from an unknown authority"
	case errors.As(cause, &hostname):
		return "its certificate is for another name"
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet"
	case errors.As(cause, &invalid):
		return "its certificate is not valid"
	case errors.As(cause, &remote) && remote.Op == "remote error": // crypto/tls: an alert was received
		return "it refused the handshake"
	default:
		return "the handshake failed"
	}
}

// exchangeError makes the error of a request that the transport gave up. Errors of
// the dialer pass as they are. An invalid addr means that there never was a
// connection.
func exchangeError(ctx context.Context, host string, addr netip.Addr, cause error) *Error {
	var known *Error
	if errors.As(cause, &known) {
		return known
	}
	e := &Error{Host: host, Addr: addr, cause: cause}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.Message = Canceled, "the request to "+host+" was given up"
	case (ctx.Err() != nil || isTimeout(cause)) && !addr.IsValid():
		return connectError(host, addr, context.DeadlineExceeded)
	case ctx.Err() != nil || isTimeout(cause):
		e.Kind, e.Message = Timeout, host+" did not answer in time"
	case isHeadTooLarge(cause):
		e.Kind, e.Message = TooLarge, host+" sent more headers than are read"
	case isBrokenOff(cause):
		e.Kind, e.Message = Protocol, host+" closed the connection before its reply was complete"
	default:
		e.Kind, e.Message = Protocol, host+" sent no valid HTTP reply"
	}
	return e
}

// isHeadTooLarge goes by the text, as net/http has no error value for it; a test
// for either version of HTTP holds that the words have not changed. A head far
// over the limit breaks an HTTP/2 connection with a general protocol error, which
// nothing tells apart.
func isHeadTooLarge(err error) bool {
	text := err.Error()
	return strings.Contains(text, "response headers exceeded") || // HTTP/1
		strings.Contains(text, "response header list larger") // HTTP/2
}

func isBrokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

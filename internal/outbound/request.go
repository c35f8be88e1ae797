package outbound

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxRequestHeadBytes bounds URL and headers of a request together. Servers accept
// far less (8 to 64 KiB are usual), so more is a mistake of the template.
const maxRequestHeadBytes = 64 << 10

// connectionFields are the header fields that belong to the connection or are
// derived from the request (RFC 9110, sections 7.2, 7.6.1, 8.6, 10.1.1 and 11.7; RFC
// 9112, section 6.1), so that a caller cannot set them.
var connectionFields = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// build checks a request and makes the one to send.
func (c *Client) build(ctx context.Context, r Request) (*http.Request, error) {
	target, err := ParseURL(r.URL)
	if err != nil {
		return nil, err
	}
	if err := checkMethod(r.Method); err != nil {
		err.Host = target.Host
		return nil, err
	}
	if err := checkHead(r); err != nil {
		err.Host = target.Host
		return nil, err
	}
	req, cause := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if cause != nil {
		return nil, &Error{Kind: BadRequest, Message: "the request cannot be sent", Host: target.Host, cause: cause}
	}
	req.Header = c.header(r.Header)
	return req, nil
}

// ParseURL reads the URL of a request. It refuses those that Do refuses whatever
// the policy; the error is an *Error. What url.Parse says it keeps to itself, as
// that quotes the URL, which may hold secrets.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &Error{Kind: BadURL, Message: "the URL cannot be read; it has a bad character, port or escape"}
	}
	bad := func(kind Kind, message string) (*url.URL, error) {
		return nil, &Error{Kind: kind, Message: message, Host: u.Host}
	}
	switch {
	case raw == "":
		return bad(BadURL, "the URL is empty")
	case u.Hostname() == "":
		return bad(BadURL, "the URL names no host; write it as https://api.example.com/path")
	case u.Scheme != "http" && u.Scheme != "https":
		return bad(Denied, "the URL must begin with http:// or https://")
	case u.User != nil:
		return bad(Denied, "the URL holds credentials; give them as a credential, which is kept secret")
	case strings.Contains(u.Host, "%"):
		return bad(BadURL, "the URL's host has a zone or an escape, which is not supported")
	case !validPort(u.Port()):
		return bad(BadURL, "the URL's port is not between 1 and 65535")
	}
	return u, nil
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func checkMethod(method string) *Error {
	switch {
	case method != "" && !isToken(method):
		return &Error{Kind: BadRequest, Message: "the method is not a word that HTTP allows"}
	case strings.EqualFold(method, http.MethodConnect):
		// It would turn the connection into a tunnel.
		return &Error{Kind: BadRequest, Message: "the method CONNECT is not supported"}
	}
	return nil
}

// checkHead checks the header fields and the size of the head. Its messages name
// fields and never their values.
func checkHead(r Request) *Error {
	size := len(r.URL)
	for name, values := range r.Header {
		if !isToken(name) {
			return &Error{Kind: BadRequest, Message: "a header's name is not a word that HTTP allows: " + strconv.QuoteToASCII(name)}
		}
		for _, value := range values {
			if strings.ContainsFunc(value, isForbiddenInValue) {
				return &Error{Kind: BadRequest, Message: "the header " + name + " holds a line break or another control character"}
			}
			size += len(name) + len(value)
		}
	}
	if size > maxRequestHeadBytes {
		return &Error{Kind: BadRequest, Message: "URL and headers are longer than " + strconv.Itoa(maxRequestHeadBytes) + " bytes"}
	}
	return nil
}

// isToken follows RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		alphanumeric := '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isForbiddenInValue follows RFC 9110, section 5.5.
func isForbiddenInValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// header is what is sent of a caller's header, with what it does not decide.
func (c *Client) header(given http.Header) http.Header {
	header := http.Header{}
	for name, values := range given {
		name = http.CanonicalHeaderKey(name)
		if !slices.Contains(connectionFields, name) {
			header[name] = append(header[name], values...)
		}
	}
	setDefault(header, "User-Agent", c.userAgent)
	// Without this field a server may choose any coding (RFC 9110, section 12.5.3).
	setDefault(header, "Accept-Encoding", "identity")
	return header
}

func setDefault(header http.Header, name, value string) {
	if header.Get(name) == "" {
		header.Set(name, value)
	}
}

package personalize

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"platen/internal/outbound"
	"platen/internal/workspace"
	"platen/liquid"
)

// The limits of connected content, shared/spec/engage.md section 2.5.
const (
	callTimeout   = 2 * time.Second
	maxCallBytes  = 1 << 20
	keepGET       = 5 * time.Minute // what is asked for without a body and a word about caching
	formMediaType = "application/x-www-form-urlencoded"
)

// cacheBytes bounds the answers that are kept for all workspaces.
const cacheBytes = 64 << 20

// Client sends one request. *outbound.Client is one.
type Client interface {
	Do(ctx context.Context, r outbound.Request) (*outbound.Response, error)
}

// Content carries out the calls of connected content for all messages, which share
// its cache. It is safe for concurrent use.
type Content struct {
	client Client
	now    func() time.Time
	kept   *otter.Cache[callKey, *answer]
	health *health
}

// NewContent makes a Content with an empty cache.
func NewContent(client Client, now func() time.Time) *Content {
	return &Content{client: client, now: now, health: newHealth(), kept: otter.Must(&otter.Options[callKey, *answer]{
		MaximumWeight:    cacheBytes,
		Weigher:          func(_ callKey, a *answer) uint32 { return uint32(len(a.body) + 256) }, // with the entry around it
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[callKey, *answer]) time.Duration { return e.Value.keep }),
		Clock:            clock(now),
		Executor:         func(f func()) { f() }, // what there is to do is little
	})}
}

// clock is the project's clock as the cache takes it.
type clock func() time.Time

// NowNano implements otter.Clock.
func (c clock) NowNano() int64 { return c().UnixNano() }

// Tick implements otter.Clock: what has expired goes when there is something to
// do anyway.
func (c clock) Tick(time.Duration) <-chan time.Time { return nil }

// call is a call of connected content with what its workspace adds.
type call struct {
	liquid.FetchRequest
	workspace  int64
	policy     outbound.Policy
	credential *workspace.Credential // nil for none
}

// answer is a whole answer with a status of 200 to 299.
type answer struct {
	status int
	body   []byte        // shared by all messages, never changed
	keep   time.Duration // in the cache
}

// failure says why a call has no usable answer.
type failure struct {
	status     int    // 0 when there was no answer
	why        string // one line, safe to show
	cause      error  // of internal/outbound; nil where there was an answer
	retryAfter string // the header of that name
}

func (f *failure) Error() string { return f.why }

// fetch makes a call, or answers it from the cache. Only usable answers are kept;
// whoever asks for the same meanwhile shares the call.
func (c *Content) fetch(ctx context.Context, r call) (*answer, *failure) {
	keep := r.keep()
	if keep == 0 {
		return c.exchange(ctx, r)
	}
	kept, err := c.kept.Get(ctx, r.key(), otter.LoaderFunc[callKey, *answer](func(ctx context.Context, _ callKey) (*answer, error) {
		// The message that asked first may be given up; the others wait on.
		a, failed := c.exchange(context.WithoutCancel(ctx), r)
		if failed != nil {
			return nil, failed
		}
		a.keep = keep
		return a, nil
	}))
	if err == nil {
		return kept, nil
	}
	failed := new(failure)
	if !errors.As(err, &failed) {
		failed = &failure{why: "the call was given up", cause: err}
	}
	return nil, failed
}

// keep is for how long the answer is kept, 0 when it is not.
func (r *call) keep() time.Duration {
	switch {
	case r.NoCache:
		return 0
	case r.CacheFor == 0 && r.Method == http.MethodGet:
		return keepGET
	}
	return r.CacheFor
}

// callKey tells calls apart: a hash of all that the receiver sees, and of the
// workspace.
type callKey [sha256.Size]byte

func (r *call) key() (k callKey) {
	h := sha256.New()
	var number [8]byte
	write := func(text string) {
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		h.Write(number[:])
		h.Write([]byte(text))
	}
	binary.BigEndian.PutUint64(number[:], uint64(r.workspace))
	h.Write(number[:])
	for _, part := range []string{r.Method, r.URL, r.ContentType, r.Body} {
		write(part)
	}
	for _, line := range r.Header {
		write(line[0])
		write(line[1])
	}
	if r.credential != nil {
		name, value := r.credential.Line()
		write(name)
		write(value)
	}
	h.Sum(k[:0])
	return k
}

// exchange makes a call over HTTP.
func (c *Content) exchange(ctx context.Context, r call) (*answer, *failure) {
	u, err := outbound.ParseURL(r.URL)
	if err != nil {
		return nil, failureOf(err)
	}
	at := receiver{r.workspace, workspace.HostOf(u)}
	if !c.health.admits(at, c.now()) {
		return nil, &failure{why: at.host + " failed too often, so it is left alone for a minute"}
	}
	response, err := c.client.Do(ctx, outbound.Request{
		Method: r.Method, URL: r.URL, Header: r.header(), Body: []byte(r.Body), Policy: r.policy,
		Limits: outbound.Limits{Timeout: callTimeout, MaxResponseBytes: maxCallBytes},
	})
	a, failed := judge(response, err)
	if ctx.Err() == nil {
		c.health.count(at, failed.condition(), c.now())
	}
	if a != nil {
		// A receiver that echoes must not put the secret into the message.
		a.body = r.credential.Redact(a.body)
	}
	return a, failed
}

// webOnly closes all ports of public addresses but those of the web
// (shared/spec/engage.md section 2.5). Where the workspace has opened a range any
// may be called, as services inside a network have ports of their own.
func webOnly(p outbound.Policy) outbound.Policy {
	p.PublicPorts = []uint16{80, 443}
	return p
}

// header is what the receiver is told. A GET says by default that it sends JSON
// and takes anything, a POST that it sends a form (shared/spec/engage.md section
// 2.5); headers of the tag replace that, and the credential whatever they say.
func (r *call) header() http.Header {
	h := http.Header{"Accept": {"*/*"}, "Content-Type": {"application/json"}}
	if r.Method == http.MethodPost {
		h.Set("Content-Type", formMediaType)
	}
	if r.ContentType != "" {
		h.Set("Content-Type", r.ContentType)
		h.Set("Accept", r.ContentType)
	}
	for _, line := range r.Header {
		h.Set(line[0], line[1])
	}
	if r.credential != nil {
		name, value := r.credential.Line()
		h.Set(name, value)
	}
	return h
}

// judge tells a usable answer from all else.
func judge(response *outbound.Response, err error) (*answer, *failure) {
	if err != nil {
		failed := failureOf(err)
		if response != nil {
			failed.status = response.Status
		}
		return nil, failed
	}
	failed := &failure{status: response.Status, retryAfter: response.Header.Get("Retry-After")}
	coding := response.Header.Get("Content-Encoding")
	switch {
	case !isSuccess(response.Status):
		failed.why = strings.TrimSpace(fmt.Sprintf("answered %d %s", response.Status, http.StatusText(response.Status)))
	case response.Truncated:
		failed.why = fmt.Sprintf("the answer is longer than %d bytes", maxCallBytes)
	case coding != "" && coding != "identity":
		failed.why = "the answer has a content coding, which was not asked for"
	default:
		return &answer{status: response.Status, body: response.Body}, nil
	}
	return nil, failed
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// failureOf makes a failure of an error of internal/outbound.
func failureOf(err error) *failure {
	f := &failure{why: "the call failed", cause: err}
	var known *outbound.Error
	if errors.As(err, &known) {
		f.why = known.Message
	}
	return f
}

// shownURL is a URL as people may see it. Templates put API keys into queries, so
// only the names of those are shown.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "an address that cannot be read"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	var names []string
	if u.RawQuery != "" {
		for pair := range strings.SplitSeq(u.RawQuery, "&") {
			name, _, found := strings.Cut(pair, "=")
			if !found {
				name = ""
			}
			names = append(names, name+"=…")
		}
	}
	const most = 500
	address := shown.String()
	if len(names) > 0 {
		address += "?" + strings.Join(names, "&")
	}
	return cut(address, most)
}

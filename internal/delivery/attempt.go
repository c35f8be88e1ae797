package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"platen/internal/campaign"
	"platen/internal/outbound"
	"platen/internal/personalize"
	"platen/internal/workspace"
)

// maxReply is how much of an answer is read. It is more than what is kept, so
// that usual answers are read to their end and the connection is used again.
const maxReply = 64 << 10

// try makes one attempt and decides what follows. It gives nil when nothing is
// left of the lease: the delivery may have been leased again by another process,
// so it is left alone.
func (s *Sender) try(ctx context.Context, d *campaign.Delivery, left time.Duration) *result {
	switch {
	case left <= 0:
		return nil
	case left < s.hold() || ctx.Err() != nil:
		return unchanged(d, s.now())
	}
	return s.attempt(ctx, d)
}

func (s *Sender) attempt(ctx context.Context, d *campaign.Delivery) *result {
	started := s.now()
	var answered answer
	err := s.guarded(d, func() (err error) {
		answered, err = s.exchange(ctx, d)
		return err
	})
	now := s.now()
	var no *campaign.Unsendable
	switch {
	case errors.Is(err, errPanicked):
		answered = answer{attempt: campaign.Attempt{At: started, Duration: now.Sub(started),
			Error: campaign.InternalError, Message: "the program itself failed on it; the server's log says where"}}
	case errors.As(err, &no):
		return refuse(d, no, now)
	case err != nil: // given up by ourselves, so it says nothing about the receiver
		return unchanged(d, now)
	}
	return follow(*d, answered, now)
}

// follow decides what follows from an attempt.
func follow(d campaign.Delivery, answered answer, now time.Time) *result {
	a := answered.attempt
	a.Delivery, a.Number = d.ID, d.Attempts+1
	next := campaign.Next(a.Number, answered.outcome(), now, d.ID)
	d.State, d.Reason, d.Attempts = next.State, next.Reason, a.Number
	d.Detail = detail(a, next)
	if d.State != campaign.Queued {
		d.Finished = now
	}
	return &result{Result: campaign.Result{Delivery: d, Attempt: &a, Next: next.At}}
}

func detail(a campaign.Attempt, next campaign.Decision) string {
	switch {
	case next.State == campaign.Queued:
		return fmt.Sprintf("%s; this was attempt %d of %d, the next is at %s",
			a.Message, a.Number, campaign.MaxAttempts, next.At.UTC().Format(time.DateTime+" MST"))
	case next.Reason == campaign.ExhaustedRetries:
		return fmt.Sprintf("%s; this was the last of %d attempts", a.Message, campaign.MaxAttempts)
	case next.State == campaign.Failed:
		return a.Message + "; trying again would not help"
	}
	return a.Message
}

// answer is what came of one exchange.
type answer struct {
	attempt    campaign.Attempt
	retryAfter string // the header of that name
}

func (a answer) outcome() campaign.Outcome {
	return campaign.Outcome{Status: a.attempt.Status, Error: a.attempt.Error, RetryAfter: a.retryAfter}
}

// exchange sends the stored request of a delivery. The error is an
// *campaign.Unsendable when the request may not be sent, else that of a context
// that ended.
func (s *Sender) exchange(ctx context.Context, d *campaign.Delivery) (answer, error) {
	defs := s.definitions()
	if _, err := activeCampaign(defs, d.Campaign); err != nil {
		return answer{}, err
	}
	library := &personalize.Library{Definitions: defs, Workspace: d.Workspace}
	credential, err := credentialFor(library, d.Request)
	if err != nil {
		return answer{}, err
	}
	return s.send(ctx, message{id: d.WebhookID(), request: d.Request, credential: credential, policy: library.Egress()})
}

// credentialFor finds what the request shows to its host, nil for nothing. The
// error is a *campaign.Unsendable.
func credentialFor(l *personalize.Library, r *campaign.Request) (*workspace.Credential, error) {
	if r.Credential == "" {
		return nil, nil
	}
	c, err := l.Credential(r.Credential, r.URL)
	var no *personalize.Refusal
	if errors.As(err, &no) {
		return nil, &campaign.Unsendable{Reason: campaign.Reason(no.Reason), Detail: no.Detail}
	}
	return c, err
}

// message is a request with all that is added to it when it is sent.
type message struct {
	id         string // the webhook-id
	request    *campaign.Request
	credential *workspace.Credential // nil for none
	policy     outbound.Policy
}

// send makes one exchange. The error is that of the context, when it ended before
// there was an answer.
func (s *Sender) send(ctx context.Context, m message) (answer, error) {
	started := s.now()
	reply, err := s.client.Do(ctx, outbound.Request{
		Method: m.request.Method, URL: m.request.URL, Header: s.header(m, started), Body: m.request.Body,
		Policy: m.policy, Limits: outbound.Limits{Timeout: s.timeout, MaxResponseBytes: maxReply},
	})
	if reply == nil && ctx.Err() != nil && campaign.ReasonOf(err) == "" {
		return answer{}, ctx.Err()
	}
	a := answer{attempt: campaign.Attempt{At: started, Duration: s.now().Sub(started)}}
	if reply != nil {
		a.attempt.Status = reply.Status
		a.attempt.Message = strings.TrimSpace(fmt.Sprintf("answered %d %s", reply.Status, http.StatusText(reply.Status)))
		a.retryAfter = reply.Header.Get("Retry-After")
		a.cameFrom(reply.RemoteAddr)
	}
	if err != nil {
		a.failed(err)
	}
	if reply != nil {
		a.keep(reply, m.credential)
	}
	return a, nil
}

// keep keeps the answer's body, unless it does not come from a public address: a
// webhook must not become a window into a private network.
func (a *answer) keep(reply *outbound.Response, c *workspace.Credential) {
	switch {
	case reply.RemoteAddr.IsValid() && outbound.Classify(reply.RemoteAddr) == outbound.Public:
		a.attempt.Response = kept(reply.Body, c)
	case len(reply.Body) > 0:
		a.attempt.Message += " (its body is not kept, as it did not come from a public address)"
	}
}

// kept is what is stored of an answer: its beginning, without the credential.
func kept(body []byte, c *workspace.Credential) []byte {
	body = c.Redact(body)
	return bytes.Clone(body[:min(len(body), campaign.MaxResponse)])
}

// failed notes why there was no answer, or no whole one.
func (a *answer) failed(err error) {
	a.attempt.Error = campaign.ReasonOf(err)
	if a.attempt.Error == "" {
		a.attempt.Error = campaign.ProtocolError
	}
	message := "the request failed"
	var known *outbound.Error
	if errors.As(err, &known) {
		message = known.Message
		a.cameFrom(known.Addr)
	}
	if a.attempt.Message != "" {
		message = a.attempt.Message + ", but " + message
	}
	a.attempt.Message = message
}

func (a *answer) cameFrom(addr netip.Addr) {
	if addr.IsValid() {
		a.attempt.RemoteAddr = addr.String()
	}
}

// header is the stored header with what belongs to one attempt. webhook-id and
// webhook-timestamp are those of the Standard Webhooks specification.
func (s *Sender) header(m message, at time.Time) http.Header {
	h := http.Header{}
	for _, line := range m.request.Header {
		h.Add(line[0], line[1])
	}
	if h.Get("User-Agent") == "" && s.userAgent != "" {
		h.Set("User-Agent", s.userAgent)
	}
	h.Set("webhook-id", m.id)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	if m.credential != nil {
		name, value := m.credential.Line()
		h.Set(name, value)
	}
	return h
}

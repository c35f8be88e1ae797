package personalize

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"platen/internal/event"
	"platen/internal/outbound"
	"platen/liquid"
)

const (
	// maxCalls is how many calls of connected content one message makes, also those
	// answered from the cache.
	maxCalls = 30

	// MaxWait is the longest that one message waits for connected content. Whoever
	// renders it under a lease needs more than that left of it.
	MaxWait = maxCalls * callTimeout

	// maxExtras bounds keys and values of message_extras together, in bytes
	// (shared/spec/engage.md section 2.5).
	maxExtras = 1 << 10

	// UnsentCode stands for a code in a message that is only looked at.
	UnsentCode = "CODE"
)

// CodeStore keeps which codes were given.
type CodeStore interface {
	// ReserveCode gives the code of a promotion list that belongs to a message: the
	// same whenever it is asked for, and no code to two messages. codes are all of
	// the list, in the order in which they are given. It reports false when every
	// one belongs to another message.
	ReserveCode(ctx context.Context, workspaceID int64, list string, message event.ID, codes []string) (code string, ok bool, err error)
}

// Message is what one message asks for from outside, in its URL, its headers and
// its body together: connected content, promotion codes, and what is kept with it.
// It is the liquid.Fetcher and liquid.Codes of its renders, and for one goroutine.
// Library, Content and Now must be set, and Codes where there is an ID.
type Message struct {
	Library *Library
	Content *Content
	Codes   CodeStore
	// ID is the id under which codes are reserved; 0 for a message that is only
	// looked at, which is shown UnsentCode.
	ID  event.ID
	Now func() time.Time

	Extras map[string]string // of message_extras so far; nil for none
	Failed []Call            // the calls that had no usable answer

	codes map[string]string // by list
	asked int               // calls so far
}

// Call is a call of connected content that had no usable answer, as people may
// see it.
type Call struct {
	At       time.Time
	Method   string
	URL      string // without the values of its query, which may be secret
	Status   int    // 0 when there was no answer
	Duration time.Duration
	Why      string // one line
}

// Fetch implements liquid.Fetcher. Its errors are those of the context, a *Refusal
// and an *Unavailable.
func (m *Message) Fetch(ctx context.Context, r liquid.FetchRequest) (liquid.FetchResponse, error) {
	if m.asked++; m.asked > maxCalls {
		return liquid.FetchResponse{}, &Refusal{TooManyCalls, fmt.Sprintf("a message makes at most %d calls of connected content", maxCalls)}
	}
	c := call{FetchRequest: r, workspace: m.Library.Workspace, policy: webOnly(m.Library.Egress())}
	if r.Credential != "" {
		var err error
		if c.credential, err = m.Library.Credential(r.Credential, r.URL); err != nil {
			return liquid.FetchResponse{}, err
		}
	}
	began := m.Now()
	answer, failed := m.Content.fetch(ctx, c)
	if failed == nil {
		return liquid.FetchResponse{Status: answer.status, Body: answer.body}, nil
	}
	if ctx.Err() != nil { // given up by ourselves
		return liquid.FetchResponse{}, ctx.Err()
	}
	m.Failed = append(m.Failed, Call{At: began, Method: r.Method, URL: shownURL(r.URL), Status: failed.status,
		Duration: m.Now().Sub(began), Why: failed.why})
	if r.Retry {
		return liquid.FetchResponse{}, failed.again()
	}
	return liquid.FetchResponse{Status: failed.shownStatus()}, nil
}

// shownStatus is the status that the template sees: none where there is one of
// success without an answer that can be used.
func (f *failure) shownStatus() int {
	if isSuccess(f.status) {
		return 0
	}
	return f.status
}

// again is the error of a call that the message cannot do without.
func (f *failure) again() error {
	detail := "connected content was not to be had: " + f.why
	switch outbound.KindOf(f.cause) {
	case outbound.BadURL, outbound.BadRequest, outbound.Denied:
		return &Refusal{ExhaustedContent, detail + "; trying again would not help"}
	}
	return &Unavailable{Detail: detail, Status: f.status, Cause: f.cause, RetryAfter: f.retryAfter}
}

// Code implements liquid.Codes. Its errors are a *Refusal and those of the store.
func (m *Message) Code(ctx context.Context, list string) (string, error) {
	if code, ok := m.codes[list]; ok {
		return code, nil
	}
	l, ok := m.Library.Definitions.PromotionList(m.Library.Workspace, list)
	switch {
	case !ok:
		return "", &Refusal{PromotionGone, fmt.Sprintf("there is no promotion list %q", list)}
	case !l.Expires.IsZero() && !m.Now().Before(l.Expires):
		return "", &Refusal{PromotionExpired, fmt.Sprintf("the promotion list %q has expired at %s", list, l.Expires.UTC().Format(time.RFC3339))}
	case m.ID == 0:
		return UnsentCode, nil
	}
	code, ok, err := m.Codes.ReserveCode(ctx, m.Library.Workspace, list, m.ID, l.Codes)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &Refusal{PromotionExhausted, fmt.Sprintf("every code of the promotion list %q is given; add more to it", list)}
	}
	if m.codes == nil {
		m.codes = map[string]string{}
	}
	m.codes[list] = code
	return code, nil
}

// addExtra keeps a pair of message_extras. Of a key the first value holds; what
// goes beyond the bound is cut.
func (m *Message) addExtra(key, value string) {
	if _, known := m.Extras[key]; known {
		return
	}
	room := maxExtras - len(key)
	for k, v := range m.Extras {
		room -= len(k) + len(v)
	}
	if room <= 0 {
		return
	}
	if m.Extras == nil {
		m.Extras = map[string]string{}
	}
	m.Extras[key] = cut(value, room)
}

// cut gives the beginning of a text, of at most so many bytes and whole characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

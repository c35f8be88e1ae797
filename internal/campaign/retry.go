package campaign

import (
	"encoding/binary"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/personalize"
)

// The schedule of retries: shared/spec/engage.md sections 1.3 and 8 ask for one
// try and five retries within about 30 minutes, spread to 24 hours where the
// receiver cannot be reached. The sum of 55 s, doubled at each step, is 28 min
// 25 s; that of 110 s, times five at each step, 23 h 52 min.
const (
	MaxAttempts = 6

	firstDelay        = 55 * time.Second
	delayFactor       = 2
	unreachableDelay  = 110 * time.Second
	unreachableFactor = 5

	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = 24 * time.Hour
)

// Outcome is how an attempt ended: with a status, or with a reason why there was
// no answer. An answer that broke off has both.
type Outcome struct {
	Status     int    // 0 when there was no answer
	Error      Reason // "" when there was a whole one
	RetryAfter string // the header of that name, "" for none
}

// Decision is what follows from an attempt.
type Decision struct {
	State  State     // Delivered, Failed, or Queued for another attempt
	At     time.Time // of the next attempt
	Reason Reason    // why it failed or is tried again, "" when it was delivered
}

// Next decides what follows from the attempt with this number, counted from 1. A
// 2xx is delivered. 408, 429, 5xx and no answer are tried again, up to
// MaxAttempts in all; whatever trying again cannot mend fails at once. A status
// decides also where the rest of the answer broke off, since whoever sent it had
// the message: to send that again would double it. So it would after an answer
// whose head was too long to find a status in it. The delay grows from attempt to
// attempt, a little shorter by an amount that follows from
// the delivery's id, so that deliveries that failed together do not come back
// together. A Retry-After can only lengthen it.
func Next(attempt int, o Outcome, now time.Time, id event.ID) Decision {
	if o.Status != 0 {
		o.Error = ""
	}
	switch {
	case o.Status >= 200 && o.Status < 300:
		return Decision{State: Delivered}
	case !o.mayRetry():
		return Decision{State: Failed, Reason: o.reason()}
	case attempt >= MaxAttempts:
		return Decision{State: Failed, Reason: ExhaustedRetries}
	}
	wait := max(delayAfter(attempt, o, id), retryAfter(o.RetryAfter, now))
	return Decision{State: Queued, At: now.Add(wait), Reason: o.reason()}
}

// NextRender decides what follows when a message could not be rendered for want of
// connected content, for the time with this number, counted from 1: it is put back
// with the delays of attempts, and given up after as many.
func NextRender(number int, why *personalize.Unavailable, now time.Time, id event.ID) Decision {
	if number >= MaxAttempts {
		return Decision{State: NotSent, Reason: ExhaustedContent}
	}
	o := Outcome{Status: why.Status, Error: ReasonOf(why.Cause), RetryAfter: why.RetryAfter}
	wait := max(delayAfter(number, o, id), retryAfter(o.RetryAfter, now))
	return Decision{State: Queued, At: now.Add(wait), Reason: ContentUnavailable}
}

func (o Outcome) mayRetry() bool {
	switch o.Error {
	case HTTPTimeout, SSLError, DNSError, ConnectError, ProtocolError:
		return true
	case "":
		return o.Status == http.StatusRequestTimeout || o.Status == http.StatusTooManyRequests || o.Status >= 500
	}
	return false
}

func (o Outcome) reason() Reason {
	if o.Error != "" {
		return o.Error
	}
	return InvalidStatus
}

// unreachable says that nobody was there to refuse the request.
func (o Outcome) unreachable() bool { return o.Error == ConnectError || o.Error == DNSError }

func delayAfter(attempt int, o Outcome, id event.ID) time.Duration {
	delay, factor := firstDelay, time.Duration(delayFactor)
	if o.unreachable() {
		delay, factor = unreachableDelay, unreachableFactor
	}
	for range attempt - 1 {
		delay *= factor
	}
	return delay - time.Duration(float64(delay)*jitter(id, attempt))
}

// jitter is a fraction from 0 up to, not including, a quarter. It is the same
// whenever it is asked for.
func jitter(id event.ID, attempt int) float64 {
	var b [9]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	b[8] = byte(attempt)
	h := fnv.New64a()
	h.Write(b[:])
	const steps = 1 << 10
	return float64(h.Sum64()%steps) / (4 * steps)
}

// retryAfter reads the header of RFC 9110, section 10.2.3: a number of seconds or
// an HTTP date. What cannot be read counts as nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(header, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// ReasonOf is the reason for which a request of internal/outbound had no answer,
// "" for an error that says nothing about the receiver: the program itself gave
// the request up.
func ReasonOf(err error) Reason {
	switch outbound.KindOf(err) {
	case outbound.BadURL:
		return MissingHostname
	case outbound.BadRequest:
		return BadRequest
	case outbound.Denied:
		return BlockedURL
	case outbound.DNS:
		return DNSError
	case outbound.Connect:
		return ConnectError
	case outbound.TLS:
		return SSLError
	case outbound.Timeout:
		return HTTPTimeout
	case outbound.Protocol:
		return ProtocolError
	case outbound.TooLarge:
		return ReplyTooLarge
	}
	return ""
}

package campaign

import (
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/personalize"
)

// TestNextFollowsTheTable walks the table of shared/spec/engage.md section 1.3.
func TestNextFollowsTheTable(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome Outcome
		state   State
		reason  Reason
	}{
		{"200", Outcome{Status: 200}, Delivered, ""},
		{"201", Outcome{Status: 201}, Delivered, ""},
		{"204", Outcome{Status: 204}, Delivered, ""},
		{"299", Outcome{Status: 299}, Delivered, ""},
		{"301", Outcome{Status: 301}, Failed, InvalidStatus},
		{"302", Outcome{Status: 302}, Failed, InvalidStatus},
		{"304", Outcome{Status: 304}, Failed, InvalidStatus},
		{"400", Outcome{Status: 400}, Failed, InvalidStatus},
		{"401", Outcome{Status: 401}, Failed, InvalidStatus},
		{"404", Outcome{Status: 404}, Failed, InvalidStatus},
		{"408", Outcome{Status: 408}, Queued, InvalidStatus},
		{"410", Outcome{Status: 410}, Failed, InvalidStatus},
		{"422", Outcome{Status: 422}, Failed, InvalidStatus},
		{"429", Outcome{Status: 429}, Queued, InvalidStatus},
		{"500", Outcome{Status: 500}, Queued, InvalidStatus},
		{"503", Outcome{Status: 503}, Queued, InvalidStatus},
		{"529", Outcome{Status: 529}, Queued, InvalidStatus},
		{"599", Outcome{Status: 599}, Queued, InvalidStatus},
		{"time-out", Outcome{Error: HTTPTimeout}, Queued, HTTPTimeout},
		{"TLS", Outcome{Error: SSLError}, Queued, SSLError},
		{"DNS", Outcome{Error: DNSError}, Queued, DNSError},
		{"refused connection", Outcome{Error: ConnectError}, Queued, ConnectError},
		{"broken off", Outcome{Error: ProtocolError}, Queued, ProtocolError},
		{"broken off after a 200", Outcome{Status: 200, Error: ProtocolError}, Delivered, ""},
		{"a 404 that never ended", Outcome{Status: 404, Error: HTTPTimeout}, Failed, InvalidStatus},
		{"broken off after a 503", Outcome{Status: 503, Error: ProtocolError}, Queued, InvalidStatus},
		{"closed address", Outcome{Error: BlockedURL}, Failed, BlockedURL},
		{"no host", Outcome{Error: MissingHostname}, Failed, MissingHostname},
		{"bad header", Outcome{Error: BadRequest}, Failed, BadRequest},
		{"a head too long to read", Outcome{Error: ReplyTooLarge}, Failed, ReplyTooLarge},
		{"failed itself", Outcome{Error: InternalError}, Failed, InternalError},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Next(1, c.outcome, noon, 7)
			if d.State != c.state || d.Reason != c.reason {
				t.Errorf("got %s, %q; want %s, %q", d.State, d.Reason, c.state, c.reason)
			}
			if d.State == Queued != d.At.After(noon) {
				t.Errorf("%s at %v", d.State, d.At)
			}
			if c.state != Queued {
				return
			}
			if d := Next(MaxAttempts, c.outcome, noon, 7); d.State != Failed || d.Reason != ExhaustedRetries {
				t.Errorf("the last attempt: got %s, %q", d.State, d.Reason)
			}
		})
	}
}

func TestRetriesFitIntoTheirTime(t *testing.T) {
	for _, c := range []struct {
		outcome     Outcome
		least, most time.Duration
	}{
		{Outcome{Status: 503}, 20 * time.Minute, 30 * time.Minute},
		{Outcome{Error: HTTPTimeout}, 20 * time.Minute, 30 * time.Minute},
		{Outcome{Error: ConnectError}, 17 * time.Hour, 24 * time.Hour},
		{Outcome{Error: DNSError}, 17 * time.Hour, 24 * time.Hour},
	} {
		for id := event.ID(1); id < 2000; id++ {
			now, last := noon, time.Duration(0)
			for attempt := 1; attempt < MaxAttempts; attempt++ {
				d := Next(attempt, c.outcome, now, id)
				if again := Next(attempt, c.outcome, now, id); again != d {
					t.Fatalf("the decision changed from %v to %v", d, again)
				}
				if wait := d.At.Sub(now); wait <= last {
					t.Fatalf("%+v, attempt %d: the delay fell from %v to %v", c.outcome, attempt, last, wait)
				} else {
					last = wait
				}
				now = d.At
			}
			if total := now.Sub(noon); total < c.least || total > c.most {
				t.Fatalf("%+v: the last attempt is after %v, want %v to %v", c.outcome, total, c.least, c.most)
			}
		}
	}
}

func TestJitterSpreadsDeliveries(t *testing.T) {
	times := map[time.Time]bool{}
	for id := event.ID(1); id <= 1000; id++ {
		times[Next(1, Outcome{Status: 503}, noon, id<<12).At] = true
	}
	if len(times) < 300 {
		t.Errorf("1000 deliveries come back at only %d moments", len(times))
	}
}

func TestRetryAfterLengthensTheDelay(t *testing.T) {
	own := Next(1, Outcome{Status: 429}, noon, 7).At.Sub(noon)
	for _, c := range []struct {
		header string
		want   time.Duration
	}{
		{"", own},
		{"120", 2 * time.Minute},
		{" 120 ", 2 * time.Minute},
		{"1", own},
		{"0", own},
		{"-5", own},
		{"soon", own},
		{"1.5", own},
		{"3600", time.Hour},
		{"86400", 24 * time.Hour},
		{"86401", 24 * time.Hour},
		{"9223372036854775807", 24 * time.Hour},
		{"99999999999999999999999", own},
		{"Mon, 02 Nov 2026 12:10:00 GMT", 10 * time.Minute},
		{"Mon, 02 Nov 2026 11:00:00 GMT", own},
		{"Sun, 02 Nov 2036 12:00:00 GMT", 24 * time.Hour},
	} {
		d := Next(1, Outcome{Status: 429, RetryAfter: c.header}, noon, 7)
		if got := d.At.Sub(noon); got != c.want {
			t.Errorf("Retry-After %q: after %v, want %v", c.header, got, c.want)
		}
	}
	if d := Next(1, Outcome{Status: 404, RetryAfter: "5"}, noon, 7); d.State != Failed {
		t.Errorf("a 404 with Retry-After is %s", d.State)
	}
}

func TestNextRender(t *testing.T) {
	busy := &personalize.Unavailable{Status: 503}
	for _, c := range []struct {
		number   int
		why      *personalize.Unavailable
		min, max time.Duration
	}{
		{1, busy, 41 * time.Second, 55 * time.Second},
		{5, busy, 660 * time.Second, 880 * time.Second},
		{1, &personalize.Unavailable{Status: 429, RetryAfter: "600"}, 10 * time.Minute, 10 * time.Minute},
		{1, &personalize.Unavailable{Cause: &outbound.Error{Kind: outbound.DNS}}, 82 * time.Second, 110 * time.Second},
	} {
		d := NextRender(c.number, c.why, noon, 7)
		if wait := d.At.Sub(noon); d.State != Queued || d.Reason != ContentUnavailable || wait < c.min || wait > c.max {
			t.Errorf("time %d, %+v: %+v after %v", c.number, c.why, d, wait)
		}
	}
	if d := NextRender(MaxAttempts, busy, noon, 7); d.State != NotSent || d.Reason != ExhaustedContent {
		t.Errorf("at the end: %+v", d)
	}
}

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

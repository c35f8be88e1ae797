package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/profile"
)

func TestStep(t *testing.T) {
	ok := answers(200, "")
	for _, test := range []struct {
		name    string
		hook    campaign.Webhook
		change  func(*world)
		receive func(context.Context, outbound.Request) (*outbound.Response, error)
		state   campaign.State
		reason  campaign.Reason
		detail  string // what it begins with
		tries   int
	}{
		{name: "delivered", receive: ok, state: campaign.Delivered, detail: "answered 200 OK", tries: 1},
		{name: "refused for good", receive: answers(404, ""), state: campaign.Failed, reason: campaign.InvalidStatus,
			detail: "answered 404 Not Found; trying again would not help", tries: 1},
		{name: "received, but the answer broke off", receive: breaksOff(200), state: campaign.Delivered,
			detail: "answered 200 OK, but a.example closed the connection", tries: 1},
		{name: "overloaded", receive: answers(529, ""), state: campaign.Queued, reason: campaign.InvalidStatus,
			detail: "answered 529; this was attempt 1 of 6, the next is at 2026-03-01 12:00:", tries: 1},
		{name: "not there", receive: refuses(outbound.Connect, "a.example refused the connection"), state: campaign.Queued,
			reason: campaign.ConnectError, detail: "a.example refused the connection; this was attempt 1 of 6", tries: 1},
		{name: "an answer whose head is too long", receive: refuses(outbound.TooLarge, "a.example sent more headers than are read"),
			state: campaign.Failed, reason: campaign.ReplyTooLarge, detail: "a.example sent more headers than are read; trying again would not help", tries: 1},
		{name: "the program fails on the answer", receive: func(context.Context, outbound.Request) (*outbound.Response, error) { panic("of ours") },
			state: campaign.Failed, reason: campaign.InternalError, detail: "the program itself failed on it; the server's log says where", tries: 1},
		{name: "the program fails on the person", change: func(w *world) { w.profiles[person] = &profile.Profile{} },
			state: campaign.NotSent, reason: campaign.RenderError, detail: "the program itself failed on it; the server's log says where"},
		{name: "closed address", receive: refuses(outbound.Denied, "leads to a closed address"), state: campaign.Failed,
			reason: campaign.BlockedURL, detail: "leads to a closed address; trying again would not help", tries: 1},
		{name: "an error of no known kind", receive: func(context.Context, outbound.Request) (*outbound.Response, error) {
			return nil, errors.New("secret inside")
		}, state: campaign.Queued, reason: campaign.ProtocolError, detail: "the request failed; this was", tries: 1},

		{name: "aborted", hook: campaign.Webhook{URL: "https://a.example/", Body: "{% abort_message('no\n title') %}"},
			state: campaign.NotSent, reason: campaign.LiquidAbort, detail: "no title"},
		{name: "aborted in a header", hook: campaign.Webhook{URL: "https://a.example/",
			Headers: []campaign.Header{{Name: "X-Name", Value: "{% abort_message %}"}}},
			state: campaign.NotSent, reason: campaign.LiquidAbort, detail: "{% abort_message %} called"},
		{name: "render error", hook: campaign.Webhook{URL: "https://a.example/", Body: "{\n  {{ 1 | divided_by: 0 }}"},
			state: campaign.NotSent, reason: campaign.RenderError, detail: "the body, line 2, column"},
		{name: "no web address", hook: campaign.Webhook{URL: "ftp://a.example/"},
			state: campaign.NotSent, reason: campaign.BlockedURL, detail: "the URL was rendered to one that cannot be called: the URL must begin with http"},
		{name: "no host", hook: campaign.Webhook{URL: "{{custom_attribute.${missing}}}"},
			state: campaign.NotSent, reason: campaign.MissingHostname, detail: "the URL was rendered to one that cannot be called: the URL is empty"},

		{name: "stopped", change: func(w *world) { w.setState("c", campaign.Stopped) },
			state: campaign.NotSent, reason: campaign.CampaignDisabled, detail: "the campaign is stopped"},
		{name: "removed", change: func(w *world) { delete(w.campaigns, "c") },
			state: campaign.NotSent, reason: campaign.CampaignGone, detail: "the campaign was removed"},
		{name: "variant removed", change: func(w *world) { w.campaigns["c"].Variants = nil },
			state: campaign.NotSent, reason: campaign.VariantGone, detail: "the variant was removed"},
		{name: "profile removed", change: func(w *world) { clear(w.profiles) },
			state: campaign.NotSent, reason: campaign.ProfileGone, detail: "the profile was removed"},
		{name: "event removed", change: func(w *world) { clear(w.events) },
			state: campaign.NotSent, reason: campaign.EventGone, detail: "the event was removed"},

		{name: "credential removed", hook: campaign.Webhook{URL: "https://a.example/", Credential: "gone"},
			state: campaign.NotSent, reason: campaign.CredentialGone, detail: "the credential gone was removed"},
		{name: "credential of another host", hook: campaign.Webhook{URL: "https://{{'evil'}}.example/", Credential: "shop"},
			state: campaign.NotSent, reason: campaign.CredentialHost,
			detail: "the credential shop is bound to a.example and the URL leads to evil.example"},
		{name: "credential of another port", hook: campaign.Webhook{URL: "https://a.example:8443/", Credential: "shop"},
			state: campaign.NotSent, reason: campaign.CredentialHost, detail: "the credential shop is bound to a.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			if test.receive != nil {
				w.receive = test.receive
			}
			if test.hook.URL != "" {
				w.define("c", test.hook)
			}
			w.queue(1, "c")
			if test.change != nil {
				test.change(w)
			}
			w.step(w.sender(), noon)

			d := w.delivery(1)
			if d.State != test.state || d.Reason != test.reason || !strings.HasPrefix(d.Detail, test.detail) {
				t.Errorf("got %s, %q, %q; want %s, %q, %q", d.State, d.Reason, d.Detail, test.state, test.reason, test.detail)
			}
			if len(w.attempts) != test.tries || len(w.requests()) != test.tries || d.Attempts != test.tries {
				t.Errorf("%d attempts stored, %d counted, %d requests; want %d", len(w.attempts), d.Attempts, len(w.requests()), test.tries)
			}
			if (d.State == campaign.Queued) != d.Finished.IsZero() {
				t.Errorf("%s, finished at %v", d.State, d.Finished)
			}
			if w.leased() != 0 {
				t.Error("the lease was kept")
			}
			if ours := strings.Contains(test.detail, "the server's log"); ours != strings.Contains(w.log.String(), "stack=") {
				t.Errorf("the log says %s", w.log.String())
			}
		})
	}
}

func TestRequest(t *testing.T) {
	w := newWorld(t)
	w.define("c", campaign.Webhook{
		URL: "https://a.example/{{campaign.${message_name} | url_encode}}", Method: "PUT", Credential: "shop",
		Headers: []campaign.Header{
			{Name: "X-Dispatch", Value: "{{campaign.${dispatch_id}}}"},
			{Name: "Webhook-Id", Value: "mine"}, {Name: "authorization", Value: "mine"},
		},
		Body: `{"price": {{event_properties.${price}}}}`,
	})
	w.queue(9, "c")
	w.step(w.sender(), noon)

	r := w.requests()[0]
	if r.Method != "PUT" || r.URL != "https://a.example/Variant+1" || string(r.Body) != `{"price": 1.990}` {
		t.Errorf("%s %s %s", r.Method, r.URL, r.Body)
	}
	for name, want := range map[string]string{
		"Authorization":     "Basic dTpwYSJzcy93w7ZyZCsx",
		"Content-Type":      "application/json",
		"User-Agent":        "Platen/test",
		"Webhook-Id":        "dlv_0000000000009",
		"Webhook-Timestamp": fmt.Sprint(noon.Unix()),
		"X-Dispatch":        "00000000000000000000000000000009",
	} {
		if got := strings.Join(r.Header.Values(name), ", "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if r.Limits.Timeout != DefaultTimeout || len(r.Policy.Allow) != 1 {
		t.Errorf("limits %+v, policy %+v", r.Limits, r.Policy)
	}
}

// TestRetriesSendTheSame changes the person, the template and the secret between
// the attempts.
func TestRetriesSendTheSame(t *testing.T) {
	w := newWorld(t)
	w.receive = answers(503, "busy")
	w.queue(1, "c")
	s := w.sender()
	now := noon.Add(time.Hour) // late: what is rendered is as of when it was due
	for number := 1; number <= campaign.MaxAttempts; number++ {
		if d := w.delivery(1); d.State != campaign.Queued || d.Attempts != number-1 {
			t.Fatalf("before attempt %d it is %s with %d attempts", number, d.State, d.Attempts)
		}
		w.step(s, now)
		if again := len(w.requests()); again != number {
			t.Fatalf("%d requests after %d rounds", again, number)
		}
		w.step(s, now.Add(time.Second)) // too early
		w.setName(fmt.Sprintf("Ada %d", number))
		w.define("c", campaign.Webhook{URL: "https://b.example/", Body: "changed"})
		now = now.Add(24 * time.Hour)
	}
	d := w.delivery(1)
	if d.State != campaign.Failed || d.Reason != campaign.ExhaustedRetries || d.Detail != "answered 503 Service Unavailable; this was the last of 6 attempts" {
		t.Errorf("%s, %s, %s", d.State, d.Reason, d.Detail)
	}
	sent := w.requests()
	if len(sent) != campaign.MaxAttempts || len(w.attempts) != campaign.MaxAttempts || w.saves != 1 {
		t.Fatalf("%d requests, %d attempts, %d renders", len(sent), len(w.attempts), w.saves)
	}
	want := fmt.Sprintf(`{"name":"Ada","title":"Wipes","at":%d}`, noon.Unix())
	for i, r := range sent {
		if string(r.Body) != want || r.URL != "https://a.example/in" || r.Header.Get("webhook-id") != d.WebhookID() {
			t.Errorf("attempt %d: %s %s %s", i+1, r.URL, r.Header.Get("webhook-id"), r.Body)
		}
		at := noon.Add(time.Hour + time.Duration(i)*24*time.Hour)
		if got := r.Header.Get("webhook-timestamp"); got != fmt.Sprint(at.Unix()) {
			t.Errorf("attempt %d has the timestamp %s", i+1, got)
		}
		if a := w.attempts[i]; a.Number != i+1 || !a.At.Equal(at) || a.Status != 503 || string(a.Response) != "busy" {
			t.Errorf("attempt %d is stored as %+v", i+1, a)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	w := newWorld(t)
	w.receive = func(context.Context, outbound.Request) (*outbound.Response, error) {
		return &outbound.Response{Status: 429, Header: http.Header{"Retry-After": {"7200"}}}, nil
	}
	w.queue(1, "c")
	w.step(w.sender(), noon)
	if next := w.rows[1].next; !next.Equal(noon.Add(2 * time.Hour)) {
		t.Errorf("the next attempt is at %v", next)
	}
}

// TestStopCancelsRetries stops a campaign whose message was tried already.
func TestStopCancelsRetries(t *testing.T) {
	w := newWorld(t)
	w.receive = answers(500, "")
	w.queue(1, "c")
	s := w.sender()
	w.step(s, noon)
	w.setState("c", campaign.Stopped)
	w.step(s, noon.Add(time.Hour))
	d := w.delivery(1)
	if d.State != campaign.Failed || d.Reason != campaign.CampaignDisabled || len(w.requests()) != 1 {
		t.Errorf("%s, %s after %d requests", d.State, d.Reason, len(w.requests()))
	}
}

// TestGivenUpAttemptsDoNotCount cancels the context during an attempt.
func TestGivenUpAttemptsDoNotCount(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.receive = func(context.Context, outbound.Request) (*outbound.Response, error) {
		cancel()
		return nil, &outbound.Error{Kind: outbound.Canceled, Message: "given up"}
	}
	w.queue(1, "c")
	w.queue(2, "c")
	if _, err := w.sender().Step(ctx, noon); err != nil {
		t.Fatal(err)
	}
	for id := range w.rows {
		if d := w.delivery(id); d.State != campaign.Queued || d.Attempts != 0 {
			t.Errorf("%+v", d)
		}
	}
	if w.delivery(1).Request == nil {
		t.Error("what was rendered is lost")
	}
	if len(w.attempts) != 0 || len(w.requests()) != 1 || w.leased() != 0 {
		t.Errorf("%d attempts, %d requests, %d leased", len(w.attempts), len(w.requests()), w.leased())
	}
}

// TestCrashAtEveryMoment kills the process before and after each of its calls to
// the store and to the receivers, changes the person meanwhile, and starts it
// again until everything is done: nothing is lost, and whatever was sent twice
// was sent under the same id with the same bytes.
func TestCrashAtEveryMoment(t *testing.T) {
	for crashAt := 1; ; crashAt++ {
		w := newWorld(t)
		w.receive = func(_ context.Context, r outbound.Request) (*outbound.Response, error) {
			if len(w.requests())%3 == 1 {
				return answers(503, "")(nil, r)
			}
			return answers(200, "")(nil, r)
		}
		for id := event.ID(1); id <= 3; id++ {
			w.queue(id, "c")
		}
		w.crashAt = crashAt
		crashed := false
		s, now := w.sender(), noon
		for round := 0; w.count(campaign.Delivered) < 3; round++ {
			if round > 20 {
				t.Fatalf("crash %d: it does not come to an end", crashAt)
			}
			if _, err := s.Step(t.Context(), now); err != nil {
				if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				crashed = true
				w.setName("Eve")
				w.restart()
				s = w.sender()
			}
			now = now.Add(10 * time.Minute)
			s.now = func() time.Time { return now }
		}
		bodies := map[string]string{}
		for _, r := range w.requests() {
			id := r.Header.Get("webhook-id")
			if known, ok := bodies[id]; ok && known != string(r.Body) {
				t.Errorf("crash %d: %s was sent as %s and as %s", crashAt, id, known, r.Body)
			}
			bodies[id] = string(r.Body)
		}
		if len(bodies) != 3 {
			t.Errorf("crash %d: %d ids for 3 deliveries", crashAt, len(bodies))
		}
		if crashAt > w.moments {
			return // no run has such a moment
		}
		if !crashed {
			t.Fatalf("crash %d of %d did not happen", crashAt, w.moments)
		}
	}
}

// TestLostLeaseIsFoundAgain lets the lease of a dead process run out.
func TestLostLeaseIsFoundAgain(t *testing.T) {
	w := newWorld(t)
	w.queue(1, "c")
	dead := w.sender()
	if _, _, err := dead.lease(t.Context(), noon, nil, batch); err != nil {
		t.Fatal(err)
	}
	s := w.sender()
	w.step(s, noon.Add(dead.timeout))
	if len(w.requests()) != 0 {
		t.Fatal("it was sent while another process held it")
	}
	w.step(s, noon.Add(2*dead.hold()))
	if len(w.requests()) != 1 || w.delivery(1).State != campaign.Delivered {
		t.Errorf("%d requests, %+v", len(w.requests()), w.delivery(1))
	}
}

func TestIdleStepWritesNothing(t *testing.T) {
	w := newWorld(t)
	worked, err := w.sender().Step(t.Context(), noon)
	if worked || err != nil || w.leases != 0 {
		t.Errorf("worked %v, %v, %d leases", worked, err, w.leases)
	}
}

package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/campaign"
	"platen/internal/catalog"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/outbound"
	"platen/internal/personalize"
	"platen/internal/workspace"
	"platen/liquid"
)

// stock gives the world a catalog, a snippet and a promotion list of three codes.
func (w *world) stock() {
	table, err := catalog.ReadCSV("id,title,price\nwipes,Wipes,1.99\nlamp,Lamp,40\n")
	if err != nil {
		w.t.Fatal(err)
	}
	products, problems := catalog.New("products", table, nil, []catalog.Selection{{Name: "cheap", Limit: 5,
		Where: []catalog.Condition{{Field: "price", Is: catalog.LessThan, Value: json.Number("10")}}}})
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	greeting, err := liquid.Parse("Hello {{${first_name}}}", liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		w.t.Fatal(err)
	}
	w.catalogs = map[string]*catalog.Catalog{"products": products}
	w.snippets = map[string]*liquid.Template{"greeting": greeting}
	w.lists = map[string]*catalog.PromotionList{"spring": {Workspace: 1, Name: "spring", Codes: []string{"A1", "B2", "C3"}}}
}

// byHost makes a receiver of several.
func byHost(hosts map[string]func(context.Context, outbound.Request) (*outbound.Response, error)) func(context.Context, outbound.Request) (*outbound.Response, error) {
	return func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
		return hosts[hostOf(r)](ctx, r)
	}
}

// TestEverythingFromOutside renders a message of all that there is, over HTTP.
func TestEverythingFromOutside(t *testing.T) {
	var asked, got []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/weather" {
			asked = append(asked, r.URL.RawQuery+" "+r.Header.Get("Authorization"))
			fmt.Fprint(rw, `{"sky":"clear"}`)
			return
		}
		if r.URL.Path == "/gone" {
			rw.WriteHeader(http.StatusNotFound)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, r.URL.Query().Get("code")+" "+string(body))
	}))
	defer server.Close()

	w := newWorld(t)
	w.stock()
	w.secrets["weather"] = &workspace.Credential{Workspace: 1, Name: "weather", Host: strings.TrimPrefix(server.URL, "http://"),
		Kind: workspace.Bearer, Secret: workspace.NewSecret(theSecret)}
	w.define("c", campaign.Webhook{
		URL:     server.URL + "/in?code={% promotion('spring') %}",
		Headers: []campaign.Header{{Name: "X-Sky", Value: "{% connected_content " + server.URL + "/weather?of={{${first_name}}} :auth_credentials weather %}{{connected.sky}}"}},
		Body: "{% connected_content " + server.URL + "/weather?of={{${first_name}}} :auth_credentials weather :save w %}" +
			"{% connected_content " + server.URL + "/gone?token=" + theSecret + " :save gone %}" +
			"{% message_extras :key origin :value {{${first_name}}} %}" +
			"{{content_blocks.${greeting}}}: {{w.sky}}{{gone}} {{w.__http_status_code__}}, " +
			"{% catalog_items products {{event_properties.${title} | downcase}} nothing %}{{items[0].title}} for {{items[0].price}}{{items[1]}}, " +
			"{% catalog_selection_items products cheap %}{{items.size}} cheap, {% promotion('spring') %}",
	})
	for id := event.ID(1); id <= 4; id++ {
		w.queue(id, "c")
	}
	w.step(w.sender(func(o *Options) { o.Client = outbound.New(outbound.Options{}) }), noon)

	var want []string
	for _, code := range w.lists["spring"].Codes {
		want = append(want, code+" Hello Ada: clear 200, Wipes for 1.99, 1 cheap, "+code)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !reflect.DeepEqual(asked, []string{"of=Ada Bearer " + theSecret}) {
		t.Errorf("the weather was asked for with %q", asked)
	}
	for id := event.ID(1); id <= 3; id++ {
		d := w.delivery(id)
		if !reflect.DeepEqual(d.Extras, map[string]string{"origin": "Ada"}) || len(d.Calls) != 1 || d.Calls[0].Status != 404 ||
			d.Calls[0].URL != server.URL+"/gone?token=…" || d.Calls[0].Why != "answered 404 Not Found" {
			t.Errorf("%v: %+v, %+v", id, d.Extras, d.Calls)
		}
		if text, _ := json.Marshal(d); strings.Contains(string(text), "wörd+1") {
			t.Errorf("the secret is stored: %s", text)
		}
	}
	d := w.delivery(4)
	if d.State != campaign.NotSent || d.Reason != campaign.PromotionExhausted ||
		!strings.HasPrefix(d.Detail, `the URL, line 1, column `) || !strings.HasSuffix(d.Detail, `: every code of the promotion list "spring" is given; add more to it`) {
		t.Errorf("without a code it is %s, %s, %s", d.State, d.Reason, d.Detail)
	}
}

// TestCodesSurviveCrashes is TestCrashAtEveryMoment for a message with a code and
// connected content that fails at times.
func TestCodesSurviveCrashes(t *testing.T) {
	for crashAt := 1; ; crashAt++ {
		w := newWorld(t)
		w.stock()
		w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/ :retry %}` +
			`{{connected.n}} {% promotion('spring') %} {{${first_name}}}`})
		failed := 0
		w.receive = byHost(map[string]func(context.Context, outbound.Request) (*outbound.Response, error){
			"a.example": answers(200, ""),
			"b.example": func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				if failed++; failed == 1 {
					return answers(503, "")(ctx, r)
				}
				return answers(200, `{"n":7}`)(ctx, r)
			},
		})
		for id := event.ID(1); id <= 3; id++ {
			w.queue(id, "c")
		}
		w.crashAt = crashAt
		s, now := w.sender(), noon
		for round := 0; w.count(campaign.Delivered) < 3; round++ {
			if round > 20 {
				t.Fatalf("crash %d: it does not come to an end", crashAt)
			}
			if _, err := s.Step(t.Context(), now); err != nil {
				w.setName("Eve")
				w.restart()
				s = w.sender()
			}
			now = now.Add(10 * time.Minute)
			s.now = func() time.Time { return now }
		}
		codes := map[string]string{}
		for _, r := range w.requests() {
			if hostOf(r) != "a.example" {
				continue
			}
			words := strings.Fields(string(r.Body))
			id := r.Header.Get("webhook-id")
			if len(words) != 3 || words[0] != "7" || codes[words[1]] != "" && codes[words[1]] != id {
				t.Errorf("crash %d: %s was sent %s; %v", crashAt, id, r.Body, codes)
			}
			codes[words[1]] = id
		}
		if len(codes) != 3 || len(w.codes) != 3 {
			t.Errorf("crash %d: %d codes were sent and %d given", crashAt, len(codes), len(w.codes))
		}
		if crashAt > w.moments {
			return // no run has such a moment
		}
	}
}

// TestContentIsWaitedFor has connected content fail until the message is given up,
// or until it is there.
func TestContentIsWaitedFor(t *testing.T) {
	for _, recovers := range []bool{false, true} {
		w := newWorld(t)
		w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/x :retry %}{{connected.n}} {{'now' | date: '%s'}}`})
		up := false
		w.receive = byHost(map[string]func(context.Context, outbound.Request) (*outbound.Response, error){
			"a.example": answers(200, ""),
			"b.example": func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				if up {
					return answers(200, `{"n":7}`)(ctx, r)
				}
				reply, err := answers(503, "")(ctx, r)
				reply.Header.Set("Retry-After", "120")
				return reply, err
			},
		})
		w.queue(1, "c")
		s, now := w.sender(), noon
		for number := 1; number < campaign.MaxAttempts; number++ {
			w.step(s, now)
			d := w.delivery(1)
			detail := fmt.Sprintf("connected content was not to be had: answered 503 Service Unavailable; this was time %d of 6, the next is at 2026-03-0", number)
			if d.State != campaign.Queued || d.Reason != campaign.ContentUnavailable || d.PutBack != number || d.Attempts != 0 ||
				len(d.Calls) != number || !strings.HasPrefix(d.Detail, detail) {
				t.Fatalf("after %d times: %+v", number, d)
			}
			if wait := w.rows[1].next.Sub(now); wait < 2*time.Minute || wait > 20*time.Minute {
				t.Fatalf("after %d times it waits %v", number, wait)
			}
			w.step(s, w.rows[1].next.Add(-time.Second)) // too early
			now = w.rows[1].next
		}
		up = recovers
		w.step(s, now)
		d := w.delivery(1)
		if !recovers {
			if d.State != campaign.NotSent || d.Reason != campaign.ExhaustedContent || len(w.requests()) != campaign.MaxAttempts ||
				d.Detail != "connected content was not to be had: answered 503 Service Unavailable; this was the last of 6 times" {
				t.Errorf("%+v after %d requests", d, len(w.requests()))
			}
			continue
		}
		want := fmt.Sprintf("7 %d", noon.Unix())
		if d.State != campaign.Delivered || d.Attempts != 1 || d.Reason != "" || string(d.Request.Body) != want || len(d.Calls) != campaign.MaxAttempts-1 {
			t.Errorf("%+v", d)
		}
	}
}

// TestRunPutsBack has content that is not there at first, with the sender running.
func TestRunPutsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/x :retry %}{{connected.n}}`})
		asked := 0
		w.receive = byHost(map[string]func(context.Context, outbound.Request) (*outbound.Response, error){
			"a.example": answers(200, ""),
			"b.example": func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				if asked++; asked < 3 {
					return answers(500, "")(ctx, r)
				}
				return answers(200, `{"n":7}`)(ctx, r)
			},
		})
		w.queue(1, "c")
		_, stop := started(t, w)
		stored()
		if d := w.delivery(1); d.PutBack != 1 || w.leased() != 0 {
			t.Errorf("%+v, %d leased", d, w.leased())
		}
		time.Sleep(4 * time.Minute)
		if d := w.delivery(1); d.State != campaign.Delivered || d.PutBack != 2 || d.Attempts != 1 || string(d.Request.Body) != "7" {
			t.Errorf("%+v", d)
		}
		stop()
	})
}

// TestPutBackWhileTheLeaseRunsOut has a slow disk keep the result of a message that
// is put back until its lease is over: it is held all the same, and sent once.
func TestPutBackWhileTheLeaseRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/x :retry %}{{connected.n}}`})
		asked, sent := 0, 0
		w.receive = byHost(map[string]func(context.Context, outbound.Request) (*outbound.Response, error){
			"a.example": func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				sent++
				return answers(200, "")(ctx, r)
			},
			"b.example": func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				if asked++; asked == 1 {
					return answers(503, "")(ctx, r)
				}
				return answers(200, `{"n":7}`)(ctx, r)
			},
		})
		w.queue(1, "c")
		w.stalled = 2*w.sender().hold() + 10*time.Second
		_, stop := started(t, w)
		time.Sleep(time.Hour)
		if d := w.delivery(1); sent != 1 || d.State != campaign.Delivered || d.PutBack != 1 || len(w.attempts) != 1 {
			t.Errorf("sent %d times, %d attempts: %+v", sent, len(w.attempts), d)
		}
		stop()
	})
}

// TestNothingIsRenderedOnALeaseThatIsNearlyOver has messages with slow content wait
// for each other: they are given back, not rendered while somebody else may lease
// them.
func TestNothingIsRenderedOnALeaseThatIsNearlyOver(t *testing.T) {
	for _, test := range []struct {
		left           time.Duration
		held, rendered bool
	}{{0, false, false}, {119 * time.Second, true, false}, {120 * time.Second, true, true}} {
		w := newWorld(t)
		w.queue(1, "c")
		d := w.delivery(1)
		done, err := w.sender().deliver(t.Context(), &d, noon.Add(test.left))
		if err != nil || (done != nil) != test.held || (d.Request != nil) != test.rendered || w.saves > 0 != test.rendered {
			t.Errorf("%v: %+v, %v", test.left, done, err)
		}
		if test.held && done.unchanged == test.rendered {
			t.Errorf("%v: it is given back: %v", test.left, done.unchanged)
		}
	}
}

func TestTrialsFromOutside(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/?k={{'v'}} %}{% message_extras :key k :value v %}{% promotion('spring') %}`})
	w.receive = byHost(map[string]func(context.Context, outbound.Request) (*outbound.Response, error){
		"a.example": answers(200, ""), "b.example": answers(404, ""),
	})
	s := w.sender()
	want := []personalize.Call{{At: noon, Method: "GET", URL: "https://b.example/?k=…", Status: 404, Why: "answered 404 Not Found"}}
	check := func(tried Tried, err error, body string, given int) {
		t.Helper()
		if err != nil || string(tried.Request.Body) != body || !reflect.DeepEqual(tried.Calls, want) || tried.Extras["k"] != "v" {
			t.Errorf("%+v, %v", tried, err)
		}
		if len(w.codes) != given {
			t.Errorf("%d codes are given, want %d", len(w.codes), given)
		}
	}
	tried, err := s.Preview(t.Context(), trialOf(w))
	check(tried, err, personalize.UnsentCode, 0)
	for i, code := range []string{"A1", "B2"} {
		tried, _, err := s.TestSend(t.Context(), trialOf(w))
		check(tried, err, code, i+1)
	}

	w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/ :retry %}`})
	if _, err = s.Preview(t.Context(), trialOf(w)); fault.ReasonOf(err) != string(campaign.ContentUnavailable) {
		t.Errorf("got %v", err)
	}
	w.define("c", campaign.Webhook{URL: "https://a.example/in", Body: `{% connected_content https://b.example/ :basic_auth gone %}`})
	if _, err = s.Preview(t.Context(), trialOf(w)); fault.ReasonOf(err) != string(campaign.CredentialGone) {
		t.Errorf("got %v", err)
	}
}

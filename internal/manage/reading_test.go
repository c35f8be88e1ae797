package manage_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"platen/internal/manage"
)

func TestAProfileIsShownWithItsHistory(t *testing.T) {
	w := newWorld(t)
	w.anna()
	var p manage.Profile
	w.get("/api/v1/workspaces/shop/profiles/anna", &p)
	if p.UserID != "anna" || len(p.Identifiers) != 1 || p.Identifiers[0].Kind != "user_id" {
		t.Errorf("identifiers: %+v", p)
	}
	var attributes map[string]any
	if err := json.Unmarshal(p.Attributes, &attributes); err != nil || attributes["email"] != "anna@example.com" || attributes["first_name"] != "Anna" {
		t.Errorf("attributes: %s (%v)", p.Attributes, err)
	}
	if len(p.Timeline) != 1 || p.Timeline[0].Name != "Product Viewed" || string(p.Timeline[0].Properties) != `{"title":"Lamp"}` {
		t.Errorf("timeline: %+v", p.Timeline)
	}
	if len(p.Events) != 1 || p.Events[0].Count != 1 {
		t.Errorf("counts: %+v", p.Events)
	}
}

func TestAProfileIsFoundByEachIdentifier(t *testing.T) {
	w := newWorld(t)
	w.anna()
	w.tracks(`{"attributes":[{"user_alias":{"alias_label":"crm","alias_name":"7"},"phone":"+4930123456","_update_existing_only":false}]}`)
	if status := w.collects(`{"type":"track","event":"product_viewed","anonymous_id":"a-1","properties":{"id":"1","title":"Lamp","url":"https://www.example.com/1"}}`); status != 200 {
		t.Fatalf("the collector answered %d", status)
	}
	var anna manage.Profile
	w.get("/api/v1/workspaces/shop/profiles/anna", &anna)
	for query, kind := range map[string]string{
		"user_id=anna":                 "user_id",
		"email=anna%40example.com":     "user_id",
		"braze_id=" + anna.ID:          "user_id",
		"phone=%2B4930123456":          "user_alias",
		"alias_label=crm&alias_name=7": "user_alias",
		"anonymous_id=a-1":             "anonymous_id",
	} {
		var p manage.Profile
		w.get("/api/v1/workspaces/shop/profiles?"+query, &p)
		if len(p.Identifiers) != 1 || p.Identifiers[0].Kind != kind {
			t.Errorf("%s: found %+v", query, p.Identifiers)
		}
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.anna()
	for path, reason := range map[string]string{
		"shop/profiles":                        "missing_identity",
		"shop/profiles/nobody":                 "unknown_profile",
		"shop/profiles?anonymous_id=nobody":    "unknown_profile",
		"shop/profiles/anna?limit=0":           "bad_limit",
		"shop/profiles/anna?limit=1001":        "bad_limit",
		"shop/deliveries?limit=many":           "bad_limit",
		"shop/deliveries?event=x":              "bad_id",
		"shop/quarantine?limit=-1":             "bad_limit",
		"nowhere/quarantine":                   "unknown_workspace",
		"shop/blocks/recent/picture":           "missing_identity",
		"shop/blocks/recnt/picture?as=anna":    "unknown_block",
		"shop/blocks/%2e%2e%2f/picture?as=ann": "unknown_block",
	} {
		rec := w.ask("GET", "/api/v1/workspaces/"+path, adminToken, "")
		if rec.Code < 400 || rec.Code > 404 || !strings.Contains(rec.Body.String(), `"reason":"`+reason+`"`) {
			t.Errorf("%s: status %d: %s", path, rec.Code, rec.Body)
		}
	}
}

func TestDeliveriesTellWhatWasSentAndWhatWasNot(t *testing.T) {
	w := newWorld(t)
	w.anna()
	w.tracks(`{"events":[{"external_id":"bert","name":"Product Viewed","time":"2026-03-01T11:00:00Z","properties":{"title":"Lamp"}}]}`)
	w.settle()
	var list struct{ Deliveries []manage.Delivery }
	w.get("/api/v1/workspaces/shop/deliveries", &list)
	if len(list.Deliveries) != 2 {
		t.Fatalf("deliveries: %+v", list.Deliveries)
	}
	refused, sent := list.Deliveries[0], list.Deliveries[1] // newest first
	if refused.State != "not_sent" || refused.Reason == "" || refused.Detail == "" || refused.Request != nil {
		t.Errorf("without an e-mail address: %+v", refused)
	}
	if sent.State != "delivered" || sent.CampaignName != "Viewed" || len(sent.Attempts) != 1 || sent.Attempts[0].Status != 200 || sent.Status != 200 {
		t.Fatalf("with an e-mail address: %+v", sent)
	}
	if want := `{"user": "anna", "title": "Lamp"}`; sent.Request.Body != want {
		t.Errorf("sent %s, want %s", sent.Request.Body, want)
	}
	if rec := w.ask("GET", "/api/v1/workspaces/shop/deliveries", adminToken, ""); strings.Contains(rec.Body.String(), hookPassword) ||
		strings.Contains(rec.Body.String(), "Basic ") {
		t.Errorf("the credential is shown: %s", rec.Body)
	}
	var one struct{ Deliveries []manage.Delivery }
	w.get("/api/v1/workspaces/shop/deliveries?event="+sent.Event, &one)
	if len(one.Deliveries) != 1 || one.Deliveries[0].ID != sent.ID {
		t.Errorf("deliveries of the event %s: %+v", sent.Event, one.Deliveries)
	}
}

func TestTheStatusCountsWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.tracks(`{"attributes":[{"external_id":"anna","email":"anna@example.com"}],
		"events":[{"external_id":"anna","name":"Product Viewed","time":"2026-03-01T11:00:00Z","properties":{}}]}`)
	status := func() (s manage.Status) {
		w.get("/api/v1/status", &s)
		return s
	}
	if got, want := status(), (manage.Status{Hits: 1}); got != want {
		t.Errorf("after the event: %+v, want %+v", got, want)
	}
	if _, err := w.planner.Step(t.Context(), now()); err != nil {
		t.Fatal(err)
	}
	if got, want := status(), (manage.Status{Deliveries: 1}); got != want {
		t.Errorf("after planning: %+v, want %+v", got, want)
	}
	w.settle()
	if got, want := status(), (manage.Status{}); got != want {
		t.Errorf("after sending: %+v, want %+v", got, want)
	}
}

func TestTheQuarantineKeepsWhatWasRefused(t *testing.T) {
	w := newWorld(t)
	raw := `{"type":"track","event":"product_viewd","user_id":"anna","properties":{}}`
	if status := w.collects(raw); status != http.StatusUnprocessableEntity {
		t.Fatalf("the collector answered %d", status)
	}
	var list struct{ Quarantine []manage.Quarantined }
	w.get("/api/v1/workspaces/shop/quarantine", &list)
	if len(list.Quarantine) != 1 {
		t.Fatalf("quarantine: %+v", list.Quarantine)
	}
	q := list.Quarantine[0]
	if q.Reason != "unmapped" || q.Raw != raw || q.Source != "site" || !strings.Contains(q.Message, "product_viewed") || !q.Received.Equal(now()) {
		t.Errorf("quarantined: %+v", q)
	}
}

func TestAPictureIsTheOneThatThePersonGets(t *testing.T) {
	w := newWorld(t)
	if status := w.collects(`{"type":"track","event":"product_viewed","user_id":"anna","properties":{"id":"1","title":"Lamp","price":12.5,"url":"https://www.example.com/1"}}`); status != 200 {
		t.Fatalf("the collector answered %d", status)
	}
	const block = "/api/v1/workspaces/shop/blocks/recent/picture"
	drawn := w.ask("GET", block+"?as=anna", shopManager, "")
	if _, err := png.Decode(bytes.NewReader(drawn.Body.Bytes())); err != nil || drawn.Header().Get("Content-Type") != "image/png" {
		t.Errorf("the picture: %v, %v", err, drawn.Header())
	}
	if reason := drawn.Header().Get(manage.FallbackHeader); reason != "" {
		t.Errorf("the picture is the fallback: %s", reason)
	}
	fallback := w.ask("GET", block+"?as=bert", shopManager, "")
	if fallback.Header().Get(manage.FallbackHeader) != "unknown_person" || bytes.Equal(fallback.Body.Bytes(), drawn.Body.Bytes()) {
		t.Errorf("somebody unknown gets the same picture, or no reason: %v", fallback.Header())
	}
	explain := w.ask("GET", block+"?as=anna&explain=1", shopManager, "").Body.String()
	if !strings.Contains(explain, `"text":"Lamp"`) || !strings.Contains(explain, `"fallback":false`) {
		t.Errorf("explain: %s", explain)
	}
}

func TestATestRendersAndSendsOnlyWhenAsked(t *testing.T) {
	w := newWorld(t)
	w.anna()
	hooks := w.hooks.Load()
	const path = "/api/v1/workspaces/shop/campaigns/Viewed/test"
	var rendered, given, sent manage.Tried
	w.read(w.ask("POST", path, shopManager, `{"as":"anna"}`), &rendered)
	if rendered.Request.Body != `{"user": "anna", "title": "Lamp"}` || rendered.Attempt != nil || rendered.Event == "none" {
		t.Errorf("rendered with the latest event: %+v", rendered)
	}
	w.read(w.ask("POST", path, shopManager, `{"as":"anna","properties":{"title":"a \"b\""}}`), &given)
	if given.Request.Body != `{"user": "anna", "title": "a \"b\""}` || given.Event != "given" {
		t.Errorf("rendered with given properties: %+v", given)
	}
	if w.hooks.Load() != hooks {
		t.Fatal("a test without send called the receiver")
	}
	w.status.Store(http.StatusTeapot)
	w.read(w.ask("POST", path, shopManager, `{"as":"anna","send":true}`), &sent)
	if w.hooks.Load() != hooks+1 || sent.Attempt == nil || sent.Attempt.Status != http.StatusTeapot {
		t.Errorf("sent %d times: %+v", w.hooks.Load()-hooks, sent.Attempt)
	}
	var list struct{ Deliveries []manage.Delivery }
	w.get("/api/v1/workspaces/shop/deliveries", &list)
	if len(list.Deliveries) != 1 {
		t.Errorf("a test left deliveries: %+v", list.Deliveries)
	}
}

func TestWhatAMessageAskedForIsShown(t *testing.T) {
	w := newWorld(t)
	w.applies(`
kind: PromotionList
workspace: shop
name: spring
codes: [A1, B2]
---
kind: Campaign
workspace: shop
name: With code
state: active
trigger: {event: Product Viewed}
variants:
  - name: First
    percent: 100
    webhook:
      url: `+w.receiver+`/hook
      method: POST
      body: |
        {% connected_content `+w.receiver+`/missing?key=secret-key %}{% message_extras :key season :value {{${first_name}}} %}{% promotion('spring') %}
`, false)
	w.status.Store(http.StatusNotFound)
	w.anna()
	check := func(what string, o manage.Outside) {
		t.Helper()
		if o.Extras["season"] != "Anna" || len(o.Failed) != 1 || o.Failed[0].Status != 404 ||
			o.Failed[0].URL != w.receiver+"/missing?key=…" || o.Failed[0].Why != "answered 404 Not Found" {
			t.Errorf("%s: %+v", what, o)
		}
	}
	var list struct{ Deliveries []manage.Delivery }
	w.get("/api/v1/workspaces/shop/deliveries", &list)
	for _, d := range list.Deliveries {
		if d.CampaignName != "With code" {
			continue
		}
		check("the delivery", d.Outside)
		if strings.TrimSpace(d.Request.Body) != "A1" {
			t.Errorf("sent %q", d.Request.Body)
		}
	}
	const path = "/api/v1/workspaces/shop/campaigns/With%20code/test"
	for body, code := range map[string]string{`{"as":"anna"}`: "CODE", `{"as":"anna","send":true}`: "B2"} {
		var tried manage.Tried
		w.read(w.ask("POST", path, shopManager, body), &tried)
		check("the test "+body, tried.Outside)
		if strings.TrimSpace(tried.Request.Body) != code {
			t.Errorf("the test %s is %q", body, tried.Request.Body)
		}
	}
	if len(list.Deliveries) != 2 {
		t.Errorf("%d deliveries", len(list.Deliveries))
	}
}

// deadlines is an answer that notes until when it may be written.
type deadlines struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.until = append(d.until, t)
	return nil
}

// The receiver may take longer than other answers may.
func TestATestThatIsSentHasTheTimeOfItsReceiver(t *testing.T) {
	w := newWorld(t)
	w.anna()
	for body, extended := range map[string]bool{`{"as":"anna"}`: false, `{"as":"anna","send":true}`: true} {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r := w.request("POST", "/api/v1/workspaces/shop/campaigns/Viewed/test", body)
		r.Header.Set("Authorization", "Bearer "+shopManager)
		began := time.Now()
		w.mux.ServeHTTP(d, r)
		if d.Code != http.StatusOK || (len(d.until) > 0) != extended {
			t.Fatalf("%s: status %d, deadlines %v", body, d.Code, d.until)
		}
		if extended && d.until[0].Sub(began) < manage.TestWithin {
			t.Errorf("it may be written until %s after the request", d.until[0].Sub(began))
		}
	}
}

package collector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/mapping"
	"platen/internal/profile"
)

func TestTheShapesOfABody(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		users []string
	}{
		"one object":                    {view("u1", ""), []string{"u1"}},
		"one object with space around":  {"\n " + view("u1", "") + "\n", []string{"u1"}},
		"an array":                      {"[" + view("u1", "") + "," + view("u2", "") + "]", []string{"u1", "u2"}},
		"events":                        {`{"events":[` + view("u1", "") + "," + view("u2", "") + `]}`, []string{"u1", "u2"}},
		"events beside other members":   {`{"source":"x","events":[` + view("u1", "") + `]}`, []string{"u1"}},
		"an event that has events":      {view("u1", `,"events":[{"a":1}]`), []string{"u1"}},
		"an event that speaks of them":  {view("u1", `,"note":"\"events\""`), []string{"u1"}},
		"a number for the id of a user": {strings.Replace(view("u1", ""), `"u1"`, `12345678901234567890`, 1), []string{"12345678901234567890"}},
	} {
		s := newSite(t)
		s.counts(s.post("shop", c.body, 200), len(c.users), 0)
		for _, u := range c.users {
			if events := s.timeline(profile.Who{UserID: u}); len(events) != 1 || events[0].Name != "product_viewed" || string(events[0].Properties) != `{"id":"1"}` {
				t.Errorf("%s: %s did %+v", name, u, events)
			}
		}
		if n := s.stored(); n != len(c.users) {
			t.Errorf("%s: %d events are stored", name, n)
		}
	}
}

func TestBodiesWithoutAnEvent(t *testing.T) {
	s := newSite(t)
	many := "[" + strings.Repeat("{},", MaxEvents) + "{}]"
	for body, want := range map[string]struct {
		status          int
		reason, pointer string
	}{
		"[]":              {400, "no_events", ""},
		`{"events":[]}`:   {400, "no_events", "/events"},
		many:              {413, "too_many_events", ""},
		"[1]":             {422, "wrong_type", "/0"},
		`{"events":[[]]}`: {422, "wrong_type", "/events/0"},
		`"text"`:          {422, "wrong_type", ""},
		"null":            {422, "wrong_type", ""},
		"{}":              {422, "missing_field", "/type"},
		`{"events":{}}`:   {422, "missing_field", "/type"},
	} {
		a := s.post("shop", body, want.status)
		if len(a.Rejected) != 1 || a.Rejected[0].Reason != want.reason || a.Rejected[0].Pointer != want.pointer {
			t.Errorf("%.40s: %+v", body, a)
		}
		if rows := s.quarantined(); rows[0].ID.String() != a.Rejected[0].Quarantine || rows[0].Reason != want.reason {
			t.Errorf("%.40s: kept %.200v", body, rows[0])
		}
	}
	if n := s.stored(); n > 0 {
		t.Errorf("%d events are stored", n)
	}
}

func TestAThousandEvents(t *testing.T) {
	s := newSite(t)
	events := make([]string, MaxEvents)
	for i := range events {
		events[i] = view(fmt.Sprint("u", i%7), "")
	}
	s.counts(s.post("shop", "["+strings.Join(events, ",")+"]", 200), MaxEvents, 0)
	if n := s.stored(); n != MaxEvents {
		t.Errorf("%d events are stored", n)
	}
	if total := s.profile(profile.Who{UserID: "u0"}).Root.Facts().Summary.Of("product_viewed").Total; total != 143 {
		t.Errorf("u0 has done it %d times", total)
	}
}

func TestPartOfABatch(t *testing.T) {
	s := newSite(t)
	body := `{"events":[` + strings.Join([]string{
		view("u1", ""),
		`{"type":"track","event":"product_veiwed","user_id":"u1"}`,
		view("null", ""),
		view("u2", `,"message_id":"m1"`),
		view("u2", `,"message_id":"m1"`),
	}, ",") + `]}`
	a := s.post("shop", body, 200)
	s.counts(a, 2, 1)
	if a.Message != "2 of 5 events were rejected" || len(a.Rejected) != 2 || a.Rejected[0].Index != 1 || a.Rejected[1].Index != 2 {
		t.Errorf("%+v", a)
	}
	if n, rows := s.stored(), s.quarantined(); n != 2 || len(rows) != 2 || string(rows[0].Raw) != view("null", "") {
		t.Errorf("%d are stored, kept %+v", n, rows)
	}
}

func TestAnUnmappedEventIsNamedWithTheNearest(t *testing.T) {
	s := newSite(t)
	a := s.post("shop", `{"type":"track","event":"product_veiwed","user_id":"u1"}`, 422)
	for _, part := range []string{`"product_veiwed"`, "product_viewed (movable-ink)", `source "shop"`} {
		if !strings.Contains(a.Message, part) {
			t.Errorf("%q does not say %s", a.Message, part)
		}
	}
	if r := a.Rejected[0]; r.Reason != "unmapped" || r.Pointer != "/event" || r.Quarantine == "" {
		t.Errorf("%+v", a)
	}
	row := s.quarantined()[0]
	if row.Reason != "unmapped" || row.Pointer != "/event" || row.Received != s.clock.UnixMicro() || row.Message != a.Message {
		t.Errorf("kept %+v", row)
	}
}

func TestOwnMappings(t *testing.T) {
	s := newSite(t)
	s.counts(s.post("own", `{"kind":"ticket","who":"u1","place":{"seat":"12A"}}`, 200), 1, 0)
	e := s.timeline(profile.Who{UserID: "u1"})[0]
	if e.Name != "ticket_bought" || e.Mapping != "mappings[0]/ticket_bought" || e.Source != "own" || !strings.Contains(string(e.Properties), `"seat":"12A"`) {
		t.Errorf("%+v", e)
	}
}

func TestIdentitiesThatNameNobody(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"null", "undefined", "0", "{{${user_id}}}", "%%email%%", "*|EMAIL|*", "d41d8cd98f00b204e9800998ecf8427e"} {
		for _, field := range []string{"user_id", "anonymous_id"} {
			body := strings.Replace(view("x", ""), `"user_id":"x"`, fmt.Sprintf("%q:%q", field, id), 1)
			a := s.post("shop", body, 422)
			row := s.quarantined()[0]
			if a.Rejected[0].Reason != "bad_identifier" || row.Reason != "bad_identifier" || row.Event != "product_viewed" || string(row.Raw) != body {
				t.Errorf("%s %q: %+v, kept %+v", field, id, a, row)
			}
		}
	}
	a := s.post("shop", `{"type":"track","event":"product_viewed","properties":{"id":"1"}}`, 422)
	if a.Rejected[0].Reason != "missing_identity" {
		t.Errorf("without an id: %+v", a)
	}
	if n := s.stored(); n > 0 {
		t.Errorf("%d events are stored", n)
	}
}

func TestTimesInEveryForm(t *testing.T) {
	s := newSite(t)
	at := s.clock.Add(-time.Hour).Truncate(time.Second)
	for i, text := range []string{
		fmt.Sprint(at.Unix()), fmt.Sprint(at.UnixMilli()), fmt.Sprintf("%q", fmt.Sprint(at.Unix())), fmt.Sprintf("%q", fmt.Sprint(at.UnixMilli())),
		fmt.Sprintf("%q", at.Format(time.RFC3339)), fmt.Sprintf("%q", at.In(time.FixedZone("", -5*3600)).Format("2006-01-02 15:04:05 -0700")),
	} {
		who := fmt.Sprint("u", i)
		s.post("shop", view(who, `,"timestamp":`+text+`,"timezone":"America/New_York"`), 200)
		if e := s.timeline(profile.Who{UserID: who})[0]; !e.At.Equal(at) || !e.OwnTime || e.TimeZone != "America/New_York" {
			t.Errorf("%s: %+v", text, e)
		}
	}
	s.post("shop", view("someone", ""), 200)
	if e := s.timeline(profile.Who{UserID: "someone"})[0]; !e.At.Equal(s.clock) || e.OwnTime {
		t.Errorf("without a time: %+v", e)
	}
}

func TestTimesThatAreRefused(t *testing.T) {
	s := newSite(t)
	day := 24 * time.Hour
	for _, c := range []struct {
		key    string
		at     time.Duration // from now
		reason string
	}{
		{"shop", -30 * day, ""}, {"shop", -30*day - time.Second, "too_old"}, {"history", -6000 * day, ""},
		{"shop", day, ""}, {"shop", day + time.Second, "in_future"}, {"history", day + time.Second, "in_future"},
	} {
		body, status := view("u1", fmt.Sprintf(`,"timestamp":%d`, s.clock.Add(c.at).UnixMilli())), 200
		if c.reason != "" {
			status = 422
		}
		a := s.post(c.key, body, status)
		if c.reason == "" {
			continue
		}
		row := s.quarantined()[0]
		if a.Rejected[0].Reason != c.reason || a.Rejected[0].Pointer != "/timestamp" || row.Reason != c.reason || row.Event != "product_viewed" {
			t.Errorf("%v: %+v, kept %+v", c.at, a, row)
		}
	}
	a := s.post("shop", view("u1", `,"timestamp":"yesterday"`), 422)
	if a.Rejected[0].Reason != "bad_time" || a.Rejected[0].Pointer != "/timestamp" {
		t.Errorf("a time that is none: %+v", a)
	}
}

// seed reads a file of the seed, from PLATEN_SHARED or beside the checkout.
func seed(t *testing.T, name string) string {
	t.Helper()
	shared := os.Getenv("PLATEN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	body, err := os.ReadFile(filepath.Join(shared, "seed", name))
	if err != nil {
		t.Skipf("the seed is not here: %v (set PLATEN_SHARED)", err)
	}
	return string(body)
}

func TestThePayloadsOfTheSeed(t *testing.T) {
	at := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	for name, want := range map[string]event.Event{
		"product_viewed":  {Kind: event.Track, Name: "product_viewed", UserID: "5c3aa83113dd490100d3d8d7", AnonymousID: "123-abc-678"},
		"category_viewed": {Kind: event.Track, Name: "category_viewed", UserID: "5c3aa83113dd490100d3d8d7", AnonymousID: "123-abc-678"},
		"identify":        {Kind: event.Identify, Name: "identify", UserID: "mycustomerid123", AnonymousID: "jg0iq5gd30dqpwn8zmx05p06mzjmjir4r8"},
	} {
		body := seed(t, name+".expected.json")
		s := newSite(t)
		a := s.post("shop", body, 422)
		if a.Rejected[0].Reason != "too_old" || !strings.Contains(a.Message, "max_age") || string(s.quarantined()[0].Raw) != strings.TrimSpace(body) {
			t.Errorf("%s under the default policy: %+v", name, a)
		}
		a = s.post("history", body, 200)
		if s.counts(a, 1, 0); len(a.Warnings) > 0 {
			t.Errorf("%s: warnings %+v", name, a.Warnings)
		}
		got := s.timeline(profile.Who{UserID: want.UserID})[0]
		if got.Kind != want.Kind || got.Name != want.Name || got.UserID != want.UserID || got.AnonymousID != want.AnonymousID ||
			!got.At.Equal(at) || !got.OwnTime || got.TimeZone != "America/New_York" {
			t.Errorf("%s is stored as %+v", name, got)
		}
		sameValue(t, name, got.Properties, properties(t, body))
		claimed := s.profile(profile.Who{AnonymousID: want.AnonymousID})
		if identify := name == "identify"; identify != (claimed != nil && claimed.UserID() == want.UserID) {
			t.Errorf("%s: the anonymous id is %+v", name, claimed)
		}
	}
}

func properties(t *testing.T, body string) json.RawMessage {
	t.Helper()
	var sent struct{ Properties json.RawMessage }
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	return sent.Properties
}

func sameValue(t *testing.T, name string, got, want json.RawMessage) {
	t.Helper()
	var g, w any
	if len(want) == 0 && len(got) == 0 {
		return
	}
	if json.Unmarshal(got, &g) != nil || json.Unmarshal(want, &w) != nil || !reflect.DeepEqual(g, w) {
		t.Errorf("%s: properties %s, want %s", name, got, want)
	}
}

func TestTraitsBecomeAttributes(t *testing.T) {
	s := newSite(t)
	s.post("shop", `{"type":"identify","user_id":"u1","anonymous_id":"a1","traits":{"plan":"gold","address":{"city":"Łódź"},"email":"X@example.com"}}`, 200)
	p := s.profile(profile.Who{Email: "x@example.com"})
	if p == nil || p.UserID() != "u1" {
		t.Fatalf("by its e-mail: %+v", p)
	}
	if got := string(p.Root.Facts().Attributes.JSON()); got != `{"address":{"city":"Łódź"},"email":"X@example.com","plan":"gold"}` {
		t.Errorf("attributes: %s", got)
	}
	if a := s.post("shop", `{"type":"identify","user_id":"u1"}`, 422); a.Rejected[0].Reason != "identify_needs_both" {
		t.Errorf("an identify of one id: %+v", a)
	}
}

func TestATrackLinksWhereThePolicySaysSo(t *testing.T) {
	both := strings.Replace(view("u1", ""), `"user_id"`, `"anonymous_id":"a1","user_id"`, 1)
	for key, linked := range map[string]bool{"shop": false, "linking": true} {
		s := newSite(t)
		s.post(key, both, 200)
		if p := s.profile(profile.Who{AnonymousID: "a1"}); linked != (p != nil && p.UserID() == "u1") {
			t.Errorf("%s: the anonymous id is %+v", key, p)
		}
	}
}

func TestLenientJSONIsMendedWithWarnings(t *testing.T) {
	s := newSite(t)
	body := strings.Join([]string{
		"// sent by a template",
		"{",
		`  "user_id": "u1"`,
		`  "type": "track",`,
		`  "event": "product_viewed",`,
		`  "properties": {"id": "1", "url": "https://shop.example/1",},`,
		`  "timestamp": "1257894000",`,
		"}",
	}, "\n")
	a := s.post("lenient", body, 200)
	s.counts(a, 1, 0)
	got := map[string]string{}
	for _, w := range a.Warnings {
		if w.Line > 0 {
			got[w.Kind] += fmt.Sprintf(" %d:%d", w.Line, w.Column)
		}
		if w.Line > 0 && (w.Message == "" || w.Index != nil) {
			t.Errorf("a warning of the body: %+v", w)
		}
	}
	if len(got) != 3 {
		t.Errorf("mended: %v", got)
	}
	if e := s.timeline(profile.Who{UserID: "u1"})[0]; string(e.Properties) != `{"id":"1","url":"https://shop.example/1"}` {
		t.Errorf("stored: %+v", e)
	}
	if a := s.post("history", body, http.StatusBadRequest); a.Rejected[0].Reason != "malformed_json" || a.Rejected[0].Line != 1 {
		t.Errorf("strict: %+v", a)
	}
	for text, wanted := range map[string]bool{body: true, "{oops": false} { // where it would not help it is not advised
		if a := s.post("history", text, http.StatusBadRequest); strings.Contains(a.Rejected[0].Message, "json: lenient") != wanted {
			t.Errorf("%s: %s", text, a.Rejected[0].Message)
		}
	}
	if a := s.post("lenient", "{oops", http.StatusBadRequest); len(a.Warnings) > 0 || len(a.Rejected) != 1 {
		t.Errorf("beyond mending: %+v", a)
	}
}

func TestWarningsNameTheirEvent(t *testing.T) {
	s := newSite(t)
	a := s.post("shop", "["+view("u1", "")+`,{"type":"track","event":"product_viewed","user_id":"u2","properties":{"id":"1","price":"$1.99"}}]`, 200)
	if s.counts(a, 2, 0); len(a.Warnings) != 1 || a.Warnings[0].Index == nil || *a.Warnings[0].Index != 1 || a.Warnings[0].Pointer != "/1/properties/price" {
		t.Errorf("%+v", a)
	}
}

func TestDuplicates(t *testing.T) {
	two := "[" + view("u1", "") + "," + view("u2", "") + "]"
	timed := func(s *site) string { return view("u1", fmt.Sprintf(`,"timestamp":%d`, s.clock.UnixMilli())) }
	for name, c := range map[string]struct {
		key, first, second string
		header             []string
		duplicates         int // in the second answer
		accepted           int
	}{
		"Idempotency-Key":                {"shop", two, two, []string{"Idempotency-Key", "k1"}, 2, 0},
		"Idempotency-Key, another place": {"shop", view("u1", ""), two, []string{"Idempotency-Key", "k1"}, 1, 1},
		"webhook-id":                     {"shop", two, two, []string{"webhook-id", "dlv_1"}, 2, 0},
		"message_id":                     {"shop", view("u1", `,"message_id":"m"`), "[" + view("u2", `,"messageId":"n"`) + "," + view("u2", `,"event_id":"m"`) + "]", nil, 1, 1},
		"none of them":                   {"shop", two, two, nil, 0, 2},
		"content, by the policy":         {"linking", "timed", "timed", nil, 1, 0},
		"content without a time":         {"linking", two, two, nil, 0, 2},
		"content, without the policy":    {"shop", "timed", "timed", nil, 0, 1},
	} {
		s := newSite(t)
		if c.first == "timed" {
			c.first, c.second = timed(s), timed(s)
		}
		s.post(c.key, c.first, 200, c.header...)
		before := s.stored()
		s.clock = s.clock.Add(9 * time.Minute)
		s.counts(s.post(c.key, c.second, 200, c.header...), c.accepted, c.duplicates)
		if n := s.stored() - before; n != c.accepted {
			t.Errorf("%s: %d events were stored by the second request", name, n)
		}
	}
}

func TestTheStrongestIDDecides(t *testing.T) {
	s := newSite(t)
	body := view("u1", `,"message_id":"m"`)
	s.post("shop", body, 200, "Idempotency-Key", "k", "webhook-id", "w")
	s.counts(s.post("shop", body, 200, "Idempotency-Key", "other", "webhook-id", "w"), 1, 0)
	s.counts(s.post("shop", body, 200, "webhook-id", "w"), 1, 0) // known by its key only
	s.counts(s.post("shop", body, 200, "webhook-id", "w"), 0, 1)
	s.counts(s.post("shop", body, 200), 1, 0)
	s.counts(s.post("history", body, 200), 1, 0) // another source
	s.counts(s.post("shop", body, 200), 0, 1)
}

func TestARepeatedContentIsKnownForItsTime(t *testing.T) {
	s := newSite(t)
	body := view("u1", fmt.Sprintf(`,"timestamp":%d`, s.clock.UnixMilli()))
	s.counts(s.post("linking", body, 200), 1, 0)
	s.clock = s.clock.Add(10*time.Minute + time.Second)
	s.counts(s.post("linking", body, 200), 1, 0)
	s.counts(s.post("linking", body, 200), 0, 1)
}

func TestWarningsOfARequestEnd(t *testing.T) {
	s := newSite(t)
	categories := strings.Repeat("{},", 149) + "{}"
	event := `{"type":"track","event":"product_viewed","user_id":"u1","properties":{"id":"1","categories":[` + categories + `]}}`
	for _, c := range []struct {
		name, key, body string
		told, more      int
	}{
		{"of one event", "shop", event, mapping.MaxWarnings, 150 - mapping.MaxWarnings},
		{"of many events", "shop", "[" + strings.Repeat(event+",", 19) + event + "]", maxWarnings, 20*150 - maxWarnings},
		{"of mends", "lenient", strings.Repeat("//\n", 150) + view("u1", ""), maxWarnings, 150 - maxWarnings},
	} {
		a := s.post(c.key, c.body, 200)
		if len(a.Warnings) != c.told+1 {
			t.Fatalf("%s: %d warnings", c.name, len(a.Warnings))
		}
		if last := a.Warnings[c.told]; last.Kind != "more_warnings" || last.Index != nil || last.Message != fmt.Sprintf("and %d more", c.more) {
			t.Errorf("%s: the last one is %+v", c.name, last)
		}
	}
}

// An event that could not be looked at is not refused: the sender sends it again.
func TestAMappingOutOfTimeRefusesNothing(t *testing.T) {
	slow := fault.New(fault.Unavailable, "mapping_slow", "too slow")
	b := &batch{}
	err := b.readEach([]json.RawMessage{[]byte("{}")}, nil, func([]byte, time.Time) (mapping.Mapped, error) {
		return mapping.Mapped{}, slow
	})
	if err == nil || b.refuseAll([]byte("{}"), err) == nil {
		t.Errorf("it was refused for good: %v, %+v", err, b.items)
	}
}

func TestPropertiesHaveABound(t *testing.T) {
	s := newSite(t)
	view := func(size int) string {
		return `{"type":"track","event":"product_viewed","user_id":"u1","properties":{"id":"1","note":"` + strings.Repeat("x", size) + `"}}`
	}
	s.counts(s.post("shop", view(event.MaxPropertiesBytes-100), 200), 1, 0)
	a := s.post("shop", view(event.MaxPropertiesBytes), http.StatusRequestEntityTooLarge)
	if len(a.Rejected) != 1 || a.Rejected[0].Reason != "properties_too_large" || a.Rejected[0].Quarantine == "" {
		t.Errorf("%+v", a)
	}
}

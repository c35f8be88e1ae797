package engage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

const maxPropertiesBytes = event.MaxPropertiesBytes // a test has an event of its own

const (
	whoRequired  = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
	emailInvalid = "The value provided for the 'email' field is not a valid email."
	blacklisted  = "provided external_id is blacklisted and disallowed"
	badProps     = "Invalid 'properties' field"
)

var (
	chars255 = strings.Repeat("ä", 255)
	chars256 = strings.Repeat("ä", 256)
)

// Each object is sent alone; the error is the text of its answer, "" when it is
// taken.
func TestValidation(t *testing.T) {
	event := func(rest string) string { return `{"external_id":"u1","name":"A","time":"2026-01-02"` + rest + `}` }
	purchase := func(rest string) string {
		return `{"external_id":"u1","time":"2026-01-02","product_id":"p","currency":"EUR","price":1` + rest + `}`
	}
	tests := []struct{ array, object, err string }{
		// Whom it is about.
		{"attributes", `{}`, whoRequired},
		{"attributes", `{"color":"red"}`, whoRequired},
		{"attributes", `{"external_id":null}`, whoRequired},
		{"attributes", `{"external_id":""}`, whoRequired},
		{"attributes", `{"external_id":true}`, "'external_id' is not valid"},
		{"attributes", `{"external_id":{}}`, "'external_id' is not valid"},
		{"attributes", `{"external_id":12345}`, ""},
		{"attributes", `{"external_id":"undefined"}`, blacklisted},
		{"attributes", `{"external_id":"{{user_id}}"}`, blacklisted},
		{"attributes", `{"external_id":"d41d8cd98f00b204e9800998ecf8427e"}`, blacklisted},
		{"attributes", `{"external_id":0}`, blacklisted},
		{"attributes", `{"user_alias":{"alias_name":"n","alias_label":"l"}}`, ""},
		{"attributes", `{"user_alias":{"alias_name":"n"}}`, "'user_alias' is not valid"},
		{"attributes", `{"user_alias":{"alias_name":"","alias_label":"l"}}`, "'user_alias' is not valid"},
		{"attributes", `{"user_alias":"n"}`, "'user_alias' is not valid"},
		{"attributes", `{"braze_id":7}`, "'braze_id' is not valid"},
		{"attributes", `{"braze_id":"00000000000000000000abcd"}`, "no profile has this identifier, and the call may not make one"},
		{"attributes", `{"email":"a@b.co"}`, ""},
		{"attributes", `{"email":" a@b.co "}`, ""},
		{"attributes", `{"email":"a@b"}`, emailInvalid},
		{"attributes", `{"email":"A <a@b.co>"}`, emailInvalid},
		{"attributes", `{"email":7}`, emailInvalid},
		{"attributes", `{"external_id":"u1","email":""}`, emailInvalid},
		{"attributes", `{"phone":"+49 (30) 1"}`, ""},
		{"attributes", `{"phone":"none"}`, "'phone' is not valid"},
		{"attributes", `{"phone":49}`, "'phone' is not valid"},
		{"attributes", `{"email":"a@b.co","phone":"?"}`, "'phone' is not valid"},
		{"attributes", `7`, "each of 'attributes' must be an object"},
		{"attributes", `null`, "each of 'attributes' must be an object"},
		{"attributes", `{"external_id":"u1","_update_existing_only":"yes"}`, "'_update_existing_only' is not valid"},
		{"attributes", `{"external_id":"u1","_merge_objects":{}}`, "'_merge_objects' is not valid"},
		{"attributes", `{"external_id":"u1","push_token_import":7}`, ""},
		// Profile fields.
		{"attributes", `{"external_id":"u1","first_name":"` + chars255 + `"}`, ""},
		{"attributes", `{"external_id":"u1","first_name":"` + chars256 + `"}`, "'first_name' is not valid"},
		{"attributes", `{"external_id":"u1","last_name":1}`, "'last_name' is not valid"},
		{"attributes", `{"external_id":"u1","last_name":null}`, ""},
		{"attributes", `{"external_id":"u1","gender":"X"}`, "'gender' is not valid"},
		{"attributes", `{"external_id":"u1","gender":null}`, ""},
		{"attributes", `{"external_id":"u1","dob":"21.12.1980"}`, "'dob' is not valid"},
		{"attributes", `{"external_id":"u1","dob":"1980-12-21"}`, ""},
		{"attributes", `{"external_id":"u1","email_subscribe":"maybe"}`, "'email_subscribe' is not valid"},
		{"attributes", `{"external_id":"u1","push_subscribe":"opted_in"}`, ""},
		{"attributes", `{"external_id":"u1","email_open_tracking_disabled":"true"}`, "'email_open_tracking_disabled' is not valid"},
		{"attributes", `{"external_id":"u1","date_of_first_session":"yesterday"}`, "'date_of_first_session' is not valid"},
		{"attributes", `{"external_id":"u1","current_location":{"longitude":13.4,"latitude":52.5}}`, ""},
		{"attributes", `{"external_id":"u1","current_location":{"longitude":13.4}}`, "'current_location' is not valid"},
		{"attributes", `{"external_id":"u1","current_location":{"longitude":13.4,"latitude":91}}`, "'current_location' is not valid"},
		{"attributes", `{"external_id":"u1","facebook":"x"}`, "'facebook' is not valid"},
		{"attributes", `{"external_id":"u1","push_tokens":{}}`, "'push_tokens' is not valid"},
		{"attributes", `{"external_id":"u1","subscription_groups":[{"subscription_group_id":"g","subscription_state":"opted_in"}]}`, "'subscription_groups' is not valid"},
		{"attributes", `{"external_id":"u1","country":7}`, ""},
		{"attributes", `{"external_id":"u1","time_zone":7}`, ""},
		// Custom attributes.
		{"attributes", `{"external_id":"u1","` + chars255 + `":true}`, ""},
		{"attributes", `{"external_id":"u1","` + chars256 + `":true}`, "'" + chars256 + "' is not valid"},
		{"attributes", `{"external_id":"u1"," ":true}`, "' ' is not valid"},
		{"attributes", `{"external_id":"u1","bio":"` + chars256 + `"}`, "'bio' is not valid"},
		// Events.
		{"events", event(``), ""},
		{"events", `{"external_id":"u1","time":"2026-01-02"}`, "'name' is required"},
		{"events", `{"external_id":"u1","name":" ","time":"2026-01-02"}`, "'name' is not valid"},
		{"events", `{"external_id":"u1","name":5,"time":"2026-01-02"}`, "'name' is not valid"},
		{"events", `{"external_id":"u1","name":"` + chars256 + `","time":"2026-01-02"}`, "'name' is not valid"},
		{"events", `{"external_id":"u1","name":"A"}`, "'time' is required"},
		{"events", `{"external_id":"u1","name":"A","time":"soon"}`, "'time' is not valid"},
		{"events", `{"external_id":"u1","name":"A","time":1772600767}`, ""},
		{"events", event(`,"properties":null`), ""},
		{"events", event(`,"properties":[]`), badProps},
		{"events", event(`,"properties":"x"`), badProps},
		{"events", event(`,"properties":{"":1}`), badProps},
		{"events", event(`,"properties":{"$a":1}`), badProps},
		{"events", event(`,"properties":{"a$":1}`), ""},
		{"events", event(`,"properties":{"time":1}`), badProps},
		{"events", event(`,"properties":{"event_name":1}`), badProps},
		{"events", event(`,"properties":{"price":1,"product_id":2}`), ""},
		{"events", event(`,"properties":{"` + chars256 + `":1}`), badProps},
		{"events", event(`,"properties":{"a":"` + chars255 + `"}`), ""},
		{"events", event(`,"properties":{"a":"` + chars256 + `"}`), badProps},
		{"events", event(`,"properties":{"a":["` + strings.Repeat("x", maxPropertiesBytes-10) + `"]}`), ""},
		{"events", event(`,"properties":{"a":["` + strings.Repeat("x", maxPropertiesBytes-9) + `"]}`), badProps},
		// Purchases.
		{"purchases", purchase(``), ""},
		{"purchases", `{"product_id":"p","currency":"EUR","price":1,"time":"2026-01-02"}`, whoRequired},
		{"purchases", `{"external_id":"u1","currency":"EUR","price":1,"time":"2026-01-02"}`, "'product_id' is required"},
		{"purchases", `{"external_id":"u1","product_id":"p","price":1,"time":"2026-01-02"}`, "'currency' is required"},
		{"purchases", `{"external_id":"u1","product_id":"p","currency":"EUR","time":"2026-01-02"}`, "'price' is required"},
		{"purchases", `{"external_id":"u1","product_id":"p","currency":"EUR","price":1}`, "'time' is required"},
		{"purchases", purchase(`,"product_id":7`), ""},
		{"purchases", purchase(`,"product_id":[]`), "'product_id' is not valid"},
		{"purchases", purchase(`,"product_id":"` + chars256 + `"`), "'product_id' is not valid"},
		{"purchases", purchase(`,"currency":"EURO"`), "'currency' is not valid"},
		{"purchases", purchase(`,"currency":"QQQ"`), "'currency' is not valid"},
		{"purchases", purchase(`,"price":"1.99"`), "'price' is not valid"},
		{"purchases", purchase(`,"price":-3`), ""},
		{"purchases", purchase(`,"quantity":1`), ""},
		{"purchases", purchase(`,"quantity":100`), ""},
		{"purchases", purchase(`,"quantity":0`), "'quantity' is not valid"},
		{"purchases", purchase(`,"quantity":101`), "'quantity' is not valid"},
		{"purchases", purchase(`,"quantity":1.5`), "'quantity' is not valid"},
		{"purchases", purchase(`,"quantity":"2"`), "'quantity' is not valid"},
		{"purchases", purchase(`,"properties":{"color":"red","name":"x"}`), ""},
		{"purchases", purchase(`,"properties":{"quantity":1}`), badProps},
		{"purchases", purchase(`,"properties":{"currency":"EUR"}`), badProps},
	}
	s := newServer(t)
	for _, tt := range tests {
		before := len(s.quarantined())
		body := fmt.Sprintf(`{%q:[%s]}`, tt.array, tt.object)
		if tt.err == "" {
			a := s.send("/users/track", body, http.StatusCreated)
			if len(a.Errors) != 0 {
				t.Errorf("%.300s: errors %v", body, a.Errors)
			}
			continue
		}
		a := s.send("/users/track", body, http.StatusBadRequest)
		if a.Message != noValidData || len(a.Errors) != 1 {
			t.Errorf("%.300s: answer %+v", body, a)
			continue
		}
		if e := a.Errors[0]; e.Type != tt.err || e.Array != tt.array || e.Index == nil || *e.Index != 0 {
			t.Errorf("%.300s: error %+v, want %q", body, e, tt.err)
		}
		kept := tt.object[:min(len(tt.object), ingest.MaxQuarantineBytes)]
		if rows := s.quarantined(); len(rows) != before+1 || string(rows[0].Raw) != kept {
			t.Errorf("%.300s: %d new rows in quarantine, want the object itself", body, len(rows)-before)
		}
	}
}

func TestTimes(t *testing.T) {
	tests := []struct{ sent, want string }{
		{`"2023-12-06T19:20:45+01:00"`, "2023-12-06T18:20:45Z"},
		{`"2019-02-15 00:00:00 -0500"`, "2019-02-15T05:00:00Z"},
		{`"2013-07-16T19:20:30:123Z"`, "2013-07-16T19:20:30.123Z"},
		{`"2013-07-16T19:20:30:123+0100"`, "2013-07-16T18:20:30.123Z"},
		{`"2013-07-16T19:20:30"`, "2013-07-16T19:20:30Z"},
		{`"2013-07-16 19:20:30"`, "2013-07-16T19:20:30Z"},
		{`"2013-07-16"`, "2013-07-16T00:00:00Z"},
		{`"07/16/2013"`, "2013-07-16T00:00:00Z"},
		{`"Tue 07 16 19:20:30.+01:00 2013"`, "2013-07-16T18:20:30Z"},
		{`"Tue 07 16 19:20:30.-0500 2013"`, "2013-07-17T00:20:30Z"},
		{`1373998830`, "2013-07-16T18:20:30Z"},
		{`"16/07/2013"`, ""},
		{`"2199-01-01"`, "2199-01-01T00:00:00Z"}, // becomes the receipt only as the time of an event
	}
	for _, tt := range tests {
		got, err := readTime(json.RawMessage(tt.sent))
		if tt.want == "" {
			if err == nil {
				t.Errorf("readTime(%s) = %v, want an error", tt.sent, got)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339Nano) != tt.want {
			t.Errorf("readTime(%s) = %v, %v; want %s", tt.sent, got, err, tt.want)
		}
	}
}

func TestLimitsOfARequest(t *testing.T) {
	s := newServer(t)
	many := func(n int, object string) string {
		return "[" + strings.Repeat(object+",", n-1) + object + "]"
	}
	attribute, event := `{"external_id":"u1"}`, `{"external_id":"u1","name":"A","time":"2026-01-02"}`
	a := s.send("/users/track", `{"attributes":`+many(75, attribute)+`,"events":`+many(75, event)+`}`, http.StatusCreated)
	if *a.Attributes != 75 || *a.Events != 75 || a.Purchases != nil {
		t.Errorf("answer %+v", a)
	}
	for body, path := range map[string]string{
		`{"attributes":` + many(76, attribute) + `}`:                                                 "/users/track",
		`{"events":` + many(76, event) + `}`:                                                         "/users/track",
		`{"emails_to_identify":` + many(51, `{}`) + `}`:                                              "/users/identify",
		`{"emails_to_identify":` + many(30, `{}`) + `,"aliases_to_identify":` + many(21, `{}`) + `}`: "/users/identify",
	} {
		if a := s.send(path, body, http.StatusBadRequest); !strings.HasPrefix(a.Message, "Max Input Length Exceeded") {
			t.Errorf("message %q", a.Message)
		}
	}
	if got := len(s.person(profile.Who{UserID: "u1"}).Timeline); got != 75 {
		t.Errorf("%d events stored, want 75", got)
	}
}

func TestOnlyTheFirstPropertiesAreKept(t *testing.T) {
	s := newServer(t)
	var b strings.Builder
	for i := range maxProperties + 10 {
		fmt.Fprintf(&b, `,"p%03d":%d`, i, i)
	}
	s.send("/users/track", `{"events":[{"external_id":"u1","name":"A","time":"2026-01-02","properties":{`+b.String()[1:]+`}}]}`, http.StatusCreated)
	var kept map[string]int
	if err := json.Unmarshal(s.person(profile.Who{UserID: "u1"}).Timeline[0].Properties, &kept); err != nil {
		t.Fatal(err)
	}
	if len(kept) != maxProperties || kept["p255"] != 255 {
		t.Errorf("%d properties were kept", len(kept))
	}
	if q := s.quarantined(); len(q) != 1 || q[0].Reason != "too_many_properties" || q[0].Event != "A" {
		t.Errorf("quarantine %+v", q)
	}
}

// A request that is sent again leaves no second row, and what was left out of an
// object has a row only when the object was taken.
func TestRowsOfARepeatedRequest(t *testing.T) {
	s := newServer(t)
	send := func(status int, objects string) {
		t.Helper()
		s.send("/users/track", `{"attributes":[`+objects+`]}`, status, "Idempotency-Key", "k1")
	}
	for range 3 {
		send(http.StatusCreated, `{"external_id":"u1","country":"zz"},{"external_id":"u1","gender":"?"}`)
	}
	for range 2 {
		send(http.StatusCreated, `{"external_id":"u1","country":"zz"},{"external_id":"u1","gender":"F"}`)
	}
	if got := s.attributes("u1"); got != `{"gender":"F"}` {
		t.Errorf("attributes %s: the mended object was taken for a duplicate", got)
	}
	s.send("/users/track", `{"attributes":[{"braze_id":"00000000000000000000abcd","country":"zz"}]}`, http.StatusBadRequest)
	var reasons []string
	for _, q := range s.quarantined() {
		reasons = append(reasons, q.Reason)
	}
	slices.Sort(reasons)
	if want := []string{"bad_country", "bad_field", "unknown_profile"}; !slices.Equal(reasons, want) {
		t.Errorf("quarantine %q, want %q", reasons, want)
	}
}

// Attributes are set before the events of the same request, whatever the order of
// the arrays in its text, and later objects win over earlier ones.
func TestOrderWithinARequest(t *testing.T) {
	s := newServer(t)
	s.send("/users/track", `{
		"purchases": [{"external_id":"u1","product_id":"p","currency":"EUR","price":1,"time":"2026-01-02"}],
		"events": [{"email":"a@b.co","name":"By e-mail","time":"2026-01-03"}],
		"attributes": [{"external_id":"u1","email":"a@b.co","color":"z"},{"external_id":"u1","color":"a"}]}`, http.StatusCreated)
	p := s.person(profile.Who{UserID: "u1"})
	if len(p.Timeline) != 2 || p.Timeline[0].Name != "By e-mail" {
		t.Errorf("timeline %+v, want the event by e-mail on the profile that the attributes made", p.Timeline)
	}
	if got, want := string(p.Attributes), `{"color":"a","email":"a@b.co"}`; got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
}

func TestByBrazeID(t *testing.T) {
	s := newServer(t)
	s.send("/users/track", `{"attributes":[{"external_id":"u1"}]}`, http.StatusCreated)
	found, err := s.store.Profile(t.Context(), ours, profile.Who{UserID: "u1"}, s.now().UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	body := `{"attributes":[{"braze_id":"` + profile.BrazeIDOf(found.Root.ID) + `","color":"red"}]}`
	s.send("/users/track", body, http.StatusCreated)
	if got := s.attributes("u1"); got != `{"color":"red"}` {
		t.Errorf("attributes %s", got)
	}
}

package engage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"platen/internal/profile"
)

func TestIdentifyValidation(t *testing.T) {
	s := newServer(t)
	tests := []struct{ array, object, err string }{
		{"aliases_to_identify", `{"user_alias":{"alias_name":"n","alias_label":"l"}}`, "'external_id' is required"},
		{"aliases_to_identify", `{"external_id":"u1"}`, "'user_alias' is required"},
		{"aliases_to_identify", `{"external_id":"u1","user_alias":{"alias_name":"n"}}`, "'user_alias' is not valid"},
		{"aliases_to_identify", `{"external_id":"null","user_alias":{"alias_name":"n","alias_label":"l"}}`, blacklisted},
		{"aliases_to_identify", `{"external_id":"u1","user_alias":{"alias_name":"n","alias_label":"l"}}`, ""},
		{"aliases_to_identify", `"u1"`, "each of 'aliases_to_identify' must be an object"},
		{"emails_to_identify", `{"external_id":"u1"}`, "'email' is required"},
		{"emails_to_identify", `{"external_id":"u1","email":"a"}`, emailInvalid},
		{"emails_to_identify", `{"external_id":5,"email":"a@b.co"}`, ""},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":[]}`, ""},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":["least_recently_updated","identified"]}`, ""},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":["newest"]}`, "'prioritization' is not valid"},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":"identified"}`, "'prioritization' is not valid"},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":["identified","identified"]}`, "'prioritization' is not valid"},
		{"emails_to_identify", `{"external_id":"u1","email":"a@b.co","prioritization":["identified","unidentified"]}`, "'prioritization' is not valid"},
		{"phone_numbers_to_identify", `{"external_id":"u1","phone":true}`, "'phone' is not valid"},
		{"phone_numbers_to_identify", `{"external_id":"u1","phone":"+1"}`, ""},
	}
	for _, tt := range tests {
		before := len(s.quarantined())
		body := `{"` + tt.array + `":[` + tt.object + `]}`
		if tt.err == "" {
			if a := s.send("/users/identify", body, http.StatusCreated); a.Aliases == nil || *a.Aliases != 1 || a.Message != "success" {
				t.Errorf("%s: answer %+v", body, a)
			}
			continue
		}
		a := s.send("/users/identify", body, http.StatusBadRequest)
		if a.Message != noIdentifyData || len(a.Errors) != 1 || a.Errors[0].Type != tt.err || a.Errors[0].Array != tt.array {
			t.Errorf("%s: answer %+v, want %q", body, a, tt.err)
		}
		if rows := s.quarantined(); len(rows) != before+1 || string(rows[0].Raw) != tt.object || rows[0].Source != source {
			t.Errorf("%s: %d new rows in quarantine, want the object itself", body, len(rows)-before)
		}
	}
}

// Three profiles share an e-mail: two that are known by an alias, the second of
// them heard of later, and one that has an external id. The prioritization decides
// whom a new external id is given to.
func TestIdentifyAmongSeveral(t *testing.T) {
	const email = "shared@example.com"
	tests := []struct {
		prioritization string // as it stands in the object
		together       bool   // all were last heard of at once
		status         int
		named          string // the alias of the profile that got the external id
	}{
		{``, false, 201, "two"},
		{`,"prioritization":null`, false, 201, "two"},
		{`,"prioritization":["unidentified","most_recently_updated"]`, false, 201, "two"},
		{`,"prioritization":["least_recently_updated","unidentified"]`, false, 201, "one"},
		{`,"prioritization":["unidentified"]`, false, 201, ""}, // two are left, so nothing happens
		{``, true, 201, ""},
		{`,"prioritization":["identified","most_recently_updated"]`, false, 400, ""}, // two known users are never merged here
	}
	for _, tt := range tests {
		s := newServer(t)
		objects := []string{
			`{"user_alias":{"alias_name":"one","alias_label":"crm"},"email":"` + email + `","_update_existing_only":false}`,
			`{"user_alias":{"alias_name":"two","alias_label":"crm"},"email":"` + email + `","_update_existing_only":false}`,
			`{"external_id":"known","email":"` + email + `"}`,
		}
		if tt.together {
			objects = []string{strings.Join(objects, ",")}
		}
		for _, o := range objects {
			s.send("/users/track", `{"attributes":[`+o+`]}`, http.StatusCreated)
		}
		s.send("/users/identify", `{"emails_to_identify":[{"external_id":"new","email":"`+email+`"`+tt.prioritization+`}]}`, tt.status)
		for _, name := range []string{"one", "two"} {
			p := s.person(profile.Who{Alias: profile.AliasOf("crm", name).Value})
			if named := len(p.Identifiers) == 2; named != (name == tt.named) {
				t.Errorf("%q, together %v: alias %s has %v", tt.prioritization, tt.together, name, p.Identifiers)
			}
		}
	}
}

func TestAnEmailOfTooManyNamesNobody(t *testing.T) {
	s := newServer(t)
	const email = `"email":"info@example.com"`
	for first := 0; first <= profile.MaxSharers; first += maxObjects {
		s.send("/users/track", `{"attributes":`+arrayOf(min(maxObjects, profile.MaxSharers+1-first), func(i int) string {
			return fmt.Sprintf(`{"external_id":"u%d",%s}`, first+i, email)
		})+`}`, http.StatusCreated)
	}
	s.send("/users/track", `{"events":[{`+email+`,"name":"A","time":"2026-01-02"}]}`, http.StatusBadRequest)
	s.send("/users/identify", `{"emails_to_identify":[{"external_id":"new",`+email+`}]}`, http.StatusBadRequest)
	s.send("/users/identify", `{"emails_to_identify":[{"external_id":"new",`+email+`,"prioritization":["identified","most_recently_updated"]}]}`, http.StatusBadRequest)
	rows := s.quarantined()
	if len(rows) != 3 {
		t.Fatalf("%d rows in quarantine", len(rows))
	}
	for _, q := range rows {
		if q.Reason != "too_many_profiles" || !strings.Contains(q.Message, "external_id") {
			t.Errorf("quarantine: %s: %s", q.Reason, q.Message)
		}
	}
	s.send("/users/track", `{"attributes":[{"external_id":"u7","email":null}]}`, http.StatusCreated)
	s.send("/users/track", `{"events":[{`+email+`,"name":"A","time":"2026-01-02"}]}`, http.StatusCreated)
}

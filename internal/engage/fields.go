package engage

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// field reads a profile field into a sheet; its value is not null.
type field func(s *sheet, name string, raw json.RawMessage) error

// fields are the attributes with a meaning of their own (spec 4.1). They are kept
// under the API's names.
var fields = map[string]field{
	"country":                       country,
	"current_location":              location,
	"date_of_first_session":         moment,
	"date_of_last_session":          moment,
	"dob":                           birthday,
	"email":                         email,
	"email_click_tracking_disabled": boolean,
	"email_open_tracking_disabled":  boolean,
	"email_subscribe":               oneOf(subscriptionStates...),
	"facebook":                      structure,
	"first_name":                    text,
	"gender":                        oneOf("M", "F", "O", "N", "P"),
	"home_city":                     text,
	"language":                      text,
	"last_name":                     text,
	"marked_email_as_spam_at":       moment,
	"phone":                         phone,
	"push_subscribe":                oneOf(subscriptionStates...),
	"push_tokens":                   list,
	"subscription_groups":           subscriptionGroups,
	"time_zone":                     timeZone,
	"twitter":                       structure,
}

var subscriptionStates = []string{"opted_in", "subscribed", "unsubscribed"}

func text(s *sheet, name string, raw json.RawMessage) error {
	value, ok := textIn(raw)
	if !ok || tooLong(value) {
		return notValid(name, "is a string of at most %d characters", maxText)
	}
	s.put(name, compact(raw))
	return nil
}

func boolean(s *sheet, name string, raw json.RawMessage) error {
	if raw[0] != 't' && raw[0] != 'f' {
		return notValid(name, "is true or false")
	}
	s.put(name, string(raw))
	return nil
}

func oneOf(values ...string) field {
	return func(s *sheet, name string, raw json.RawMessage) error {
		value, ok := textIn(raw)
		if !ok || !slices.Contains(values, value) {
			return notValid(name, "is one of %s", strings.Join(values, ", "))
		}
		s.put(name, quote(value))
		return nil
	}
}

func moment(s *sheet, name string, raw json.RawMessage) error {
	if _, err := readTime(raw); err != nil {
		return notValid(name, "is a time in ISO 8601")
	}
	s.put(name, compact(raw))
	return nil
}

func birthday(s *sheet, name string, raw json.RawMessage) error {
	value, _ := textIn(raw)
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return notValid(name, "is a date as in 1980-12-21")
	}
	s.put(name, quote(value))
	return nil
}

func email(s *sheet, name string, raw json.RawMessage) error {
	address, err := emailIn(object{name: raw})
	if err != nil {
		return err
	}
	s.put(name, quote(address))
	return nil
}

func phone(s *sheet, name string, raw json.RawMessage) error {
	number, err := phoneIn(object{name: raw})
	if err != nil {
		return err
	}
	s.put(name, quote(number))
	return nil
}

// country keeps ISO 3166-1 codes of two letters; anything else becomes null, as
// by the original.
func country(s *sheet, name string, raw json.RawMessage) error {
	value, _ := textIn(raw)
	code := strings.ToUpper(strings.TrimSpace(value))
	if !countries[code] {
		s.put(name, "null")
		s.leave(name, "bad_country", "country is no ISO 3166-1 code of two letters, so it was removed")
		return nil
	}
	s.put(name, quote(code))
	return nil
}

// timeZone keeps names of the IANA database. Names as Rails writes them are
// translated, so that every reader understands them; anything else is ignored, as
// by the original.
func timeZone(s *sheet, name string, raw json.RawMessage) error {
	value, _ := textIn(raw)
	zone, ok := findZone(strings.TrimSpace(value))
	if !ok {
		s.leave(name, "bad_time_zone", "time_zone is no name of the IANA database, so it was left as it was")
		return nil
	}
	s.put(name, quote(zone))
	return nil
}

func location(s *sheet, name string, raw json.RawMessage) error {
	var at struct {
		Longitude *float64 `json:"longitude"`
		Latitude  *float64 `json:"latitude"`
	}
	err := json.Unmarshal(raw, &at)
	if err != nil || at.Longitude == nil || at.Latitude == nil ||
		*at.Longitude < -180 || *at.Longitude > 180 || *at.Latitude < -90 || *at.Latitude > 90 {
		return notValid(name, "is an object with a longitude and a latitude in degrees")
	}
	s.put(name, compact(raw))
	return nil
}

func structure(s *sheet, name string, raw json.RawMessage) error {
	if raw[0] != '{' || len(raw) > maxNested {
		return notValid(name, "is an object of at most %d bytes", maxNested)
	}
	s.put(name, compact(raw))
	return nil
}

func list(s *sheet, name string, raw json.RawMessage) error {
	if raw[0] != '[' || len(raw) > maxNested {
		return notValid(name, "is an array of at most %d bytes", maxNested)
	}
	s.put(name, compact(raw))
	return nil
}

// subscriptionGroups changes the state of the groups named and leaves the others.
func subscriptionGroups(s *sheet, name string, raw json.RawMessage) error {
	var groups []struct {
		ID    string `json:"subscription_group_id"`
		State string `json:"subscription_state"`
	}
	if json.Unmarshal(raw, &groups) != nil || len(raw) > maxNested {
		return notValid(name, "is an array of objects")
	}
	items := make([]any, len(groups))
	for i, g := range groups {
		if g.ID == "" || !slices.Contains(subscriptionStates[1:], g.State) {
			return notValid(name, "has objects with a subscription_group_id and a subscription_state, which is subscribed or unsubscribed")
		}
		items[i] = map[string]any{"subscription_group_id": g.ID, "subscription_state": g.State}
	}
	s.change(name, replaceBy("subscription_group_id", items))
	return nil
}

package engage

import (
	"encoding/json"
	"regexp"
	"time"

	"platen/internal/event"
)

// colonMillis is a clock whose milliseconds follow a colon.
var colonMillis = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d):(\d{3})`)

// timeLayouts are what the original takes beside ISO 8601 (spec 4.1, "Dates").
var timeLayouts = []string{
	"01/02/2006",
	"Mon 01 02 15:04:05.Z07:00 2006",
	"Mon 01 02 15:04:05.-0700 2006",
}

// readTime reads a time in any of the forms that the API takes. The zero time
// stands for none.
func readTime(raw json.RawMessage) (time.Time, error) {
	t, err := event.ParseTime(raw)
	if err == nil {
		return t, nil
	}
	value, _ := textIn(raw)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, value); err == nil {
			return t, nil
		}
	}
	if colonMillis.MatchString(value) {
		return event.ParseTime(json.RawMessage(quote(colonMillis.ReplaceAllString(value, "$1.$2"))))
	}
	return time.Time{}, err
}

package liquid

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// zones keeps the zones that were asked for: reading one costs a file access.
// Only zones that exist are kept, so their number is bounded.
var zones sync.Map // name → *time.Location

// railsZones are names of zones as Rails writes them, which profiles imported
// from Braze hold.
var railsZones = map[string]string{
	"Eastern Time (US & Canada)":  "America/New_York",
	"Central Time (US & Canada)":  "America/Chicago",
	"Mountain Time (US & Canada)": "America/Denver",
	"Pacific Time (US & Canada)":  "America/Los_Angeles",
	"Atlantic Time (Canada)":      "America/Halifax",
	"Arizona":                     "America/Phoenix",
	"Alaska":                      "America/Juneau",
	"Hawaii":                      "Pacific/Honolulu",
	"London":                      "Europe/London",
	"Paris":                       "Europe/Paris",
	"Berlin":                      "Europe/Berlin",
	"Madrid":                      "Europe/Madrid",
	"Tokyo":                       "Asia/Tokyo",
	"Sydney":                      "Australia/Sydney",
}

// zone finds a time zone by its name (IANA or Rails) or its offset: hours up to
// 14, else hours and minutes as in -0530 or +05:30.
func zone(v any) (*time.Location, bool) {
	switch v := v.(type) {
	case int64:
		return offsetZone(v)
	case string:
		name := trimSpace(v)
		if n, err := strconv.ParseInt(strings.Replace(name, ":", "", 1), 10, 64); err == nil {
			return offsetZone(n)
		}
		return namedZone(name)
	}
	return nil, false
}

func offsetZone(n int64) (*time.Location, bool) {
	hours, minutes := n, int64(0)
	if n > 14 || n < -14 {
		hours, minutes = n/100, n%100
	}
	if hours > 14 || hours < -14 || minutes > 59 || minutes < -59 {
		return nil, false
	}
	return time.FixedZone("", int(hours*3600+minutes*60)), true
}

func namedZone(name string) (*time.Location, bool) {
	if iana, ok := railsZones[name]; ok {
		name = iana
	}
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), true
	}
	// "" and "Local" mean something to Go only.
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(strings.Clone(name), loc)
	return loc, true
}

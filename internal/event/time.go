package event

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"platen/internal/fault"
)

// secondsBelow separates the units of a bare number: below it counts seconds
// since 1970, from it on milliseconds. It is the year 5138 in seconds and March
// 1973 in milliseconds, so no real event is misread.
const secondsBelow = 1e11

// latest is the last moment that the four-digit years of RFC 3339 can name.
var latest = time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC)

// ParseTime reads a time as senders write it: a JSON number, or a number in a
// string, in seconds since 1970 (below 1e11, fractions allowed) or milliseconds
// (else); or a string in ISO 8601 with or without a clock and an offset, as
// "2019-02-15 00:00:00 -0500". Without an offset it is UTC.
//
// The offset is kept in the Location of the result. Fractions of a number
// count to the microsecond. Absent and null give the zero Time. Everything else, and whatever
// lies before 1970 or after 9999, is a *fault.Error with the reason "bad_time".
func ParseTime(raw json.RawMessage) (time.Time, error) {
	if isAbsent(raw) {
		return time.Time{}, nil
	}
	switch c := raw[0]; {
	case c == '"':
		s, ok := stringOf(raw)
		if !ok {
			return time.Time{}, badTime("the time is not a valid string")
		}
		return parseTimeText(strings.TrimSpace(s))
	case c == '-' || isDigit(c):
		return parseTimeNumber(string(raw))
	default:
		return time.Time{}, badTime("the time is neither a number nor a string")
	}
}

func badTime(format string, args ...any) error {
	return fault.Refused("bad_time", format+"; send seconds or milliseconds since 1970, or ISO 8601 as in 2026-01-31T15:04:05Z", args...)
}

func parseTimeText(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, badTime("the time is an empty string")
	}
	if strings.Trim(s, "0123456789+-.eE") == "" && strings.Count(s, "-") < 2 {
		return parseTimeNumber(s)
	}
	t, ok := parseISO(s)
	if !ok {
		return time.Time{}, badTime("the time %q is not understood", clip(s))
	}
	return inRange(t, s)
}

func parseTimeNumber(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < secondsBelow {
			return inRange(time.Unix(n, 0).UTC(), s)
		}
		return inRange(time.UnixMilli(n).UTC(), s)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, badTime("the time %q is not a number", clip(s))
	}
	micros := n * 1e3
	if n < secondsBelow {
		micros = n * 1e6
	}
	if micros > float64(latest.UnixMicro()) {
		return time.Time{}, outOfRange(s)
	}
	return inRange(time.UnixMicro(int64(math.Round(micros))).UTC(), s)
}

func inRange(t time.Time, s string) (time.Time, error) {
	if t.Unix() < 0 || t.After(latest) {
		return time.Time{}, outOfRange(s)
	}
	return t, nil
}

func outOfRange(s string) error {
	return badTime("the time %q lies before 1970 or after 9999", clip(s))
}

// parseISO reads date, clock and offset apart, because senders combine them in
// more ways than layouts could list, and because time.Parse would put the
// server's own zone into the result where the offsets agree.
func parseISO(s string) (time.Time, bool) {
	const date = "2006-01-02"
	if len(s) < len(date) {
		return time.Time{}, false
	}
	day, err := time.Parse(date, s[:len(date)])
	if err != nil {
		return time.Time{}, false
	}
	if len(s) == len(date) {
		return day, true
	}
	if sep := s[len(date)]; sep != 'T' && sep != 't' && sep != ' ' {
		return time.Time{}, false
	}
	clock := s[len(date)+1:]
	zone := ""
	if i := strings.IndexAny(clock, " Zz+-U"); i >= 0 {
		clock, zone = clock[:i], strings.TrimPrefix(clock[i:], " ")
	}
	since, ok := parseClock(clock)
	if !ok {
		return time.Time{}, false
	}
	loc, ok := parseOffset(zone)
	if !ok {
		return time.Time{}, false
	}
	year, month, dom := day.Date()
	return time.Date(year, month, dom, 0, 0, 0, 0, loc).Add(since), true
}

// parseClock gives the time since midnight of "15:04" and "15:04:05.999".
func parseClock(s string) (time.Duration, bool) {
	layout := "15:04:05"
	if len(s) == len("15:04") {
		layout = "15:04"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return 0, false
	}
	return t.Sub(time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)), true
}

// parseOffset reads "", "Z", "UTC", "+01", "+0100" and "+01:00".
func parseOffset(s string) (*time.Location, bool) {
	switch s {
	case "", "Z", "z", "UTC":
		return time.UTC, true
	}
	layout := ""
	switch len(s) {
	case len("+01"):
		layout = "-07"
	case len("+0100"):
		layout = "-0700"
	case len("+01:00"):
		layout = "-07:00"
	default:
		return nil, false
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return nil, false
	}
	_, offset := t.Zone()
	const widest = 18 * 60 * 60 // beyond any offset in use; the real ones end at 14 hours
	if offset < -widest || offset > widest {
		return nil, false
	}
	return time.FixedZone("", offset), true
}

// clip cuts text of a sender to a length that fits a message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

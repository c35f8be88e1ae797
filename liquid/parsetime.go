package liquid

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const monthNames = `(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?`

// The forms in which people and programs write times, a subset of what Ruby's
// Time.parse takes.
var (
	clockForm    = regexp.MustCompile(`(?i)(?:^|[T\s,])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*([ap])?(?:\.?m\b\.?)?\s*(Z\b|[A-Z]{3,4}\b|[+-]\d{2}:?\d{2}\b)?`)
	yearForm     = regexp.MustCompile(`^\D*(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?`)
	dayForm      = regexp.MustCompile(`^\D*(\d{1,2})[/.](\d{1,2})[/.](\d{4})`)
	monthForm    = regexp.MustCompile(`(?i)\b` + monthNames + `[\s-]+(\d{1,2})(?:st|nd|rd|th)?\b(?:[\s,-]+(\d{4})\b)?`)
	dayMonthForm = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th)?[\s-]+` + monthNames + `(?:[\s,-]+(\d{4})\b)?`)
	monthYear    = regexp.MustCompile(`(?i)\b` + monthNames + `[\s,-]+(\d{4})\b`)
)

// zoneOffsets are the abbreviations that Ruby's Time.parse knows, in hours.
var zoneOffsets = map[string]int{
	"Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
	"MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}

// longestTime is the length up to which a text may be a time.
const longestTime = 128

// parseTime reads a time as Ruby's Time.parse does. What the text leaves out is
// taken from now: the year, the day, the zone.
func parseTime(text string, now time.Time) (time.Time, bool) {
	if len(text) > longestTime {
		return time.Time{}, false
	}
	var c clock
	c.loc = now.Location()
	at := clockForm.FindStringSubmatchIndex(text)
	if at != nil {
		if !c.read(clockForm.FindStringSubmatch(text)) {
			return time.Time{}, false
		}
		// What is left is the date; `Mon Nov 23 10:00:00 UTC 2026` has it around.
		text = text[:at[0]] + " " + text[at[1]:]
	}
	year, month, day, ok := parseDate(text, now)
	if !ok {
		if at == nil || trimSpace(text) != "" {
			return time.Time{}, false
		}
		year, month, day = now.Year(), int(now.Month()), now.Day()
	}
	t := time.Date(year, time.Month(month), day, c.hour, c.minute, c.second, c.nano, c.loc)
	// Each month takes 31 days; those it does not have run into the next one.
	return t, month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// parseDate finds year, month and day.
func parseDate(text string, now time.Time) (year, month, day int, ok bool) {
	if m := yearForm.FindStringSubmatch(text); m != nil {
		return digitsOr(m[1], 0), digitsOr(m[2], 0), digitsOr(m[3], 1), true
	}
	if m := dayForm.FindStringSubmatch(text); m != nil {
		return digitsOr(m[3], 0), digitsOr(m[2], 0), digitsOr(m[1], 0), true
	}
	if m := monthForm.FindStringSubmatch(text); m != nil {
		return digitsOr(m[3], now.Year()), monthNumber(m[1]), digitsOr(m[2], 0), true
	}
	if m := dayMonthForm.FindStringSubmatch(text); m != nil {
		return digitsOr(m[3], now.Year()), monthNumber(m[2]), digitsOr(m[1], 0), true
	}
	if m := monthYear.FindStringSubmatch(text); m != nil {
		return digitsOr(m[2], 0), monthNumber(m[1]), 1, true
	}
	return 0, 0, 0, false
}

// digitsOr reads digits; when there are none it gives the default.
func digitsOr(digits string, missing int) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return missing
	}
	return n
}

func monthNumber(name string) int {
	return strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(name))/3 + 1
}

// clock is a time of day.
type clock struct {
	hour, minute, second, nano int
	loc                        *time.Location
}

// read takes the parts that clockForm found; ok is false when they are no time.
func (c *clock) read(parts []string) bool {
	c.hour, c.minute, c.second = digitsOr(parts[1], 0), digitsOr(parts[2], 0), digitsOr(parts[3], 0)
	c.nano = digitsOr((parts[4] + "000000000")[:9], 0)
	if half := strings.ToLower(parts[5]); half != "" {
		if c.hour > 12 {
			return false
		}
		c.hour %= 12
		if half == "p" {
			c.hour += 12
		}
	}
	c.zone(strings.ToUpper(parts[6]))
	return c.hour <= 24 && c.minute < 60 && c.second <= 60
}

// zone takes an offset or an abbreviation; an unknown one is ignored.
func (c *clock) zone(name string) {
	if hours, ok := zoneOffsets[name]; ok {
		c.loc = time.UTC
		if hours != 0 {
			c.loc = time.FixedZone("", hours*3600)
		}
		return
	}
	if name == "" || name[0] != '+' && name[0] != '-' {
		return
	}
	n := digitsOr(strings.Replace(name[1:], ":", "", 1), 0)
	offset := n/100*3600 + n%100*60
	if name[0] == '-' {
		offset = -offset
	}
	c.loc = time.FixedZone("", offset)
}

package liquid

import (
	"strings"
	"time"
)

func filterDate(s *Scope, in any, args []any) (any, error) {
	format, err := s.text(args[0])
	if err != nil || format == "" {
		return in, err
	}
	t, ok, err := s.time(in)
	if !ok {
		return in, err
	}
	if err := s.work(strings.Count(format, "%")); err != nil {
		return nil, err
	}
	from := len(s.out) // behind the output is room that costs nothing
	out, err := appendStrftime(s.out, t, format, from+s.built)
	return string(out[min(from, len(out)):]), err
}

func filterTimeZone(s *Scope, in any, args []any) (any, error) {
	t, ok, err := s.time(in)
	if !ok || args[0] == nil {
		return in, err
	}
	name, err := s.text(args[0])
	if err != nil || name == "" {
		return in, err
	}
	loc, ok := zone(args[0])
	if !ok {
		return nil, failed("unknown time zone " + quote(name))
	}
	return t.In(loc), nil
}

// time reads a value as a time: seconds since 1970, 'now', or text that is one. An
// error ends the render; it does not say that the value is no time.
func (s *Scope) time(v any) (t time.Time, ok bool, err error) {
	now := s.in.Now
	if s.opts.Dialect == Braze {
		now = now.UTC()
	}
	switch v := v.(type) {
	case time.Time:
		return v, true, nil
	case int64:
		t, ok = seconds(v, now.Location())
		return t, ok, nil
	case string:
		return s.timeText(v, now)
	}
	return time.Time{}, false, nil
}

// maxSeconds is the end of the year 9999; times beyond it are not times.
const maxSeconds = 253402300799

func seconds(n int64, loc *time.Location) (time.Time, bool) {
	if n > maxSeconds || n < -maxSeconds {
		return time.Time{}, false
	}
	return time.Unix(n, 0).In(loc), true
}

func (s *Scope) timeText(text string, now time.Time) (t time.Time, ok bool, err error) {
	switch text {
	case "now", "today":
		return now, true, nil
	}
	if allDigits(text) && len(text) <= 12 {
		n, _ := toInteger(text)
		t, ok = seconds(n, now.Location())
		return t, ok, nil
	}
	const perByte = 4 // several expressions are tried
	if err := s.work(perByte * min(len(text), longestTime)); err != nil {
		return time.Time{}, false, err
	}
	t, ok = parseTime(text, now)
	if ok && s.opts.Dialect == Braze {
		t = t.UTC() // Braze prints in UTC whatever zone a time was written in
	}
	return t, ok, nil
}

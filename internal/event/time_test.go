package event

import (
	"encoding/json"
	"testing"
	"time"

	"platen/internal/fault"
)

func TestParseTime(t *testing.T) {
	tests := []struct{ raw, want string }{
		{`1257894000`, "2009-11-10T23:00:00Z"},
		{`1257894000000`, "2009-11-10T23:00:00Z"},
		{`"1257894000"`, "2009-11-10T23:00:00Z"},
		{`" 1257894000000 "`, "2009-11-10T23:00:00Z"},
		{`1257894000.25`, "2009-11-10T23:00:00.25Z"},
		{`"1257894000.123456"`, "2009-11-10T23:00:00.123456Z"},
		{`1257894000123`, "2009-11-10T23:00:00.123Z"},
		{`1.257894e12`, "2009-11-10T23:00:00Z"},
		{`0`, "1970-01-01T00:00:00Z"},
		{`99999999999`, "5138-11-16T09:46:39Z"},
		{`100000000000`, "1973-03-03T09:46:40Z"},
		{`253402300799999`, "9999-12-31T23:59:59.999Z"},
		{`"2023-12-06T19:20:45+01:00"`, "2023-12-06T19:20:45+01:00"},
		{`"2019-02-15 00:00:00 -0500"`, "2019-02-15T00:00:00-05:00"},
		{`"2019-02-15T00:00:00-05"`, "2019-02-15T00:00:00-05:00"},
		{`"2019-02-15"`, "2019-02-15T00:00:00Z"},
		{`"2019-02-15T10:20"`, "2019-02-15T10:20:00Z"},
		{`"2019-02-15T10:20:30"`, "2019-02-15T10:20:30Z"},
		{`"2019-02-15t10:20:30.123456789z"`, "2019-02-15T10:20:30.123456789Z"},
		{`"2019-02-15 10:20:30 UTC"`, "2019-02-15T10:20:30Z"},
		{`"2019-02-15T10:20:30.5+05:30"`, "2019-02-15T10:20:30.5+05:30"},
		{`"2019-02-15\u002010:20:30"`, "2019-02-15T10:20:30Z"},
	}
	for _, tt := range tests {
		got, err := ParseTime(json.RawMessage(tt.raw))
		if err != nil || got.Format(time.RFC3339Nano) != tt.want {
			t.Errorf("ParseTime(%s) = %v, %v; want %s", tt.raw, got.Format(time.RFC3339Nano), err, tt.want)
		}
	}
}

// The server's own zone must not leak into an event whose offset happens to agree.
func TestParseTimeKeepsTheSendersOffset(t *testing.T) {
	got, err := ParseTime(json.RawMessage(`"2023-12-06T19:20:45+00:00"`))
	if err != nil || got.Location() == time.Local {
		t.Errorf("got %v in %v, %v", got, got.Location(), err)
	}
	if _, offset := got.Zone(); offset != 0 {
		t.Errorf("offset %d", offset)
	}
}

func TestParseTimeAbsent(t *testing.T) {
	for _, raw := range []string{``, `null`} {
		if got, err := ParseTime(json.RawMessage(raw)); err != nil || !got.IsZero() {
			t.Errorf("ParseTime(%q) = %v, %v", raw, got, err)
		}
	}
}

func TestParseTimeRefusesNonsense(t *testing.T) {
	for _, raw := range []string{
		`""`, `" "`, `"now"`, `"NaN"`, `"Inf"`, `"-Inf"`, `"0x10"`, `"1_000"`, `"."`, `"-"`, `"e"`, `true`, `{}`, `[1]`, `nope`, `"open`, `-1.5`, `-1e300`, `"1e18.0"`, `2.534023008000001e14`, `1e30`,
		`-1`, `"-1257894000"`, `-1257894000000`, `1e400`, `253402300800000`, `1e18`,
		`"1969-12-31T23:59:59Z"`, `"0001-01-01T00:00:00Z"`, `"10000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-05:00"`,
		`"1970-01-01T00:00:00+01:00"`,
		`"2019-02-30"`, `"2019-13-01"`, `"2019-02-15T25:00:00Z"`, `"2019-02-15T10:20:30+99:00"`, `"2019-02-15T10:20:30 Paris"`,
		`"2019-02-15X10:20:30"`, `"2019-02-15T"`, `"2019-02-15T10"`, `"2019-02-15T10:20:30Zjunk"`, `"15/02/2019"`, `"2019-2-5"`,
	} {
		got, err := ParseTime(json.RawMessage(raw))
		if fault.ReasonOf(err) != "bad_time" || !got.IsZero() {
			t.Errorf("ParseTime(%s) = %v, %v; want bad_time", raw, got, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{`1257894000`, `"2019-02-15 00:00:00 -0500"`, `"1e12"`, `"2019-02-15T10:20:30,5Z"`, `-0`, `"0000-00-00"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ParseTime(raw)
		switch {
		case err != nil && fault.ReasonOf(err) != "bad_time":
			t.Fatalf("%q: %v", raw, err)
		case err == nil && !got.IsZero() && (got.Unix() < 0 || got.UTC().Year() > 9999):
			t.Fatalf("%q gave %v", raw, got)
		}
	})
}

package liquid

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestStrftime(t *testing.T) {
	chicago := time.FixedZone("CST", -6*3600)
	at := time.Date(2024, 3, 5, 7, 8, 9, 12345678, chicago)
	for format, want := range map[string]string{
		"%Y-%m-%d %H:%M:%S": "2024-03-05 07:08:09", "%F %T": "2024-03-05 07:08:09", "%D %R %r": "03/05/24 07:08 07:08:09 AM",
		"%e %-d %_d %3d %_3d": " 5 5  5 005   5", "%-m/%-d/%y": "3/5/24", "%j %U %W %V %G %g %u %w": "065 09 10 10 2024 24 2 2",
		"%a %A %^a %b %B %h %^B": "Tue Tuesday TUE Mar March Mar MARCH", "%I %l %k %p %P %#p": "07  7  7 AM am am",
		"%L %N %3N %6N": "012 012345678 012 012345", "%z %:z %::z %Z": "-0600 -06:00 -06:00:00 CST",
		"%s %C %%": "1709644089 20 %", "%c": "Tue Mar  5 07:08:09 2024", "%10A|%-A|%010Y": "   Tuesday|Tuesday|0000002024",
		"%x %X %v %n%t": "03/05/24 07:08:09  5-MAR-2024 \n\t", "%Q %": "%Q %", "%^Z %#Z": "CST cst",
	} {
		out, err := appendStrftime(nil, at, format, 1000)
		if err != nil || string(out) != want {
			t.Errorf("%s\n got %q, %v\nwant %q", format, out, err, want)
		}
	}
}

func TestDatesAreReadAsInRuby(t *testing.T) {
	now := time.Date(2020, 5, 6, 7, 8, 9, 0, time.UTC)
	for text, want := range map[string]string{
		"2016-03-14": "2016-03-14T00:00:00Z", "2016-03-14 15:04:05 UTC": "2016-03-14T15:04:05Z",
		"2016-03-14T15:04:05+02:00": "2016-03-14T15:04:05+02:00", "2016-03-14T15:04:05.25Z": "2016-03-14T15:04:05.25Z",
		"2019-02-15 00:00:00 -0500": "2019-02-15T00:00:00-05:00", "March 14, 2016": "2016-03-14T00:00:00Z",
		"14 Mar 2016 3:04 pm": "2016-03-14T15:04:00Z", "Mar 14 2016 12:00 AM": "2016-03-14T00:00:00Z",
		"Mon Mar 14 15:04:05 UTC 2016": "2016-03-14T15:04:05Z", "Mon, 14 Mar 2016 15:04:05 GMT": "2016-03-14T15:04:05Z",
		"14/03/2016": "2016-03-14T00:00:00Z", "2016/3/1": "2016-03-01T00:00:00Z", "March 2016": "2016-03-01T00:00:00Z",
		"March 14th": "2020-03-14T00:00:00Z", "15:04": "2020-05-06T15:04:00Z", "2016-03-14 15:04 EST": "2016-03-14T15:04:00-05:00",
		"hello": "", "": "", "2016-13-01": "", "2016-02-30": "2016-03-01T00:00:00Z", "2016-02-32": "", "25:00": "", "12/25/2016": "", "now and then": "",
	} {
		got := ""
		if at, ok := parseTime(text, now); ok {
			got = at.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// TestNowIsTheInputs checks that the dialects take the zone of now differently:
// Braze prints in UTC.
func TestNowIsTheInputs(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for dialect, want := range map[Dialect]string{Shopify: "00 +0100", Braze: "23 +0000"} {
		tpl, err := Parse(`{{ 'now' | date: '%H %z' }}`, Options{Dialect: dialect})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tpl.Render(context.Background(), Input{Now: seedNow.In(berlin)})
		if err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

// TestDateWithinLimits checks that a limit or a cancelled render within the date
// filter ends the render: the text must not be printed as it came.
func TestDateWithinLimits(t *testing.T) {
	const source, want = `{{ '2024-01-02T03:04:05' | date: '%F' }}`, "2024-01-02"
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for ctx, limit := range map[context.Context]int{context.Background(): 0, cancelled: 1_000_000 / checkEvery * checkEvery} {
		for more := 1; more <= 2*checkEvery; more++ {
			tpl, err := Parse(source, Options{Dialect: Braze, Limits: Limits{Steps: limit + more}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := tpl.Render(ctx, Input{Now: seedNow})
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Kind != KindLimit) || err == nil && got != want {
				t.Fatalf("%d steps: got %q, %v", limit+more, got, err)
			}
		}
	}
}

func TestZones(t *testing.T) {
	for name, want := range map[any]string{
		"America/New_York": "-0500", "Eastern Time (US & Canada)": "-0500", int64(-5): "-0500", int64(530): "+0530",
		"+05:30": "+0530", "-0330": "-0330", "UTC": "+0000", "Local": "", "": "", "Mars": "", int64(99): "", true: "", "../etc/passwd": "",
	} {
		got := ""
		if loc, ok := zone(name); ok {
			got = seedNow.In(loc).Format("-0700")
		}
		if got != want {
			t.Errorf("%v is %q, want %q", name, got, want)
		}
	}
}

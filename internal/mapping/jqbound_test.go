package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"platen/internal/fault"
)

func evaluate(t *testing.T, src, body string) (*evaluation, []byte, error) {
	t.Helper()
	x, err := compileExpression(src)
	if err != nil {
		t.Fatalf("%.80s: %v", src, err)
	}
	if x.closure != nil {
		t.Fatalf("%.80s does not reach gojq", src)
	}
	// Without a clock: what is bounded here is the work.
	e := &evaluation{raw: []byte(body), received: received, work: newWork(maxSteps, time.Now().Add(time.Hour))}
	got, err := e.json(x)
	return e, got, err
}

// gojq asks for Done before each instruction; the bound of work rests on it.
func TestWorkIsCounted(t *testing.T) {
	const src = `[.[] | select(. > 1)] | length`
	used := func(items int) int {
		e, _, err := evaluate(t, src, "["+strings.Repeat("1,", items)+"1]")
		if err != nil {
			t.Fatal(err)
		}
		return maxSteps - e.work.left
	}
	few, many := used(10), used(1010)
	if perItem := (many - few) / 1000; perItem < 5 || perItem > 50 {
		t.Errorf("an item takes %d steps; %d and %d in all", perItem, few, many)
	}
}

// Whatever the expression and its input, the work ends.
func TestWorkEnds(t *testing.T) {
	numbers := "[" + strings.Repeat("1,", 20_000) + "1]"
	both := `{"a":` + numbers + `,"s":` + quoted(strings.Repeat("a ", 500_000)) + `}`
	doubled := strings.Repeat(`{a:.,b:.}|`, 60)
	for _, c := range []struct{ src, body string }{
		{`[{a: .[], b: .[], c: .[]}] | length`, numbers},
		{doubled + `tojson | length`, `1`},
		{doubled + `. == .`, `1`},
		{doubled + `@base64`, `1`},
		{doubled + `"\(.)" | length`, `1`},
		{doubled + `.`, `1`},
		{strings.Repeat(`tojson|`, 60) + `length`, `"\""`},
		{`.a | contains(.)`, both},
		{`.a | join("` + strings.Repeat(",", 4000) + `")`, both},
		{`.s | gsub("a"; "b")`, both},
		{`.s | [test("x"), test("y")]`, both},
	} {
		e, got, err := evaluate(t, c.src, c.body)
		if !errors.Is(err, errTooMuchWork) && e.work.err != errTooMuchWork {
			t.Errorf("%.60s: got %.60s, %v; %d steps are left", c.src, got, err, e.work.left)
		}
	}
}

// A number of very many digits takes long to read, also in a closure.
func TestLongNumbersAreNotCompared(t *testing.T) {
	for digits, want := range map[int]error{30: nil, 3000: nil, 300_000: errTooMuchWork} {
		for _, src := range []string{`.a == 0`, `(.a == 0, 1)`} {
			x, err := compileExpression(src)
			if err != nil {
				t.Fatal(err)
			}
			e := evaluation{raw: []byte(`{"a":` + strings.Repeat("1", digits) + `}`), received: received}
			if _, err := e.eval(x); !errors.Is(err, want) {
				t.Errorf("%s of %d digits: %v", src, digits, err)
			}
		}
	}
}

func quoted(s string) string { return string(quote(s)) }

func TestOrdinaryWorkIsDone(t *testing.T) {
	items := make([]string, 2000)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":%d,"price":"%d.50","name":"A product of some length"}`, i, i%10)
	}
	body := `{"items":[` + strings.Join(items, ",") + `],"text":` + quoted(strings.Repeat("some words ", 300)) + `}`
	for src, want := range map[string]string{
		`.items | map(select(.id > 1) | .price | tonumber) | add`:               "9998",
		`[.items[] | {id: "\(.id)", title: (.name | ascii_downcase)}] | length`: "2000",
		`.text | gsub("some "; "") | length`:                                    "1800",
		`[.items[].id] | contains([7])`:                                         "true",
		`[.items[].id | tostring] | join(", ") | length`:                        "10888",
	} {
		e, got, err := evaluate(t, src, body)
		if err != nil || string(got) != want {
			t.Errorf("%s = %.60s, %v; want %s; %d steps are left", src, got, err, want, e.work.left)
		}
	}
}

// An array is not looked for in another: that costs the product of both.
func TestAnIndexIsNoArray(t *testing.T) {
	if _, got, err := evaluate(t, `.a[.k]`, `{"a":{"x":1},"k":"x"}`); string(got) != "1" {
		t.Errorf("got %s, %v", got, err)
	}
	if _, got, err := evaluate(t, `.a[.k]`, `{"a":[1,2],"k":[1]}`); err == nil || !strings.Contains(err.Error(), "is an array") {
		t.Errorf("got %s, %v", got, err)
	}
}

// A pattern that an event brings would be kept for ever.
func TestPatternsStandInTheExpression(t *testing.T) {
	for src, column := range map[string]int{
		`.a | test(.b)`: 6, `test("a"; .b)`: 1, `sub(.a; "b")`: 1, `gsub("\(.a)"; "b")`: 1,
	} {
		_, err := compileExpression(src)
		if f := fault.From(err); f == nil || f.Column != column || !strings.Contains(f.Message, "text in quotes") {
			t.Errorf("%s: %v", src, err)
		}
	}
	if _, err := compileExpression(`sub("a"; .b)`); err != nil {
		t.Error(err)
	}
}

// Running out of time is not the event's fault, running out of steps is.
func TestWhoIsToBlameForTheEnd(t *testing.T) {
	slow := setting{Presets: []string{"movable-ink"}, Own: []Spec{{Event: "x", Match: `.event | test("^x")`}}}.compile(t)
	field := setting{Own: []Spec{{Event: "x", Match: `true`, Fields: map[string]string{"n": `[.properties.n[]] | length`}}}}.compile(t)
	const body = `{"type":"track","event":"product_viewed","user_id":"u","properties":{"id":"1","n":[1,2,3]}}`
	for name, c := range map[string]struct {
		set    *Set
		work   *work
		reason string
		status int
	}{
		"a match without time":  {slow, newWork(maxSteps, time.Time{}), "mapping_slow", 503},
		"a field without time":  {field, newWork(maxSteps, time.Time{}), "mapping_slow", 503},
		"a field without steps": {field, newWork(3, time.Now().Add(time.Hour)), "mapping_failed", 422},
	} {
		_, err := c.set.mapBody(&evaluation{raw: []byte(body), received: received, work: c.work})
		if f := fault.From(err); f == nil || f.Reason != c.reason || f.Status() != c.status {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is told of one event is bounded, and so are its lists.
func TestWarningsEnd(t *testing.T) {
	categories := func(n int) []byte {
		return []byte(`{"type":"track","event":"product_viewed","user_id":"u","properties":{"id":"1","categories":[` +
			strings.Repeat("{},", n-1) + `{}]}}`)
	}
	m, err := presetOnly(t).Map(categories(maxItems), received)
	if err != nil || len(m.Warnings) != MaxWarnings || m.MoreWarnings != maxItems-MaxWarnings {
		t.Errorf("%d warnings and %d more, %v", len(m.Warnings), m.MoreWarnings, err)
	}
	_, err = presetOnly(t).Map(categories(maxItems+1), received)
	if f := fault.From(err); f == nil || f.Reason != "too_many_items" || f.Pointer != "/properties/categories" {
		t.Errorf("got %v", err)
	}
}

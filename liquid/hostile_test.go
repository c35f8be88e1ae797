package liquid

import (
	"context"
	"errors"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// A hostileCase is one case of testdata/hostile.txt, which says how it is written.
type hostileCase struct {
	name     string
	opts     Options
	template string
	outcome  string // prints, limit, syntax, render, abort
	text     string // what is printed, or words of the message
}

// repeated is «text×n» in a template or in what it prints.
var repeated = regexp.MustCompile(`«([^»]*)×(\d+)»`)

func hostileCases(t testing.TB) []hostileCase {
	t.Helper()
	file, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostileCase
	for _, section := range strings.Split(string(file), "\n== ")[1:] {
		head, rest, _ := strings.Cut(section, "\n")
		template, want, found := strings.Cut(rest, "\n-> ")
		if !found {
			t.Fatalf("%s says not what it gives", head)
		}
		c := hostileCase{name: head, opts: Options{Dialect: Braze}, template: unfolded(t, template)}
		if name, words, found := strings.Cut(head, " ("); found {
			c.name = name
			if strings.Contains(words, "shopify") {
				c.opts.Dialect = Shopify
			}
			if strings.Contains(words, "lax") {
				c.opts.Syntax = Lax
			}
		}
		c.outcome, c.text, _ = strings.Cut(strings.TrimRight(want, "\n"), " ")
		c.text = unfolded(t, c.text)
		cases = append(cases, c)
	}
	return cases
}

// unfolded writes out what «text×n» stands for.
func unfolded(t testing.TB, text string) string {
	return repeated.ReplaceAllStringFunc(text, func(fold string) string {
		parts := repeated.FindStringSubmatch(fold)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		once := parts[1]
		if strings.Contains(once, `\`) {
			if once, err = strconv.Unquote(`"` + once + `"`); err != nil {
				t.Fatalf("%s: %v", fold, err)
			}
		}
		return strings.Repeat(once, n)
	})
}

// mirror is an Object whose member next is itself.
type mirror struct{}

func (m mirror) Get(key string) (any, bool) {
	switch key {
	case "next":
		return m, true
	case "name":
		return "me", true
	}
	return nil, false
}

// hostileInput has a long text, and values that hold themselves.
func hostileInput(t testing.TB, opts Options) Input {
	loop, twin := []any{1, nil}, []any{1, nil}
	loop[1], twin[1] = loop, twin
	loopMap, mapTwin := map[string]any{}, map[string]any{}
	loopMap["m"], mapTwin["m"] = loopMap, mapTwin
	var deep any = "x"
	for range 100 {
		deep = []any{deep}
	}
	partials := PartialMap{}
	for name, source := range map[string]string{
		"self":  `{% include 'self' %}`,
		"self2": `{% for i in (1..9) %}{% render 'self2' %}{% endfor %}`,
		"ping":  `{% include 'pong' %}`, "pong": `{% include 'ping' %}`,
		"fork": `{% render 'fork' %}{% render 'fork' %}`, "one": `{{ one }}`,
		"itself": `.{{content_blocks.${itself}}}`,
	} {
		// What the dialect does not know is no partial of it.
		if p, err := Parse(source, opts); err == nil {
			partials[name] = p
		}
	}
	return Input{Now: seedNow, Partials: partials, Vars: map[string]any{
		"long": strings.Repeat("x", 100_000), "loop": loop, "twin": twin, "map": loopMap, "maptwin": mapTwin,
		"deep": deep, "self": mirror{}, "mixed": []any{1, "a", nil, 2.5, true, seedNow},
		"people": fromJSON(t, `[{"name":"a","age":3},{"name":"b","age":1},{"name":"c"}]`),
	}}
}

// TestHostileTemplates renders each case within the default limits, 10 million
// steps and 64 MiB of allocations.
func TestHostileTemplates(t *testing.T) {
	cases := hostileCases(t)
	if len(cases) < 70 {
		t.Fatalf("only %d cases were read", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := hostileInput(t, c.opts)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, steps, err := renderCounted(c, in)
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<20 && !underRace {
				t.Errorf("allocated %d MiB", allocated>>20)
			}
			if steps > 10_000_000 {
				t.Errorf("took %d steps", steps)
			}
			c.check(t, got, err)
		})
	}
}

// renderCounted renders a case and counts its steps.
func renderCounted(c hostileCase, in Input) (text string, steps int, err error) {
	tpl, err := Parse(c.template, c.opts)
	if err != nil {
		return "", 0, err
	}
	s := tpl.Scope(context.Background(), in)
	err = tpl.root.render(s)
	return string(s.out), tpl.opts.Limits.Steps - s.steps, err
}

// check compares what became of a case with what was to be.
func (c hostileCase) check(t *testing.T, got string, err error) {
	t.Helper()
	if c.outcome == "prints" {
		if err != nil || got != c.text {
			t.Errorf("got %.60q, %v; want %.60q", got, err, c.text)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind.String() != c.outcome || !strings.Contains(e.Message, c.text) {
		t.Fatalf("got %.60q, %v; want the error %s %s", got, err, c.outcome, c.text)
	}
	if e.Pos.Line < 1 || e.Pos.Column < 1 {
		t.Errorf("no place in %v", e)
	}
}

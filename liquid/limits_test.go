package liquid

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// hostile are templates that ask for far more than they may have. Each ends in a
// limit with its place, or in the result given.
var hostile = []struct{ name, template, want string }{
	{"endless range", `{% for i in (1..1000000000) %}x{% endfor %}`, ""},
	{"nested loops", `{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}`, ""},
	{"size of a range", `{{ (1..1000000000) | size }}`, "1000000000"},
	{"widest range", `{{ (-9223372036854775808..9223372036854775807) | size }}`, "9223372036854775807"},
	{"range laid out", `{{ (1..1000000000) | join }}`, ""},
	{"range reversed", `{{ (1..1000000000) | reverse }}`, ""},
	{"reversed loop", `{% for i in (1..1000000000) reversed limit: 1 %}{{ i }}{% endfor %}`, "1"},
	{"loop offset", `{% for i in (1..1000000000) offset: 999999999 %}{{ i }}{% endfor %}`, "1000000000"},
	{"doubling capture", `{% assign a = 'xxxxxxxx' %}{% for i in (1..60) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}`, ""},
	{"doubling append", `{% assign a = 'xxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}`, ""},
	{"replace bomb", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign a = a | replace: 'a', 'aaaaaaaaaa' %}{% endfor %}`, ""},
	{"replace nothing", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign a = a | replace: '', a %}{% endfor %}`, ""},
	{"join bomb", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign a = a | split: '' | join: a %}{% endfor %}`, ""},
	{"escape bomb", `{% assign a = '""""' %}{% for i in (1..99999) %}{% assign a = a | escape %}{% endfor %}`, ""},
	{"url bomb", `{% assign a = '    ' %}{% for i in (1..99999) %}{% assign a = a | url_param_escape %}{% endfor %}`, ""},
	{"concat bomb", `{% assign a = 'a b' | split: ' ' %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}`, ""},
	{"size of a long text", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..20) %}{% assign a = a | append: a %}{% endfor %}{% for i in (1..999999) %}{% assign n = a | size %}{% assign m = a.size %}{% endfor %}`, ""},
	{"comparing long texts", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..20) %}{% assign a = a | append: a %}{% endfor %}{% assign b = a | append: 'b' | slice: 0, 9999999 %}{% for i in (1..999999) %}{% if a contains b %}{% endif %}{% endfor %}`, ""},
	{"long text as a bound", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..18) %}{% assign a = a | append: a %}{% endfor %}{% for i in (1..999999) %}{% assign r = (a..1) %}{% endfor %}`, ""},
	{"long text as a key", `{% assign a = 'aaaaaaaaaa' %}{% for i in (1..18) %}{% assign a = a | append: a %}{% endfor %}{% for i in (1..999999) %}{% assign r = [a] %}{% assign r = map[a] %}{% endfor %}`, ""},
	{"long text as a format", `{% assign a = '%-Z%-Z%-Z' %}{% for i in (1..18) %}{% assign a = a | append: a %}{% endfor %}{% for i in (1..999999) %}{% assign r = 'now' | time_zone: 1 | date: a %}{% endfor %}`, ""},
	{"long blank text", `{% assign a = '          ' %}{% for i in (1..18) %}{% assign a = a | append: a %}{% endfor %}{% for i in (1..999999) %}{% if a == blank %}{% endif %}{% endfor %}`, ""},
	{"sum of long texts", `{% assign a = '1111111111' %}{% for i in (1..16) %}{% assign a = a | append: a %}{% endfor %}{% assign l = a | split: 'x' %}{% for i in (1..12) %}{% assign l = l | concat: l %}{% endfor %}{% for i in (1..9999) %}{{ l | sum }}{% endfor %}`, ""},
	{"unclosed tags in a comment", `{% comment %}` + strings.Repeat("{%", 100_000), ""},
	{"unclosed raw in a comment", `{% comment %}` + strings.Repeat("{% raw %}", 400_000) + `{% endcomment %}done`, "done"},
	{"unclosed raw", `{% raw %}` + strings.Repeat("{% endraw ", 50_000), ""},
	{"unclosed scripts", `{% assign a = '<script' %}{% for i in (1..14) %}{% assign a = a | append: a %}{% endfor %}{{ a | strip_html | size }}`, "114688"},
	{"huge number", `{% assign n = 9 %}{% for i in (1..99) %}{% assign n = n | times: n %}{% endfor %}{{ n }}`, ""},
	{"huge decimal", `{% assign n = 9.5 %}{% for i in (1..99) %}{% assign n = n | times: n %}{% endfor %}`, ""},
	{"long literal", `{{ 1` + strings.Repeat("0", 5000) + ` }}`, ""},
	{"long decimal literal", `{{ 1` + strings.Repeat("0", 500) + `.5 }}`, ""},
	{"long number in a text", `{{ '1` + strings.Repeat("0", 5000) + `' | plus: 1 }}`, ""},
	{"rounding far", `{{ 1.5 | round: 1000000000 }} {{ 1.5 | round: -1000000000 }}`, "1.5 0"},
	{"wide format", `{{ 'now' | date: '%999999999d' }}`, ""},
	{"format bomb", `{% assign f = '%1024d%1024d%1024d%1024d' %}{% for i in (1..30) %}{% assign f = f | append: f %}{% endfor %}{{ 'now' | date: f }}`, ""},
	{"printing more than the limit", `{% for i in (1..99999) %}` + strings.Repeat("x", 1000) + `{% endfor %}`, ""},
	{"deep blocks", strings.Repeat("{% if true %}", 5000), ""},
	{"deep brackets", "{{ a" + strings.Repeat("[a", 5000), ""},
	{"deep braces", strings.Repeat("{{", 5000), ""},
	{"deep ranges", "{{ " + strings.Repeat("(", 5000), ""},
	{"nested liquid tags", "{% " + strings.Repeat("liquid ", 5000) + "%}", ""},
	{"long condition", "{% if a" + strings.Repeat(" and a", 5000) + " %}{% endif %}done", "done"},
	{"table", `{% tablerow i in (1..1000000000) cols: 1000000000 %}{% endtablerow %}`, ""},
	{"a list in itself", `{{ loop }}`, ""},
	{"a list in itself as JSON", `{{ loop | as_json_string }}`, ""},
	{"a list in itself, flat", `{{ loop | join }}`, ""},
	{"a list equal to itself", `{% if loop == twin %}{% endif %}`, ""},
	{"a map in itself", `{{ map }}`, ""},
	{"an include of itself", `{% include 'self' %}`, ""},
	{"a render of itself", `{% render 'self2' %}`, ""},
	{"deep JSON", `{{ '` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `' | json_parse }}`, ""},
	{"sort bomb", `{% for i in (1..100000) %}{% assign a = (1..1000) | sort %}{% endfor %}`, ""},
	{"cycle", `{% for i in (1..1000000000) %}{% cycle 1, 2 %}{% endfor %}`, ""},
	{"long text as a cycle's name", `{% for i in (1..9999) %}{% cycle long: 1 %}{% endfor %}`, ""},
	{"long name of a variable", `{% for i in (1..9999) %}{% if ` + long + ` %}{% endif %}{% endfor %}`, ""},
	{"long name of a member", `{% for i in (1..9999) %}{% if map.` + long + ` %}{% endif %}{% endfor %}`, ""},
	{"long list in a loop", `{% for i in (1..9999) %}{% for j in '` + long + `' %}{% endfor %}{% endfor %}`, ""},
	{"long name to assign", `{% for i in (1..9999) %}{% assign ` + long + ` = 1 %}{% endfor %}`, ""},
	{"long name to capture", `{% for i in (1..9999) %}{% capture ` + long + ` %}{% endcapture %}{% endfor %}`, ""},
	{"long name of a counter", `{% for i in (1..9999) %}{% if true %}{% increment ` + long + ` %}{% endif %}{% endfor %}`, ""},
	{"counter", `{% for i in (1..1000000000) %}{% increment i %}{% endfor %}`, ""},
}

// long is a text that a template must not go over as often as it likes.
var long = strings.Repeat("x", 100_000)

func TestHostileTemplates(t *testing.T) {
	list, twin := []any{1, nil}, []any{1, nil}
	list[1], twin[1] = list, twin
	loopMap := map[string]any{}
	loopMap["m"] = loopMap
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			opts := Options{Dialect: Braze}
			if strings.Contains(h.template, "self") {
				opts.Dialect = Shopify
			}
			partials := PartialMap{}
			if opts.Dialect == Shopify {
				partials["self"], _ = Parse(`{% include 'self' %}`, opts)
				partials["self2"], _ = Parse(`{% for i in (1..9) %}{% render 'self2' %}{% endfor %}`, opts)
			}
			in := Input{Now: seedNow, Partials: partials, Vars: map[string]any{"long": long, "loop": list, "twin": twin, "map": loopMap}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tpl, err := Parse(h.template, opts)
			var got string
			if err == nil {
				got, err = tpl.Render(context.Background(), in)
			}
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<20 {
				t.Errorf("allocated %d MiB", allocated>>20)
			}
			if h.want != "" {
				if err != nil || got != h.want {
					t.Fatalf("got %.40q, %v; want %q", got, err, h.want)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %.40q, %v; want an error", got, err)
			}
			if e.Pos.Line != 1 || e.Pos.Column < 1 {
				t.Errorf("no place in %v", e)
			}
		})
	}
}

// TestLimits hits each limit with a small value of its own.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits   Limits
		template string
		column   int
	}{
		"steps":    {Limits{Steps: 50}, `{% for i in (1..100) %}{{ i }}{% endfor %}`, 24},
		"output":   {Limits{Output: 10}, `12345{{ '67890' }}{{ '!' }}`, 19},
		"built":    {Limits{Built: 10}, `{{ 'abc' | append: 'def' | append: 'ghi' }}`, 28},
		"nesting":  {Limits{Nesting: 2}, `{% if a %}{% if a %}{% if a %}x{% endif %}{% endif %}{% endif %}`, 31},
		"includes": {Limits{Includes: 2}, `{% include 'p' %}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			opts := Options{Limits: c.limits}
			p, err := Parse(`{% include 'p' %}`, opts)
			if err != nil {
				t.Fatal(err)
			}
			tpl, err := Parse(c.template, opts)
			if err == nil {
				_, err = tpl.Render(context.Background(), Input{Partials: PartialMap{"p": p}})
			}
			var e *Error
			if !errors.As(err, &e) || e.Kind != KindLimit {
				t.Fatalf("got %v, want a limit", err)
			}
			if e.Pos.Column != c.column {
				t.Errorf("at column %d, want %d: %v", e.Pos.Column, c.column, e)
			}
		})
	}
}

// A comment goes over each byte once, also where tags in it have no name.
func TestCommentOfUnnamedTags(t *testing.T) {
	for _, unnamed := range []string{"{%", "{% ", "{%%}", "{%}"} {
		source := "{% comment %}" + strings.Repeat(unnamed, 2_000) + "%}{% endcomment %}"
		tpl, err := Parse(source, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tpl.Render(context.Background(), Input{}); got != "" || err != nil {
			t.Errorf("%s: got %q, %v", unnamed, got, err)
		}
	}
	allocs := testing.AllocsPerRun(1, func() {
		_, _ = Parse("{% comment %}"+strings.Repeat("{%", 2_000)+"%}{% endcomment %}", Options{})
	})
	if allocs > 500 {
		t.Errorf("%v allocations: each {%% was tried as a tag of its own", allocs)
	}
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tpl, err := Parse(`{% for i in (1..100000) %}{% endfor %}`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.Render(ctx, Input{})
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindLimit || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a limit that is context.Canceled", err)
	}
}

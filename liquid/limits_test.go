package liquid

import (
	"context"
	"errors"
	"strings"
	"testing"
)

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

package liquid

import (
	"context"
	"strings"
	"testing"
)

// BenchmarkSeedProduct renders the seed's product template (body a of the
// design's measurements).
func BenchmarkSeedProduct(b *testing.B) {
	source := string(sharedFile(b, "seed/product_viewed.webhook.liquid"))
	tpl, err := Parse(source, Options{Dialect: Braze})
	if err != nil {
		b.Fatal(err)
	}
	in := seedInput(b, "product_viewed")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Render(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseSeedProduct parses it.
func BenchmarkParseSeedProduct(b *testing.B) {
	source := string(sharedFile(b, "seed/product_viewed.webhook.liquid"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(source, Options{Dialect: Braze}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoops renders a long template of loops.
func BenchmarkLoops(b *testing.B) {
	source := strings.Repeat("{% for p in products limit: 5 %}\n{% if p.price > 10 %}{{ p.title | upcase }}: {{ p.price | plus: 1 }}{% else %}{{ forloop.index }}{% endif %}\n{% endfor %}\n", 40)
	tpl, err := Parse(source, Options{})
	if err != nil {
		b.Fatal(err)
	}
	in := Input{Vars: map[string]any{"products": fromJSON(b, `[{"title":"a","price":9},{"title":"b","price":19},{"title":"c","price":29.5},{"title":"d","price":1},{"title":"e","price":99}]`)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Render(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSeedAllocations holds the number of allocations of a render of the seed's
// product template to what issue 3 allows.
func TestSeedAllocations(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	tpl, err := Parse(string(sharedFile(t, "seed/product_viewed.webhook.liquid")), Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	in := seedInput(t, "product_viewed")
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := tpl.Render(context.Background(), in); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 20 {
		t.Errorf("%v allocations, want at most 20", allocs)
	}
}

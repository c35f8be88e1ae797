package liquid

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// manyFeatures uses all that keeps something during a render. Each of its values
// comes from the person it is rendered for.
const manyFeatures = `{% assign me = {{${user_id}}} %}{% assign list = {{custom_attribute.${things}}} -%}
{% capture card %}[{{ me | upcase }}:{{ list | join: '/' }}]{% endcapture -%}
{% for thing in list limit: 2 %}{% increment n %}{% cycle me, thing %}{% ifchanged %}{{ thing | size }}{% endifchanged %}
	{%- for other in list reversed %}{% if other == thing %}{% continue %}{% endif %}{{ forloop.parentloop.index }}{{ other | append: me | md5 }}{% endfor %}
{% endfor -%}
{% for thing in list offset: continue %}rest {{ thing }}{% else %}none{% endfor -%}
{% tablerow thing in list cols: 2 %}{{ tablerowloop.row }}{{ thing | escape }}{% endtablerow -%}
{% case me %}{% when 'u7', 'u8' %}seven or eight{% assign seen = me %}{% else %}another{% endcase -%}
{{ list | sort | reverse | first }} {{ list | uniq | concat: list | map: 'x' | size }} {{ list | where: 'x' | size }}
{{ 'now' | time_zone: 'America/Chicago' | date: '%H %z' }} {{ ${score} | times: 1.1 | round: 2 | money }} {{ ${score} | number_with_delimiter }}
{% assign parsed = card | prepend: '["' | append: '"]' | json_parse %}{{ parsed | as_json_string }} {{ seen }} {{ n }}
{% liquid
	decrement m
	echo list | sum
	unless seen
		echo me | hmac_sha256: card | truncate: 12
	endunless
%}{{content_blocks.${signature}}}`

// person is what manyFeatures is rendered on.
func person(n int, snippets PartialMap) Input {
	id := fmt.Sprintf("u%d", n)
	things := make([]any, n%5)
	for i := range things {
		things[i] = fmt.Sprintf("%s-thing%d", id, i)
	}
	return Input{Now: seedNow, Partials: snippets, Vars: map[string]any{
		ProfileVariables:   map[string]any{"user_id": id, "score": 1000 * n},
		"custom_attribute": map[string]any{"things": things},
	}}
}

// TestManyRendersAtOnce renders one template for many people from many goroutines
// and compares each text with the one of a render alone. With -race it also shows
// that renders share nothing that they change.
func TestManyRendersAtOnce(t *testing.T) {
	const goroutines, rounds = 32, 20
	parse := func(source string) *Template {
		tpl, err := Parse(source, Options{Dialect: Braze})
		if err != nil {
			t.Fatal(err)
		}
		return tpl
	}
	snippets := PartialMap{"signature": parse(`yours, {{ me }}{% assign seen = me %}{% increment n %}`)}
	tpl := parse(manyFeatures)
	alone := make([]string, goroutines)
	for n := range alone {
		text, err := parse(manyFeatures).Render(context.Background(), person(n, snippets))
		if err != nil {
			t.Fatal(err)
		}
		alone[n] = text
	}
	var wg sync.WaitGroup
	for n, want := range alone {
		wg.Go(func() {
			for range rounds {
				if got, err := tpl.Render(context.Background(), person(n, snippets)); err != nil || got != want {
					t.Errorf("person %d: got %q, %v; alone %q", n, got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

package liquid

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestCatalogTags(t *testing.T) {
	for template, want := range map[string]string{
		`{% catalog_items games 1234 %}{{items[0].title}} {{items.size}}`:                                                            `Chess 1`,
		`{% catalog_items games 5678 1234 5678 %}{{items | map: 'title' | join: ','}}`:                                               `Go,Chess,Go`,
		`{% catalog_items "games" '1234' {{custom_attribute.${fav}}} "{{ 12 }}34" %}{{items | map: 'title' | join: ','}}`:            `Chess,Go,Chess`,
		`{% catalog_items games nothing %}[{{items.size}}{{items[0].title}}]`:                                                        `[0]`,
		`{% catalog_items games {{custom_attribute.${none}}} {{ ' ' }} 1234 %}{{items.size}}`:                                        `1`,
		`{% catalog_items games {{ custom_attribute.${fav} | append: ' ' }} %}{{items[0].title}}`:                                    `Go`,
		`{% catalog_items empty 1 %}{% if items == empty %}none{% endif %}`:                                                          `none`,
		`{% catalog_items games 1234 %}{{items[0].text}}`:                                                                            `For {{${first_name}}}`,
		`{% catalog_items games 1234 5678 :rerender %}{{items[0].text}} {{items[1].text}} {{items[0].players}}`:                      `For Jon plain 2`,
		`{% catalog_items games 1234 :rerender %}{% catalog_items games 1234 %}{{items[0].text}}`:                                    `For {{${first_name}}}`,
		`{% catalog_selection_items games for_two %}{{items | map: 'title' | join: ','}}{{items[0].text}}`:                           `Chess,GoFor {{${first_name}}}`,
		`{% catalog_selection_items games 'for_two' :rerender %}{{items[0].text}}`:                                                   `For Jon`,
		"{% if true %}\n {% catalog_items games 1234 %}\n{% endif %}x":                                                               `x`,
		`{% catalog_items games 1234 %}{% assign a = items %}{% catalog_items games 5678 %}{{a[0].title}}{{items[0].title}}`:         `ChessGo`,
		`{% for i in (1..2) %}{% catalog_items games 5678 :rerender %}{% for item in items %}{{item.title}}{% endfor %}{% endfor %}`: `GoGo`,
	} {
		got, _, err := renderOutside(t, template)
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
}

func TestCatalogErrors(t *testing.T) {
	for _, c := range []struct {
		template string
		kind     Kind
		column   int
		message  string
	}{
		{`{% catalog_items %}`, KindSyntax, 18, "expected the name of a catalog"},
		{`{% catalog_items {{a}} 1 %}`, KindSyntax, 18, "Liquid is not possible here: expected the name of a catalog"},
		{`{% catalog_items games %}`, KindSyntax, 24, "expected the id of an item"},
		{`{% catalog_items games :rerender %}`, KindSyntax, 24, "expected the id of an item before the options"},
		{`{% catalog_items games '' %}`, KindSyntax, 25, "this is empty"},
		{`{% catalog_items games 1, 2 %}`, KindSyntax, 25, "unexpected comma"},
		{`{% catalog_items games ${fav} %}`, KindSyntax, 24, "write {{${fav}}}"},
		{`{% catalog_items games {{a %}`, KindSyntax, 24, "never closed"},
		{`{% catalog_items games 1 :rerendr %}`, KindSyntax, 26, `did you mean ":rerender"`},
		{`{% catalog_items games 1 :rerender 2 %}`, KindSyntax, 36, "begin with a colon"},
		{`{% catalog_items games 1 :rerender :rerender %}`, KindSyntax, 36, "stands here twice"},
		{`{% catalog_selection_items games %}`, KindSyntax, 34, "expected the name of a selection"},
		{`{% catalog_selection_items games a b %}`, KindSyntax, 36, "begin with a colon"},
		{`{% catalog_items shops 1 %}`, KindRender, 18, "there is no catalog 'shops'"},
		{`{% catalog_selection_items games big %}`, KindRender, 34, "no catalog 'games' with a selection 'big'"},
		{`{% catalog_items down 1 %}`, KindOutside, 1, "the catalog could not be read: the store is down"},
		{`{% catalog_selection_items down a %}`, KindOutside, 1, "the catalog could not be read: the store is down"},
		{`{% catalog_items games {{ 1 | divided_by: 0 }} %}`, KindRender, 31, "divided by 0"},
		{`{% for i in (1..2000) %}{% catalog_items games 1 %}{% endfor %}`, KindLimit, 25, "limit of steps"},
	} {
		_, _, err := renderOutside(t, c.template)
		t.Run(c.template, func(t *testing.T) { wantError(t, err, c.kind, Pos{Line: 1, Column: c.column}, c.message) })
	}
	for _, template := range []string{`{% catalog_items games 1 %}`, `{% catalog_selection_items games a %}`} {
		_, err := renderBraze(t, template, Input{})
		wantError(t, err, KindRender, Pos{Line: 1, Column: 1}, "catalogs are not possible here")
	}
}

// An error in the field of an item names the item and the field.
func TestCatalogRerenderErrors(t *testing.T) {
	f := newOutside(t)
	f.catalogs["games"] = []any{
		map[string]any{"id": "1", "a": "ok", "b": "\n{% promotion('spring') %}"},
		map[string]any{"id": "2", "a": strings.Repeat("{{a}}", maxFetched)},
	}
	_, err := renderBraze(t, `{% catalog_items games 1 :rerender %}`, outsideInput(t, f))
	wantError(t, err, KindRender, Pos{Line: 2, Column: 1}, "item 1 of catalog 'games', field 'b', line 2")
	_, err = renderBraze(t, `{% catalog_items games 2 :rerender %}`, outsideInput(t, f))
	wantError(t, err, KindLimit, Pos{Line: 1, Column: 1}, "item 1 of catalog 'games', field 'a' is too long to be rendered")
}

// TestSharedItems renders one template in many goroutines: the items that the
// catalog hands to all of them stay as they are.
func TestSharedItems(t *testing.T) {
	f := newOutside(t)
	tpl, err := Parse(`{% catalog_items games 1234 5678 :rerender %}`+
		`{% assign sorted = items | sort: 'title' | reverse | concat: items | uniq %}`+
		`{% connected_content https://example.com/list :save l %}{% assign l = l | concat: items | reverse %}`+
		`{{items[0].text}} {{content_blocks.${footer 1/ü}}}{% promotion('spring') %}`, Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	in := outsideInput(t, f)
	var group sync.WaitGroup
	for i := range 32 {
		name := strings.Repeat("x", i+1)
		group.Go(func() {
			own := in
			own.Vars = map[string]any{ProfileVariables: map[string]any{"first_name": name}, "who": name}
			want := "For " + name + " Hello " + name + " .SPRING-1"
			if got, err := tpl.Render(context.Background(), own); err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
	group.Wait()
	if fresh := newOutside(t); !reflect.DeepEqual(f.catalogs, fresh.catalogs) {
		t.Error("a render changed the items of the catalog")
	}
}

func TestMessageExtras(t *testing.T) {
	got, f, err := renderOutside(t, `a{% message_extras :key season :value spring %}`+
		`{% message_extras :key "two words" :value "{{${first_name}}} & co" %}`+
		`{% message_extras :key {{ 'sea' | append: 'son' }} :value never %}`+
		`{% message_extras :key {{ missing }} :value 'nameless' %}`+
		`{% if false %}{% message_extras :key untaken :value 1 %}{% endif %}`+
		"{% liquid\n message_extras :key line :value ''\n %}b")
	want := [][2]string{{"season", "spring"}, {"two words", "Jon & co"}, {"line", ""}}
	if err != nil || got != "ab" || !reflect.DeepEqual(f.extras, want) {
		t.Errorf("got %q, %v and %q", got, err, f.extras)
	}
	if got, err := renderBraze(t, `a{% message_extras :key a :value b %}`, Input{}); got != "a" || err != nil {
		t.Errorf("without a receiver: %q, %v", got, err)
	}
	for _, c := range []struct {
		tag     string
		column  int
		message string
	}{
		{`{% message_extras %}`, 19, "expected :key"},
		{`{% message_extras :value a :key b %}`, 19, "in this order"},
		{`{% message_extras :key a %}`, 26, "expected :value"},
		{`{% message_extras :key :value b %}`, 19, ":key needs a value"},
		{`{% message_extras :key a :value %}`, 26, ":value needs a value"},
		{`{% message_extras :key a :value b c %}`, 35, "stands in quotes"},
		{`{% message_extras :key a :value "b" :key c :value d %}`, 37, "expected the end of the tag"},
		{`{% message_extras :key a :value "b %}`, 33, "never closed"},
	} {
		_, err := Parse(c.tag, Options{Dialect: Braze})
		t.Run(c.tag, func(t *testing.T) { wantError(t, err, KindSyntax, Pos{Line: 1, Column: c.column}, c.message) })
	}
}

func TestPromotion(t *testing.T) {
	for template, want := range map[string]string{
		`{% promotion('spring') %}/{% promotion ("spring") %}`:                       `SPRING-1/SPRING-1`,
		`{% capture c %}{% promotion('spring') %}{% endcapture %}{{c | downcase}}`:   `spring-1`,
		"{% if true %} {% promotion('spring') %} {% endif %}":                        ` SPRING-1 `,
		`{% if false %}{% promotion('none') %}{% else %}no list is asked{% endif %}`: `no list is asked`,
	} {
		got, _, err := renderOutside(t, template)
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
	for _, c := range []struct {
		template string
		kind     Kind
		column   int
		message  string
	}{
		{`{% promotion %}`, KindSyntax, 14, "promotion is written promotion('list')"},
		{`{% promotion 'a' %}`, KindSyntax, 14, "promotion is written promotion('list')"},
		{`{% promotion(a) %}`, KindSyntax, 14, "in quotes"},
		{`{% promotion('') %}`, KindSyntax, 14, "in quotes"},
		{`{% promotion('a' %}`, KindSyntax, 18, "expected )"},
		{`{% promotion('a') b %}`, KindSyntax, 19, "the end of the tag"},
		{`ab{% promotion('none') %}`, KindOutside, 3, "no code of the promotion list 'none': the store is down"},
	} {
		_, _, err := renderOutside(t, c.template)
		t.Run(c.template, func(t *testing.T) { wantError(t, err, c.kind, Pos{Line: 1, Column: c.column}, c.message) })
	}
	_, err := renderBraze(t, `{% promotion('a') %}`, Input{})
	wantError(t, err, KindRender, Pos{Line: 1, Column: 1}, "promotion codes are not possible here")
}

func TestSnippets(t *testing.T) {
	for template, want := range map[string]string{
		`{{content_blocks.${greeting}}}`:                                                    `Hello you`,
		`{% assign who = 'Ann' %}{{ content_blocks.${ greeting } | upcase }}`:               `HELLO ANN`,
		`{% assign g = {{content_blocks.${greeting}}} | size %}{{g}}`:                       `9`,
		`{% for who in (1..2) %}{{content_blocks.${greeting}}};{% endfor %}`:                `Hello 1;Hello 2;`,
		`{{content_blocks.${footer 1/ü}}}{{seen}}`:                                          `Hello you .yes`,
		`{{content_blocks.${first}}}`:                                                       `12`,
		`{{content_blocks.${second}}}`:                                                      `23`,
		`{{content_blocks.${self}}}`:                                                        `xx`,
		`{% for i in (1..9) %}{{i}}{{content_blocks.${stop}}}{% endfor %}`:                  `1`,
		`{% if content_blocks.${greeting} contains 'you' %}yes{% endif %}`:                  `yes`,
		`{{ 'x' | append: content_blocks.${third} | append: {{content_blocks.${third}}} }}`: `x33`,
		`{{ content_blocks }}{{ content_blocks.third }}{{ content_blocks['third'] }}`:       ``,
		`{% connected_content https://example.com/{{content_blocks.${third}}} %}`:           ``,
	} {
		got, _, err := renderOutside(t, template)
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
	for _, c := range []struct {
		template string
		kind     Kind
		at       Pos
		message  string
	}{
		{`a {{ content_blocks.${nobody} }}`, KindRender, Pos{Line: 1, Column: 6}, "line 1, column 6: there is no snippet 'nobody'"},
		{`{{content_blocks.${broken}}}`, KindRender, Pos{Line: 2, Column: 9}, "broken, line 2, column 9: "},
		{`{{content_blocks.${abort}}}`, KindAbort, Pos{Line: 1, Column: 1}, "enough"},
		{`{{content_blocks.${greeting}.size}}`, KindSyntax, Pos{Line: 1, Column: 3}, "has no members"},
		{`{% content_blocks.${greeting} %}`, KindSyntax, Pos{Line: 1, Column: 1}, "content_blocks is no tag: write"},
		{`{% for i in (1..1000000) %}{{content_blocks.${greeting}}}{% endfor %}`, KindLimit, Pos{Line: 1, Column: 16}, "greeting, line 1, column 16: this template does more than its limit of steps"},
	} {
		_, _, err := renderOutside(t, c.template)
		t.Run(c.template, func(t *testing.T) { wantError(t, err, c.kind, c.at, c.message) })
	}
	_, err := renderBraze(t, `{{content_blocks.${a}}}`, Input{Partials: failingPartials{}})
	wantError(t, err, KindOutside, Pos{Line: 1, Column: 3}, "snippet 'a' could not be read: the store is down")
	if !errors.Is(err, errDown) {
		t.Errorf("%v does not wrap its cause", err)
	}
}

type failingPartials struct{}

func (failingPartials) Partial(context.Context, string) (*Template, error) { return nil, errDown }

// TestInlineOutside checks that an error inside a URL or an id does not become a
// part of it: the tag gives way to the error as a whole.
func TestInlineOutside(t *testing.T) {
	f := newOutside(t)
	tpl, err := Parse(`a{% connected_content https://a.b/{{ 1 | divided_by: 0 }} %}b{% catalog_items games {{ 1 | divided_by: 0 }} %}c`,
		Options{Dialect: Braze, Errors: Inline})
	if err != nil {
		t.Fatal(err)
	}
	got, err := tpl.Render(context.Background(), outsideInput(t, f))
	const want = "aLiquid error (line 1): divided by 0bLiquid error (line 1): divided by 0c"
	if err != nil || got != want || len(f.requests) != 0 {
		t.Errorf("got %q, %v after %d calls", got, err, len(f.requests))
	}
}

package liquid

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// everything uses each of the tags that ask for something from outside.
const everything = `{% connected_content https://u:p@API.example.com:443/{{${user_id}}}?a={{ custom_attribute.${city} | append: q }} :save answer
	:method post :headers {"X-A": "é {{campaign.${api_id}}} \"", "n": {{ n }}} :body {{ body }} :basic_auth shop :rerender %}
{% connected_content {{ base }}/x :auth_credentials 'My Shop' %}{% connected_content https://{{host}}.example.com/ %}{% connected_content http://a.b %}
{% catalog_items games 1234 {{ event_properties.${id} }} "56 78" :rerender %}{{ items[0].title }}{{ connected.a }}{{ answer.b }}
{% if false %}{% catalog_selection_items 'board games' for_two %}{% promotion("spring") %}{% endif %}
{% message_extras :key k{{ key }} :value "v {{ value }}" %}{{ content_blocks.${foot er} | append: content_blocks.${b} }}{% if content_blocks.${c} == x[content_blocks.${d}] %}{% endif %}
{% liquid
	promotion('summer')
	connected_content https://c.d/{{ in_line }}
%}`

func TestUses(t *testing.T) {
	tpl, err := Parse(everything, Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	uses := tpl.Uses()
	names := func(list []Use) (out []string) {
		for _, u := range list {
			if got := everything[u.Start.Offset:u.Stop.Offset]; got != u.Name && got != "${"+u.Name+"}" {
				t.Errorf("%q stands at %q", u.Name, got)
			}
			out = append(out, u.Name)
		}
		return out
	}
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	check("promotions", names(uses.Promotions), []string{"spring", "summer"})
	check("snippets", names(uses.Snippets), []string{"foot er", "b", "c", "d"})
	check("credentials", names(uses.Credentials), []string{"shop", "My Shop"})
	if len(uses.Catalogs) != 1 || len(uses.Selections) != 1 {
		t.Fatalf("catalogs %v, selections %v", uses.Catalogs, uses.Selections)
	}
	check("catalogs", names([]Use{uses.Catalogs[0].Use}), []string{"games"})
	check("ids", names(uses.Catalogs[0].IDs), []string{"1234", "56 78"})
	check("selections", names([]Use{uses.Selections[0].Catalog, uses.Selections[0].Use}), []string{"board games", "for_two"})
	var calls [][3]string
	for _, c := range uses.Calls {
		check("URL", everything[c.Start.Offset:c.Stop.Offset], c.URL)
		calls = append(calls, [3]string{c.URL, c.Host, c.Method})
	}
	check("calls", calls, [][3]string{
		{"https://u:p@API.example.com:443/{{${user_id}}}?a={{ custom_attribute.${city} | append: q }}", "api.example.com:443", "POST"},
		{"{{ base }}/x", "", "GET"},
		{"https://{{host}}.example.com/", "", "GET"},
		{"http://a.b", "a.b", "GET"},
		{"https://c.d/{{ in_line }}", "c.d", "GET"},
	})
}

// TestReadsOutside checks that variables in every part of the tags are found,
// and that what the tags set is not.
func TestReadsOutside(t *testing.T) {
	tpl, err := Parse(everything, Options{Dialect: Braze})
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, r := range tpl.Reads() {
		got = append(got, [2]string{r.Namespace, r.Name})
		if r.Start.Offset >= r.Stop.Offset {
			t.Errorf("%s.%s has no place", r.Namespace, r.Name)
		}
	}
	want := [][2]string{
		{ProfileVariables, "user_id"}, {"custom_attribute", "city"}, {"q", ""}, {"campaign", "api_id"}, {"n", ""}, {"body", ""},
		{"base", ""}, {"host", ""}, {"event_properties", "id"}, {"key", ""}, {"value", ""}, {"x", ""}, {"in_line", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	checkTree(t, tpl)
}

// TestReadsInEveryTag checks that variables are found wherever one may stand.
func TestReadsInEveryTag(t *testing.T) {
	const source = `{% if a1 %}{% elsif a2 == a3 and a4 %}{{ b1 | append: b2[b3] | default: b4, allow_false: b5 }}{% else %}{{ b6 }}{% endif %}
{% case c1 %}{% when c2, c3 %}{{ c4 }}{% endcase %}{% unless d1 %}{% echo d2 %}{% endunless %}
{% for own in (e1..e2) limit: e3 offset: e4 %}{{ own }}{{ forloop.index }}{{ e5 }}{% else %}{{ e6 }}{% endfor %}
{% tablerow own in f1 cols: f2 limit: f3 %}{{ tablerowloop.col }}{{ f4 }}{% endtablerow %}
{% cycle g1: g2, g3 %}{% capture h1 %}{{ h2 }}{% endcapture %}{% ifchanged %}{{ h3 }}{% endifchanged %}{% increment n %}{{ n }}{{ h1 }}
{% include i1 with i2, x: i3 %}{% render 'p' for i4 as y %}{% assign z = i5.member %}{{ z }}{{ [i6] }}`
	tpl, err := Parse(source, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range tpl.Reads() {
		got[r.Namespace] = true
	}
	want := map[string]bool{"": true} // of [i6]
	for letter, count := range map[string]int{"a": 4, "b": 6, "c": 4, "d": 2, "e": 6, "f": 4, "g": 3, "i": 6} {
		for n := range count {
			want[letter+strconv.Itoa(n+1)] = true
		}
	}
	want["h2"], want["h3"] = true, true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

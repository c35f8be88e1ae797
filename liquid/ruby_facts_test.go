package liquid

import (
	"encoding/json"
	"testing"
)

// rubyFacts are what the comparison with Ruby has found: each is rendered here
// where there is no Ruby, too, and in Ruby where there is.
var rubyFacts = []struct{ template, want string }{
	{`{{ 'aXa' | replace: 'X', '\0\0' }} {{ 'a' | replace: 'a', '\\' }} {{ 'a' | replace_first: 'a', '<\&\1\q>' }}`, `aXXa \ <a\q>`},
	{`{{ 'a ' | truncatewords: 1 }}|{{ 'a' | truncatewords: 1 }}|{{ ' a  b c' | truncatewords: 2, '' }}`, `a...|a|a b`},
	{`{{ 'abc' | truncate: -1 }}|{{ 'abc' | slice: 1, false }}`, `...|b`},
	{`{{ 'straße ﬁ' | upcase }} {{ 'ßa' | capitalize }}`, `STRASSE FI Ssa`},
	{`{{ words | sort_natural | join }}`, `apple Pear Zebra Äpfel äh`},
	{`{{ 5 | sort: 'a' }}{{ mixed | sort: 'a' }}{{ '' | truncate: -1 }}`, `5...`},
	{`{{ '%zz%41+%4' | url_decode }}`, `%zzA %4`},
	{`{{ '2020-02-31' | date: '%F' }} {{ 1.5 | date: '%F' }} {{ '2020-02-03 04:05 EST' | date: '%H|%Z|%5Z' }}`, `2020-03-02 1.5 04||`},
	{`{{ 0 | date: '%#c|%-10D|%_z|%_8z|%:m|%+' }}`, `Thu Jan  1 00:00:00 1970|  01/01/70| +000|    +000|%:m|%+`},
	{`{{ blank | split: ',' | size }}{{ empty | append: 'x' }}{% case blank %}{% when nil %}n{% when '' %}e{% endcase %}`, `0xe`},
	{`{% if list contains empty %}y{% else %}n{% endif %}{% if (1..3) contains 2.5 %}y{% endif %}`, `ny`},
	{`{% tablerow i in f %}x{% endtablerow %}{% tablerow i in words limit: none %}x{% endtablerow %}`, "<tr class=\"row1\">\n</tr>\n"},
	{`{% case n %}{% when nil %}a{% increment n %}{% when nil, 1 %}b{% assign n = 5 %}{% when 5 %}c{% else %}d{% endcase %}`, `a0bc`},
	{`{% if (3..1) == empty %}y{% endif %}{{ (3..1) | default: 'x' }}`, `3..1`},
	{`{{ (3..1) | first }}{{ (3..1) | last }}`, `31`},
	{`{% for i in (1..2) %}{% for j in words offset: continue %}{{ forloop.length }}{% endfor %}{% for j in list offset: 3 %}{% endfor %}{% for j in list offset: continue %}x{% endfor %}{% endfor %}`, `55555`},
	{`{% for i in words limit: none %}{{ forloop.index }}{% endfor %}`, `12345`},
	{`{% if t %}{% tablerow i in none %} {% endtablerow %} {% endif %}|`, `|`},
	{`{% for i in (1..2) %}{% cycle 1: 'a', 'b' %}{% cycle '1': 'c', 'd' %}{% endfor %}`, `acbd`},
	{`{% render 'counts' for words %}`, `0 0 0 0 0 `},
	{`{% render 'counts' for h as x %}{% render 'assigns', a: 1 %}`, `0 0 in`},
	{`{% assign a = 'x' %}{% include 'shows', a: 'y', b: a %}`, `yy`},
	{`{% assign it = 'no' %}{% assign shows = list %}{% include 'shows' as it %}`, ``},
	{`{% assign r = (1..3) %}{{ r[0] }}{{ r.first }}{{ r.last }}{{ r.size }}`, `133`},
}

const rubyFactsData = `{"words": ["Pear", "äh", "apple", "Äpfel", "Zebra"], "mixed": ["a", 1, null], "list": [[], ""],
	"t": true, "f": false, "none": null, "h": {"a": 1, "b": 2}}`

// factCase is a fact as a case of the comparison.
func factCase(template string) rubyCase {
	return rubyCase{Template: template, Data: json.RawMessage(rubyFactsData), Partials: map[string]string{
		"counts": "{% increment n %} ", "assigns": "{% assign a = 'in' %}{{ a }}", "shows": "{{ a }}{{ b }}",
	}}
}

func TestRubyFacts(t *testing.T) {
	for _, f := range rubyFacts {
		if got := factCase(f.template).render(t); got != (outcome{Output: f.want}) {
			t.Errorf("%s\n got %v\nwant %q", f.template, got, f.want)
		}
	}
}

func TestRubyFactsInRuby(t *testing.T) {
	ruby := startRuby(t)
	for _, f := range rubyFacts {
		if got := ruby.render(t, factCase(f.template)); got != (outcome{Output: f.want}) {
			t.Errorf("%s\n ruby %v\nwant %q", f.template, got, f.want)
		}
	}
}

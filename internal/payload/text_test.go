package payload

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"platen/liquid"
)

// What is escaped twice arrives with backslashes: it is reported, and no repair
// does it.
func TestEscapedOnce(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string // line:column rule
		fixed        string   // "" when nothing can be repaired
	}{
		{"changed after it", `{"a": "{{${city} | json_escape | truncate: 40}}"}`, []string{"1:8 unescaped"},
			`{"a": "{{${city} | truncate: 40 | json_escape}}"}`},
		{"more after it", `{"a": "{{${city} | json_escape | append: ${country} | append: ${gender}}}"}`, nil, ""},
		{"unsafe text after it", `{"a": "{{${city} | json_escape | append: ${first_name}}}"}`, []string{"1:8 unescaped"},
			`{"a": "{{${city} | append: ${first_name} | json_escape}}"}`},
		{"unsafe default after it", `{"a": "{{${city} | json_escape | default: ${first_name}}}"}`, []string{"1:8 unescaped"},
			`{"a": "{{${city} | default: ${first_name} | json_escape}}"}`},
		{"changed where it is printed", `{% assign t = ${city} | json_escape %}{"a": "{{t | upcase}}"}`, []string{"1:46 unescaped"}, ""},
		{"changed, without quotes", `{"a": {{${city} | json_escape | truncate: 40}}}`, []string{"1:7 unquoted_text"},
			`{"a": {{${city} | truncate: 40 | as_json_string}}}`},
		{"on one way only", `{% if ${user_id} %}{% assign t = ${city} | json_escape %}{% else %}{% assign t = ${city} %}{% endif %}{"a": "{{t}}"}`,
			[]string{"1:110 unescaped"}, ""},
		{"twice", `{"a": "{{${city} | json_escape | json_escape}}"}`, []string{"1:34 double_escaped"}, `{"a": "{{${city} | json_escape}}"}`},
		{"twice, changed in between", `{"a": "{{${city} | json_escape | upcase | json_escape}}"}`, []string{"1:43 double_escaped"},
			`{"a": "{{${city} | upcase | json_escape}}"}`},
		{"twice, once assigned", `{% assign t = ${city} | json_escape %}{"a": "{{t | json_escape}}"}`, []string{"1:52 double_escaped"},
			`{% assign t = ${city} | json_escape %}{"a": "{{t}}"}`},
		{"then as JSON", `{"a": {{${city} | json_escape | as_json_string}}}`, []string{"1:33 double_escaped"}, `{"a": {{${city} | as_json_string}}}`},
		{"JSON in a text of JSON", `{"a": "{\"b\": \"{{${city} | json_escape | json_escape}}\"}"}`, nil, ""},
		{"captured JSON in a text of JSON", `{% capture b %}{"b": "{{${city} | json_escape}}"}{% endcapture %}{"a": "{{b | json_escape}}"}`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { lintsAndFixes(t, tt.source, tt.want, tt.fixed) })
	}
}

func lintsAndFixes(t *testing.T, source string, want []string, fixed string) {
	t.Helper()
	report, err := Lint(source, Options{})
	if err != nil || !slices.Equal(places(report), want) {
		t.Fatalf("got %v\n%s\nwant %v", err, report.Text("t"), want)
	}
	got, _, rest, _ := Fix(source, Options{})
	switch {
	case fixed == "" && got != source:
		t.Errorf("repaired to %s", got)
	case fixed != "" && (got != fixed || len(rest.Findings) > 0):
		t.Errorf("repaired to\n%s\nwant\n%s\nleft\n%s", got, fixed, rest.Text("t"))
	}
}

// Whatever filters a text goes through: after a repair, the receiver reads what
// they make of it without any escaping.
func TestRepairsKeepTheText(t *testing.T) {
	filters := []string{"upcase", "downcase", "capitalize", "truncate: 9", "slice: 1, 5", "replace: 'a', 'b'", "remove: 's'", "append: ${city}", "default: ${city}"}
	rng := rand.New(rand.NewPCG(7, 8))
	repaired := 0
	for range 400 {
		var with, without strings.Builder
		for range 1 + rng.IntN(4) {
			f := pick(rng, filters...)
			with.WriteString(" | " + f)
			without.WriteString(" | " + f)
			if rng.IntN(3) == 0 {
				with.WriteString(" | json_escape")
			}
		}
		before, after := pick(rng, `"`, ""), ""
		if after = before; before == "" && rng.IntN(2) == 0 {
			with.WriteString(" | as_json_string")
		}
		source := `{"a": ` + before + "{{ ${first_name} | json_escape" + with.String() + " }}" + after + "}"
		fixed, applied, rest, err := Fix(source, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(applied) == 0 || len(rest.Findings) > 0 {
			continue
		}
		repaired++
		for _, name := range []string{`say "hi" as always`, `back\slash`, "two\nlines", "plain"} {
			vars := map[string]any{liquid.ProfileVariables: map[string]any{"first_name": name, "city": `"Aš"`}}
			want, _ := render(t, "{{ ${first_name}"+without.String()+" }}", vars)
			body, _ := render(t, fixed, vars)
			var got struct{ A string }
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.A != want && utf8.ValidString(want) {
				t.Fatalf("%s\nrepaired to\n%s\narrives as %q, want %q (%v)", source, fixed, got.A, want, err)
			}
		}
	}
	if repaired < 250 {
		t.Errorf("only %d of 400 templates were repaired", repaired)
	}
}

// An output without quotes breaks the JSON as soon as the data holds text, unless
// the template says that it is a number.
func TestMaybeText(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
		fixed        string
	}{
		{"where it is set", `{"a": {% if event_properties.${x} %}{{event_properties.${x}}}{% else %}0{% endif %}}`, []string{"1:37 unquoted_text"},
			`{"a": {% if event_properties.${x} %}{{event_properties.${x} | as_json_string}}{% else %}0{% endif %}}`},
		{"only in a list", `[{{event_properties.${x}}}]`, []string{"1:2 unquoted_text"}, `[{{event_properties.${x} | as_json_string}}]`},
		{"items", `[{% for i in event_properties.${l} %}{{i}}{% unless forloop.last %},{% endunless %}{% endfor %}]`, []string{"1:38 unquoted_text"},
			`[{% for i in event_properties.${l} %}{{i | as_json_string}}{% unless forloop.last %},{% endunless %}{% endfor %}]`},
		{"next to a sign", `{"a": {% if ${a} %}-{{${a}}}{% else %}0{% endif %}}`, []string{"1:20 unquoted_text"}, ""},
		{"a default that is a number", `{"a": {{event_properties.${x} | default: 0}}}`, nil, ""},
		{"more than a number", `{"a": {% if event_properties.${x} > 3 %}{{event_properties.${x}}}{% else %}0{% endif %}}`, nil, ""},
		{"more than a text", `{"a": {% if event_properties.${x} > 'b' %}{{event_properties.${x}}}{% else %}0{% endif %}}`, []string{"1:43 unquoted_text"},
			`{"a": {% if event_properties.${x} > 'b' %}{{event_properties.${x} | as_json_string}}{% else %}0{% endif %}}`},
		{"where a number is wanted", `{"price": {% if event_properties.${x} %}{{event_properties.${x}}}{% else %}0{% endif %}}`, nil, ""},
		{"a list joined without quotes", `[{{event_properties.${l} | join: ','}}]`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { lintsAndFixes(t, tt.source, tt.want, tt.fixed) })
	}
}

// A body of another kind is left alone.
func TestNotJSON(t *testing.T) {
	for _, source := range []string{
		`a={{${city} | url_param_escape}}&b=2`,
		`{{${city} | url_param_escape}}=1&b="2"`,
		"<a b=\"c\">{{${city}}}</a>",
		"Hello {{${first_name}}}, \"you\",",
		"{% if ${user_id} %}{\"a\": 1,}{% else %}a=1,{% endif %}",
	} {
		fixed, applied, rest, err := Fix(source, Options{})
		found := slices.ContainsFunc(rest.Findings, func(f Finding) bool { return f.Rule == NotJSON && f.Edits == nil })
		if err != nil || fixed != source || len(applied) > 0 || !found || len(rest.Findings) > 1 && !strings.Contains(source, "if") {
			t.Errorf("%s\nrepaired to\n%s\nleft: %v\n%s", source, fixed, err, rest.Text("t"))
		}
	}
}

// A repair that leaves the mistake, or makes another, is not shown.
func TestRepairsThatDoNotHelp(t *testing.T) {
	const loop, end = `[{% for i in event_properties.${l} %}{% if i.a %}{{i.a | as_json_string}}`, `{% endif %}{% endfor %}]`
	for _, tt := range []struct{ comma, want string }{
		{"{% unless forloop.last %},{% endunless %}", "1:99 trailing_comma"},
		{",", "1:74 trailing_comma"},
		{"", "1:74 missing_comma"},
	} {
		for _, around := range [][2]string{{"", ""}, {`{"l": `, `, "t": "{{${city}}}"}`}} {
			source := around[0] + loop + tt.comma + end + around[1]
			report, err := Lint(source, Options{})
			if err != nil || len(report.Findings) == 0 {
				t.Fatal(err, source)
			}
			f := report.Findings[0]
			if around[0] == "" && places(report)[0] != tt.want || f.Edits != nil || f.After != "" || !strings.Contains(f.Message, "{% assign comma = ") {
				t.Errorf("%s\n%s", source, report.Text("t"))
			}
			fixed, applied, _, _ := Fix(source, Options{})
			if want := strings.Replace(source, "{{${city}}}", "{{${city} | json_escape}}", 1); fixed != want || len(applied) != len(report.Findings)-1 {
				t.Errorf("repaired to\n%s", fixed)
			}
		}
	}
	advice := `{% assign comma = "" %}[{% for i in event_properties.${l} %}{% if i.a %}{{ comma }}{{i.a | as_json_string}}{% assign comma = "," %}{% endif %}{% endfor %}]`
	lintsAndFixes(t, advice, nil, "")
}

package liquid

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// hostileOutside are templates and answers that ask for far more than they may
// have. Each ends in an error with its place, or in the result given.
var hostileOutside = []struct{ name, template, body, want string }{
	{"many options", `{% connected_content https://x.y ` + strings.Repeat(":retry ", 10_000) + `%}`, "", ""},
	{"many unknown options", `{% connected_content https://x.y ` + strings.Repeat(":x ", 10_000) + `%}`, "", ""},
	{"many headers", `{% connected_content https://x.y :headers {` + manyHeaders(10_000) + `} %}`, "", ""},
	{"many ids", `{% catalog_items games ` + strings.Repeat("1234 ", 10_000) + `%}{{items.size}}`, "", "10000"},
	{"many ids in a loop", `{% for i in (1..999) %}{% catalog_items games ` + strings.Repeat("1234 ", 10_000) + ` :rerender %}{% endfor %}`, "", ""},
	{"many outputs in a URL", `{% connected_content https://x.y` + strings.Repeat("{{a}}", 50_000) + `%}`, "text", "text"},
	{"deep outputs in a URL", `{% connected_content https://x.y/` + strings.Repeat("{{", 50_000) + strings.Repeat("}}", 50_000) + `%}`, "", ""},
	{"open outputs in a URL", `{% connected_content https://x.y/` + strings.Repeat("{{", 50_000) + `%}`, "", ""},
	{"open outputs in many tags", strings.Repeat(`{% promotion('spring') %}{% connected_content https://{{ %}`, 5_000), "", ""},
	{"a quote without end", `{% message_extras :key ` + strings.Repeat(`' " `, 20_001) + `%}`, "", ""},
	{"long header", `{% connected_content https://x.y :headers {"a":"` + strings.Repeat(`\"`, 50_000) + `"} %}`, "text", "text"},
	{"deep JSON", `{% connected_content https://x.y %}`, strings.Repeat("[", 200) + strings.Repeat("]", 200), ""},
	{"endless JSON", `{% connected_content https://x.y %}{{ connected }}`, strings.Repeat("[", 500_000), strings.Repeat("[", 500_000)},
	{"wide JSON", `{% connected_content https://x.y %}{{ connected.size }}`, "[" + strings.Repeat("0,", 400_000) + "0]", "400001"},
	{"wider JSON", `{% connected_content https://x.y %}`, "[" + strings.Repeat("[],", 1_200_000) + "0]", ""},
	{"JSON of many names", `{% connected_content https://x.y %}{{ connected.size }}`, "{" + manyHeaders(50_000) + "}", "50001"},
	{"JSON again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat("[],", 300_000) + "0]", ""},
	{"members again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "{" + manyHeaders(80_000) + "}", ""},
	{"small objects again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat(`{"a":1},`, 60_000) + "0]", ""},
	{"numbers again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat("1.5,", 250_000) + "0]", ""},
	{"numbers that stay text", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat("1.50,", 200_000) + "0]", ""},
	{"escapes again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat(`"\n",`, 60_000) + "0]", ""},
	{"broken text again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, "[" + strings.Repeat("\"\xff\",", 90_000) + "0]", ""},
	{"text again and again", `{% for i in (1..999) %}{% connected_content https://x.y %}{% endfor %}`, strings.Repeat("x", 1<<20), ""},
	{"a huge rerendered text", `{% connected_content https://x.y :rerender %}`, strings.Repeat("{{a}}", 200_000), ""},
	{"rerendered text again and again", `{% for i in (1..999) %}{% connected_content https://x.y :rerender %}{% endfor %}`, strings.Repeat("{{a}}", 20_000), ""},
	{"rerendered dollars", `{% connected_content https://x.y :rerender %}`, strings.Repeat("${", 50_000), strings.Repeat("${", 50_000)},
	{"an endless loop from outside", `{% connected_content https://x.y :rerender %}`, "{% for i in (1..1000000000) %}{% endfor %}", ""},
	{"a long form", `{% connected_content https://x.y :method post :content_type application/json :body ` + strings.Repeat("a=1&", 50_000) + ` %}`, "text", "text"},
	{"a growing URL", `{% assign u = 'https://x.y' %}{% for i in (1..99) %}{% assign u = u | append: u %}{% connected_content {{u}} %}{% endfor %}`, "", ""},
	{"snippets in snippets", `{% for i in (1..1000000) %}{{content_blocks.${self}}}{{content_blocks.${first}}}{% endfor %}`, "", ""},
	{"a growing snippet", `{% assign who = 'x' %}{% for i in (1..99) %}{% assign who = content_blocks.${greeting} | append: who %}{% endfor %}`, "", ""},
	{"extras again and again", `{% capture k %}{% for i in (1..500) %}xxxxxxxxxx{% endfor %}{% endcapture %}{% for i in (1..900000) %}{% message_extras :key {{k}}{{i}} :value {{k}} %}{% endfor %}`, "", ""},
	{"codes again and again", `{% for i in (1..999999) %}{% promotion('spring') %}{% endfor %}`, "", ""},
}

func manyHeaders(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = `"h` + strconv.Itoa(i) + `":1`
	}
	return strings.Join(list, ",")
}

func TestHostileOutside(t *testing.T) {
	for _, h := range hostileOutside {
		t.Run(h.name, func(t *testing.T) {
			f := newOutside(t)
			in := outsideInput(t, f)
			for _, address := range []string{"https://x.y", "https://x.y/"} {
				f.answers[address] = FetchResponse{Status: 200, Body: []byte(h.body)}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tpl, err := Parse(h.template, Options{Dialect: Braze})
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
					t.Fatalf("got %.40q, %v; want %.40q", got, err, h.want)
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

// FuzzOutside renders templates with everything that they may ask from outside,
// and their own source as an answer.
func FuzzOutside(f *testing.F) {
	f.Add(everything)
	for _, h := range hostileOutside {
		if len(h.template) < 500 {
			f.Add(h.template)
		}
		if len(h.body) < 500 {
			f.Add(h.body)
		}
	}
	for _, source := range []string{
		`{% connected_content https://x.y :save a :rerender %}{{ a }}${user_id}{{ ${`,
		`{% connected_content https://x.y :headers {"a": "b{{ c }}\u00e4", "d": -1.5e3 } :method post :content_type application/json :body a=1&b %}`,
		`{% connected_content https://x.y :save 'a' :no_cache :retry :auth_credentials "b c" -%} x`,
		`{% catalog_items games 1234 "5678" {{ a }}b :rerender %}{{ items | as_json_string }}`,
		`{% catalog_selection_items games for_two :rerender %}{% message_extras :key a :value "b {{ c }}" %}`,
		`{{ content_blocks.${footer 1/ü} | upcase }}{{content_blocks.${broken}}}{% promotion ( 'spring' ) %}`,
		"{% liquid\n connected_content https://x.y\n catalog_items games 1\n message_extras :key a :value b\n promotion('spring')\n%}",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		limits := Limits{Steps: 20_000, Output: 1 << 16, Built: 1 << 20}
		for _, opts := range []Options{{Dialect: Braze, Limits: limits}, {Dialect: Braze, Syntax: Lax, Errors: Inline, Limits: limits}} {
			tpl, err := Parse(source, opts)
			if err != nil {
				checkError(t, err, source)
				continue
			}
			checkTree(t, tpl)
			_ = tpl.Uses()
			_ = tpl.Reads()
			outside := newOutside(t)
			outside.answers["https://x.y"] = FetchResponse{Status: 200, Body: []byte(source)}
			if _, err := tpl.Render(context.Background(), outsideInput(t, outside)); err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Pos.Line < 1 {
					t.Fatalf("no place in %v", err)
				}
			}
		}
	})
}

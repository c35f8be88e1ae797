package payload

import (
	"slices"
	"strings"
	"testing"

	"platen/liquid"
)

func TestTagsThatAskOutside(t *testing.T) {
	const call = "{% connected_content https://example.com/"
	checkLanguage(t, Options{}, []languageCase{
		{"call", call + `u/{{${user_id} | url_param_escape}}?q=1 :save r %}{"a": "{{r.title | json_escape}}", "b": {{r.n | as_json_string}}}`, nil, ""},
		{"value in the URL of a call", call + `u/{{${user_id}}} :save r %}{"a": "{{r.title | json_escape}}"}`, []string{"1:44 unescaped"},
			call + `u/{{${user_id} | url_param_escape}} :save r %}{"a": "{{r.title | json_escape}}"}`},
		{"answer of a call", call + ` :save r %}{"a": "{{r.title}}"}`, []string{"1:60 unescaped"}, call + ` :save r %}{"a": "{{r.title | json_escape}}"}`},
		{"answer without a name", call + ` %}{"a": "{{connected.title | json_escape}}"}`, nil, ""},
		{"URL of a value", `{% connected_content {{custom_attribute.${link}}} :save r %}{}`, nil, ""},
		{"header of a call", call + ` :headers {"X-Name": "{{${first_name}}}"} :save r %}{}`, []string{"1:64 unescaped"},
			call + ` :headers {"X-Name": "{{${first_name} | strip_newlines}}"} :save r %}{}`},
		{"secret of a call", call + ` :headers {"Authorization": "Bearer 0123456789abcdef"} :save r %}{}`, []string{"1:78 literal_secret"}, ""},
		{"form of a call", call + ` :method post :body a={{${city}}}&b=1 :save r %}{}`, []string{"1:64 unescaped"},
			call + ` :method post :body a={{${city} | url_param_escape}}&b=1 :save r %}{}`},
		{"form that becomes JSON", call + ` :method post :content_type application/json :body a={{${city} | url_param_escape}} :save r %}{}`, nil, ""},
		{"JSON of a call", call + ` :method post :body {"a":"{{${city}}}"} :save r %}{}`, []string{"1:68 unescaped"},
			call + ` :method post :body {"a":"{{${city} | json_escape}}"} :save r %}{}`},
		{"captured JSON of a call", `{% capture b %}{"a":"{{${city}}}"}{% endcapture %}` + call + ` :method post :content_type application/json :body {{b}} :save r %}{}`,
			[]string{"1:22 unescaped"}, `{% capture b %}{"a":"{{${city} | json_escape}}"}{% endcapture %}` + call + ` :method post :content_type application/json :body {{b}} :save r %}{}`},
		{"items", `{% catalog_items games {{${user_id}}} 7 %}[{% for i in items %}"{{i.title | json_escape}}"{% unless forloop.last %},{% endunless %}{% endfor %}]`, nil, ""},
		{"an item", `{% catalog_items games 7 %}{"a": "{{items[0].title}}"}`, []string{"1:35 unescaped"}, `{% catalog_items games 7 %}{"a": "{{items[0].title | json_escape}}"}`},
		{"selection", `{% catalog_selection_items games two %}{"a": {{items | as_json_string}}, "n": {{items.size}}}`, []string{"1:79 may_be_empty"},
			`{% catalog_selection_items games two %}{"a": {{items | as_json_string}}, "n": {{items.size | default: 'null'}}}`},
		{"typing mistake in an id", `{% catalog_items games {{idd}} %}{}`, []string{"1:24 unknown_variable"}, ""},
		{"extras", `{% message_extras :key a :value "{{${city}}}" %}{"a": 1}`, nil, ""},
		{"code", `{"a": "{% promotion('spring') %}"}`, []string{"1:8 unescaped"}, ""},
		{"captured code", `{% capture c %}{% promotion('spring') %}{% endcapture %}{"a": "{{c | json_escape}}"}`, nil, ""},
		{"in liquid lines", "{% liquid\ncatalog_items games 7\nassign t = items[0].title\n%}{\"a\": \"{{t | json_escape}}\"}", nil, ""},
		{"another answer", call + `a :save r %}{% if r.a %}` + call + `b :save r %}{"price": {{r.a}}}{% else %}{}{% endif %}`, []string{"1:129 may_be_empty"},
			call + `a :save r %}{% if r.a %}` + call + `b :save r %}{"price": {{r.a | as_json_string}}}{% else %}{}{% endif %}`},
		{"the same answer", call + `a :save r %}{% if r.a %}{"price": {{r.a}}}{% else %}{}{% endif %}`, nil, ""},
	})
}

// compiledSnippets compiles snippets by name.
func compiledSnippets(t *testing.T, sources map[string]string) func(string) (*liquid.Template, bool) {
	t.Helper()
	compiled := map[string]*liquid.Template{}
	for name, source := range sources {
		template, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
		if err != nil {
			t.Fatal(err)
		}
		compiled[name] = template
	}
	return func(name string) (*liquid.Template, bool) {
		template, ok := compiled[name]
		return template, ok
	}
}

func TestSnippets(t *testing.T) {
	find := compiledSnippets(t, map[string]string{
		"fails":   strings.Repeat(" ", 300) + `{{ 1 | divided_by: 0 }}`,
		"counts":  strings.Repeat(" ", 300) + `{% assign n = 1 | plus: 1 %}{% if n > 1 %}{{ n }}{% endif %}`,
		"safe":    `"name": "{{${first_name} | json_escape}}",`,
		"raw":     `Hello {{${first_name}}}!`,
		"sets":    `{% assign greeting = ${first_name} %}`,
		"reads":   `{% if who %}"{{ who | json_escape }}"{% else %}null{% endif %}`,
		"wrong":   "line\n{{ nobody }}",
		"aborts":  `{% abort_message('no') %}`,
		"nested":  `[{{content_blocks.${inner}}}]`,
		"inner":   `1{{content_blocks.${third}}}`,
		"third":   `, broken`,
		"endless": `{{content_blocks.${endless}}}1`,
		"loop":    `{% for i in event_properties.${tags} %}{% if i == 'x' %}{% break %}{% endif %}"{{i | json_escape}}",{% endfor %}`,
	})
	checkLanguage(t, Options{Snippets: find}, []languageCase{
		{"members", `{ {{content_blocks.${safe}}} "b": 1}`, nil, ""},
		{"a comma that it brings", `{ {{content_blocks.${safe}}} }`, []string{"1:3 trailing_comma"}, ""},
		{"text that is not escaped", `{"a": "{{content_blocks.${raw}}}"}`, []string{"1:8 unescaped"}, `{"a": "{{content_blocks.${raw} | json_escape}}"}`},
		{"a variable that it sets", `{{content_blocks.${sets}}}{"a": "{{greeting}}"}`, []string{"1:34 unescaped"},
			`{{content_blocks.${sets}}}{"a": "{{greeting | json_escape}}"}`},
		{"a variable that it reads", `{% assign who = ${city} %}{"a": {{content_blocks.${reads}}}}`, nil, ""},
		{"twice", `{% assign who = ${city} %}[{{content_blocks.${reads}}}, {% assign who = nil %}{{content_blocks.${reads}}}]`, nil, ""},
		{"a mistake in it", `{"a": "{{content_blocks.${wrong}}}"}`, []string{"1:8 line_break", "1:10 unknown_variable"}, ""},
		{"a failing filter behind the end of the template", `{"a": "{{content_blocks.${fails}}}"}`, []string{"1:10 liquid"}, ""},
		{"what is known behind the end of the template", `{"a": {{content_blocks.${counts}}}, "n": {{ n }}}`, nil, ""},
		{"a variable set while a URL is written", `{% connected_content https://example.com/{{content_blocks.${sets}}} :save r %}{"a": "{{greeting}}"}`, []string{"1:86 unescaped"},
			`{% connected_content https://example.com/{{content_blocks.${sets}}} :save r %}{"a": "{{greeting | json_escape}}"}`},
		{"a variable set while an extra is written", `{% message_extras :key a :value {{content_blocks.${sets}}} %}{"a": "{{greeting}}"}`, []string{"1:69 unescaped"},
			`{% message_extras :key a :value {{content_blocks.${sets}}} %}{"a": "{{greeting | json_escape}}"}`},
		{"one that ends the message", `{{content_blocks.${aborts}}}{"a": `, nil, ""},
		{"third level", `{{content_blocks.${nested}}}`, nil, ""},
		{"in itself", `[{{content_blocks.${endless}}}]`, nil, ""},
		{"filtered", `{"a": {{content_blocks.${raw} | as_json_string}}}`, nil, ""},
		{"assigned", `{% assign a = content_blocks.${raw} %}{"a": "{{a | json_escape}}"}`, nil, ""},
		{"with a loop", `[{{content_blocks.${loop}}} 1]`, nil, ""},
		{"no such snippet", `{"a": {{content_blocks.${none}}}}`, []string{"1:9 unknown_snippet"}, ""},
	})
}

// A finding in a snippet is told where it is used, with the name of the snippet.
func TestSnippetIsNamed(t *testing.T) {
	find := compiledSnippets(t, map[string]string{"outer": "{{content_blocks.${inner}}}", "inner": "\n\n{{ nobody }}"})
	report, err := Lint(`"{{content_blocks.${outer}}}"`, Options{Snippets: find})
	if err != nil {
		t.Fatal(err)
	}
	named := slices.ContainsFunc(report.Findings, func(f Finding) bool {
		return f.Rule == UnknownName && f.Line == 1 && f.Column == 4 && strings.HasPrefix(f.Message, "in the snippet outer: nothing sets nobody")
	})
	if !named {
		t.Errorf("got\n%s", report.Text("t"))
	}
}

// A body without a content type is linted as what it begins as.
func TestBodyAs(t *testing.T) {
	tests := []struct {
		contentType, body, want string
	}{
		{"application/json; charset=utf-8", `{"a": 1,}`, "1:8 trailing_comma"},
		{"application/vnd.shop+json", `{"a": 1,}`, "1:8 trailing_comma"},
		{"application/x-www-form-urlencoded", `a={{${city}}}`, "1:3 unescaped"},
		{"text/xml", `<a>{{${city}}}</a>`, ""},
		{"not a type at all;;", `{"a": 1,}`, ""},
		{"", "\n [1,]", "2:4 trailing_comma"},
		{"", "{% assign x = 1 %}\n{\"a\": \"{{${city}}}\"}", "2:8 unescaped"},
		{"", "a[b]=1&c={{${city}}}", "1:10 unescaped"},
		{"", "Hello {{${city}}} = x", ""},
		{"", "{{${city}}}", ""},
		{"", "{% if ${city} %}a=1{% else %}[1,]{% endif %}&b={{${gender}}}{{${city}}}", "1:32 trailing_comma 1:45 text_after_document 1:61 unescaped"},
	}
	for _, tt := range tests {
		report, err := Lint(tt.body, Options{As: BodyAs(tt.contentType)})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(places(report), " "); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.contentType, tt.body, got, tt.want)
		}
	}
}

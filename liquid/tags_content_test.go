package liquid

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestContentRequests checks what each option makes of the call.
func TestContentRequests(t *testing.T) {
	const at = "https://example.com/x"
	long := strings.Repeat("x", 300)
	for options, want := range map[string]FetchRequest{
		``:                                    {},
		`:save a`:                             {},
		`:method get`:                         {},
		`:method POST`:                        {Method: "POST"},
		`:no_cache`:                           {NoCache: true},
		`:retry`:                              {Retry: true},
		`:cache_max_age 300`:                  {CacheFor: 300 * time.Second},
		`:cache_max_age 14400`:                {CacheFor: 4 * time.Hour},
		`:basic_auth shop`:                    {Credential: "shop"},
		`:auth_credentials "My Shop"`:         {Credential: "My Shop"},
		`:content_type text/plain`:            {ContentType: "text/plain"},
		`:method post :body a=1&b=2`:          {Method: "POST", Body: "a=1&b=2"},
		`:body a={{${user_id}}} :method post`: {Method: "POST", Body: "a=u1"},
		`:method post :body {"a":"{{ custom_attribute.${quote} | json_escape }}"}`:                           {Method: "POST", Body: `{"a":"say \"hi\""}`},
		`:method post :content_type application/json :body {"a":1}`:                                          {Method: "POST", ContentType: "application/json", Body: `{"a":1}`},
		`:method post :content_type application/json :body a=1&b=x%20y+z&&c&d=50%`:                           {Method: "POST", ContentType: "application/json", Body: `{"a":"1","b":"x y z","c":"","d":"50%"}`},
		`:method post :content_type application/vnd.api+json;v=1 :body q={{custom_attribute.${quote}}}`:      {Method: "POST", ContentType: "application/vnd.api+json;v=1", Body: `{"q":"say \"hi\""}`},
		`:method post :content_type application/json :body a={{custom_attribute.${amp} | url_param_escape}}`: {Method: "POST", ContentType: "application/json", Body: `{"a":"a&b=c"}`},
		`:headers {"X-A": "b\u00e4", "n":12 ,"id": {{${user_id}}}, "Both":"a {{ ${first_name} | default: "y" }} \"c\"" }`: {
			Header: [][2]string{{"X-A", "bä"}, {"n", "12"}, {"id", "u1"}, {"Both", `a Jon "c"`}}},
		`:headers {}`: {},
		"\n  :retry\n\t:headers {\n \"a\" : \"b\"\n}\n :save\n x\n": {Retry: true, Header: [][2]string{{"a", "b"}}},
		`:headers {"Long": "` + long + `"}`:                         {Header: [][2]string{{"Long", long}}},
	} {
		want.URL = at
		if want.Method == "" {
			want.Method = "GET"
		}
		_, f, err := renderOutside(t, `{% connected_content `+at+` `+options+`%}`)
		if err != nil {
			t.Errorf("%s: %v", options, err)
			continue
		}
		if len(f.requests) != 1 || !reflect.DeepEqual(f.requests[0], want) {
			t.Errorf("%s\n got %+v\nwant %+v", options, f.requests, want)
		}
	}
}

func TestContentURLs(t *testing.T) {
	for tag, want := range map[string]string{
		`https://a.b/{{${user_id}}}?c={{ custom_attribute.${city} | url_param_escape }}#f`: `https://a.b/u1?c=New%20York#f`,
		`{{ 'https://a.b' }}/x`:       `https://a.b/x`,
		`{{${missing}}}`:              ``,
		`{{- 'https://a.b/1' -}}/2`:   `https://a.b/1/2`,
		`HTTP://a.b/-`:                `HTTP://a.b/-`,
		`https://a.b/<!-- c -->d`:     `https://a.b/d`,
		`https://a.b/{{${a or 'x'}}}`: `https://a.b/`,
	} {
		_, f, err := renderOutside(t, `{% connected_content `+tag+` %}`)
		if err != nil || len(f.requests) != 1 || f.requests[0].URL != want {
			t.Errorf("%s: got %+v, %v; want %s", tag, f.requests, err, want)
		}
	}
}

// TestContentAnswers checks what becomes of each kind of answer.
func TestContentAnswers(t *testing.T) {
	for template, want := range map[string]string{
		`{% connected_content https://example.com/weather?city=New%20York %}{{connected.sky}} {{connected.degrees}} {{connected.__http_status_code__}}`: `clear 21.50 200`,
		`{% connected_content https://example.com/list :save l %}{{l | join: '-'}}{{l.__http_status_code__}}`:                                           `1-2`,
		`{% connected_content https://example.com/latin %}`:                                                                                             "caf\uFFFD",
		`[{% connected_content https://example.com/text :save v %}]{{v}}`:                                                                               `[Hi <b>{{ ${first_name} }}</b>]`,
		`[{% connected_content https://example.com/text :save v :rerender %}]{{v}}`:                                                                     `[Hi <b>Jon</b>]`,
		`{% connected_content https://example.com/bare :rerender %}`:                                                                                    `Hi Jon,  $5 {$} ${}`,
		`[{% connected_content https://example.com/empty :save v %}{{v}}]`:                                                                              `[]`,
		`{% assign v = 1 %}[{% connected_content https://example.com/404 :save v %}{{v}}{% if v == nil %}nil{% endif %}]`:                               `[nil]`,
		`[{% connected_content https://example.com/500 :rerender %}{{connected}}]`:                                                                      `[]`,
		`[{% connected_content https://example.com/nobody %}]`:                                                                                          `[]`,
		`{% capture c %}{% connected_content https://example.com/text %}{% endcapture %}{{ c | size }}`:                                                 `29`,
		"{% liquid\n connected_content https://example.com/list :save l\n catalog_items games 1234\n promotion('spring')\n echo l[0]\n%}{{items.size}}": `SPRING-111`,
		`{% if false %}{% connected_content https://example.com/down %}{% endif %}`:                                                                     ``,
	} {
		got, _, err := renderOutside(t, template)
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
}

// TestContentSyntaxErrors checks the place and the words of every refusal.
func TestContentSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		tag     string
		column  int
		message string
	}{
		{`{% connected_content %}`, 22, "expected a URL"},
		{`{% connected_content 'https://a.b' %}`, 23, "without quotes"},
		{`{% connected_content a.b/c %}`, 22, "begins with https://"},
		{`{% connected_content :save x %}`, 22, "begins with https://"},
		{`{% connected_content https://a.b/{{ %}`, 34, "never closed"},
		{`{% connected_content https://a.b/{{ a | upcas }} %}`, 41, `did you mean "upcase"`},
		{`{% connected_content https://a.b/${user_id} %}`, 34, "write {{${user_id}}}"},
		{`{% connected_content https://a.b/{% if %}`, 34, "a tag is not possible inside another tag"},
		{`{% connected_content https://a.b :sav x %}`, 34, `has no option ":sav"; did you mean ":save"`},
		{`{% connected_content https://a.b save x %}`, 34, "begin with a colon"},
		{`{% connected_content https://a.b ':save' x %}`, 35, "begin with a colon"},
		{`{% connected_content https://a.b :save %}`, 34, ":save needs a value"},
		{`{% connected_content https://a.b :save :retry %}`, 34, ":save needs a value"},
		{`{% connected_content https://a.b :save a.b %}`, 40, "cannot be the name of a variable"},
		{`{% connected_content https://a.b :save {{a}} %}`, 40, "Liquid is not possible here"},
		{`{% connected_content https://a.b :save '' %}`, 41, "this is empty"},
		{`{% connected_content https://a.b :save 'a %}`, 40, "this string is never closed"},
		{`{% connected_content https://a.b :save 'a'b %}`, 43, "expected white space"},
		{`{% connected_content https://a.b :save a :save b %}`, 42, ":save stands here twice"},
		{`{% connected_content https://a.b :method put %}`, 42, `unknown method "put": expected get or post`},
		{`{% connected_content https://a.b :body a=1 %}`, 34, ":method post only"},
		{`{% connected_content https://a.b :method post :body {"a": 1} %}`, 59, "capture longer text first"},
		{`{% connected_content https://a.b :method post :body %}`, 47, ":body needs a value"},
		{`{% connected_content https://a.b :content_type json %}`, 48, `unknown content type "json"`},
		{`{% connected_content https://a.b :content_type a/ %}`, 48, `unknown content type "a/"`},
		{`{% connected_content https://a.b :cache_max_age 299 %}`, 49, "expected 300 to 14400 seconds"},
		{`{% connected_content https://a.b :cache_max_age 14401 %}`, 49, "expected 300 to 14400 seconds"},
		{`{% connected_content https://a.b :cache_max_age 9223372036854775807 %}`, 49, "expected 300 to 14400 seconds"},
		{`{% connected_content https://a.b :cache_max_age 5m %}`, 49, "expected 300 to 14400 seconds"},
		{`{% connected_content https://a.b :no_cache :cache_max_age 300 %}`, 34, "contradicts"},
		{`{% connected_content https://a.b :basic_auth a :auth_credentials b %}`, 48, "one credential"},
		{`{% connected_content https://a.b :headers a %}`, 34, ":headers needs a JSON object"},
		{`{% connected_content https://a.b :headers {{h}} %}`, 34, ":headers needs a JSON object"},
		{`{% connected_content https://a.b :headers {a:1} %}`, 44, "the name of a header in double quotes"},
		{`{% connected_content https://a.b :headers {"a" 1} %}`, 48, "expected : here"},
		{`{% connected_content https://a.b :headers {"a":1 "b":2} %}`, 50, "expected , or } here"},
		{`{% connected_content https://a.b :headers {"a":1, %}`, 51, "the headers end here"},
		{`{% connected_content https://a.b :headers {"a":} %}`, 48, "expected a text in double quotes"},
		{`{% connected_content https://a.b :headers {"a": %}`, 49, "the headers end here"},
		{`{% connected_content https://a.b :headers {"a":true} %}`, 48, "expected a text in double quotes"},
		{`{% connected_content https://a.b :headers {"a":1.} %}`, 48, "expected a text in double quotes"},
		{`{% connected_content https://a.b :headers {"a":[1]} %}`, 48, "expected a text in double quotes"},
		{`{% connected_content https://a.b :headers {"a b":1} %}`, 45, "cannot be the name of a header"},
		{`{% connected_content https://a.b :headers {"{{a}}":1} %}`, 45, "cannot be the name of a header"},
		{`{% connected_content https://a.b :headers {"":1} %}`, 45, "cannot be the name of a header"},
		{`{% connected_content https://a.b :headers {"a":1,"A":2} %}`, 51, "the header A stands here twice"},
		{`{% connected_content https://a.b :headers {"a":"x %}`, 48, "never closed"},
		{`{% connected_content https://a.b :headers {"a":"\x"} %}`, 49, "no JSON string"},
		{`{% connected_content https://a.b :headers {"a":"\n"} %}`, 49, "a header has one line"},
		{`{% connected_content https://a.b :headers {"a":"\` + `%}`, 48, "never closed"},
	} {
		_, err := Parse(c.tag, Options{Dialect: Braze})
		t.Run(c.tag, func(t *testing.T) { wantError(t, err, KindSyntax, Pos{Line: 1, Column: c.column}, c.message) })
	}
	if _, err := Parse(`{% connected_content https://a.b %}`, Options{}); err == nil {
		t.Error("the Shopify dialect has the tag")
	}
}

// TestContentRenderErrors checks the errors that only a render finds.
func TestContentRenderErrors(t *testing.T) {
	const hugeURL = `{% capture u %}https://a.b/{% for i in (1..900) %}0123456789{% endfor %}{% endcapture %}`
	for _, c := range []struct {
		name, template string
		kind           Kind
		column         int
		message        string
	}{
		{"outside", `x{% connected_content https://down %}`, KindOutside, 2, "connected_content failed: the store is down"},
		{"filter in the URL", `{% connected_content https://a.b/{{ 1 | divided_by: 0 }} %}`, KindRender, 41, "divided by 0"},
		{"lines in a header", `{% connected_content https://a.b :headers {"a":"{{custom_attribute.${lines}}}"} %}`, KindRender, 49, "a header has one line"},
		{"long URL", hugeURL + `{% connected_content {{u}} %}`, KindLimit, len(hugeURL) + 22, "longer than 8 KiB"},
		{"steps", `{% for i in (1..2000) %}{% connected_content https://a.b %}{% endfor %}`, KindLimit, 25, "limit of steps"},
	} {
		_, _, err := renderOutside(t, c.template)
		t.Run(c.name, func(t *testing.T) { wantError(t, err, c.kind, Pos{Line: 1, Column: c.column}, c.message) })
	}
	_, _, err := renderOutside(t, `{% connected_content https://down %}`)
	if !errors.Is(err, errDown) {
		t.Errorf("%v does not wrap its cause", err)
	}
	_, err = renderBraze(t, ` {% connected_content https://a.b %}`, Input{})
	wantError(t, err, KindRender, Pos{Line: 1, Column: 2}, "connected_content is not possible here")
}

// TestRerenderErrors checks that text from outside asks for nothing from outside,
// and that its errors name it.
func TestRerenderErrors(t *testing.T) {
	for _, c := range []struct {
		body    string
		kind    Kind
		at      Pos
		message string
	}{
		{"a\n {% connected_content https://a.b %}", KindRender, Pos{Line: 2, Column: 2}, "connected_content is not possible in text from outside"},
		{"{% catalog_items games 1234 %}", KindRender, Pos{Line: 1, Column: 1}, "catalog_items is not possible"},
		{"{% catalog_selection_items games for_two %}", KindRender, Pos{Line: 1, Column: 1}, "catalog_selection_items is not possible"},
		{"{% promotion('spring') %}", KindRender, Pos{Line: 1, Column: 1}, "promotion is not possible"},
		{"{% message_extras :key a :value b %}", KindRender, Pos{Line: 1, Column: 1}, "message_extras is not possible"},
		{"{% abort_message %}", KindRender, Pos{Line: 1, Column: 1}, "abort_message is not possible"},
		{"x{{content_blocks.${greeting}}}", KindRender, Pos{Line: 1, Column: 4}, "content_blocks is not possible"},
		{"{{ a", KindRender, Pos{Line: 1, Column: 1}, "the answer of connected_content, line 1"},
		{"{{ 1 | divided_by: 0 }}", KindRender, Pos{Line: 1, Column: 8}, "the answer of connected_content, line 1"},
		{strings.Repeat("{% if a %}", 200), KindLimit, Pos{Line: 1, Column: 1011}, "the answer of connected_content, line 1"},
		{strings.Repeat("x", maxFetched+1), KindLimit, Pos{Line: 1, Column: 1}, "too long to be rendered"},
	} {
		f := newOutside(t)
		f.answers["https://x.y"] = FetchResponse{Status: 200, Body: []byte(c.body)}
		_, err := renderBraze(t, `{% connected_content https://x.y :rerender %}`, outsideInput(t, f))
		t.Run(excerpt(c.body), func(t *testing.T) { wantError(t, err, c.kind, c.at, c.message) })
	}
}

// TestRerenderOpenDollars checks that a ${ without an end is not looked for again
// and again: once this took a hundred times as long.
func TestRerenderOpenDollars(t *testing.T) {
	text := strings.Repeat("${", maxFetched/2)
	opts := Options{Dialect: Braze}
	start := time.Now()
	for range 40 {
		p := newParser(text, &opts)
		p.fetched = true
		if _, err := p.template(); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %s", took)
	}
}

// A text from outside ends no loop of the message, and may set its variables.
func TestRerenderInALoop(t *testing.T) {
	f := newOutside(t)
	f.answers["https://x.y"] = FetchResponse{Status: 200, Body: []byte("{% assign a = i %}{% break %}never")}
	got, err := renderBraze(t, `{% for i in (1..3) %}{% connected_content https://x.y :rerender %}{{ a }}{% endfor %}`, outsideInput(t, f))
	if err != nil || got != "123" {
		t.Errorf("got %q, %v", got, err)
	}
}

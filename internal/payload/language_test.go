package payload

import (
	"slices"
	"testing"
)

type languageCase struct {
	name, source string
	want         []string // line:column rule
	fixed        string   // "" when nothing can be repaired
}

// checkLanguage lints and repairs templates of one language.
func checkLanguage(t *testing.T, opts Options, tests []languageCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Lint(tt.source, opts)
			if err != nil {
				t.Fatal(err)
			}
			if got := places(report); !slices.Equal(got, tt.want) {
				t.Fatalf("got\n%s\nwant %v", report.Text("t"), tt.want)
			}
			fixed, _, rest, err := Fix(tt.source, opts)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.fixed == "" && fixed != tt.source:
				t.Errorf("repaired to %s", fixed)
			case tt.fixed != "" && (fixed != tt.fixed || len(rest.Findings) > 0):
				t.Errorf("repaired to\n%s\nwant\n%s\nleft\n%s", fixed, tt.fixed, rest.Text("t"))
			}
		})
	}
}

func TestURL(t *testing.T) {
	const host = "https://example.com"
	checkLanguage(t, Options{As: URL}, []languageCase{
		{"path", host + "/a/{{${first_name}}}", []string{"1:23 unescaped"}, host + "/a/{{${first_name} | url_param_escape}}"},
		{"name", host + "/?{{${first_name}}}=1", []string{"1:22 unescaped"}, host + "/?{{${first_name} | url_param_escape}}=1"},
		{"value", host + "?a=1&b={{${first_name}}}&c=2", []string{"1:27 unescaped"}, host + "?a=1&b={{${first_name} | url_param_escape}}&c=2"},
		{"part of a host", "https://{{custom_attribute.${shop}}}.example.com/x", []string{"1:9 unescaped"},
			"https://{{custom_attribute.${shop} | url_param_escape}}.example.com/x"},
		{"end of a host", "https://example.{{custom_attribute.${tld}}}", []string{"1:17 unescaped"}, "https://example.{{custom_attribute.${tld} | url_param_escape}}"},
		{"a path without its slash", host + "{{custom_attribute.${path}}}", []string{"1:20 unescaped"}, ""},
		{"a port", host + ":{{custom_attribute.${port}}}/", []string{"1:21 unescaped"}, host + ":{{custom_attribute.${port} | url_param_escape}}/"},
		{"slashes let through on purpose", host + "/{{${city} | url_param_escape | replace: '%2F', '/'}}", []string{"1:21 unescaped"}, ""},
		{"the same with a variable", "{% assign p = ${city} | url_param_escape | replace: '%2F', '/' %}" + host + "/{{p}}", []string{"1:86 unescaped"}, ""},
		{"several", host + "/{{${city}}}/{{${country}}}?q={{${city} | upcase}}", []string{"1:21 unescaped", "1:50 unescaped"},
			host + "/{{${city} | url_param_escape}}/{{${country}}}?q={{${city} | upcase | url_param_escape}}"},
		{"escaped for another place", host + "/{{${city} | json_escape}}?q={{${city} | url_escape}}&r={{${city} | url_encode | truncate: 9}}",
			[]string{"1:21 unescaped", "1:49 unescaped", "1:76 unescaped"},
			host + "/{{${city} | url_param_escape}}?q={{${city} | url_param_escape}}&r={{${city} | truncate: 9 | url_param_escape}}"},
		{"base64 has a +", host + "?a={{${city} | base64_encode}}", []string{"1:23 unescaped"}, host + "?a={{${city} | base64_encode | url_param_escape}}"},
		{"slashes of a path", host + "/{{${time_zone}}}/{{${city} | base64}}", []string{"1:21 unescaped", "1:38 unescaped"},
			host + "/{{${time_zone} | url_param_escape}}/{{${city} | base64 | url_param_escape}}"},
		{"dates with spaces", host + "?a={{'now' | date: '%d %B'}}&b={{'now' | date: '%e'}}&c={{'now' | date: '%z'}}", []string{"1:23 unescaped", "1:51 unescaped", "1:76 unescaped"},
			host + "?a={{'now' | date: '%d %B' | url_param_escape}}&b={{'now' | date: '%e' | url_param_escape}}&c={{'now' | date: '%z' | url_param_escape}}"},
		{"a time with its zone", host + "?a={{${date_of_birth} | time_zone: 'Asia/Tokyo'}}&b={{${date_of_birth}}}", []string{"1:23 unescaped"},
			host + "?a={{${date_of_birth} | time_zone: 'Asia/Tokyo' | url_param_escape}}&b={{${date_of_birth}}}"},
		{"a date that may be any text", host + "?a={{event_properties.${day} | date: '%F'}}", []string{"1:23 unescaped"},
			host + "?a={{event_properties.${day} | date: '%F' | url_param_escape}}"},
		{"a default that is worse", host + "?a={{${country} | default: 'a b'}}", []string{"1:49 bad_url"}, host + "?a={{${country} | default: 'a%20b'}}"},
		{"a structured value", host + "?{{ ${city} | prepend: 'city=' }}", []string{"1:21 unescaped"}, ""},
		{"captured", "{% capture q %}q={{${city}}}{% endcapture %}" + host + "?{{q}}", []string{"1:18 unescaped"},
			"{% capture q %}q={{${city} | url_param_escape}}{% endcapture %}" + host + "?{{q}}"},
		{"behind a base", "{{custom_attribute.${base}}}/a?b={{${city}}}", []string{"1:34 unescaped"}, "{{custom_attribute.${base}}}/a?b={{${city} | url_param_escape}}"},
		{"behind scheme and host", "{{custom_attribute.${s}}}://{{custom_attribute.${h}}}/{{${city}}}", []string{"1:55 unescaped"},
			"{{custom_attribute.${s}}}://{{custom_attribute.${h}}}/{{${city} | url_param_escape}}"},
		{"a line break", host + "/a\n?c=d", []string{"1:22 bad_url"}, ""},
		{"a space", host + "/a b", []string{"1:22 bad_url"}, host + "/a%20b"},
		{"a percent sign", host + "/100%/x?a=50%25", []string{"1:24 bad_url"}, host + "/100%25/x?a=50%25"},
		{"no scheme", "www.example.com/{{${country}}}", []string{"1:1 bad_url"}, ""},
		{"another scheme", "ftp://example.com/", []string{"1:1 bad_url"}, ""},
		{"nothing", "{% if ${city} %}" + host + "{% endif %}", []string{"1:1 bad_url"}, ""},
		{"typing mistake", host + "/{{ ide }}", []string{"1:21 unknown_variable"}, ""},
	})
}

func TestForm(t *testing.T) {
	checkLanguage(t, Options{As: Form}, []languageCase{
		{"value", "a={{${city}}}&b=1", []string{"1:3 unescaped"}, "a={{${city} | url_param_escape}}&b=1"},
		{"name", "{{${city}}}=1", []string{"1:1 unescaped"}, "{{${city} | url_param_escape}}=1"},
		{"JSON in a value", "p={{event_properties.${meta} | as_json_string}}", []string{"1:3 unescaped"}, "p={{event_properties.${meta} | as_json_string | url_param_escape}}"},
		{"line breaks", "a=1\n&b=2\n", []string{"1:4 line_break", "2:5 line_break"}, "a=1&b=2"},
		{"base64url as a name", "{{${city} | base64_url_safe_encode}}=1", []string{"1:1 unescaped"}, "{{${city} | base64_url_safe_encode | url_param_escape}}=1"},
	})
}

func TestHeader(t *testing.T) {
	checkLanguage(t, Options{As: Header, Header: "X-Customer"}, []languageCase{
		{"text", "{{${first_name}}}", []string{"1:1 unescaped"}, "{{${first_name} | strip_newlines}}"},
		{"within text", "hello {{event_properties.${x} | upcase}}!", []string{"1:7 unescaped"}, "hello {{event_properties.${x} | upcase | strip_newlines}}!"},
		{"line break", "a\nb\n", []string{"1:2 line_break"}, "a b\n"},
		{"a long word is no secret here", "abcdefghijkl", nil, ""},
	})
	checkLanguage(t, Options{As: Header, Header: "authorization"}, []languageCase{
		{"token", "Bearer abcdef0123456789", []string{"1:8 literal_secret"}, ""},
		{"basic", "Basic {{ 'shop:a-password' | base64_encode }}", []string{"1:7 literal_secret"}, ""},
		{"scheme", "Negotiate {{custom_attribute.${token} | md5}}", nil, ""},
		{"of the data", "Bearer {{custom_attribute.${token} | strip_newlines}}", nil, ""},
	})
}

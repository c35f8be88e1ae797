package payload

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"platen/liquid"
)

// validTexts are templates without a mistake. Each is proved by what it sends for
// customers whose data is made to break it.
var validTexts = map[Language][]string{
	URL: {
		"https://example.com/hook",
		"  https://example.com/hook\n",
		"HTTPS://example.com:8443/a/b.json?c=d&e=f%20g#part",
		"{{event_properties.${link}}}",
		"{{event_properties.${link} | default: 'https://example.com'}}",
		"{{custom_attribute.${base}}}/users/{{${first_name} | url_param_escape}}",
		"{{custom_attribute.${base}}}?q={{${first_name} | url_param_escape}}",
		"https://{{custom_attribute.${domain}}}/a?q={{${first_name} | url_param_escape}}",
		"https://{{${first_name} | sha1}}.example.com/x",
		"https://example.com/u/{{${first_name} | url_param_escape}}/p/{{${city} | url_param_escape}}.json",
		"https://example.com/u/{{${first_name} | upcase | url_encode}}",
		"https://example.com/?{{${first_name} | url_param_escape}}={{${city} | url_param_escape}}&z=1",
		"https://example.com/?q={{${first_name} | url_encode}}&tz={{${time_zone}}}&c={{${country}}}&l={{${language} | upcase}}",
		"https://example.com/?h={{${email_address} | downcase | md5}}&s={{${email_address} | hmac_sha256_hex: 'key'}}&n={{${first_name} | sha2}}",
		"https://example.com/?b={{${first_name} | base64_url_safe_encode}}&c={{${first_name} | base64_encode | url_param_escape}}",
		"https://example.com/?n={{event_properties.${n_price} | plus: 0}}&m={{event_properties.${tags} | size}}&o={{event_properties.${n_price} | times: 100 | round}}",
		"https://example.com/{{'now' | date: '%Y/%m/%d' | url_param_escape}}?t={{'now' | date: '%s'}}&d={{'now' | date: '%Y-%m-%dT%H:%M:%S'}}",
		"https://example.com/{{'now' | date: '%F'}}/{{${random_bucket_number}}}?b={{${date_of_birth} | date: '%d.%m.%Y'}}",
		"https://example.com/{% if ${first_name} %}known/{{${first_name} | url_param_escape}}{% else %}new{% endif %}",
		"https://example.com/?a=1{% if ${city} %}&city={{${city} | url_param_escape}}{% endif %}#{{${first_name} | url_param_escape}}",
		"https://example.com/?ids={% for i in event_properties.${tags} %}{{i | url_param_escape}}{% unless forloop.last %},{% endunless %}{% endfor %}",
		"https://example.com/?ids={{event_properties.${tags} | join: ',' | url_param_escape}}",
		"https://example.com/?redirect={{event_properties.${link} | url_param_escape}}&by={{campaign.${dispatch_id}}}",
		"https://example.com/?j={{event_properties.${meta} | as_json_string | url_param_escape}}",
		"{% assign who = ${first_name} | url_param_escape %}https://example.com/{{who}}?w={{ who | default: 'nobody' }}",
		"{%- capture query -%}q={{${first_name} | url_param_escape}}&l={{${language}}}{%- endcapture -%}\nhttps://example.com/?{{query}}",
		"{% assign path = 'https://example.com/' | append: 'a/b' %}{{path}}?x={{${first_name} | url_param_escape}}",
		"https://example.com/{% cycle 'a', 'b' %}/{% increment n %}",
		"{% if ${city} == blank %}{% abort_message('no city') %}{% endif %}https://example.com/{{${city} | url_param_escape}}",
		"https://example.com/{% case ${language} %}{% when 'de' %}de{% else %}en{% endcase %}/x",
	},
	Form: {
		"a=1&b=two",
		"a={{${first_name} | url_param_escape}}&b={{${city} | url_encode}}",
		"{{${first_name} | url_param_escape}}=1&t={{'now' | date: '%s'}}",
		"h={{${email_address} | md5}}&z={{${time_zone}}}&p={{event_properties.${n_price} | plus: 0}}",
		"payload={{event_properties.${meta} | as_json_string | url_param_escape}}",
		"{% for i in event_properties.${tags} %}id[]={{i | url_param_escape}}&{% endfor %}end=1",
		"{%- assign a = ${city} | url_encode -%}\na={{a}}{%- if ${first_name} -%}&n={{${first_name} | url_encode}}{%- endif -%}",
		"a={{${first_name} | url_encode | default: '-'}}",
	},
	Header: {
		"application/json",
		"{{${language}}}, en;q=0.5",
		"{{${first_name} | strip_newlines}}",
		"\n  {{${first_name} | json_escape}} of {{${city} | url_param_escape}}\n",
		"sha256={{event_properties.${meta} | as_json_string | hmac_sha256_hex: 'key'}}",
		"{% if ${first_name} %}{{${first_name} | md5}}{% else %}none{% endif %}",
		"{{'now' | date: '%a, %d %b %Y %H:%M:%S GMT'}}",
		"{{${first_name} | strip_newlines | default: 'friend'}} {{event_properties.${n_price} | plus: 0}}",
	},
}

// hostileTexts are values that mean something to a URL, a form or a header.
var hostileTexts = []string{
	"a&b=c", "a/b", "../..", "?x=1", "#x", "100%", "%2", "%41", "a b", `say "hi"`, "a\nb", "a\r\nX-Evil: 1", "é😀", "a+b", "a;b", "@evil.example", "a=b", "&=?/#% \"\n", "<>[]{}|\\^`",
}

// sent renders a text for customers with every field set to one value in turn:
// plain first, and then hostile ones. What it gives is what a request would hold.
func sent(t *testing.T, source string) (plain string, hostile []string) {
	t.Helper()
	vars := func(text string) map[string]any {
		return map[string]any{
			liquid.ProfileVariables: map[string]any{
				"first_name": text, "city": text, "email_address": text, "time_zone": "America/New_York", "country": "US",
				"language": "en", "random_bucket_number": int64(4711), "date_of_birth": "1980-02-03",
			},
			"campaign":         map[string]any{"dispatch_id": "d-1"},
			"custom_attribute": map[string]any{"base": "https://example.com/base", "domain": "example.com:8080"},
			"event_properties": map[string]any{
				"link": "https://example.com/?a=b&c=d", "n_price": 1.99, "meta": map[string]any{text: text}, "tags": []any{text, text}, "title": text,
			},
		}
	}
	for i, value := range append([]string{"x"}, hostileTexts...) {
		text, err := render(t, source, vars(value))
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if i == 0 {
			plain = text
			continue
		}
		hostile = append(hostile, text)
	}
	return plain, hostile
}

// unbroken fails if the data of a customer can change what a template sends
// beyond the values themselves.
func unbroken(t *testing.T, lang Language, source string) {
	t.Helper()
	plain, hostile := sent(t, source)
	want, err := structure(lang, plain)
	if err != nil {
		t.Fatalf("%s sends %q: %v", source, plain, err)
	}
	for i, text := range hostile {
		if got, err := structure(lang, text); err != nil || got != want {
			t.Errorf("%s\nsends %q for %q: %s, %v\nwant %s", source, text, hostileTexts[i], got, err, want)
		}
	}
}

// structure describes a text without the values that it carries: of a URL the
// address, the number of segments and parameters.
func structure(lang Language, text string) (string, error) {
	switch lang {
	case Header:
		if !httpguts.ValidHeaderFieldValue(strings.TrimSpace(text)) {
			return "", fmt.Errorf("no header")
		}
		return "", nil
	case Form:
		fields, err := url.ParseQuery(text)
		return fmt.Sprint(parameters(fields)), err
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	host := strings.TrimLeft(u.Host, "0123456789abcdefABCDEF") // an SHA-1 in one of the templates
	fields, err := url.ParseQuery(u.RawQuery)
	return fmt.Sprintf("%s://%s with %d segments and %d parameters", u.Scheme, host, strings.Count(u.EscapedPath(), "/"), parameters(fields)), err
}

func parameters(fields url.Values) int {
	n := 0
	for _, values := range fields {
		n += len(values)
	}
	return n
}

func TestValidTextsHaveNoFindings(t *testing.T) {
	count := 0
	for lang, sources := range validTexts {
		for _, source := range sources {
			count++
			report, err := Lint(source, Options{As: lang})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Findings)+len(report.Notes) > 0 {
				t.Errorf("findings in %s:\n%s", source, report.Text(string(lang)))
			}
			unbroken(t, lang, source)
		}
	}
	t.Logf("%d valid templates", count)
}

// textMutations takes each filter away that makes an output safe, and puts an
// output without one into each place of a text where one can stand.
func textMutations(lang Language, source string) []mutation {
	m := &mutator{source: source}
	filters := []string{" | url_param_escape", " | url_encode", " | md5", " | sha2", " | hmac_sha256_hex: 'key'", " | base64_url_safe_encode"}
	output := "{{event_properties.${title}}}"
	if lang == Header {
		filters, output = []string{" | strip_newlines", " | json_escape", " | url_param_escape", " | md5"}, "{{event_properties.${title} | escape}}"
	}
	for _, filter := range filters {
		for at := 0; ; at++ {
			i := strings.Index(source[at:], filter)
			if i < 0 {
				break
			}
			at += i
			// What is assigned is safe or not where it is printed, and so is a list.
			begin := strings.LastIndex(source[:at], "{{")
			if begin < 0 || strings.Contains(source[begin:at], "%}") || strings.Contains(source[begin:at], "join") || strings.Contains(source[begin:at], "default") {
				continue
			}
			m.put("no"+filter, at, at+len(filter), "", begin, Unescaped)
		}
	}
	for _, literal := range []string{"/hook", "/users", "a=1", "q=", "l=", "en;q"} {
		if i := strings.Index(source, literal); i >= 0 {
			at := i + len(literal)
			m.put("output behind "+literal, at, at, output, at, Unescaped)
		}
	}
	return m.mutations
}

func TestTextMutations(t *testing.T) {
	distinct := map[string]bool{}
	for lang, sources := range validTexts {
		for _, source := range sources {
			for _, m := range textMutations(lang, source) {
				distinct[m.source] = true
				report, err := Lint(m.source, Options{As: lang})
				if err != nil {
					t.Fatal(err)
				}
				if got := places(report); !slices.Equal(got, []string{m.want}) {
					t.Errorf("%s: %s\ngot %v, want %s only", m.name, m.source, got, m.want)
					continue
				}
				fixed, _, rest, err := Fix(m.source, Options{As: lang})
				if err != nil || len(rest.Findings) > 0 {
					t.Errorf("%s: %s\nis left with\n%s", m.name, fixed, rest.Text("t"))
					continue
				}
				unbroken(t, lang, fixed)
			}
		}
	}
	t.Logf("%d mutations", len(distinct))
	if len(distinct) < 40 {
		t.Errorf("only %d distinct mutations", len(distinct))
	}
}

// A text that was damaged at random gets a finding, or is still what it was for
// every customer.
func TestNothingIsMissedInTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	checked := 0
	for range 4000 {
		lang := pick(rng, URL, Form, Header)
		source := damagedFilter(validTexts[lang][rng.IntN(len(validTexts[lang]))], rng)
		report, err := Lint(source, Options{As: lang})
		if err != nil || len(report.Findings)+len(report.Notes) > 0 {
			continue
		}
		checked++
		plain, _ := sent(t, source)
		if _, err := structure(lang, plain); err != nil {
			continue // a mistake of the literal text that nobody makes
		}
		unbroken(t, lang, source)
	}
	if checked < 500 {
		t.Errorf("only %d templates without a finding", checked)
	}
}

// damagedFilter takes a filter away or adds one.
func damagedFilter(source string, rng *rand.Rand) string {
	at := rng.IntN(len(source))
	if rng.IntN(2) == 0 {
		if filter := filterPattern.FindStringIndex(source[at:]); filter != nil {
			return source[:at+filter[0]] + source[at+filter[1]:]
		}
	}
	filter := pick(rng, " | upcase", " | strip", " | json_escape", " | as_json_string", " | url_escape", " | url_encode", " | url_param_escape", " | slice: 0, 2",
		" | truncate: 3", " | replace: 'a', '&'", " | remove: '2'", " | escape", " | newline_to_br", " | default: 'a/b'", " | default: 'z'", " | date: '%F'", " | base64", " | append: 'x'", " | append: '#x'", " | strip_html", " | number_with_delimiter", " | money", " | capitalize", " | split: 'a' | first")
	if i := strings.Index(source[at:], "}}"); i >= 0 {
		return source[:at+i] + filter + source[at+i:]
	}
	return source
}

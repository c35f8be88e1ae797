package liquid

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// seedNow is the fixed clock of the seed's expected payloads.
var seedNow = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

// fromJSON is FromJSON for text in tests.
func fromJSON(t testing.TB, text string) any {
	t.Helper()
	v, err := FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// vectorInput is the context of the vectors in section 2.6 of the spec.
func vectorInput(t testing.TB) Input {
	return Input{Now: seedNow, Vars: map[string]any{
		ProfileVariables: fromJSON(t, `{"user_id":"u1","email_address":"a@b.c"}`),
		"custom_attribute": fromJSON(t, `{"one":2,"two":3,"zip code":"10001","bal":10,"giftcard_balance":15,
			"brands":["Nike","Converse"],"address":{"city":"NYC"},"cart_items":[{"id":7}],"flag":false,"ws":" "}`),
		"event_properties": fromJSON(t, `{"categories":[{"id":"Bathroom"}],"meta":{"color":"green"},"q":"say \"hi\""}`),
	}}
}

func renderBraze(t testing.TB, source string, in Input) (string, error) {
	t.Helper()
	tpl, err := Parse(source, Options{Dialect: Braze})
	if err != nil {
		return "", err
	}
	return tpl.Render(context.Background(), in)
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A vector is a template and what it prints; with abort, the text that
// abort_message logs.
type vector struct {
	template, want string
	abort          bool
}

// specVectors are the vectors of section 2.6 of the spec, all of them in its
// order.
var specVectors = []vector{
	{`{{${user_id}}}`, `u1`, false},
	{`{{${first_name}}}`, ``, false},
	{`Hi {{ ${first_name} | default: 'Valued User' }}`, `Hi Valued User`, false},
	{`{{custom_attribute.${ws} | default:'x'}}`, ` `, false},
	{`{{custom_attribute.${flag} | default:'x'}}`, `x`, false},
	{`{% if {{custom_attribute.${ws}}} == blank %}y{% endif %}`, `y`, false},
	{`{% if ${first_name} == null %}y{% endif %}`, `y`, false},
	{`{{custom_attribute.${zip code}}}`, `10001`, false},
	{`{{custom_attribute.${address.city}}}`, `NYC`, false},
	{`{{event_properties.${categories}[0].id}}/{{event_properties.${meta}.color}}`, `Bathroom/green`, false},
	{`{{event_properties.${categories}[9].id}}`, ``, false},
	{`{% assign a = {{custom_attribute.${one}}} %}{% assign r = a | plus: {{custom_attribute.${two}}} %}{{r}}`, `5`, false},
	{`{% assign p = {{custom_attribute.${bal} | plus: 50}} %}{{p}}`, `60`, false},
	{`{% assign b = {{custom_attribute.${bal}}} %}{{custom_attribute.${giftcard_balance} | plus: {{b}}}}`, `25`, false},
	{`{% for i in {{custom_attribute.${brands}}} limit:1 %}{{i}}{% endfor %}`, `Nike`, false},
	{`{% if {{custom_attribute.${brands}}} contains 'Converse' %}y{% endif %}`, `y`, false},
	{`{% if {{custom_attribute.${missing}}} > 0 %}y{% else %}n{% endif %}`, `n`, false},
	{`{% assign anon = {{${email_address}}} | md5 %}{{anon}}`, `5d60d4e28066df254d5452f92c910092`, false},
	{`{% if {{${user_id}}} %}{% capture k %}"user_id": "{{${user_id}}}"{% endcapture %}{% endif %}{{k}}`, `"user_id": "u1"`, false},
	{`{{event_properties.${q} | json_escape}}`, `say \"hi\"`, false},
	{`{{ '[{"id":"1"}]' | json_parse | as_json_string }}`, `[{"id":"1"}]`, false},
	{`{{ "Big Sale" | upcase | remove: "BIG" }}`, ` SALE`, false},
	{`x<!-- {{${user_id}}} -->y`, `xy`, false},
	{`{% if true %}{% endif %}http://h/p`, `http://h/p`, false},
	{`{% abort_message %}`, `{% abort_message %} called`, true},
	{`{% abort_message('language was nil') %}`, `language was nil`, true},
	{`{"user":"{{${user_id}}}"}`, `{"user":"u1"}`, false},
	{`{"a":{{custom_attribute.${one}}}}`, `{"a":2}`, false},
}

// furtherVectors are forms of the sections 2.1 and 2.2.
var furtherVectors = []vector{
	{`{{custom_attribute.${cart_items[0]}.id}}`, `7`, false},
	{`{{custom_attribute.${giftcard_balance} | plus: {{custom_attribute.${bal}}}}}`, `25`, false},
	{`{% assign x = {{${user_id}}} %}{% if {{x}} == 'u1' %}y{% endif %}`, `y`, false},
	{`{{ 'now' | time_zone: ${time_zone} | date: '%H' }}`, `23`, false},
	{`{{ 'now' | time_zone: 'America/Chicago' | date:'%B %d %Y %z'}}`, `November 10 2009 -0600`, false},
	{`{{ 'now' | time_zone: -0005 | date:'%H %z'}}`, `18 -0500`, false},
	{`{{ '2023-12-06T19:20:45+01:00' | date: '%H:%M %z' }}`, `18:20 +0000`, false},
	{`{{- ${user_id} -}} !`, `u1!`, false},
	{`Hi ${first_name}`, `Hi ${first_name}`, false},
	{`{{custom_attribute.${ one }}}`, `2`, false},
	{`{% if 'x' contains {{${missing}}} %}y{% else %}n{% endif %}`, `n`, false},
}

// TestSpecVectors renders the 28 vectors of the spec, two of which abort.
func TestSpecVectors(t *testing.T) {
	if len(specVectors) != 28 {
		t.Fatalf("%d vectors, the spec has 28", len(specVectors))
	}
	checkVectors(t, specVectors)
}

func TestFurtherVectors(t *testing.T) { checkVectors(t, furtherVectors) }

func checkVectors(t *testing.T, vectors []vector) {
	t.Helper()
	in := vectorInput(t)
	for _, v := range vectors {
		got, err := renderBraze(t, v.template, in)
		if v.abort {
			checkAbort(t, v.template, err, v.want)
		} else if err != nil || got != v.want {
			t.Errorf("%s\n got %q, %v\nwant %q", v.template, got, err, v.want)
		}
	}
}

func checkAbort(t *testing.T, template string, err error, log string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindAbort || e.Message != log {
		t.Errorf("%s: got %v, want abort %q", template, err, log)
	}
}

func TestAbortMessage(t *testing.T) {
	for template, log := range map[string]string{
		`{% abort_message %}`:                               `{% abort_message %} called`,
		`{% abort_message() %}`:                             `{% abort_message %} called`,
		`{% abort_message () %}`:                            `{% abort_message %} called`,
		`{% abort_message('language was nil') %}`:           `language was nil`,
		`a{% if true %}{% abort_message("r") %}{% endif %}`: `r`,
	} {
		_, err := renderBraze(t, template, vectorInput(t))
		checkAbort(t, template, err, log)
	}
}

// seedInput is a person with an external id and the event of a seed file.
func seedInput(t testing.TB, event string) Input {
	trigger := fromJSON(t, string(sharedFile(t, "seed/"+event+".trigger.json"))).(*Map)
	events, _ := trigger.Get("events")
	properties, _ := events.([]any)[0].(*Map).Get("properties")
	return Input{Now: seedNow, Vars: map[string]any{
		ProfileVariables:   fromJSON(t, `{"user_id":"5c3aa83113dd490100d3d8d7","email_address":"test@braze.com","time_zone":"America/New_York"}`),
		"event_properties": properties,
	}}
}

// repaired turns what a seed template prints into JSON: the comment lines go,
// and the commas where the page forgot or doubled them are mended.
func repaired(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "//") {
			kept = append(kept, line)
		}
	}
	text = strings.Join(kept, "")
	text = strings.Replace(text, "\"\n  \"event\"", "\",\n  \"event\"", 1)
	return strings.Replace(text, "\"track\",\n}", "\"track\"\n}", 1)
}

func TestSeedTemplates(t *testing.T) {
	for event, want := range map[string]map[string]any{
		"product_viewed": {
			"user_id": "5c3aa83113dd490100d3d8d7", "event": "product_viewed", "type": "track",
			"timestamp": "1257894000", "timezone": "America/New_York",
			"properties": map[string]any{
				"categories": []any{map[string]any{"id": "Bathroom", "url": "https://example.com/cat/bathroom"}},
				"meta":       map[string]any{"color": "green"},
				"title":      "All-Purpose Cleaning Wipes", "price": "1.99", "id": "56544",
				"url": "https://www.example.com/variants_id/5f08cb918dcc595aa74b0fbc",
			},
		},
		"category_viewed": {
			"user_id": "5c3aa83113dd490100d3d8d7", "event": "category_viewed", "type": "track",
			"timestamp": "1257894000", "timezone": "America/New_York",
			"properties": map[string]any{
				"id": "bathroom-1", "title": "Bathroom Stuff", "url": "https://www.example.com/categories/bathroom",
			},
		},
		"identify": {
			"anonymous_id": md5Hex("test@braze.com"), "user_id": "5c3aa83113dd490100d3d8d7",
			"type": "identify", "timestamp": "1257894000", "timezone": "America/New_York",
		},
	} {
		t.Run(event, func(t *testing.T) {
			source := string(sharedFile(t, "seed/"+event+".webhook.liquid"))
			got, err := renderBraze(t, source, seedInput(t, event))
			if err != nil {
				t.Fatal(err)
			}
			var value map[string]any
			if err := json.Unmarshal([]byte(repaired(got)), &value); err != nil {
				t.Fatalf("%v in\n%s", err, repaired(got))
			}
			if quoteJSON(value) != quoteJSON(want) {
				t.Errorf("got  %s\nwant %s", quoteJSON(value), quoteJSON(want))
			}
			if !strings.HasPrefix(got, "// Converts") {
				t.Errorf("a faithful renderer sends the comment line too; got %q", got[:min(40, len(got))])
			}
		})
	}
}

// TestSeedWithoutUser checks the branch that the seed's condition takes for a
// person without an external id.
func TestSeedWithoutUser(t *testing.T) {
	in := seedInput(t, "product_viewed")
	in.Vars[ProfileVariables] = fromJSON(t, `{"email_address":"test@braze.com"}`)
	got, err := renderBraze(t, string(sharedFile(t, "seed/product_viewed.webhook.liquid")), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"anonymous_id": "` + md5Hex("test@braze.com") + `"`; !strings.Contains(got, want) || strings.Contains(got, "user_id\"") {
		t.Errorf("want %s in\n%s", want, got)
	}
}

// What is certainly a slip in a message is refused where another dialect, or lax
// syntax, would pass over it.
func TestBrazeSlips(t *testing.T) {
	for template, want := range map[string]string{
		`{% if ${language} == "de" %}a{% else if ${language} == "fr" %}b{% endif %}`: `line 1, column 38: unexpected if: expected the end of the tag; a further condition is written elsif`,
		`{% unless true %}a{% else nonsense %}b{% endunless %}`:                      `line 1, column 27: unexpected nonsense: expected the end of the tag`,
		`{{ ${first_name | default: "you"} }}`:                                       `line 1, column 4: a filter stands behind the brace: write ${first_name} | default: "you"`,
		`{% catalog_items games event_properties.${id} %}`:                           `line 1, column 41: event_properties.${id} would be sent as it stands here: write {{event_properties.${id}}}`,
	} {
		_, err := Parse(template, Options{Dialect: Braze})
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", template, err, want)
		}
		if _, err := Parse(template, Options{Dialect: Braze, Syntax: Lax}); err != nil && !strings.Contains(template, "catalog_items") {
			t.Errorf("lax %s: %v", template, err)
		}
	}
}

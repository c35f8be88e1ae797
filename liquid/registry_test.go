package liquid

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// TestExamples renders the example of every tag and filter, in a dialect that
// has it.
func TestExamples(t *testing.T) {
	check := func(t *testing.T, name, doc, example, want string, shopify bool) {
		if doc == "" || example == "" {
			t.Errorf("%s has no doc line or no example", name)
		}
		opts := Options{Dialect: Braze}
		if shopify {
			opts.Dialect = Shopify
		}
		tpl, err := Parse(example, opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		hello, err := Parse("Hello {{ who }}", opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tpl.Render(context.Background(), exampleInput(t, PartialMap{"hello": hello}))
		if err != nil || got != want {
			t.Errorf("%s: %s\n got %q, %v\nwant %q", name, example, got, err, want)
		}
	}
	for _, d := range Tags() {
		t.Run(d.Name, func(t *testing.T) { check(t, d.Name, d.Doc, d.Example, d.Output, d.Shopify) })
	}
	for _, d := range Filters() {
		t.Run(d.Name, func(t *testing.T) { check(t, d.Name, d.Doc, d.Example, d.Output, false) })
	}
}

// TestSpecFilters renders the filter examples of the spec's section 2.4.
func TestSpecFilters(t *testing.T) {
	for template, want := range map[string]string{
		`{{ 'hey' | md5 }}`:  `6057f13c496ecf7fd777ceb9e79ae285`,
		`{{ 'hey' | sha1 }}`: `7f550a9f4c44173a37664d938f1355f0f92a47a7`,
		`{{ 'hey' | sha2 }}`: `fa690b82061edfd2852629aeba8a8977b57e40fcb77d1a7a28b26cba62591204`,
		`{{ 'blah' | base64_encode }}{{ 'blah' | base64 }}`:                                          `YmxhaA==YmxhaA==`,
		`{{ 'hey' | hmac_sha1_hex:'secret_key' }}`:                                                   `2a3969bed25bfeefb00aca4063eb9590b4df8f0e`,
		`{{ 'hey' | hmac_sha1:'secret_key' }}`:                                                       `2a3969bed25bfeefb00aca4063eb9590b4df8f0e`,
		`{{ 'hey' | hmac_sha_1:'secret_key' }}`:                                                      `2a3969bed25bfeefb00aca4063eb9590b4df8f0e`,
		`{{ 'hey' | hmac_sha1_base64:'secret_key' }}`:                                                `KjlpvtJb/u+wCspAY+uVkLTfjw4=`,
		`{{ 'hey' | hmac_sha256_hex:'secret_key' }}`:                                                 `8df897f8da3d7992fe57c8dbc6f27578cfbf2dcc4d0fbb4000b8c924841d508e`,
		`{{ 'hey' | hmac_sha256:'secret_key' }}`:                                                     `8df897f8da3d7992fe57c8dbc6f27578cfbf2dcc4d0fbb4000b8c924841d508e`,
		`{{ 'hey' | hmac_sha256_base64:'secret_key' }}`:                                              `jfiX+No9eZL+V8jbxvJ1eM+/LcxND7tAALjJJIQdUI4=`,
		`{{ 'hey' | hmac_sha512:'secret_key' | slice: 0, 8 }}`:                                       `77559e11`,
		`{{ 'hey' | hmac_sha512:'secret_key' | slice: -6, 6 }}`:                                      `7c03ed`,
		`{{ 'hey<>hi' | url_escape }}`:                                                               `hey%3C%3Ehi`,
		`{{ 'a&b' | url_escape }}`:                                                                   `a&b`,
		`{{ 'hey<&>hi' | url_param_escape }}`:                                                        `hey%3C%26%3Ehi`,
		`{{ 'google search' | url_encode }}`:                                                         `google+search`,
		`{{ 'a"\b' | json_escape }}`:                                                                 `a\"\\b`,
		`{% assign h = '{"a":42}' | json_parse %}{% assign k = 'a' %}{{ h | property_accessor: k }}`: `42`,
		`{{ 123456 | number_with_delimiter }}`:                                                       `123,456`,
		`{{ 1234 | number_with_delimiter }}`:                                                         `1,234`,
		`{{ 123456.789 | number_with_delimiter }}`:                                                   `123,456.789`,
		`{{ 145 | money }}`:                                                                          `145.00`,
		`{{ 17.8 | money }}`:                                                                         `17.80`,
		`{{ 15 | divided_by: 2 }}`:                                                                   `7`,
		`{{ 15 | divided_by: 2.0 }}`:                                                                 `7.5`,
		`{{ 43200 | divided_by: 86400.00 }}`:                                                         `0.5`,
		`{{ 'now' | date: '%s' | plus:259200 | date:"%F" }}`:                                         `2009-11-13`,
		`{{ '[{"id":"1"}]' | json_parse | as_json_string }}`:                                         `[{"id":"1"}]`,
		`{{ 'now' | time_zone:'America/Chicago' | date:'%B %d %Y %z' }}`:                             `November 10 2009 -0600`,
		`{{ 'now' | time_zone: -0005 | date:'%z' }}`:                                                 `-0500`,
		`{{ 1257894000 | date: '%F' }} {{ '1257894000' | date: '%F' }}`:                              `2009-11-10 2009-11-10`,
		`{{ '2009-11-10T23:00:00Z' | date: '%s' }}`:                                                  `1257894000`,
		`{{ '2020-06-03 10:11:12 UTC' | date: '%F %e %W %B %b %a %A %H %z' }}`:                       `2020-06-03  3 22 June Jun Wed Wednesday 10 +0000`,
	} {
		got, err := renderBraze(t, template, Input{Now: seedNow})
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
}

// TestSpecFilterNames holds that the Braze dialect has the filters that section
// 2.4 of the spec names, and not those that it says are not supported.
func TestSpecFilterNames(t *testing.T) {
	names := filterNames(Braze)
	for name := range strings.FieldsSeq(`join first last compact concat map reverse size slice sort sort_natural uniq where
		at_most at_least ceil divided_by floor minus plus round times modulo append capitalize downcase escape md5 sha1 sha2
		hmac_sha1 hmac_sha1_hex hmac_sha1_base64 hmac_sha256 hmac_sha256_hex hmac_sha256_base64 hmac_sha512 newline_to_br
		prepend remove remove_first replace replace_first split strip strip_html strip_newlines truncate truncatewords upcase
		date default time_zone base64 base64_encode url_escape url_param_escape url_encode json_escape json_parse
		as_json_string property_accessor number_with_delimiter money`) {
		if !slices.Contains(names, name) {
			t.Errorf("there is no %s", name)
		}
	}
	for name := range strings.FieldsSeq(`camelize handleize pluralize format_address highlight money_with_currency money_without_currency slugify random`) {
		if slices.Contains(names, name) {
			t.Errorf("there is a %s", name)
		}
	}
}

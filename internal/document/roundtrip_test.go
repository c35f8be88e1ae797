package document

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"platen/internal/campaign"
	"platen/internal/filter"
	"platen/liquid"
)

// TestExportChangesNothing applies what was exported, to the server it came from
// and to an empty one.
func TestExportChangesNothing(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	s.apply(everyField)
	export := s.export()

	report := s.applyFiles(File{Name: "export.yaml", Data: export})
	if got := actions(report); got[Unchanged] != len(report.Changes) || len(report.Changes) != 20 {
		t.Errorf("applying the export: %v", report.Changes)
	}
	if s.store.revision != 2 {
		t.Errorf("applying the export wrote revision %d", s.store.revision)
	}

	empty := newServer(t)
	empty.applyFiles(File{Name: "export.yaml", Data: export})
	if got := string(empty.export()); got != string(export) {
		t.Errorf("exported again from another server:\n%s\nwant:\n%s", got, export)
	}
}

// everyField has every field of every kind, with a value that is not its default.
const everyField = `
kind: Workspace
name: all
timezone: Europe/Lisbon
link_domains: ["*.example.com", localhost:8080]
egress: {allow: [10.0.0.0/8, 127.0.0.1]}
open_identifier: user_id
---
kind: Source
workspace: all
name: s
key: all-behavioral
username: u
password: {env: SHOP_SECRET}
presets: [movable-ink]
mappings:
  - event: product_viewed
    match: '.type == "track" and .event == "Viewed"'
    fields: {id: .properties.sku, title: .properties.name, price: '.properties.price | tonumber'}
    draft: true
policies: {max_age: off, json: lenient, links: track, dedupe: {content: 10m}}
---
kind: Credential
workspace: all
name: bearer
host: api.example.com
bearer: {token: {env: SHOP_TOKEN}}
---
kind: Credential
workspace: all
name: header
host: "[::1]:8080"
header: {name: x-api-key, value: {env: SHOP_SECRET}}
---
kind: Campaign
workspace: all
name: "a: name, with #signs"
state: stopped
trigger:
  event: Product Viewed
  where:
    and:
      - {property: price, is: more_than, value: 10}
      - {property: 'songs[]."a.b"', is: any_of, value: [x, "1", "true", "null", "~"]}
      - {not: {or: [{property: gift, is: true}, {property: note, is: matches_regex, value: '^\d+: '}]}}
audience: {or: [{field: email, is: not_blank}, {attribute: plan.name, is: contains_none_of, value: free}]}
control_percent: 5
variants:
  - name: A
    percent: 95
    webhook:
      url: https://api.example.com/{{${user_id}}}
      method: PUT
      headers: {X-B: "{{${user_id}}}", A-First: "yes", Z: "1"}
      credential: bearer
      body: "\ttabs, trailing spaces  \nand\r\nother line ends\n\n"
---
kind: Catalog
workspace: all
name: as-items
fields: [{name: when, type: time}, {name: unused, type: object}]
selections:
  - name: few
    where: [{field: price, is: less_than, value: 1e2}, {field: on, is: equals, value: True}, {field: "y", is: blank}, {field: note, is: contains, value: "10"}]
    sort: {field: price, descending: true}
    limit: 5
  - {name: all}
items:
  - {id: 1, price: 1.50, when: 2026-01-02, on: TRUE, note: "100", list: [1, "1", null, {a b: -0.0}], "y": null}
  - {id: "007", note: "\ttab", price: 123456789012345678901234567890}
  - id: none
    note: |
      lines
       and more
---
kind: Catalog
workspace: all
name: as-csv
csv: "id,n\r\nx,1.50\r\n"
---
kind: Catalog
workspace: all
name: as-json
json: |
  {"id": "x", "n": 1.50}
  {"id": "y"}
---
kind: PromotionList
workspace: all
name: "it's a list"
expires: 2030-12-31T23:59:59-05:00
codes: ["10", "a b", "yes"]
---
kind: Snippet
workspace: all
name: 'any "name" at all: [x].y'
text: "\ttabs {{ ${first_name} }}  \n"
---
kind: Block
workspace: all
name: A name that is no alias
show:
  - when: {and: [{event: product_viewed, within: 36h}, {field: country, is: any_of, value: "NO"}]}
    items: {event: product_viewed, limit: 10}
    layout: cards
  - items: {event: product_added, distinct: sku, exclude: {event: order_completed}, limit: 1}
fallback: {title: "off", text: "yes"}
link: "{{ items[0].url }}"
`

// TestTextsSurviveTheRoundTrip puts any text into the fields that hold free text.
func TestTextsSurviveTheRoundTrip(t *testing.T) {
	anyText := rapid.OneOf(
		rapid.StringN(0, 40, -1),
		rapid.StringOf(rapid.RuneFrom([]rune("ab \t\n\r:#-'\"|>{}[]&*!%@`,?~\\é\u2028\u00a0\ufeff😀"))),
		rapid.SampledFrom([]string{"yes", "no", "null", "~", "1", "1e3", "0x1f", "2020-01-01", "true", "=", "<<", "---", "...", "|\n", " lead", "trail \n", "\n\n", "a: b\n"}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		body, value := anyText.Draw(rt, "body"), anyText.Draw(rt, "value")
		s := &campaignSpec{
			head: head{KindCampaign, "engage", "c"}, ID: "0d9f9a0e-6a53-4d52-8a39-0d6f3c0f0a11", State: "draft",
			Trigger: triggerSpec{Event: "e"},
			Variants: []variantSpec{{
				ID: "1d9f9a0e-6a53-4d52-8a39-0d6f3c0f0a11", Name: "v", Percent: 100,
				Webhook: webhookSpec{URL: "https://a.example", Method: "POST", Body: text(body), Headers: headersSpec{{Name: "X", Value: value}}},
			}},
		}
		readsBack(rt, s, map[string]string{"/variants/0/webhook/body": body, "/variants/0/webhook/headers/X": value})
	})
	rapid.Check(t, func(rt *rapid.T) {
		key := anyText.Filter(func(s string) bool { return s != "" }).Draw(rt, "key")
		value := anyText.Draw(rt, "value")
		data := &catalogSpec{head: head{KindCatalog, "engage", "c"}, CSV: text(value), Items: plainCopy(&yaml.Node{
			Kind: yaml.SequenceNode, Content: []*yaml.Node{mappingNode(key, textNode(value))},
		})}
		readsBack(rt, data, map[string]string{"/csv": value, "/items/0/" + escapePointer(key): value})
		readsBack(rt, &snippetSpec{Text: text(value)}, map[string]string{"/text": value})
		readsBack(rt, &promotionListSpec{CSV: text(value)}, map[string]string{"/csv": value})
	})
}

// readsBack holds that a spec is written so that these texts read back unchanged.
func readsBack(rt *rapid.T, s spec, texts map[string]string) {
	out, err := encode(s)
	if err != nil {
		rt.Fatal(err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(out, &n); err != nil {
		rt.Fatalf("%v in\n%s", err, out)
	}
	for pointer, want := range texts {
		got := nodeAt(n.Content[0], pointer)
		if got == nil && want == "" {
			continue // an empty text is left out
		}
		if got == nil || got.Value != want || got.ShortTag() != "!!str" {
			rt.Fatalf("%s: %q came back from\n%s", pointer, want, out)
		}
	}
}

// TestPlacesInTexts draws a template with a mistake at a known place and holds
// that the place in the file is the right one.
func TestPlacesInTexts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-zé" ]{0,12}`), 1, 6).Draw(rt, "lines")
		at := rapid.IntRange(0, len(lines)-1).Draw(rt, "line")
		before := rapid.StringMatching(`[a-zé]{1,8}`).Draw(rt, "before")
		lines[at] = before + "{% nosuchtag %}"
		if strings.TrimSpace(lines[0]) == "" || lines[0][0] == ' ' {
			lines[0] = "x" + lines[0] // else YAML cannot tell its indent
		}
		if at == 0 {
			lines[0] = before + "{% nosuchtag %}"
		}
		indent := rapid.IntRange(7, 14).Draw(rt, "indent")
		var file strings.Builder
		file.WriteString("kind: Campaign\nworkspace: engage\nname: c\ntrigger: {event: e}\nvariants:\n  - name: v\n    percent: 100\n    webhook:\n      url: https://a.example\n      body: |\n")
		for _, line := range lines {
			if strings.TrimSpace(line) != "" {
				file.WriteString(strings.Repeat(" ", indent) + line)
			}
			file.WriteString("\n")
		}
		_, err := parse([]File{{Name: "f", Data: []byte(file.String())}})
		problems, ok := err.(Problems)
		wantLine, wantColumn := 11+at, indent+len([]rune(before))+len("{% n")
		if !ok || len(problems) != 1 || problems[0].Line != wantLine || problems[0].Column != wantColumn {
			rt.Fatalf("got %v, want %d:%d in\n%s", err, wantLine, wantColumn, file.String())
		}
	})
}

// TestConditionsReadBackAsWritten draws conditions and compares their YAML before
// and after one round.
func TestConditionsReadBackAsWritten(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "1", "true", "no", "", "a b", "é: #", `"q"`, "two\nlines", "\ttab", "\u2028"})
	var expr func(rt *rapid.T, depth int) filter.Expr
	expr = func(rt *rapid.T, depth int) filter.Expr {
		form := rapid.IntRange(0, 5).Draw(rt, "form")
		if depth > 3 {
			form %= 3
		}
		on, err := filter.ParseOperand(filter.Property, rapid.SampledFrom([]string{"price", "a.b[]", `"x.y"[0]`}).Draw(rt, "path"))
		if err != nil {
			rt.Fatal(err)
		}
		var c *filter.Compare
		switch form {
		case 0:
			c, err = filter.NewPlain(on, rapid.SampledFrom([]filter.Op{filter.Blank, filter.IsTrue, filter.FalseOrNotSet}).Draw(rt, "op"))
		case 1:
			c, err = filter.NewNumeric(on, filter.MoreThan, rapid.Float64Range(-1e12, 1e12).Draw(rt, "number"))
		case 2:
			c, err = filter.NewTextual(on, filter.NoneOf, rapid.SliceOfN(word, 1, 3).Draw(rt, "texts")...)
		case 3:
			return filter.Not{Expr: expr(rt, depth+1)}
		default:
			group := []filter.Expr{expr(rt, depth+1), expr(rt, depth+1)}
			if form == 4 {
				return filter.And(group)
			}
			return filter.Or(group)
		}
		if err != nil {
			rt.Fatal(err)
		}
		return c
	}
	rapid.Check(t, func(rt *rapid.T) {
		written, err := yaml.Marshal(conditionNode(expr(rt, 0)))
		if err != nil {
			rt.Fatal(err)
		}
		var n yaml.Node
		if err := yaml.Unmarshal(written, &n); err != nil {
			rt.Fatal(err)
		}
		r := newReader(File{Name: "f", Data: written})
		back := r.readCondition(n.Content[0], triggerConditions, 1)
		if len(r.problems) > 0 {
			rt.Fatalf("%v in\n%s", r.problems, written)
		}
		again, err := yaml.Marshal(conditionNode(back))
		if err != nil || string(again) != string(written) {
			rt.Fatalf("%v: got\n%s\nwant\n%s", err, again, written)
		}
	})
}

// TestEveryFieldIsRead holds that what everyField says arrives in the definition.
func TestEveryFieldIsRead(t *testing.T) {
	s := newServer(t)
	s.apply(everyField)
	live := s.reg.Current()
	w, _ := live.WorkspaceNamed("all")
	if w.Location.String() != "Europe/Lisbon" || !w.LinkAllowed("a.example.com") || len(w.Egress.Allow) != 2 {
		t.Errorf("workspace %+v", w)
	}
	source, _ := live.Source("all-behavioral")
	if p := source.Policies; p.MaxAge != 0 || p.JSON != "lenient" || p.Links != "track" || p.DedupeContent.Minutes() != 10 {
		t.Errorf("policies %+v", p)
	}
	header, _ := live.Credential(w.ID, "header")
	if name, value := header.Line(); name != "X-Api-Key" || value != shopSecret || header.Host != "[::1]:8080" {
		t.Errorf("credential for %s: %s", header.Host, name)
	}
	c, _ := live.CampaignNamed(w.ID, "a: name, with #signs")
	v := c.Variants[0]
	if c.State != campaign.Stopped || c.ControlPercent != 5 || v.Percent != 95 || v.Webhook.Method != "PUT" ||
		v.Webhook.Credential != "bearer" || v.Webhook.Body != "\ttabs, trailing spaces  \nand\r\nother line ends\n\n" {
		t.Errorf("campaign %+v", c)
	}
	if h := v.Webhook.Headers; len(h) != 3 || h[0].Name != "X-B" || h[1].Name != "A-First" || h[2].Value != "1" {
		t.Errorf("headers %+v", h)
	}
	everyKindOfData(t, live, w.ID)
	b, _ := live.BlockNamed(w.ID, "A name that is no alias")
	if len(b.Show) != 2 || b.Show[1].Items.Exclude.Event != "order_completed" || b.Show[1].Items.Distinct != "sku" ||
		b.Show[0].Items.Limit != 10 || b.Fallback.Title != "off" || b.Link == "" {
		t.Errorf("block %+v", b)
	}
	if _, ok := live.Block("A name that is no alias"); ok {
		t.Error("a name that does not fit into a URL is an alias")
	}
}

func everyKindOfData(t *testing.T, live *Live, workspace int64) {
	for name, want := range map[string]string{
		"as-items": "1.50 2026-01-02 true 100 -0.0",
		"as-csv":   "1.50    ",
		"as-json":  "1.50    ",
	} {
		c, ok := live.Catalog(workspace, name)
		if !ok {
			t.Fatalf("no catalog %s", name)
		}
		item := c.Items([]string{"x", "1"})[0]
		if got := evaluate(t, "{{i.n}}{{i.price}} {{i.when}} {{i.on}} {{i.note}} {{i.list[3]['a b']}}", map[string]any{"i": item}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c, _ := live.Catalog(workspace, "as-items")
	few, _ := c.Selection("few")
	all, _ := c.Selection("all")
	if len(few) != 1 || len(all) != 3 {
		t.Errorf("selections of %d and %d items", len(few), len(all))
	}
	list, _ := live.PromotionList(workspace, "it's a list")
	if fmt.Sprintf("%q", list.Codes) != `["10" "a b" "yes"]` || list.Expires.UTC().Format(time.RFC3339) != "2031-01-01T04:59:59Z" {
		t.Errorf("promotion list %+v", list)
	}
	const name = `any "name" at all: [x].y`
	snippet, _ := live.Snippet(workspace, name)
	if snippet.Source() != "\ttabs {{ ${first_name} }}  \n" {
		t.Errorf("snippet %q", snippet.Source())
	}
	if _, ok := live.Snippet(workspace+1, name); ok {
		t.Error("another workspace has the snippet")
	}
}

// evaluate renders a template over some variables.
func evaluate(t *testing.T, template string, vars map[string]any) string {
	t.Helper()
	parsed, err := liquid.Parse(template, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		t.Fatal(err)
	}
	out, err := parsed.Render(t.Context(), liquid.Input{Vars: vars})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

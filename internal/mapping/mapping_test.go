package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"platen/internal/fault"
	"platen/internal/loosejson"
)

func TestCompileRefuses(t *testing.T) {
	ok := Spec{Event: "a", Match: ".a"}
	tests := []struct {
		name            string
		presets         []string
		own             []Spec
		reason, pointer string
		line, column    int
		contains        string
	}{
		{"unknown preset", []string{"movable-ink", "moveable_ink"}, nil, "unknown_preset", "/presets/1", 0, 0, "did you mean movable-ink? (known: movable-ink)"},
		{"no event", nil, []Spec{ok, {Match: "."}}, "bad_mapping", "/mappings/1/event", 0, 0, "mappings[1].event is missing"},
		{"match", nil, []Spec{ok, {Event: "b", Match: ".a |\n foo"}}, "bad_mapping", "/mappings/1/match", 2, 2, "mappings[1].match: the function foo/0"},
		{"field", nil, []Spec{{Event: "b", Fields: map[string]string{"id": ".a", "price": ".p ||"}}}, "bad_mapping", "/mappings/0/fields/price", 1, 5, "mappings[0].fields.price: the expression is not jq"},
		{"draft", nil, []Spec{{Event: "b", Draft: true, Match: "input"}}, "bad_mapping", "/mappings/0/match", 1, 1, "input/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.presets, tt.own)
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("got %v", err)
			}
			if f.Reason != tt.reason || f.Pointer != tt.pointer || f.Line != tt.line || f.Column != tt.column || !strings.Contains(f.Message, tt.contains) {
				t.Errorf("got %s at %s %d:%d: %s", f.Reason, f.Pointer, f.Line, f.Column, f.Message)
			}
		})
	}
}

// Every alias of the spec's table reaches its schema.
func TestEventNames(t *testing.T) {
	table := map[string][]string{
		"product_viewed":   {"product_viewed", "Product Viewed", "product", "view_detail", "ViewDetail", "productViewed"},
		"category_viewed":  {"category_viewed", "Category Viewed", "Category View", "category", "Product List View"},
		"product_added":    {"product_added", "Product Added", "Cart Add", "cart_add", "add_to_cart", "productAdded"},
		"product_removed":  {"Product Removed", "remove_from_cart", "productRemoved"},
		"product_searched": {"product_searched", "product searched", "Products Searched", "Search", "productSearched"},
		"order_completed":  {"order_completed", "Order Completed", "Conversion", "conversion", "purchase", "orderCompleted"},
	}
	properties := `{"id":"1","query":"q","products":[]}`
	set := presetOnly(t)
	for want, names := range table {
		for _, sent := range names {
			m, err := set.Map(fmt.Appendf(nil, `{"type":"track","event":%q,"user_id":"u","properties":%s}`, sent, properties), received)
			if err != nil || m.Event != want {
				t.Errorf("%s: got %q, %v; want %q", sent, m.Event, err, want)
			}
		}
	}
}

func TestFirstActiveMappingWins(t *testing.T) {
	own := []Spec{
		{Event: "draft", Match: "true", Draft: true},
		{Event: "never", Match: ""},
		{Event: "failing", Match: ".type.x == 1"},
		{Event: "nothing", Match: "empty"},
		{Event: "null", Match: ".missing"},
		{Event: "first", Match: `.event == "product_viewed"`},
		{Event: "second", Match: "true"},
	}
	set := setting{Presets: []string{"movable-ink"}, Own: own}.compile(t)
	m, err := set.Map([]byte(`{"type":"track","event":"product_viewed","user_id":"u"}`), received)
	if err != nil || m.Event != "first" || m.Schema != "mappings[5]/first" {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestMapRefusesWhatIsNoObject(t *testing.T) {
	for _, body := range []string{``, ` `, `[]`, `"x"`, `1`, `null`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1 "b"`, `{a}`} {
		_, err := presetOnly(t).Map([]byte(body), received)
		if fault.ReasonOf(err) == "internal" || err == nil {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestSetWithoutMappings(t *testing.T) {
	_, err := setting{}.compile(t).Map([]byte(`{"event":"x"}`), received)
	f := fault.From(err)
	if f == nil || f.Reason != "unmapped" || !strings.Contains(f.Message, `"x" matches no active mapping; add a mapping`) {
		t.Errorf("got %v", err)
	}
}

func TestSchemasFit(t *testing.T) {
	for _, s := range append([]*schema{identifySchema, customSchema, categoryItem, orderItem}, trackSchemas...) {
		if len(s.fields) > maxFields {
			t.Errorf("%s has %d fields, maxFields is %d", s.title, len(s.fields), maxFields)
		}
		for i, f := range s.fields {
			if s.position(f.name) != i {
				t.Errorf("%s.%s is not found under its name", s.title, f.name)
			}
			if f.standIn != "" && s.position(f.standIn) < 0 {
				t.Errorf("%s.%s: no field %s", s.title, f.name, f.standIn)
			}
			if (f.kind == listValue) != (f.items != nil) {
				t.Errorf("%s.%s: a list and only a list has items", s.title, f.name)
			}
		}
	}
}

// One Set serves many goroutines; the race detector looks on.
func TestMapConcurrently(t *testing.T) {
	set := setting{Presets: []string{"movable-ink"}, Own: []Spec{
		{Event: "counted", Match: `.event | startswith("c")`, Fields: map[string]string{"n": "[.properties.list[] | select(. > 1)] | length"}},
	}}.compile(t)
	bodies := map[string]string{
		`{"type":"track","event":"count","user_id":"u","properties":{"list":[1,2,3]}}`: `{"list":[1,2,3],"n":2}`,
		`{"type":"track","event":"product","user_id":"u","properties":{"sku":5}}`:      `{"sku":5,"id":"5"}`,
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				for body, want := range bodies {
					m, err := set.Map([]byte(body), received)
					if err != nil || string(m.Properties) != want {
						t.Errorf("got %s, %v; want %s", m.Properties, err, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

// What Map gives belongs to the caller: the body's buffer may be used again.
func TestMappedDoesNotAliasTheBody(t *testing.T) {
	body := []byte(seedBody)
	m, err := presetOnly(t).Map(body, received)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v %s", m, m.Properties)
	for i := range body {
		body[i] = '#'
	}
	if after := fmt.Sprintf("%+v %s", m, m.Properties); after != before {
		t.Errorf("changed to %s", after)
	}
}

func TestParseAmount(t *testing.T) {
	tests := []struct {
		text, want        string
		currency, regroup bool
	}{
		{"1.99", "1.99", false, false},
		{"$1.99", "1.99", true, false},
		{"US$ 1.99", "1.99", true, false},
		{"1.99 USD", "1.99", true, false},
		{"-$5", "-5", true, false},
		{"$-5.50", "-5.50", true, false},
		{"1,99", "1.99", false, true},
		{"1,99 €", "1.99", true, true},
		{"1,299", "1299", false, true},
		{"0,999", "0.999", false, true},
		{"1.299", "1.299", false, false},
		{"1,299.50", "1299.50", false, true},
		{"1.299,50", "1299.50", false, true},
		{"1.299.000", "1299000", false, true},
		{"1,299,000", "1299000", false, true},
		{"12,34,567.00", "1234567.00", false, true},
		{"1 299,00", "1299.00", false, true},
		{"1\u202f299,00 €", "1299.00", true, true},
		{"1'299.00", "1299.00", false, true},
		{"1'299,500", "1299.500", false, true},
		{"007.50", "7.50", false, false},
		{".99", "0.99", false, false},
		{"+3.", "3", false, false},
		{"0", "0", false, false},
		{"123456789012345678.01", "123456789012345678.01", false, false},
	}
	for _, tt := range tests {
		got, ok := parseAmount(tt.text)
		if !ok || got != (amount{number: tt.want, currency: tt.currency, regroup: tt.regroup}) {
			t.Errorf("parseAmount(%q) = %+v, %v", tt.text, got, ok)
		}
		if !json.Valid([]byte(got.number)) {
			t.Errorf("parseAmount(%q) = %q, which is no JSON", tt.text, got.number)
		}
	}
	for _, text := range []string{
		"", " ", "free", "$", "-", ".", ",", "1.2.3", "1,2,3", "1,23,4.0", "12.34,56.78", "1-2", "--5", "1 2", "10/2", "5%",
		"١٢", strings.Repeat("1", maxAmountLength+1), "1,,5", "1e5x1", ",5,", "'5",
	} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("parseAmount(%q) = %+v, want a refusal", text, got)
		}
	}
}

// What is accepted is valid JSON in compact form with a time in range, whatever
// the body; nothing makes Map panic.
func FuzzMap(f *testing.F) {
	for _, seed := range []string{
		seedBody,
		`{"type":"track","event":"purchase","user_id":1e3,"properties":{"products":["a",{"sku":1,"price":"$1"}],"total":"1,5"}}`,
		`{"type":"identify","user_id":"u","traits":{"a": [1, 2]}}`,
		`{"k":1,"event":"own","user_id":"u","properties":{"a b":[ 1 ]}}`,
		`{"type":"track","event":"category","anonymousId":"\ud800","timestamp":"2019-02-15 00:00:00 -0500","properties":{"name":"\"","":{}}}`,
		`{"type":"track","event":"product","user_id":"u","properties":{"id":"x","price":"","category":{"name":"n"}}}`,
	} {
		f.Add([]byte(seed))
	}
	set := setting{Presets: []string{"movable-ink"}, Own: []Spec{
		{Event: "product_viewed", Match: ".k", Fields: map[string]string{"id": ".k", "title": "[.properties[]?]", "timestamp": ".t"}},
	}}.compile(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := set.Map(body, received)
		if loosejson.Check(body) != nil {
			return // only the absence of a panic counts
		}
		if err != nil {
			if fault.From(err).Status() != 422 || !utf8.ValidString(fault.From(err).Message) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		for _, object := range []json.RawMessage{m.Properties, m.Traits} {
			if object == nil {
				continue
			}
			if err := loosejson.Check(object); err != nil || object[0] != '{' {
				t.Fatalf("gave %q: %v", object, err)
			}
			if got := appendCompact(nil, object); string(got) != string(object) {
				t.Fatalf("%q is not compact", object)
			}
		}
		if m.Properties == nil || m.UserID == "" && m.AnonymousID == "" {
			t.Fatalf("incomplete: %+v", m)
		}
		if !m.Time.IsZero() && (m.Time.Unix() < 0 || m.Time.UTC().Year() > 9999) {
			t.Fatalf("time %v", m.Time)
		}
	})
}

// seedBody has the shape and size of the original's product event.
const seedBody = `{"anonymous_id":"123-abc-678","event":"product_viewed","properties":{"categories":[{"id":"Bathroom","url":"https://example.com/cat/bathroom"}],"meta":{"color":"green","size":"large","material":"cotton"},"title":"All-Purpose Cleaning Wipes","price":1.99,"id":"56544","url":"https://www.example.com/variants_id/5f08cb918dcc595aa74b0fbc","image_url":"https://www.example.com/images/5f08cb918dcc595aa74b0fbc.jpg"},"timestamp":1257894000000,"timezone":"America/New_York","type":"track","user_id":"5c3aa83113dd490100d3d8d7"}`

func benchmarkMap(b *testing.B, set *Set, body string) {
	raw := []byte(body)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.Map(raw, received); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPresetProductViewed(b *testing.B) { benchmarkMap(b, presetOnly(b), seedBody) }

// The body needs rewriting: aliases, a numeric id, a price with a symbol.
func BenchmarkPresetProductAliases(b *testing.B) {
	body := strings.NewReplacer(`"id":"56544"`, `"sku":56544`, `"title"`, `"name"`, `1.99`, `"$1.99"`).Replace(seedBody)
	benchmarkMap(b, presetOnly(b), body)
}

// The design's example of an own mapping: match as closure, one field through gojq.
func BenchmarkOwnMapping(b *testing.B) {
	set := setting{Presets: []string{"movable-ink"}, Own: []Spec{{
		Event: "product_viewed", Match: `.type == "track" and .event == "product_viewed"`,
		Fields: map[string]string{"id": ".properties.id", "title": ".properties.title", "price": ".properties.price | tonumber"},
	}}}.compile(b)
	benchmarkMap(b, set, seedBody)
}

// An own mapping that does not match costs the decoding of the body.
func BenchmarkOwnMappingMissesPreset(b *testing.B) {
	set := setting{Presets: []string{"movable-ink"}, Own: []Spec{{Event: "x", Match: `.event == "Viewed"`}}}.compile(b)
	benchmarkMap(b, set, seedBody)
}

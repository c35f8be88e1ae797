package payload

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platen/liquid"
)

// The clock of all renders: 1257894000 seconds after 1970.
var renderTime = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

func render(t *testing.T, source string, vars map[string]any) (string, error) {
	t.Helper()
	template, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		t.Fatal(err)
	}
	return template.Render(context.Background(), liquid.Input{Vars: vars, Now: renderTime})
}

func validTemplates(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "valid", "*.liquid"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d valid templates, %v", len(files), err)
	}
	sources := map[string]string{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources[strings.TrimSuffix(filepath.Base(file), ".liquid")] = string(source)
	}
	return sources
}

// A template without findings must really send JSON: for a friendly customer and
// event, for one of whom nothing is known, and for many whose data is made to
// break it. That makes "valid" a fact and not an opinion.
func TestValidTemplatesHaveNoFindings(t *testing.T) {
	for name, source := range validTemplates(t) {
		t.Run(name, func(t *testing.T) {
			report, err := Lint(source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Findings)+len(report.Notes) > 0 {
				t.Fatalf("got findings:\n%s", report.Text(name))
			}
			if !sendsJSON(t, source, friendly()) {
				t.Fatal("sends nothing for a complete profile")
			}
			rng := rand.New(rand.NewPCG(1, 2))
			sent := 0
			for range 200 {
				if sendsJSON(t, source, hostile(rng)) {
					sent++
				}
			}
			if sent < 20 {
				t.Fatalf("only %d of 200 customers were sent something", sent)
			}
		})
	}
}

// sendsJSON fails unless the template sends JSON, or nothing at all (an error or
// abort_message). It reports whether something was sent.
func sendsJSON(t *testing.T, source string, vars map[string]any) bool {
	t.Helper()
	body, err := render(t, source, vars)
	if err != nil {
		return false
	}
	if !json.Valid([]byte(body)) {
		data, _ := json.Marshal(vars)
		t.Fatalf("sends\n%s\nfor %s", body, data)
	}
	return true
}

// friendly is a customer with a complete profile, and an event.
func friendly() map[string]any {
	return map[string]any{
		liquid.ProfileVariables: map[string]any{
			"user_id": "u1", "email_address": "test@example.com", "first_name": "Ann", "time_zone": "America/New_York",
			"language": "en", "country": "US", "date_of_birth": "1980-02-03", "random_bucket_number": int64(4711),
		},
		"campaign":         map[string]any{"dispatch_id": "d-1"},
		"custom_attribute": map[string]any{"n_age": int64(33), "n_count": int64(2), "flag": true, "text a": "1", "text l": "2"},
		"event_properties": map[string]any{
			"id": "56544", "title": "All-Purpose Cleaning Wipes", "url": "https://www.example.com/x", "kind": "b",
			"price": 1.99, "n_price": 1.99, "n_quantity": int64(2), "meta": map[string]any{"color": "green"},
			"tags": []any{"a", "b", "c"}, "n_ids": []any{int64(1), int64(2)},
			"products": []any{
				map[string]any{"id": "1", "title": "One", "tags": []any{"x"}},
				map[string]any{"id": "2", "title": "Two", "tags": []any{"y", "z"}},
			},
		},
	}
}

// hostile is a customer whose data does what data can do. Only what is named n_…
// is a number if it is there: where a template says that it means a number (see
// meansNumber), the linter takes its word.
func hostile(rng *rand.Rand) map[string]any {
	profile := member(map[string]any{
		"time_zone": "Asia/Kolkata", "language": pick(rng, "de", "fr", "en"), "country": "DE",
		"date_of_birth": "2000-12-31", "random_bucket_number": rng.Int64N(10000),
	}, rng, "user_id", "email_address", "first_name")
	attributes := member(map[string]any{"flag": rng.IntN(2) == 0}, rng, "text a", "text b", "text c", "text g", "text k", "text l")
	properties := member(map[string]any{}, rng, "id", "title", "url", "kind", "meta", "price")
	for _, name := range []string{"n_price", "n_quantity"} {
		if rng.IntN(3) > 0 {
			properties[name] = pick[any](rng, int64(0), int64(-3), 1.99, json.Number("5.0"))
		}
	}
	for _, name := range []string{"n_age", "n_count"} {
		if rng.IntN(3) > 0 {
			attributes[name] = rng.Int64N(100)
		}
	}
	if rng.IntN(3) > 0 {
		properties["tags"] = list(rng, text)
	}
	properties["n_ids"] = list(rng, func(rng *rand.Rand) any { return rng.Int64N(9) })
	if rng.IntN(3) > 0 {
		properties["products"] = list(rng, func(rng *rand.Rand) any {
			return member(map[string]any{"tags": list(rng, text)}, rng, "id", "title")
		})
	}
	return map[string]any{
		liquid.ProfileVariables: profile, "custom_attribute": attributes, "event_properties": properties,
		"campaign": map[string]any{"dispatch_id": "d-1"},
	}
}

// member gives each name any value, or none.
func member(m map[string]any, rng *rand.Rand, names ...string) map[string]any {
	for _, name := range names {
		if rng.IntN(4) > 0 {
			m[name] = anyValue(rng)
		}
	}
	return m
}

func anyValue(rng *rand.Rand) any {
	switch rng.IntN(8) {
	case 0:
		return pick[any](rng, nil, true, false, int64(-1), 1e30, json.Number("1.10"))
	case 1:
		return map[string]any{"color": text(rng), `q"`: []any{text(rng)}}
	}
	return text(rng)
}

func text(rng *rand.Rand) any {
	var b strings.Builder
	for range rng.IntN(5) {
		b.WriteString(pick(rng, `"`, `\`, "\n", "\t", "\x01", "é", "😀", "// x", "{{ x }}", "}", ",", "'", "\u2028", " ", "a", "&<b>", "%}"))
	}
	return b.String()
}

func list(rng *rand.Rand, item func(*rand.Rand) any) []any {
	out := make([]any, rng.IntN(5))
	for i := range out {
		out[i] = item(rng)
	}
	return out
}

func pick[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }

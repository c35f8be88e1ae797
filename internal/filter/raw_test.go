package filter

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestMemberOfFindsWhatDecodingFinds(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "c d", `q"uote`, "é", "", "a.b"})
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]any{nil, true, false}).Draw(t, "literal")
		case 1:
			return rapid.String().Draw(t, "string")
		case 2:
			return rapid.SliceOfN(rapid.SampledFrom([]any{1.5, "x,}]", "\\\"", nil}), 0, 3).Draw(t, "array")
		case 3:
			return map[string]any{names.Draw(t, "inner"): "}{,", "deep": []any{map[string]any{"a": "]"}}}
		default:
			return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(names, value, 0, 6).Draw(t, "object")
		text, err := json.Marshal(object)
		if rapid.Bool().Draw(t, "spaced") {
			text, err = json.MarshalIndent(object, " ", "\t")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c d", `q"uote`, "é", "", "a.b", "missing"} {
			got := memberOf(text, name)
			want, ok := object[name]
			if !ok {
				if got != nil {
					t.Fatalf("%s has no %q, got %s", text, name, got)
				}
				continue
			}
			var value any
			if err := json.Unmarshal(got, &value); err != nil {
				t.Fatalf("%q of %s is %q: %v", name, text, got, err)
			}
			again, _ := json.Marshal(want)
			var normal any
			json.Unmarshal(again, &normal)
			if !reflect.DeepEqual(value, normal) {
				t.Fatalf("%q of %s is %s", name, text, got)
			}
		}
	})
}

func TestMemberOfTakesTheLastOfEqualNames(t *testing.T) {
	if got := string(memberOf(json.RawMessage(`{"a":1, "\u0061" : 2 }`), "a")); got != "2 " && got != "2" {
		t.Errorf("got %q", got)
	}
	for _, odd := range []string{"", "[]", "null", "{", `{"a`, `{"a":`} {
		memberOf(json.RawMessage(odd), "a") // must not panic
	}
}

func BenchmarkCondition(b *testing.B) {
	properties := json.RawMessage(`{"categories":[{"id":"Bathroom","url":"https://example.com/cat/bathroom"}],"meta":{"color":"green"},` +
		`"title":"All-Purpose Cleaning Wipes","price":1.99,"id":"56544","url":"https://www.example.com/variants_id/5f08cb918dcc595aa74b0fbc"}`)
	operand, err := ParseOperand(Property, "price")
	if err != nil {
		b.Fatal(err)
	}
	condition, err := NewNumeric(operand, MoreThan, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !Matches(condition, &Subject{Properties: properties}) {
			b.Fatal("it does not match")
		}
	}
}

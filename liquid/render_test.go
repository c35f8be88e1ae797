package liquid

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestGoValues renders the types of Go that Input.Vars may hold.
func TestGoValues(t *testing.T) {
	vars := map[string]any{
		"int": 7, "int32": int32(-7), "uint64": uint64(18446744073709551615), "float32": float32(1.5),
		"strings": []string{"a", "b"}, "maps": []map[string]any{{"k": 1}}, "map": map[string]any{"b": 2, "a": nil},
		"time": seedNow, "json": fromJSON(t, `{"price":1.99,"half":5.0,"big":12345678901234567890,"ten":1e3,"zero":1.10}`),
	}
	for template, want := range map[string]string{
		`{{ int }} {{ int32 }} {{ uint64 }} {{ float32 }}`:                                 "7 -7 18446744073709551615 1.5",
		`{{ int | plus: int32 }} {{ uint64 | plus: 1 }}`:                                   "0 18446744073709551616",
		`{{ strings | join: '-' }} {{ strings[1] }} {{ strings.size }}`:                    "a-b b 2",
		`{{ maps[0].k | plus: 1 }} {{ map }}`:                                              `2 {"a"=>nil, "b"=>2}`,
		`{{ time }} {{ time | date: '%Y' }}`:                                               "2009-11-10 23:00:00 UTC 2009",
		`{{ json.price }} {{ json.half }} {{ json.big }} {{ json.ten }} {{ json.zero }}`:   "1.99 5.0 12345678901234567890 1e3 1.10",
		`{{ json.price | times: 100 }} {{ json.ten | plus: 1 }} {{ json.zero | plus: 0 }}`: "199.0 1001.0 1.1",
		`{{ json.big | plus: 1 }} {% if json.big > 1 %}y{% endif %}`:                       "12345678901234567891 y",
		`{% for pair in map %}{{ pair[0] }}={{ pair[1] }};{% endfor %}`:                    "a=;b=2;",
		`{{ 1e2 }}`: "",
	} {
		tpl, err := Parse(template, Options{Syntax: Lax})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = "1" // lax syntax drops what it cannot read, as Ruby does
		}
		got, err := tpl.Render(context.Background(), Input{Vars: vars})
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
}

func TestFloatsPrintAsInRuby(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2.5: "-2.5", 1e14: "100000000000000.0", 1e15: "1.0e+15", 3456789034567891.5: "3456789034567891.5", 1e16: "1.0e+16", 1.5e20: "1.5e+20",
		0.0001: "0.0001", 0.00001: "1.0e-05", 1.0 / 3: "0.3333333333333333", 1e100: "1.0e+100",
	} {
		if got := string(appendFloat(nil, f)); got != want {
			t.Errorf("%v prints as %s, want %s", f, got, want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	for template, want := range map[string]string{
		`{{ 9223372036854775807 | plus: 1 }}`:                         "9223372036854775808",
		`{{ -9223372036854775808 | minus: 1 }}`:                       "-9223372036854775809",
		`{{ 9223372036854775808 | minus: 1 | plus: 0 }}`:              "9223372036854775807",
		`{{ 4611686018427387904 | times: 4 }}`:                        "18446744073709551616",
		`{{ -9223372036854775808 | abs }}`:                            "9223372036854775808",
		`{{ -7 | divided_by: 2 }} {{ -7 | modulo: 2 }}`:               "-4 1",
		`{{ 7 | modulo: -2 }} {{ 7.5 | modulo: -2 }}`:                 "-1 -0.5",
		`{{ 0.1 | plus: 0.2 }} {{ 1.1 | times: 3 }}`:                  "0.3 3.3",
		`{{ 2.5 | round }} {{ -2.5 | round }} {{ 1.005 | round: 2 }}`: "3 -3 1.01",
		`{{ 1250 | round: -2 }} {{ '12.50' | plus: 0 }}`:              "1300 12.5",
		`{{ -1.5 | ceil }} {{ -1.5 | floor }}`:                        "-1 -2",
		`{{ '1_000' | plus: 0 }} {{ ' 12abc' | plus: 0 }}`:            "1000 12",
	} {
		got, err := renderBraze(t, template, Input{})
		if err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", template, got, err, want)
		}
	}
}

func TestFromJSON(t *testing.T) {
	for _, text := range []string{
		`{"b":1,"a":[true,false,null,"x\n\"é😀"],"c":{}}`, `[]`, `"a"`, `-0`, `-0.0`, `1.50`, `1E5`, `123456789012345678901234567890`,
		"[" + strings.Repeat(`{"k":1},`, 20) + `0]`, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10}`,
	} {
		v := fromJSON(t, text)
		out, err := (&Template{opts: Options{Limits: Limits{}.withDefaults()}}).Scope(context.Background(), Input{}).appendJSON(nil, v, 0)
		if err != nil || string(out) != text {
			t.Errorf("%s came back as %s, %v", text, out, err)
		}
	}
	for _, text := range []string{``, `{`, `[1,]`, `{"a"}`, strings.Repeat("[", 200) + strings.Repeat("]", 200)} {
		if v, err := FromJSON([]byte(text)); err == nil {
			t.Errorf("%.20s gave %v, want an error", text, v)
		}
	}
	spaced := fromJSON(t, " { \"a\" : [ 1 , 2 ] , \"b\" : \"\\u00e9\\ud83d\\ude00\" } ").(*Map)
	if b, _ := spaced.Get("b"); b != "é😀" || spaced.Len() != 2 {
		t.Errorf("got %v", spaced)
	}
}

func TestMap(t *testing.T) {
	var m Map
	for i := range 100 {
		m.Set(fmt.Sprint("k", i%50), i)
	}
	if m.Len() != 50 {
		t.Fatalf("%d keys, want 50", m.Len())
	}
	i := 0
	for k, v := range m.All() {
		if k != fmt.Sprint("k", i) || v != i+50 {
			t.Errorf("entry %d is %s: %v", i, k, v)
		}
		if got, ok := m.Get(k); got != v || !ok {
			t.Errorf("%s is %v", k, got)
		}
		i++
	}
	if _, ok := m.Get("none"); ok {
		t.Error("found a key that was never set")
	}
}

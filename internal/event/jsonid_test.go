package event

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"platen/internal/fault"
)

func TestParseID(t *testing.T) {
	tests := []struct{ raw, want string }{
		{``, ""}, {`null`, ""}, {`""`, ""},
		{`"abc"`, "abc"}, {`"Zo\u00eb \"x\""`, `Zoë "x"`}, {`"é"`, "é"}, {`" a "`, " a "}, {`"007"`, "007"},
		{`12345`, "12345"}, {`12345.0`, "12345"}, {`1e3`, "1000"}, {`1.5E+2`, "150"}, {`0`, "0"}, {`-0`, "0"}, {`0.000`, "0"}, {`0e9`, "0"},
		{`123456789012345678901234567890`, "123456789012345678901234567890"},
		{`9007199254740993`, "9007199254740993"},
		{`1.50`, "1.5"}, {`0.25`, "0.25"}, {`25e-2`, "0.25"}, {`125e-1`, "12.5"}, {`-7`, "-7"}, {`5e-3`, "0.005"},
	}
	for _, tt := range tests {
		got, err := ParseID(json.RawMessage(tt.raw))
		if err != nil || got != tt.want {
			t.Errorf("ParseID(%s) = %q, %v; want %q", tt.raw, got, err, tt.want)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, raw := range []string{
		`true`, `false`, `{}`, `{"a":1}`, `[]`, `["x"]`, `"open`, `1e400`, `1e-400`, `1e99999999999999999999`,
		strings.Repeat("9", maxIDDigits+1), `nope`,
	} {
		got, err := ParseID(json.RawMessage(raw))
		if fault.ReasonOf(err) != "bad_id" || fault.CodeOf(err) != fault.Invalid || got != "" {
			t.Errorf("ParseID(%s) = %q, %v; want bad_id", raw, got, err)
		}
	}
}

// A number keeps its value to the last digit.
func TestParseIDLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,8})?([eE][+-]?[0-9])?`).Draw(t, "number")
		id, err := ParseID(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetString(raw)
		got, ok := new(big.Rat).SetString(id)
		if !ok || got.Cmp(want) != 0 || strings.ContainsAny(id, "eE") {
			t.Fatalf("ParseID(%s) = %q", raw, id)
		}
	})
}

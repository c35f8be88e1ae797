package event

import (
	"encoding/json"
	"strconv"
	"strings"

	"platen/internal/fault"
)

// maxIDDigits bounds an id sent as a number: room for 128 bits and then some,
// none for an exponent that would write a million zeros.
const maxIDDigits = 64

// ParseID reads an identifier as senders write it. A string is taken as it is. A
// number is written out in full, without exponent and without loss: 12345 and
// 12345.0 give "12345", 1e3 gives "1000". Absent and null give "". Everything
// else is a *fault.Error with the reason "bad_id".
func ParseID(raw json.RawMessage) (string, error) {
	if isAbsent(raw) {
		return "", nil
	}
	switch c := raw[0]; {
	case c == '"':
		if s, ok := stringOf(raw); ok {
			return s, nil
		}
	case c == '-' || isDigit(c):
		if s, ok := plainNumber(string(raw)); ok {
			return s, nil
		}
		return "", fault.Refused("bad_id", "the id %s is too long for a number; send it as a string", clip(string(raw)))
	}
	return "", fault.Refused("bad_id", "an id is a string or a number; this is %s", kindOf(raw))
}

// plainNumber writes a JSON number without exponent and without zeros that say
// nothing. It works on the digits, because a float64 would lose some.
func plainNumber(s string) (string, bool) {
	s, negative := strings.CutPrefix(s, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if strings.Trim(digits, "0") == "" {
		return "0", strings.Trim(digits, "0123456789") == "" && digits != ""
	}
	point := len(whole)
	if power != "" {
		n, err := strconv.Atoi(power)
		if err != nil || n < -maxIDDigits || n > maxIDDigits {
			return "", false
		}
		point += n
	}
	if point <= 0 {
		digits = strings.Repeat("0", 1-point) + digits
		point = 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole = strings.TrimLeft(digits[:point], "0")
	fraction = strings.TrimRight(digits[point:], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole, len(whole) <= maxIDDigits
}

// stringOf decodes a JSON string.
func stringOf(raw json.RawMessage) (string, bool) {
	if n := len(raw); n >= 2 && raw[n-1] == '"' && isPlain(raw[1:n-1]) {
		return string(raw[1 : n-1]), true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}

// isPlain tells whether text is printable ASCII without escapes, which is its own
// JSON form.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func isAbsent(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "true or false"
	default:
		return "not valid JSON"
	}
}

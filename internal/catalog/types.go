package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"platen/liquid"
)

// Type is the type of a field.
type Type string

// The types of fields.
const (
	Text    Type = "string"
	Number  Type = "number"
	Boolean Type = "boolean"
	// Time is a text as RFC 3339 has it, a date, or seconds since 1970. Messages
	// get it as it was written.
	Time   Type = "time"
	Object Type = "object"
	Array  Type = "array"
)

// Types lists the types as documents write them.
func Types() []string {
	return []string{string(Text), string(Number), string(Boolean), string(Time), string(Object), string(Array)}
}

// Field is a field of the items of a catalog.
type Field struct {
	Name string
	Type Type
}

// inferTypes finds the types of the fields that are not declared: that of the first
// value, and text for a column of a CSV that is not all of one type. A field without
// values is text.
func (b *builder) inferTypes() {
	inferred := map[string]Type{}
	for _, row := range b.data.rows {
		for field, value := range row.All() {
			if b.types[field] != "" || value == nil {
				continue
			}
			is := b.data.typeOf(value)
			switch known := inferred[field]; {
			case known == "":
				inferred[field] = is
			case known != is && b.data.texts:
				inferred[field] = Text
			}
		}
	}
	for _, field := range b.fields {
		if b.types[field] == "" {
			b.types[field] = cmp.Or(inferred[field], Text)
		}
	}
}

// typeOf is the type that a value shows by itself.
func (t *Table) typeOf(value any) Type {
	switch v := value.(type) {
	case string:
		switch {
		case t.texts && (v == "true" || v == "false"):
			return Boolean
		case t.texts && isNumber(v):
			return Number
		}
		return Text
	case bool:
		return Boolean
	case *liquid.Map:
		return Object
	case []any:
		return Array
	default:
		return Number
	}
}

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// isNumber says whether a text is a number as JSON writes it, so that 007 is none.
func isNumber(text string) bool { return number.MatchString(text) }

// convert gives a value as one of a type, or what is wrong with it.
func (t *Table) convert(value any, to Type) (typed any, problem string) {
	if value == nil {
		return nil, ""
	}
	if text, ok := value.(string); ok && t.texts {
		return convertText(text, to)
	}
	is := t.typeOf(value)
	switch {
	case is == to:
		return value, ""
	case to == Text && (is == Number || is == Boolean):
		return plainText(value), ""
	case to == Time && (is == Text || is == Number):
		if _, ok := timeOf(value); !ok {
			return nil, notA(Time, value)
		}
		return value, ""
	}
	return nil, fmt.Sprintf("is of type %s, but the type of the field is %s, declared or found in the first item that has it", is, to)
}

// plainText writes a number or a boolean as JSON does; 1.0 stays 1.0.
func plainText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	if _, ok := value.(float64); ok && !bytes.ContainsAny(text, ".e") {
		text = append(text, ".0"...)
	}
	return string(text)
}

// convertText reads the cell of a CSV.
func convertText(text string, to Type) (typed any, problem string) {
	switch to {
	case Text:
		return text, ""
	case Time:
		if _, ok := timeOf(text); ok {
			return text, ""
		}
	default:
		value, err := liquid.FromJSON([]byte(text))
		if err == nil && (&Table{}).typeOf(value) == to {
			return value, ""
		}
	}
	return nil, notA(to, text)
}

func notA(to Type, value any) string {
	expected := map[Type]string{
		Number: "a number as 12 or 1.99", Boolean: "true or false", Time: "a time as 2026-11-23T12:00:00Z or 2026-11-23",
		Object: "a JSON object", Array: "a JSON array",
	}[to]
	return fmt.Sprintf("must be %s, but is %.80q", expected, fmt.Sprint(value))
}

// timeOf reads a value of a field of type Time. A time without a zone is in UTC.
func timeOf(value any) (time.Time, bool) {
	text := fmt.Sprint(value)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 40); err == nil {
		return time.Unix(seconds, 0), true
	}
	return time.Time{}, false
}

// runes is the size of a value: the characters of all texts in it.
func runes(value any) int {
	switch v := value.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case json.Number:
		return len(v)
	case []any:
		sum := len(v)
		for _, member := range v {
			sum += runes(member)
		}
		return sum
	case *liquid.Map:
		sum := 0
		for key, member := range v.All() {
			sum += utf8.RuneCountInString(key) + runes(member)
		}
		return sum
	}
	return 1
}

// isBlank says whether a value says nothing: none, white space, or an empty list.
func isBlank(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case *liquid.Map:
		return v.Len() == 0
	}
	return false
}

package liquid

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth bounds how deep lists and maps may lie in each other, so that data
// which contains itself ends in an error instead of without end.
const maxDepth = 128

// errDepth is what a value that is nested too deep gives.
var errDepth = exceeded("this value is nested more than " + strconv.Itoa(maxDepth) + " deep")

// FromJSON turns JSON text into a value for [Input.Vars]: objects become *Map in
// their order, and numbers print exactly as they were written (an int64 or a
// float64 where that is so by itself, else a json.Number). It refuses text that
// is not JSON and values nested more than 128 deep.
func FromJSON(text []byte) (any, error) {
	if !json.Valid(text) {
		var v any
		return nil, json.Unmarshal(text, &v) // says what is wrong
	}
	r := jsonReader{text: text}
	return r.value(0)
}

// A jsonReader reads text that is known to be valid.
type jsonReader struct {
	text []byte
	at   int
}

var errJSONDepth = errors.New("liquid: JSON nested more than " + strconv.Itoa(maxDepth) + " deep")

// peek skips white space and returns the byte after it.
func (r *jsonReader) peek() byte {
	for {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errJSONDepth
	}
	switch r.peek() {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	case '"':
		return r.quoted(), nil
	case 't':
		r.at += len("true")
		return true, nil
	case 'f':
		r.at += len("false")
		return false, nil
	case 'n':
		r.at += len("null")
		return nil, nil
	}
	return r.number(), nil
}

func (r *jsonReader) object(depth int) (any, error) {
	m := &Map{}
	r.at++
	for r.peek() != '}' {
		key := r.quoted()
		r.peek()
		r.at++ // colon
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		m.Set(key, value)
		if r.peek() == ',' {
			r.at++
			r.peek()
		}
	}
	r.at++
	return m, nil
}

func (r *jsonReader) array(depth int) (any, error) {
	list := []any{}
	r.at++
	for r.peek() != ']' {
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
		if r.peek() == ',' {
			r.at++
		}
	}
	r.at++
	return list, nil
}

// quoted reads one string.
func (r *jsonReader) quoted() string {
	from := r.at
	end, escaped := closingQuote(r.text, from)
	r.at = end + 1
	inside := r.text[from+1 : end]
	if !escaped && utf8.Valid(inside) {
		return string(inside)
	}
	var s string
	if err := json.Unmarshal(r.text[from:end+1], &s); err != nil {
		return string(inside) // cannot be: the text is valid
	}
	return s
}

// closingQuote finds the end of the string that begins at an offset of valid JSON,
// and says whether there is an escape in it.
func closingQuote(text []byte, from int) (end int, escaped bool) {
	for end = from + 1; text[end] != '"'; end++ {
		if text[end] == '\\' {
			escaped = true
			end++
		}
	}
	return end, escaped
}

// What reading JSON takes in memory, in bytes and besides the text: for any value,
// for an object or a member of one in addition, and for a string that is not taken
// over as it stands.
const (
	valueCost  = 32
	memberCost = 64
	escapeCost = 128
)

// jsonCost is about what the value of valid JSON text takes in memory besides the
// text itself, in bytes.
func jsonCost(text []byte) int {
	cost := valueCost
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end, escaped := closingQuote(text, i)
			if escaped || !utf8.Valid(text[i:end]) {
				cost += escapeCost
			}
			i = end
		case ',', '[':
			cost += valueCost
		case ':', '{':
			cost += memberCost
		}
	}
	return cost
}

func (r *jsonReader) number() any {
	from := r.at
	for r.at < len(r.text) && bytes.IndexByte([]byte("+-.eE0123456789"), r.text[r.at]) >= 0 {
		r.at++
	}
	text := string(r.text[from:r.at])
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-0" {
			return n
		}
	}
	var printed [32]byte
	if f, err := strconv.ParseFloat(text, 64); err == nil && string(appendFloat(printed[:0], f)) == text {
		return f
	}
	return json.Number(text)
}

// appendJSON writes a value as compact JSON.
func (s *Scope) appendJSON(out []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if err := s.work(1); err != nil {
		return nil, err
	}
	switch v := normal(v).(type) {
	case nil, Keyword:
		return append(out, "null"...), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	case *big.Int:
		return v.Append(out, 10), nil
	case float64:
		return appendFloat(out, v), nil
	case json.Number:
		return append(out, v...), nil
	case string:
		return s.appendJSONString(out, v)
	case time.Time:
		return s.appendJSONString(out, v.Format(time.RFC3339Nano))
	case []any:
		return s.appendJSONList(out, v, depth)
	case interval:
		items, err := s.items(v)
		if err != nil {
			return nil, err
		}
		return s.appendJSONList(out, items, depth)
	}
	return s.appendJSONObject(out, v, depth)
}

func (s *Scope) appendJSONString(out []byte, v string) ([]byte, error) {
	before := len(out)
	out = append(out, '"')
	out = appendEscaped(out, v)
	out = append(out, '"')
	return out, s.build(len(out) - before)
}

func (s *Scope) appendJSONList(out []byte, list []any, depth int) ([]byte, error) {
	out = append(out, '[')
	for i, item := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = s.appendJSON(out, item, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func (s *Scope) appendJSONObject(out []byte, v any, depth int) ([]byte, error) {
	out = append(out, '{')
	first := true
	for key, value := range entries(v) {
		if !first {
			out = append(out, ',')
		}
		first = false
		var err error
		if out, err = s.appendJSONString(out, key); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = s.appendJSON(out, value, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendEscaped writes text as it stands between the quotes of a JSON string.
func appendEscaped(out []byte, v string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\b':
			out = append(out, '\\', 'b')
		case c == '\f':
			out = append(out, '\\', 'f')
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return out
}

// sortedKeys lists the keys of a Go map in a fixed order.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}

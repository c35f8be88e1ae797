package liquid

import (
	"encoding/json"
	"iter"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Object is something whose members are found when they are asked for. It is a
// value like any other; printed, it is empty.
type Object interface {
	// Get returns the member of that name. Ok is false when there is none.
	Get(key string) (value any, ok bool)
}

// Keyword is the value of the words `empty` and `blank`. It prints nothing and is
// equal to all that is empty, or blank.
type Keyword string

// The two keywords.
const (
	Empty Keyword = "empty"
	Blank Keyword = "blank"
)

// plain is a value outside of conditions, where the two keywords are just empty
// text.
func plain(v any) any {
	if _, ok := v.(Keyword); ok {
		return ""
	}
	return v
}

// interval is the value of a range: the whole numbers from one to another, both
// included, which are never laid out in memory as long as nobody asks for it.
type interval struct{ from, to int64 }

func (r interval) size() int64 {
	if r.to < r.from {
		return 0
	}
	if n := uint64(r.to) - uint64(r.from); n < math.MaxInt64 {
		return int64(n) + 1
	}
	return math.MaxInt64
}

// normal turns the many types of Go's numbers and lists into those that the
// engine works with: nil, bool, int64, *big.Int, float64, json.Number, string,
// time.Time, []any, map[string]any, *Map, Object, Keyword and interval.
func normal(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case int8:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint:
		return new(big.Int).SetUint64(uint64(v))
	case uint64:
		return new(big.Int).SetUint64(v)
	case float32:
		return float64(v)
	case []string:
		return anys(v)
	case []map[string]any:
		return anys(v)
	}
	return v
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// known reports whether a normal value is of a type the engine works with.
func known(v any) bool {
	switch v.(type) {
	case nil, bool, int64, *big.Int, float64, json.Number, string, time.Time,
		[]any, map[string]any, *Map, Object, Keyword, interval:
		return true
	}
	return false
}

// Truthy reports whether a condition that is just this value holds: all values
// do but nil and false.
func Truthy(v any) bool { return v != nil && v != false }

// member looks a key up in a value that has named members.
func member(container any, key string) (any, bool) {
	switch c := container.(type) {
	case map[string]any:
		v, ok := c[key]
		return v, ok
	case *Map:
		return c.Get(key)
	case Object:
		return c.Get(key)
	}
	return nil, false
}

// entries yields the keys and values of a map, a Go map's in sorted order.
func entries(v any) iter.Seq2[string, any] {
	switch m := v.(type) {
	case *Map:
		return m.All()
	case map[string]any:
		return func(yield func(string, any) bool) {
			for _, k := range sortedKeys(m) {
				if !yield(k, m[k]) {
					return
				}
			}
		}
	}
	return func(func(string, any) bool) {}
}

// isHash reports whether a value is a map of any kind.
func isHash(v any) bool {
	switch v.(type) {
	case *Map, map[string]any:
		return true
	}
	return false
}

// size is the number of characters, items or keys; ok is false for what has no
// size.
func size(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), true
	case []any:
		return int64(len(v)), true
	case map[string]any:
		return int64(len(v)), true
	case *Map:
		return int64(v.Len()), true
	case interval:
		return v.size(), true
	}
	return 0, false
}

// first is the first item of a list, the first pair of a map, the first
// character of a text.
func first(v any) any {
	switch v := v.(type) {
	case string:
		_, n := utf8.DecodeRuneInString(v)
		return textOrNil(v[:n])
	case []any:
		if len(v) > 0 {
			return normal(v[0])
		}
	case interval:
		return v.from
	default:
		for k, value := range entries(v) {
			return []any{k, value}
		}
	}
	return nil
}

// last is the last item of a list or the last character of a text.
func last(v any) any {
	switch v := v.(type) {
	case string:
		_, n := utf8.DecodeLastRuneInString(v)
		return textOrNil(v[len(v)-n:])
	case []any:
		if len(v) > 0 {
			return normal(v[len(v)-1])
		}
	case interval:
		return v.to
	}
	return nil
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// isEmpty is what `== empty` asks. A range is never empty, as in Ruby.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil, bool, Keyword, interval:
		return false
	case string:
		return v == ""
	}
	n, ok := size(v)
	return ok && n == 0
}

// isBlank is what `== blank` asks; white space is blank in the Braze dialect
// only.
func isBlank(v any, d Dialect) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == "" || d == Braze && trimSpace(v) == ""
	}
	return isEmpty(v)
}

// appendFloat writes a number as Ruby prints it: shortest digits, always with a
// point, an exponent below 1e-4 and from 1e15 on (if it is whole) or 1e16.
func appendFloat(out []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(out, "NaN"...)
	case math.IsInf(f, 1):
		return append(out, "Infinity"...)
	case math.IsInf(f, -1):
		return append(out, "-Infinity"...)
	case abs == 0 || abs >= 1e-4 && (abs < 1e15 || abs < 1e16 && abs != math.Trunc(abs)):
		from := len(out)
		out = strconv.AppendFloat(out, f, 'f', -1, 64)
		if !hasPoint(out[from:]) {
			out = append(out, ".0"...)
		}
		return out
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	out = append(out, mantissa...)
	if !hasPoint([]byte(mantissa)) {
		out = append(out, ".0"...)
	}
	return append(append(out, 'e'), exponent...)
}

func hasPoint(digits []byte) bool {
	for _, c := range digits {
		if c == '.' {
			return true
		}
	}
	return false
}

// appendTime writes a time as Ruby prints it.
func appendTime(out []byte, t time.Time) []byte {
	if t.Location() == time.UTC {
		return t.AppendFormat(out, "2006-01-02 15:04:05 UTC")
	}
	return t.AppendFormat(out, "2006-01-02 15:04:05 -0700")
}

// appendScalar writes a value that holds no others. Ok is false for one that
// does.
func appendScalar(out []byte, v any) (text []byte, ok bool) {
	switch v := v.(type) {
	case *Map: // an Object as well
		return out, false
	case nil, Keyword, Object:
		return out, true
	case string:
		return append(out, v...), true
	case bool:
		return strconv.AppendBool(out, v), true
	case int64:
		return strconv.AppendInt(out, v, 10), true
	case float64:
		return appendFloat(out, v), true
	case json.Number:
		return append(out, v...), true
	case *big.Int:
		return v.Append(out, 10), true
	case time.Time:
		return appendTime(out, v), true
	case interval:
		out = strconv.AppendInt(out, v.from, 10)
		out = append(out, ".."...)
		return strconv.AppendInt(out, v.to, 10), true
	}
	return out, false
}

// appendOutput writes a value as an output prints it: a list as its items one
// after the other, a map as Ruby shows one.
func (s *Scope) appendOutput(out []byte, v any, depth int) ([]byte, error) {
	v = normal(v)
	if out, ok := appendScalar(out, v); ok {
		return out, nil
	}
	list, ok := v.([]any)
	if !ok {
		return s.appendInspect(out, v, depth)
	}
	if depth > maxDepth {
		return nil, errDepth
	}
	for _, item := range list {
		if err := s.work(1); err != nil {
			return nil, err
		}
		var err error
		if out, err = s.appendOutput(out, item, depth+1); err != nil {
			return nil, err
		}
		if len(out) > s.opts.Limits.Output {
			return nil, errOutput
		}
	}
	return out, nil
}

// appendInspect writes a value as Ruby's inspect shows it.
func (s *Scope) appendInspect(out []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if err := s.work(1); err != nil {
		return nil, err
	}
	if len(out) > s.opts.Limits.Output {
		return nil, errOutput
	}
	var err error
	switch v := normal(v).(type) {
	case nil:
		return append(out, "nil"...), nil
	case string:
		return append(appendEscaped(append(out, '"'), v), '"'), nil
	case []any:
		out = append(out, '[')
		for i, item := range v {
			if i > 0 {
				out = append(out, ", "...)
			}
			if out, err = s.appendInspect(out, item, depth+1); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case map[string]any, *Map:
		out = append(out, '{')
		first := true
		for key, value := range entries(v) {
			if !first {
				out = append(out, ", "...)
			}
			first = false
			out = append(appendEscaped(append(out, '"'), key), `"=>`...)
			if out, err = s.appendInspect(out, value, depth+1); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	default:
		out, _ = appendScalar(out, v)
		return out, nil
	}
}

// text is a value as the filters for text see it, Ruby's to_s.
func (s *Scope) text(v any) (string, error) {
	v = normal(v)
	if t, ok := v.(string); ok {
		return t, nil
	}
	var buffer [32]byte
	out, ok := appendScalar(buffer[:0], v)
	if !ok {
		var err error
		if out, err = s.appendInspect(out, v, 0); err != nil {
			return "", err
		}
		if err := s.build(len(out)); err != nil {
			return "", err
		}
	}
	return string(out), nil
}

package mapping

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// member is one member of a JSON object, still as it was sent. All slices point
// into the body, except the name of a member whose key holds escapes.
type member struct {
	key   []byte // with quotes
	name  []byte // decoded
	value []byte // without surrounding white space
}

// split appends the members of a JSON object to dst. It reads the text once and
// decodes nothing, which is what keeps the presets cheap. raw has passed
// loosejson.Check; anything else gives ok=false or members of no meaning, never a
// panic.
func split(dst []member, raw []byte) (members []member, ok bool) {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return dst, false
	}
	i = skipSpace(raw, i+1)
	for i < len(raw) && raw[i] == '"' {
		end := endOfString(raw, i)
		if end < 0 {
			return dst, false
		}
		m := member{key: raw[i:end]}
		m.name = nameOf(m.key)
		colon := skipSpace(raw, end)
		if colon == len(raw) || raw[colon] != ':' {
			return dst, false
		}
		if m.value, i = nextValue(raw, colon+1); i < 0 {
			return dst, false
		}
		dst = append(dst, m)
	}
	return dst, i < len(raw) && raw[i] == '}'
}

// elements appends the elements of a JSON array to dst; see split.
func elements(dst [][]byte, raw []byte) (values [][]byte, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return dst, false
	}
	i := skipSpace(raw, 1)
	for i < len(raw) && raw[i] != ']' {
		var v []byte
		if v, i = nextValue(raw, i); i < 0 {
			return dst, false
		}
		dst = append(dst, v)
	}
	return dst, i < len(raw)
}

// nextValue gives the value at i and where the member or element after it, or the
// closing bracket, begins; -1 for text that is no JSON.
func nextValue(raw []byte, i int) (value []byte, next int) {
	i = skipSpace(raw, i)
	end := endOfValue(raw, i)
	if end <= i {
		return nil, -1
	}
	next = skipSpace(raw, end)
	if next < len(raw) && raw[next] == ',' {
		next = skipSpace(raw, next+1)
	}
	return raw[i:end], next
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// endOfString is the index after the string that begins at i, -1 when it is open.
func endOfString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// endOfValue is the index after the value that begins at i, -1 when it is open.
func endOfValue(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			if i = endOfString(raw, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
			continue
		default:
			for i < len(raw) && !isDelimiter(raw[i]) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

func isDelimiter(c byte) bool {
	return isSpace(c) || c == ',' || c == ':' || c == '}' || c == ']' || c == '{' || c == '[' || c == '"'
}

// nameOf decodes a key.
func nameOf(key []byte) []byte {
	inner := key[1 : len(key)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return []byte(textOf(key))
}

// textOf decodes a JSON string, "" for anything else.
func textOf(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// isBlank tells whether a value is as good as none: absent, null or "". Templates
// write "" where a person has no such value.
func isBlank(raw []byte) bool {
	return len(raw) == 0 || string(raw) == "null" || string(raw) == `""`
}

// appendCompact appends JSON without white space outside strings.
func appendCompact(dst, raw []byte) []byte {
	from := 0
	for i := 0; i < len(raw); {
		switch {
		case raw[i] == '"':
			end := endOfString(raw, i)
			if end < 0 {
				end = len(raw)
			}
			i = end
		case isSpace(raw[i]):
			dst = append(dst, raw[from:i]...)
			i = skipSpace(raw, i)
			from = i
		default:
			i++
		}
	}
	return append(dst, raw[from:]...)
}

// appendMember appends key (with quotes) and value to an object that is being
// written, with a comma where one is due.
func appendMember(dst, key, value []byte) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, key...)
	dst = append(dst, ':')
	return appendCompact(dst, value)
}

// quote writes a string as JSON.
func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return b
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// pointer is the JSON pointer (RFC 6901) of a name or index below parent.
func pointer(parent, name string) string {
	return parent + "/" + pointerEscapes.Replace(name)
}

func pointerAt(parent string, index int) string {
	return parent + "/" + strconv.Itoa(index)
}

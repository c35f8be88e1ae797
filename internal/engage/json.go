package engage

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// object is a decoded JSON object whose values are still text.
type object map[string]json.RawMessage

// objectOf reads a JSON object; ok is false for any other value.
func objectOf(raw json.RawMessage) (o object, ok bool) {
	err := json.Unmarshal(raw, &o)
	return o, err == nil && o != nil
}

// sent says whether a field is there and not null.
func (o object) sent(field string) bool { return !absent(o[field]) }

// flag reads a boolean control field; without it standard holds.
func (o object) flag(field string, standard bool) (bool, error) {
	raw := o[field]
	if absent(raw) {
		return standard, nil
	}
	value, err := strconv.ParseBool(string(raw))
	if err != nil {
		return false, notValid(field, "is true or false")
	}
	return value, nil
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// textIn reads a JSON string.
func textIn(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// isNumber says whether a valid JSON value is a number.
func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

// member is one field of an object whose order counts.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf reads an object in the order of its text; ok is false for any other
// value.
func membersOf(raw json.RawMessage) (members []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: name.(string)} // valid JSON has strings before its values
		if err := d.Decode(&m.value); err != nil {
			return nil, false
		}
		members = append(members, m)
	}
	return members, true
}

// encodeMembers writes an object in compact form.
func encodeMembers(members []member) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(m.name))
		b.WriteByte(':')
		json.Compact(&b, m.value) // was checked with the body
	}
	b.WriteByte('}')
	return b.Bytes()
}

// compact is a value of a checked body without spaces.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	json.Compact(&b, raw) // was checked with the body
	return b.String()
}

// decode reads a JSON value; numbers stay text, so that no digit is lost. What
// is no JSON gives nil.
func decode(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// encode writes a decoded value in compact form, keys sorted.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil { // only decoded values come here, and those always encode
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func quote(s string) string { return encode(s) }

package filter

import "encoding/json"

// memberOf gives the value of a member of a JSON object without decoding the
// others: an event has a dozen properties and a condition asks for one. The
// object is valid JSON, for it was stored. Of members with the same name the last
// one counts. nil is a missing member.
func memberOf(object json.RawMessage, name string) (value json.RawMessage) {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; i = skipSpace(object, i) {
		end := skipString(object, i)
		key := object[i:end]
		i = skipSpace(object, end)      // at the colon
		begin := skipSpace(object, i+1) // at the value
		i = skipValue(object, begin)    // behind it
		if sameString(key, name) {
			value = object[begin:i]
		}
		if i = skipSpace(object, i); i < len(object) && object[i] == ',' {
			i++
		}
	}
	return value
}

// sameString compares a JSON string, quotes included, with a text.
func sameString(quoted []byte, text string) bool {
	if string(quoted[1:len(quoted)-1]) == text {
		return true
	}
	for _, c := range quoted {
		if c == '\\' {
			var s string
			return json.Unmarshal(quoted, &s) == nil && s == text
		}
	}
	return false
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString gives the place behind a string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(b))
}

// skipValue gives the place behind a value that begins at i.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

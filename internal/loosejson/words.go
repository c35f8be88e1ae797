package loosejson

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"platen/internal/fault"
)

// fail makes the fault for the byte at offset.
func (s *scanner) fail(offset int, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if len(s.mends) == MaxMends {
		message += fmt.Sprintf("; %d mistakes before it were mended, and no more are: mend them at the sender", MaxMends)
	}
	place := placeIn(s.src)
	return fault.New(fault.Invalid, "malformed_json", "%s", message).At(place.of(offset))
}

// unexpected is the fault for something that does not belong at pos.
func (s *scanner) unexpected(expected string) error {
	return s.fail(s.pos, "found %s where %s was expected; %s", s.found(), expected, s.wayOut(expected))
}

// found says what stands at pos, in words a person knows.
func (s *scanner) found() string {
	if s.pos >= len(s.src) {
		if len(s.src) == 0 {
			return "an empty text"
		}
		return "the end of the text"
	}
	switch {
	case s.at("//"), s.at("/*"):
		return "a comment"
	case s.at("\xef\xbb\xbf"):
		return "a byte order mark"
	case s.at("\n"), s.at("\r"):
		return "a line break"
	case s.at("\t"):
		return "a tab"
	}
	if word := s.word(); len(word) > 0 {
		return quoteShort(word)
	}
	r, size := utf8.DecodeRune(s.src[s.pos:])
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("the byte 0x%02x", s.src[s.pos])
	case r == '"':
		return "a double quote"
	case unicode.IsPrint(r):
		return fmt.Sprintf(`"%c"`, r)
	default:
		return fmt.Sprintf("the character U+%04X", r)
	}
}

// wayOut says what to do about the thing at pos.
func (s *scanner) wayOut(expected string) string {
	if s.pos >= len(s.src) {
		return "send the text whole"
	}
	switch {
	case s.at("//") && !s.mending:
		return "JSON has no comments: remove it"
	case s.at("//"), s.at("/*"), s.at("#"):
		return "JSON has no comments, and only a line that begins with // is dropped: remove it"
	case s.at("\xef\xbb\xbf"):
		return "save the text as UTF-8 without it"
	case s.at("'"), s.at("\u2018"), s.at("\u201c"), s.at("\u201d"):
		return "use straight double quotes"
	}
	switch string(s.word()) {
	case "None", "nil", "undefined", "NaN", "NULL", "Null", "Infinity":
		return "write null"
	case "True", "TRUE":
		return "write true"
	case "False", "FALSE":
		return "write false"
	}
	if expected == "the end of the text" {
		return "send one JSON value; several events go into one array"
	}
	return "write " + expected + " here"
}

func escapeOf(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	default:
		return fmt.Sprintf(`\u%04x`, c)
	}
}

// quoteShort quotes text, cut to a length that fits a message.
func quoteShort(text []byte) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

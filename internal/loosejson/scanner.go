package loosejson

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// scanner walks one JSON text. With mending set it notes what to repair and goes
// on; otherwise the next mistake ends it.
type scanner struct {
	src     []byte
	pos     int
	depth   int
	mending bool
	mends   []mend
}

// document reads one value and nothing after it.
func (s *scanner) document() error {
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.src) {
		return s.unexpected("the end of the text")
	}
	return nil
}

// space goes to the next byte that means something.
func (s *scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			if !s.mending || !s.dropComment() {
				return
			}
		}
	}
}

// dropComment drops the line at pos if // are its first characters.
func (s *scanner) dropComment() bool {
	if !s.at("//") {
		return false
	}
	start := s.pos
	for start > 0 && s.src[start-1] != '\n' {
		start--
		if c := s.src[start]; c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	slashes := s.pos
	for s.pos < len(s.src) {
		s.pos++
		if s.src[s.pos-1] == '\n' {
			break
		}
	}
	s.note(mend{start: start, end: s.pos, at: slashes, kind: CommentLine})
	return true
}

// note keeps a mend. The last that is allowed ends the mending.
func (s *scanner) note(m mend) {
	s.mends = append(s.mends, m)
	s.mending = len(s.mends) < MaxMends
}

func (s *scanner) at(text string) bool {
	return s.pos+len(text) <= len(s.src) && string(s.src[s.pos:s.pos+len(text)]) == text
}

// peek is the byte at pos, 0 at the end. A real NUL is nowhere valid, so the two
// need no distinction.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '{':
		return s.list('}', s.member)
	case c == '[':
		return s.list(']', s.value)
	case c == '"':
		return s.text()
	case isNumberByte(c) && c != '+' && c != '.' && c != 'e' && c != 'E':
		return s.number()
	default:
		return s.literal()
	}
}

// list reads an object or array from its opening bracket to the closing one.
func (s *scanner) list(closing byte, item func() error) error {
	if s.depth == MaxDepth {
		return s.fail(s.pos, "the value is nested deeper than %d levels; send it flatter", MaxDepth)
	}
	s.depth++
	defer func() { s.depth-- }()
	s.pos++

	comma := -1 // where the comma before pos stands
	for {
		s.space()
		if s.peek() == closing {
			return s.close(comma)
		}
		if err := item(); err != nil {
			return err
		}
		end := s.pos
		s.space()
		switch comma = -1; {
		case s.peek() == ',':
			comma = s.pos
			s.pos++
		case s.peek() == closing:
		case !s.beginsItem(closing):
			return s.unexpected(fmt.Sprintf(`"," or "%c"`, closing))
		case !s.mending:
			return s.fail(s.pos, `found %s where "," or "%c" was expected; add the comma`, s.found(), closing)
		default:
			s.note(mend{start: end, end: end, text: ",", at: end, kind: MissingComma})
		}
	}
}

// close steps over the closing bracket; comma is where a trailing comma stands,
// or -1.
func (s *scanner) close(comma int) error {
	if comma >= 0 {
		if !s.mending {
			return s.fail(comma, `found a comma before "%c" where a further value was expected; remove it`, s.peek())
		}
		s.note(mend{start: comma, end: comma + 1, at: comma, kind: TrailingComma})
	}
	s.pos++
	return nil
}

// beginsItem tells whether a comma before pos would make the list go on.
func (s *scanner) beginsItem(closing byte) bool {
	switch c := s.peek(); c {
	case '"':
		return true
	case '{', '[', 't', 'f', 'n', '-':
		return closing == ']'
	default:
		return closing == ']' && '0' <= c && c <= '9'
	}
}

func (s *scanner) member() error {
	if s.peek() != '"' {
		return s.unexpected("a property name in double quotes")
	}
	if err := s.text(); err != nil {
		return err
	}
	s.space()
	if s.peek() != ':' {
		return s.unexpected(`":" after the property name`)
	}
	s.pos++
	s.space()
	return s.value()
}

// text reads a string with its quotes.
func (s *scanner) text() error {
	open := s.pos
	for s.pos++; s.pos < len(s.src); {
		switch c := s.src[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.fail(s.pos, "found %s inside a string; close the string before it, or write it as %s", s.found(), escapeOf(c))
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.src[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return s.fail(s.pos, "found the byte 0x%02x, which is not UTF-8; send the body encoded in UTF-8", c)
			}
			s.pos += size
		}
	}
	return s.fail(open, "the text ends inside the string that begins here; close it with a double quote, or send the text whole")
}

func (s *scanner) escape() error {
	const simple = `"\/bfnrt`
	start := s.pos
	s.pos++
	switch c := s.peek(); {
	case c == 'u':
		s.pos++
		for range 4 {
			if !isHex(s.peek()) {
				return s.fail(start, `found \u without four hexadecimal digits; write it as in \u00e9`)
			}
			s.pos++
		}
		return nil
	case strings.IndexByte(simple, c) >= 0:
		s.pos++
		return nil
	default:
		return s.fail(start, `found a backslash that begins no escape; write \\ for a backslash`)
	}
}

// number reads every byte a number may hold and then asks the grammar, so that
// "1-2" is one bad number and not two good ones.
func (s *scanner) number() error {
	start := s.pos
	for isNumberByte(s.peek()) {
		s.pos++
	}
	if n := s.src[start:s.pos]; !isNumber(n) {
		return s.fail(start, "found %s where a number was expected; write it as in 0, -1.5 or 2e3", quoteShort(n))
	}
	return nil
}

// literal reads true, false or null.
func (s *scanner) literal() error {
	switch word := string(s.word()); word {
	case "true", "false", "null":
		s.pos += len(word)
		return nil
	default:
		return s.unexpected("a value")
	}
}

// word is the run of letters, digits and underscores at pos.
func (s *scanner) word() []byte {
	end := s.pos
	for end < len(s.src) && isWordByte(s.src[end]) {
		end++
	}
	return s.src[s.pos:end]
}

// isNumber follows the grammar of RFC 8259, section 6.
func isNumber(n []byte) bool {
	if len(n) > 0 && n[0] == '-' {
		n = n[1:]
	}
	whole := digits(n)
	if whole == 0 || whole > 1 && n[0] == '0' {
		return false
	}
	n = n[whole:]
	if len(n) > 0 && n[0] == '.' {
		fraction := digits(n[1:])
		if fraction == 0 {
			return false
		}
		n = n[1+fraction:]
	}
	if len(n) > 0 && (n[0] == 'e' || n[0] == 'E') {
		n = n[1:]
		if len(n) > 0 && (n[0] == '+' || n[0] == '-') {
			n = n[1:]
		}
		return len(n) > 0 && digits(n) == len(n)
	}
	return len(n) == 0
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

func isNumberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

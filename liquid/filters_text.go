package liquid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func init() {
	registerFilters(
		newFilter("append", 1, 1, "Adds text at the end.", `{{ 'a' | append: 'b' }}`, "ab", onTexts(filterAppend)),
		newFilter("prepend", 1, 1, "Adds text at the beginning.", `{{ 'a' | prepend: 'b' }}`, "ba", onTexts(filterPrepend)),
		newFilter("capitalize", 0, 0, "Makes the first letter upper case, the others lower case.", `{{ 'hELLO you' | capitalize }}`, "Hello you", onText(capitalize)),
		newFilter("downcase", 0, 0, "Makes all letters lower case.", `{{ 'AbC' | downcase }}`, "abc", onText(strings.ToLower)),
		newFilter("upcase", 0, 0, "Makes all letters upper case.", `{{ 'AbC' | upcase }}`, "ABC", onText(upcase)),
		newFilter("strip", 0, 0, "Removes white space at both ends.", `{{ ' a ' | strip }}`, "a", onText(trimSpace)),
		newFilter("lstrip", 0, 0, "Removes white space at the beginning.", `{{ ' a ' | lstrip }}|`, "a |", onText(trimSpaceLeft)),
		newFilter("rstrip", 0, 0, "Removes white space at the end.", `{{ ' a ' | rstrip }}|`, " a|", onText(trimSpaceRight)),
		newFilter("strip_newlines", 0, 0, "Removes line breaks.", "{{ 'a\nb' | strip_newlines }}", "ab", onText(stripNewlines)),
		newFilter("newline_to_br", 0, 0, "Puts <br /> before each line break.", "{{ 'a\nb' | newline_to_br }}", "a<br />\nb", newlineToBr),
		newFilter("replace", 1, 2, "Replaces each occurrence of a text.", `{{ 'a-a' | replace: 'a', 'b' }}`, "b-b", replaceWith(replaceAll)),
		newFilter("replace_first", 1, 2, "Replaces the first occurrence of a text.", `{{ 'a-a' | replace_first: 'a', 'b' }}`, "b-a", replaceWith(replaceFirst)),
		newFilter("replace_last", 2, 2, "Replaces the last occurrence of a text.", `{{ 'a-a' | replace_last: 'a', 'b' }}`, "a-b", replaceWith(replaceLast)),
		newFilter("remove", 1, 1, "Removes each occurrence of a text.", `{{ 'a-a' | remove: 'a' }}`, "-", replaceWith(replaceAll)),
		newFilter("remove_first", 1, 1, "Removes the first occurrence of a text.", `{{ 'a-a' | remove_first: 'a' }}`, "-a", replaceWith(replaceFirst)),
		newFilter("remove_last", 1, 1, "Removes the last occurrence of a text.", `{{ 'a-a' | remove_last: 'a' }}`, "a-", replaceWith(replaceLast)),
		newFilter("slice", 1, 2, "Takes so many characters or items (default 1) from a place on, counted from 0, from the end when negative.", `{{ 'hello' | slice: 1, 3 }}`, "ell", filterSlice),
		newFilter("split", 1, 1, "Cuts a text into a list.", `{{ 'a,b' | split: ',' | join: '-' }}`, "a-b", onTexts(filterSplit)),
		newFilter("truncate", 0, 2, "Shortens a text to so many characters (default 50), the ellipsis included.", `{{ 'hello world' | truncate: 8 }}`, "hello...", filterTruncate),
		newFilter("truncatewords", 0, 2, "Shortens a text to so many words (default 15).", `{{ 'one two three' | truncatewords: 2 }}`, "one two...", filterTruncateWords),
		newFilter("size", 0, 0, "Counts the characters, items or keys.", `{{ 'abc' | size }}`, "3", filterSize),
	)
}

// onText makes a filter of a function on text whose result is not much longer
// than its argument.
func onText(f func(string) string) applyFunc {
	return func(s *Scope, in any, _ []any) (any, error) {
		text, err := s.text(in)
		if err != nil {
			return nil, err
		}
		return f(text), nil
	}
}

// onTexts makes a filter of a function on two texts: the value and the argument.
func onTexts(f func(s *Scope, text, arg string) (any, error)) applyFunc {
	return func(s *Scope, in any, args []any) (any, error) {
		text, err := s.text(in)
		if err != nil {
			return nil, err
		}
		arg, err := s.text(args[0])
		if err != nil {
			return nil, err
		}
		return f(s, text, arg)
	}
}

// onGrowing makes a filter of a function on text whose result may be so many
// times as long as its argument. Nil stays nil.
func onGrowing(times int, f func(string) string) applyFunc {
	return func(s *Scope, in any, _ []any) (any, error) {
		if in == nil {
			return nil, nil
		}
		text, err := s.text(in)
		if err != nil {
			return nil, err
		}
		if len(text) > s.built/times {
			return nil, errBuilt
		}
		return f(text), nil
	}
}

// concat joins texts, once the budget allows it.
func (s *Scope) concat(a, b, c string) (any, error) {
	if len(a)+len(b)+len(c) > s.built {
		return nil, errBuilt
	}
	return a + b + c, nil
}

func filterAppend(s *Scope, text, more string) (any, error) { return s.concat(text, more, "") }

func filterPrepend(s *Scope, text, more string) (any, error) { return s.concat(more, text, "") }

// longUpper are letters whose upper case is more than one letter (Unicode's
// SpecialCasing.txt, those of Latin and Armenian script).
var longUpper = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST", "և", "ԵՒ")

func upcase(text string) string {
	if isASCII(text) {
		return strings.ToUpper(text)
	}
	return strings.ToUpper(longUpper.Replace(text))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func capitalize(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	first := string(unicode.ToTitle(r))
	if n > 1 {
		if long := longUpper.Replace(text[:n]); long != text[:n] {
			upper, m := utf8.DecodeRuneInString(long)
			first = string(upper) + strings.ToLower(long[m:])
		}
	}
	return first + strings.ToLower(text[n:])
}

func trimSpace(text string) string      { return strings.Trim(text, whitespace) }
func trimSpaceLeft(text string) string  { return strings.TrimLeft(text, whitespace) }
func trimSpaceRight(text string) string { return strings.TrimRight(text, whitespace) }

func stripNewlines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", ""), "\n", "")
}

func newlineToBr(s *Scope, in any, _ []any) (any, error) {
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return replaceAll(s, text, "\n", "<br />\n")
}

// replaceWith makes a filter with the arguments old and replacement (default "").
func replaceWith(replace func(s *Scope, text, old, replacement string) (any, error)) applyFunc {
	return func(s *Scope, in any, args []any) (any, error) {
		text, err := s.text(in)
		if err != nil {
			return nil, err
		}
		old, err := s.text(args[0])
		if err != nil {
			return nil, err
		}
		replacement := ""
		if len(args) > 1 {
			if replacement, err = s.text(args[1]); err != nil {
				return nil, err
			}
		}
		return replace(s, text, old, replacement)
	}
}

// expanded is a replacement as Ruby's sub reads it: \0 and \& stand for the text
// that is replaced, \\ for a backslash, and the groups \1 to \9 are empty.
func (s *Scope) expanded(replacement, old string) (string, error) {
	escapes := strings.Count(replacement, `\`)
	if escapes == 0 {
		return replacement, nil
	}
	if len(old) > s.built/escapes {
		return "", errBuilt
	}
	most := len(replacement) + escapes*len(old)
	if err := s.build(most); err != nil {
		return "", err
	}
	out := make([]byte, 0, most)
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '\\' || i+1 == len(replacement) {
			out = append(out, c)
			continue
		}
		i++
		switch next := replacement[i]; {
		case next == '0', next == '&':
			out = append(out, old...)
		case next == '\\':
			out = append(out, next)
		case isDigit(next):
		default:
			out = append(out, c, next)
		}
	}
	return string(out), nil
}

func replaceAll(s *Scope, text, old, replacement string) (any, error) {
	replacement, err := s.expanded(replacement, old)
	if err != nil {
		return nil, err
	}
	n := strings.Count(text, old)
	if len(replacement) > 0 && n > s.built/len(replacement) {
		return nil, errBuilt
	}
	return strings.ReplaceAll(text, old, replacement), nil
}

func replaceFirst(s *Scope, text, old, replacement string) (any, error) {
	i := strings.Index(text, old)
	if i < 0 {
		return text, nil
	}
	replacement, err := s.expanded(replacement, old)
	if err != nil {
		return nil, err
	}
	return s.concat(text[:i], replacement, text[i+len(old):])
}

func replaceLast(s *Scope, text, old, replacement string) (any, error) {
	if i := strings.LastIndex(text, old); i >= 0 {
		return s.concat(text[:i], replacement, text[i+len(old):])
	}
	return text, nil
}

func filterSlice(s *Scope, in any, args []any) (any, error) {
	from, err := toInteger(args[0])
	if err != nil {
		return nil, err
	}
	length := int64(1)
	if len(args) > 1 && Truthy(args[1]) {
		if length, err = toInteger(args[1]); err != nil {
			return nil, err
		}
	}
	if list, ok := in.([]any); ok {
		from, to := cut(from, length, int64(len(list)))
		return list[from:to:to], nil
	}
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	first, end := cut(from, length, int64(utf8.RuneCountInString(text)))
	return substring(text, first, end), nil
}

// cut turns a start (from the end when negative) and a length into a range.
func cut(from, length, size int64) (int64, int64) {
	if from < 0 {
		from += size
	}
	if from < 0 || from > size || length < 0 {
		return 0, 0
	}
	return from, from + min(length, size-from)
}

// substring is the range of a text from one character to before another.
func substring(text string, from, to int64) string {
	begin := byteOffset(text, from)
	return text[begin : begin+byteOffset(text[begin:], to-from)]
}

// byteOffset is where the n-th character of a text begins.
func byteOffset(text string, n int64) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

func filterSplit(s *Scope, text, separator string) (any, error) {
	if separator == " " {
		return s.words(text)
	}
	n := strings.Count(text, separator) + 1
	if err := s.buildList(int64(n)); err != nil {
		return nil, err
	}
	parts := make([]any, 0, n)
	kept := 0 // parts up to the last that is not empty: Ruby drops the others
	for part := range strings.SplitSeq(text, separator) {
		parts = append(parts, part)
		if part != "" {
			kept = len(parts)
		}
	}
	return parts[:kept], nil
}

// words cuts a text at white space.
func (s *Scope) words(text string) (any, error) {
	var words []any
	for word := range strings.FieldsFuncSeq(text, isWhitespace) {
		if err := s.buildList(1); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, nil
}

func isWhitespace(r rune) bool { return strings.ContainsRune(whitespace, r) }

func filterTruncate(s *Scope, in any, args []any) (any, error) {
	if in == nil {
		return nil, nil
	}
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	length, ellipsis, err := s.truncation(args, 50)
	if err != nil {
		return nil, err
	}
	if int64(utf8.RuneCountInString(text)) <= length {
		return text, nil
	}
	keep := max(max(length, 0)-int64(utf8.RuneCountInString(ellipsis)), 0)
	return s.concat(substring(text, 0, keep), ellipsis, "")
}

// truncation reads the arguments that truncate and truncatewords share.
func (s *Scope) truncation(args []any, length int64) (int64, string, error) {
	ellipsis := "..."
	var err error
	if len(args) > 0 {
		if length, err = toInteger(args[0]); err != nil {
			return 0, "", err
		}
	}
	if len(args) > 1 {
		ellipsis, err = s.text(args[1])
	}
	return length, ellipsis, err
}

func filterTruncateWords(s *Scope, in any, args []any) (any, error) {
	if in == nil {
		return nil, nil
	}
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	most, ellipsis, err := s.truncation(args, 15)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	rest := trimSpaceLeft(text)
	for i := range max(most, 1) {
		if err := s.work(1); err != nil {
			return nil, err
		}
		end := strings.IndexFunc(rest, isWhitespace)
		if end < 0 {
			return text, nil
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(rest[:end])
		rest = trimSpaceLeft(rest[end:])
	}
	return s.concat(b.String(), ellipsis, "")
}

func filterSize(_ *Scope, in any, _ []any) (any, error) {
	n, _ := size(in)
	return n, nil
}

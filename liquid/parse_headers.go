package liquid

import (
	"encoding/json"
	"strings"
)

// maxHeaders is the number of headers that one call may set.
const maxHeaders = 100

// headers reads the JSON object of :headers. It is read when the template is
// parsed and not when it is rendered, so that no value that Liquid prints can
// add a header or end a string.
func (r *words) headers(option word) ([]Header, error) {
	if !r.more() || r.p.text[r.at] != '{' || strings.HasPrefix(r.p.text[r.at:r.end], "{{") {
		return nil, r.errorAt(option, `:headers needs a JSON object after it, as {"X-Name": "value"}; Liquid may stand in the values`)
	}
	r.at++
	var list []Header
	seen := map[string]bool{}
	for more := !r.accept('}'); more; more = !r.accept('}') {
		if len(list) > 0 && !r.accept(',') {
			return nil, r.unexpected(", or }")
		}
		h, err := r.header(seen)
		if err != nil {
			return nil, err
		}
		if list = append(list, h); len(list) > maxHeaders {
			return nil, r.errorAt(option, "these are more than %d headers", maxHeaders)
		}
	}
	return list, nil
}

// header reads `"name": value`.
func (r *words) header(seen map[string]bool) (Header, error) {
	if !r.accept('"') {
		return Header{}, r.unexpected(`the name of a header in double quotes`)
	}
	name, err := r.quoted()
	if err != nil {
		return Header{}, err
	}
	text := r.text(name)
	lower := strings.ToLower(text)
	switch {
	case !isHeaderName(text):
		return Header{}, r.errorAt(name, "this cannot be the name of a header: expected letters, digits and -")
	case seen[lower]:
		return Header{}, r.errorAt(name, "the header %s stands here twice", text)
	}
	seen[lower] = true
	if !r.accept(':') {
		return Header{}, r.unexpected(":")
	}
	value, err := r.headerValue()
	return Header{Span: r.p.loc.span(name.from-1, r.at), Name: text, Value: value}, err
}

// headerValue reads a string, a number or `{{ … }}`.
func (r *words) headerValue() (*Block, error) {
	if r.accept('"') {
		w, err := r.quoted()
		if err != nil {
			return nil, err
		}
		return r.jsonPhrase(w)
	}
	if !r.more() {
		return nil, r.unexpected("the value of the header")
	}
	w, err := r.upTo(whitespace + ",}")
	if err != nil {
		return nil, err
	}
	if text := r.text(w); !w.liquid && (text == "" || text[0] != '-' && !isDigit(text[0]) || !json.Valid([]byte(text))) {
		return nil, r.errorAt(w, "expected a text in double quotes, a number or {{ }}")
	}
	return r.p.phrase(w)
}

// quoted reads a string whose opening quote was taken.
func (r *words) quoted() (word, error) {
	open := r.at - 1
	w := word{from: r.at}
	for {
		part, err := r.upTo(`"\`)
		if err != nil {
			return w, err
		}
		w.liquid = w.liquid || part.liquid
		if r.at >= r.end {
			return w, r.p.errorAt(open, r.end, `this string is never closed: expected another "`)
		}
		if r.p.text[r.at] == '"' {
			w.to = r.at
			r.at++
			return w, nil
		}
		r.at = min(r.at+len(`\"`), r.end)
	}
}

// jsonPhrase makes texts and outputs of the inside of a JSON string.
func (r *words) jsonPhrase(w word) (*Block, error) {
	b, err := r.p.phrase(w)
	if err != nil {
		return nil, err
	}
	for _, n := range b.Nodes {
		t, ok := n.(*Text)
		if !ok {
			continue
		}
		var plain string
		if err := json.Unmarshal([]byte(`"`+t.Text+`"`), &plain); err != nil {
			return nil, r.errorAt(w, "this is no JSON string: line breaks, and backslashes that escape nothing, are not possible in it")
		}
		t.Text, t.Escaped = plain, plain != t.Text
		if !isHeaderText(t.Text) {
			return nil, r.errorAt(w, "a header has one line: line breaks and control characters are not possible in it")
		}
	}
	return b, nil
}

// accept takes a byte, after white space, if it is the next one.
func (r *words) accept(c byte) bool {
	if !r.more() || r.p.text[r.at] != c {
		return false
	}
	r.at++
	return true
}

// unexpected reports what stands where the JSON of the headers should go on.
func (r *words) unexpected(expected string) error {
	if !r.more() {
		return r.p.errorAt(r.end, r.end, "the headers end here: expected %s", expected)
	}
	to := r.at + len(excerpt(r.p.text[r.at:r.end]))
	return r.p.errorAt(r.at, to, "these headers are no JSON object: expected %s here", expected)
}

// isHeaderName reports whether text is a token as RFC 9110, 5.6.2 has it.
func isHeaderName(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isWord(c) && strings.IndexByte("!#$%&'*+-.^`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

// isHeaderText reports whether text can be the value of a header: it has no
// control characters but tabs (RFC 9110, 5.5).
func isHeaderText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

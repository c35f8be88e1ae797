package campaign

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// InferContentType names the type of the body when the definition does not.
// Braze infers it too and does not say how (shared/spec/engage.md section 1.1):
// here a JSON object or array is application/json, what reads as a form is
// application/x-www-form-urlencoded, and everything else is plain text.
func (r *Request) InferContentType() {
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || r.names("Content-Type") {
		return
	}
	kind := "text/plain; charset=utf-8"
	switch {
	case (body[0] == '{' || body[0] == '[') && json.Valid(body):
		kind = "application/json"
	case isForm(string(body)):
		kind = "application/x-www-form-urlencoded"
	}
	r.Header = append(r.Header, [2]string{"Content-Type", kind})
}

func (r *Request) names(header string) bool {
	for _, line := range r.Header {
		if strings.EqualFold(line[0], header) {
			return true
		}
	}
	return false
}

// isForm says whether the text consists of encoded pairs, name=value&name=value.
func isForm(text string) bool {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" || !isEncoded(name) || !isEncoded(value) {
			return false
		}
	}
	return true
}

// isEncoded says whether a text could stand in a form as it is.
func isEncoded(text string) bool {
	if strings.ContainsAny(text, " \t\r\n\"<>{}=") {
		return false
	}
	_, err := url.QueryUnescape(text)
	return err == nil
}

package outbound

import (
	"net/http"
	"strings"
)

const redacted = "[redacted]"

// secretWords mark a header field as secret where they are one of the words of its
// name, as in Authorization, Set-Cookie, X-Api-Key or X-Shopify-Access-Token.
var secretWords = map[string]bool{
	"apikey": true, "auth": true, "authorization": true, "cookie": true, "cookie2": true,
	"credential": true, "credentials": true, "jwt": true, "key": true, "passwd": true,
	"password": true, "secret": true, "session": true, "token": true,
}

// WithoutSecrets is a copy of a header that may be stored and shown: the values of
// fields that carry credentials are replaced, with the scheme of an Authorization
// kept. It goes by the field's name, and rather hides too much than too little.
func WithoutSecrets(h http.Header) http.Header {
	safe := h.Clone()
	for name, values := range safe {
		if !isSecret(name) {
			continue
		}
		for i, value := range values {
			values[i] = withoutCredentials(value)
		}
	}
	return safe
}

func isSecret(name string) bool {
	name = strings.ToLower(name)
	// The one common field that is called a key and is none: it names a request
	// so that it is not carried out twice.
	if strings.HasSuffix(name, "idempotency-key") {
		return false
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for _, word := range words {
		if secretWords[word] {
			return true
		}
	}
	return false
}

func withoutCredentials(value string) string {
	scheme, _, found := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "basic", "bearer", "digest":
		if found {
			return scheme + " " + redacted
		}
	}
	return redacted
}

package outbound

import "strings"

const redacted = "[redacted]"

// secretWords mark a header field as secret where they are one of the words of its
// name, as in Authorization, Set-Cookie, X-Api-Key or X-Shopify-Access-Token.
var secretWords = map[string]bool{
	"apikey": true, "auth": true, "authorization": true, "cookie": true, "cookie2": true,
	"credential": true, "credentials": true, "jwt": true, "key": true, "passwd": true,
	"password": true, "secret": true, "session": true, "token": true,
}

// Redact gives the value of a header field as it may be shown: that of a field
// that carries credentials is replaced, with the scheme of an Authorization kept.
// It goes by the field's name, and rather hides too much than too little.
func Redact(name, value string) string {
	if !isSecret(name) {
		return value
	}
	scheme, _, found := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "basic", "bearer", "digest":
		if found {
			return scheme + " " + redacted
		}
	}
	return redacted
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

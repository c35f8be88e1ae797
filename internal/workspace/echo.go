package workspace

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Redact gives an answer without the credential, which some receivers echo: each
// place where the secret stands, in the usual spellings, shows as [secret]. The
// text is not changed; where there is nothing to hide it is given itself. A nil
// credential hides nothing.
func (c *Credential) Redact(text []byte) []byte {
	if c == nil {
		return text
	}
	_, line := c.Line()
	_, token, _ := strings.Cut(line, " ") // what follows Basic or Bearer
	for _, secret := range slices.Concat(spellings(c.Secret.Reveal()), spellings(token)) {
		if bytes.Contains(text, []byte(secret)) { // else ReplaceAll would copy it
			text = bytes.ReplaceAll(text, []byte(secret), []byte(redacted))
		}
	}
	return text
}

// spellings are the ways in which an echo may write a text: as it is, in HTML, in
// a URL, in JSON. An empty text has none.
func spellings(text string) []string {
	if text == "" {
		return nil
	}
	inHTML := html.EscapeString(text)
	spelled := []string{text, inHTML, strings.ReplaceAll(inHTML, "&#34;", "&quot;"), url.QueryEscape(text), url.PathEscape(text)}
	return append(spelled, inJSON(text)...)
}

// inJSON gives a text as the common encoders write it in a string. They differ in
// what they escape beyond what they must: nothing, what means something in HTML,
// what means something in a script as well, slashes, all that is not ASCII; and in
// the case of the digits.
func inJSON(text string) (spelled []string) {
	for _, special := range []string{"", "&<>", "&<>\"'+`"} {
		for _, slash := range []string{"/", `\/`} {
			for _, last := range []rune{unicode.MaxRune, unicode.MaxASCII} {
				for _, digits := range []string{`\u%04x`, `\u%04X`} {
					spelled = append(spelled, quoted(text, special, slash, last, digits))
				}
			}
		}
	}
	slices.Sort(spelled)
	return slices.Compact(spelled)
}

// quoted writes a text with the special characters, and those after the last one,
// in digits.
func quoted(text, special, slash string, last rune, digits string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ' || r > last || strings.ContainsRune(special, r):
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, digits, unit)
			}
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '/':
			b.WriteString(slash)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

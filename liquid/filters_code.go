package liquid

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
	"unicode/utf8"
)

func init() {
	registerFilters(
		brazeFilter("md5", 0, 0, "Gives the MD5 of a text in hex.", `{{ 'hey' | md5 }}`, "6057f13c496ecf7fd777ceb9e79ae285", onCopied(onText(hexMD5))),
		brazeFilter("sha1", 0, 0, "Gives the SHA-1 of a text in hex.", `{{ 'hey' | sha1 }}`, "7f550a9f4c44173a37664d938f1355f0f92a47a7", onCopied(onText(hexSHA1))),
		brazeFilter("sha2", 0, 0, "Gives the SHA-256 of a text in hex.", `{{ 'hey' | sha2 }}`, "fa690b82061edfd2852629aeba8a8977b57e40fcb77d1a7a28b26cba62591204", onCopied(onText(hexSHA256))),
		hmacFilter("hmac_sha1_hex", "HMAC-SHA-1", "hex", sha1.New, hex.EncodeToString, "2a3969bed25bfeefb00aca4063eb9590b4df8f0e"),
		hmacFilter("hmac_sha1", "HMAC-SHA-1", "hex", sha1.New, hex.EncodeToString, "2a3969bed25bfeefb00aca4063eb9590b4df8f0e"),
		hmacFilter("hmac_sha_1", "HMAC-SHA-1", "hex", sha1.New, hex.EncodeToString, "2a3969bed25bfeefb00aca4063eb9590b4df8f0e"),
		hmacFilter("hmac_sha1_base64", "HMAC-SHA-1", "base64", sha1.New, base64.StdEncoding.EncodeToString, "KjlpvtJb/u+wCspAY+uVkLTfjw4="),
		hmacFilter("hmac_sha256_hex", "HMAC-SHA-256", "hex", sha256.New, hex.EncodeToString, "8df897f8da3d7992fe57c8dbc6f27578cfbf2dcc4d0fbb4000b8c924841d508e"),
		hmacFilter("hmac_sha256", "HMAC-SHA-256", "hex", sha256.New, hex.EncodeToString, "8df897f8da3d7992fe57c8dbc6f27578cfbf2dcc4d0fbb4000b8c924841d508e"),
		hmacFilter("hmac_sha256_base64", "HMAC-SHA-256", "base64", sha256.New, base64.StdEncoding.EncodeToString, "jfiX+No9eZL+V8jbxvJ1eM+/LcxND7tAALjJJIQdUI4="),
		hmacFilter("hmac_sha512", "HMAC-SHA-512", "hex", sha512.New, hex.EncodeToString, "77559e110f13ef5700f9085728484653bd6365fb9426537f9b842f05a744f12f5f1f957aa966bd7296238e947461be739ad5417364f1737a58f7b464317c03ed"),
		newFilter("base64_encode", 0, 0, "Encodes a text as base64.", `{{ 'blah' | base64_encode }}`, "YmxhaA==", onText(encode64(base64.StdEncoding))),
		brazeFilter("base64", 0, 0, "Is another name of base64_encode.", `{{ 'blah' | base64 }}`, "YmxhaA==", onText(encode64(base64.StdEncoding))),
		newFilter("base64_decode", 0, 0, "Decodes base64.", `{{ 'YmxhaA==' | base64_decode }}`, "blah", decode64(base64.StdEncoding)),
		newFilter("base64_url_safe_encode", 0, 0, "Encodes a text as base64 with - and _.", `{{ '??>' | base64_url_safe_encode }}`, "Pz8-", onText(encode64(base64.URLEncoding))),
		newFilter("base64_url_safe_decode", 0, 0, "Decodes base64 with - and _.", `{{ 'Pz8-' | base64_url_safe_decode }}`, "??>", decode64(base64.URLEncoding)),
		newFilter("url_encode", 0, 0, "Escapes a text for a form: a space becomes +.", `{{ 'google search' | url_encode }}`, "google+search", percent(formSafe, true)),
		newFilter("url_decode", 0, 0, "Undoes url_encode.", `{{ 'google+search%21' | url_decode }}`, "google search!", urlDecode),
		brazeFilter("url_escape", 0, 0, "Escapes what a URL may not hold; leaves /, ? and & alone.", `{{ 'hey<>hi&' | url_escape }}`, "hey%3C%3Ehi&", percent(urlSafe, false)),
		brazeFilter("url_param_escape", 0, 0, "Escapes a text for the value of a URL's parameter.", `{{ 'hey<&>hi' | url_param_escape }}`, "hey%3C%26%3Ehi", percent(paramSafe, false)),
		newFilter("escape", 0, 0, "Escapes a text for HTML.", `{{ '<a>' | escape }}`, "&lt;a&gt;", escapeHTML(false)),
		newFilter("h", 0, 0, "Is another name of escape.", `{{ '<a>' | h }}`, "&lt;a&gt;", escapeHTML(false)),
		newFilter("escape_once", 0, 0, "Escapes a text for HTML, but not what is escaped already.", `{{ '&lt;a>' | escape_once }}`, "&lt;a&gt;", nilAsText(escapeHTML(true))),
		newFilter("strip_html", 0, 0, "Removes HTML tags, comments, scripts and styles.", `{{ '<b>a</b>' | strip_html }}`, "a", onText(stripHTML)),
	)
}

// hexOf needs no more memory than its result, for sums of up to 32 bytes.
func hexOf(sum []byte) string {
	var buf [64]byte
	return string(hex.AppendEncode(buf[:0], sum))
}

func hexMD5(text string) string {
	sum := md5.Sum([]byte(text))
	return hexOf(sum[:])
}

func hexSHA1(text string) string {
	sum := sha1.Sum([]byte(text))
	return hexOf(sum[:])
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hexOf(sum[:])
}

// hmacFilter makes a filter that signs a text with the key that its argument is.
func hmacFilter(name, algorithm, encoding string, sum func() hash.Hash, encode func([]byte) string, output string) *filter {
	doc := "Gives the " + algorithm + " of a text under a key, in " + encoding + "."
	example := "{{ 'hey' | " + name + ": 'secret_key' }}"
	return brazeFilter(name, 1, 1, doc, example, output, onCopied(onTexts(func(_ *Scope, text, key string) (any, error) {
		mac := hmac.New(sum, []byte(key))
		mac.Write([]byte(text))
		return encode(mac.Sum(nil)), nil
	})))
}

// onCopied makes of a filter that copies its texts, to hash them, one that pays
// for the copies.
func onCopied(apply applyFunc) applyFunc {
	return func(s *Scope, in any, args []any) (any, error) {
		for _, v := range append([]any{in}, args...) {
			if text, ok := v.(string); ok {
				if err := s.build(len(text)); err != nil {
					return nil, err
				}
			}
		}
		return apply(s, in, args)
	}
}

func encode64(encoding *base64.Encoding) func(string) string {
	return func(text string) string { return encoding.EncodeToString([]byte(text)) }
}

func decode64(encoding *base64.Encoding) applyFunc {
	return func(s *Scope, in any, _ []any) (any, error) {
		text, err := s.text(in)
		if err != nil {
			return nil, err
		}
		decoded, err := encoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") { // which Go skips
			return nil, failed("this is not base64")
		}
		return string(decoded), nil
	}
}

// What stays as it is, besides letters and digits, in the escapes of URLs.
const (
	formSafe  = "_.-~"                  // Ruby's CGI.escape
	paramSafe = "_.-~"                  // RFC 3986, unreserved
	urlSafe   = "-_.!~*'();/?:@&=+$,[]" // Ruby's URI.escape: unreserved and reserved of RFC 2396
)

// percent makes a filter that escapes all bytes but letters, digits and safe.
func percent(safe string, plusForSpace bool) applyFunc {
	const digits = "0123456789ABCDEF"
	return onGrowing(len("%00"), func(text string) string {
		out := make([]byte, 0, len(text)+len(text)/4)
		for i := range len(text) {
			switch c := text[i]; {
			case c != '_' && isWord(c), strings.IndexByte(safe, c) >= 0:
				out = append(out, c)
			case c == ' ' && plusForSpace:
				out = append(out, '+')
			default:
				out = append(out, '%', digits[c>>4], digits[c&15])
			}
		}
		return string(out)
	})
}

func urlDecode(s *Scope, in any, _ []any) (any, error) {
	if in == nil {
		return nil, nil
	}
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	decoded := unescapeURL(text)
	if !utf8.ValidString(decoded) {
		return nil, failed("this is not a text that url_encode made")
	}
	return decoded, nil
}

// unescapeURL undoes the escapes of a form, and leaves alone a % that begins none.
func unescapeURL(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(text):
			var decoded [1]byte
			if _, err := hex.Decode(decoded[:], []byte(text[i+1:i+3])); err == nil {
				c = decoded[0]
				i += 2
			}
		}
		out = append(out, c)
	}
	return string(out)
}

// escapeHTML makes a filter that escapes a text for HTML; with once it leaves the
// & of an entity alone.
func escapeHTML(once bool) applyFunc {
	return onGrowing(len("&quot;"), func(text string) string {
		if !strings.ContainsAny(text, `&<>"'`) {
			return text
		}
		out := make([]byte, 0, len(text)+len(text)/8)
		for i := range len(text) {
			switch c := text[i]; {
			case c == '&' && once && isEntity(text[i:]):
				out = append(out, c)
			case c == '&':
				out = append(out, "&amp;"...)
			case c == '<':
				out = append(out, "&lt;"...)
			case c == '>':
				out = append(out, "&gt;"...)
			case c == '"':
				out = append(out, "&quot;"...)
			case c == '\'':
				out = append(out, "&#39;"...)
			default:
				out = append(out, c)
			}
		}
		return string(out)
	})
}

// nilAsText makes of a filter one that takes nil as an empty text.
func nilAsText(apply applyFunc) applyFunc {
	return func(s *Scope, in any, args []any) (any, error) {
		if in == nil {
			return "", nil
		}
		return apply(s, in, args)
	}
}

// isEntity reports whether text, which begins with &, begins with an HTML entity.
func isEntity(text string) bool {
	const longest = 40
	name, _, found := strings.Cut(text[1:min(len(text), longest)], ";")
	if digits, numeric := strings.CutPrefix(name, "#"); numeric {
		return found && allDigits(digits)
	}
	for i := range len(name) {
		if isDigit(name[i]) || name[i] == '_' || !isWord(name[i]) {
			return false
		}
	}
	return found && name != ""
}

// stripHTML removes scripts, styles and comments with what they hold, then tags.
func stripHTML(text string) string {
	var b strings.Builder
	missing := map[string]bool{} // closings that do not come any more
	for {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		b.WriteString(text[:open])
		text = text[open:]
		if n := element(text, missing); n > 0 {
			text = text[n:]
			continue
		}
		b.WriteByte('<')
		text = text[1:]
	}
	b.WriteString(text)
	return b.String()
}

// element measures what is to be removed at the beginning of text; 0: nothing.
func element(text string, missing map[string]bool) int {
	for _, pair := range [...][2]string{{"<script", "</script>"}, {"<!--", "-->"}, {"<style", "</style>"}, {"<", ">"}} {
		if !strings.HasPrefix(text, pair[0]) || missing[pair[1]] {
			continue
		}
		if i := strings.Index(text, pair[1]); i >= 0 {
			return i + len(pair[1])
		}
		missing[pair[1]] = true
	}
	return 0
}

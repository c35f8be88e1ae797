package payload

import (
	"strings"
	"time"

	"platen/liquid"
)

// A charset is a set of kinds of characters, by what they do in a URL, a form or
// a header. Letters, digits and - . _ ~ do nothing anywhere and are of no kind.
type charset uint8

const (
	lineBreaks charset = 1 << iota // line breaks
	slashes                        // /
	marks                          // : , @ $ ! * ' ( ), which mean nothing in a path or a query
	equalSigns                     // =
	plusSigns                      // +, which a query reads as a space
	percents                       // % with two digits, and a + for a space, as url_encode writes them
	delimiters                     // what separates the parts of a URL or may not stand in one
	everything = delimiters<<1 - 1
)

// What may stand as it is in the parts of a URL (RFC 3986, section 3) and of a
// form (the URL Standard, section 5).
const (
	fitsHost     charset = percents // no host can hold one, so that the call is refused
	fitsPath             = marks | equalSigns | plusSigns | percents
	fitsName             = slashes | marks | percents
	fitsValue            = fitsName | equalSigns
	fitsFragment         = fitsValue | plusSigns
	fitsLine             = everything &^ lineBreaks
)

// kinds returns the kinds of the characters of a text. A % in it is taken for
// the beginning of an escape only if it is one.
func kinds(text string) charset {
	var set charset
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n' || c == '\r':
			set |= lineBreaks
		case c == '/':
			set |= slashes
		case strings.IndexByte(":,@$!*'()", c) >= 0:
			set |= marks
		case c == '=':
			set |= equalSigns
		case c == '+':
			set |= plusSigns
		case c == '%' && isEscape(text[i:]):
			set |= percents
		case !isUnreserved(c):
			set |= delimiters
		}
	}
	return set
}

// isEscape reports whether a text that begins with % begins with an escape.
func isEscape(text string) bool { return len(text) > 2 && isHex(text[1]) && isHex(text[2]) }

// isUnreserved reports whether a character means nothing anywhere in a URL (RFC
// 3986, section 2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// prints is what the hole may print where it has a value of its own (see
// hole.fallback).
func (h *hole) prints() charset {
	switch set := everything &^ h.lacks; {
	case h.shape == number && h.safety == plain:
		return 0
	case h.safety != raw:
		return set &^ lineBreaks
	default:
		return set
	}
}

// prints is what any part of the value may print.
func (v value) prints() charset {
	var set charset
	for _, pc := range v.pieces {
		if pc.hole == nil {
			set |= kinds(pc.text)
			continue
		}
		set |= pc.hole.prints() | value{pieces: pc.hole.fallback}.prints()
		for _, choice := range pc.hole.either {
			set |= value{pieces: choice}.prints()
		}
	}
	return set
}

// encoded are the filters that write a text in a code, with what the code holds.
var encoded = map[string]charset{
	"md5": 0, "sha1": 0, "sha2": 0, "hmac_sha1": 0, "hmac_sha_1": 0, "hmac_sha1_hex": 0,
	"hmac_sha256": 0, "hmac_sha256_hex": 0, "hmac_sha512": 0,
	"hmac_sha1_base64": slashes | equalSigns | plusSigns, "hmac_sha256_base64": slashes | equalSigns | plusSigns,
	"base64": slashes | equalSigns | plusSigns, "base64_encode": slashes | equalSigns | plusSigns, "base64_url_safe_encode": equalSigns,
	"url_encode": percents, "url_param_escape": percents, "url_escape": everything &^ lineBreaks, "as_json_string": everything &^ lineBreaks,
}

// lacking is what the output of a filter never holds, as far as it is known.
func lacking(filter string) charset {
	if holds, ok := encoded[filter]; ok {
		return everything &^ holds
	}
	return 0
}

// dateSamples are times that print as differently as times can.
var dateSamples = []time.Time{
	time.Date(2009, 1, 2, 3, 4, 5, 0, time.UTC),
	time.Date(2021, 12, 31, 23, 59, 59, 123456789, time.FixedZone("", 5*60*60+30*60)),
}

// datePrints is what a date filter whose format is known makes of times.
func (w *walker) datePrints(f *liquid.FilterCall) charset {
	var set charset
	for _, sample := range dateSamples {
		printed, err := w.scope.Apply(f, sample)
		text, ok := printed.(string)
		if err != nil || !ok {
			return everything
		}
		set |= kinds(text)
	}
	return set
}

// rewrittenPrints is what a rewriter makes of a text that prints in, with
// arguments that print with.
func rewrittenPrints(name string, in, with charset) charset {
	switch name {
	case "upcase", "downcase", "capitalize":
		return in
	case "escape", "h", "escape_once":
		if in&(marks|delimiters) != 0 {
			return in | delimiters // &quot; and the like
		}
		return in
	case "newline_to_br":
		if in&lineBreaks != 0 {
			return in | slashes | delimiters
		}
		return in
	case "number_with_delimiter":
		with = marks
	}
	if in&percents != 0 {
		with |= delimiters // an escape that is cut through is none
	}
	return in | with
}

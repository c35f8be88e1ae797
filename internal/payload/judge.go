package payload

import (
	"slices"
	"strconv"
	"strings"

	"platen/liquid"
)

// stringValue judges a string that is a value.
func (p *path) stringValue(tok token) {
	if _, wanted := p.w.opts.Numeric[p.json.top.name]; wanted && p.json.top.kind == '{' && isNumeral(tok) {
		p.quotedNumber(tok)
		p.seconds(tok)
		return
	}
	for _, h := range tok.holes {
		if h.hole.shape == whole {
			p.quotedJSON(tok, h)
			return
		}
		p.inText(tok, h)
	}
}

// isNumeral reports whether a string holds a number, or outputs that may be one.
// An output that is text for certain (a date that was formatted, a sum with its
// currency) was made so on purpose.
func isNumeral(tok token) bool {
	if tok.long {
		return false
	}
	for _, pc := range tok.holes {
		if pc.hole.shape == word && !escapedValue(pc.hole) {
			return false
		}
	}
	return tok.numeral()
}

// escapedValue reports whether a hole is a value of the data that only went
// through json_escape.
func escapedValue(h *hole) bool {
	return h.shape == word && h.safety == escaped && h.was == anything
}

// lastFilter returns the filter at the end of the output that printed a piece.
func lastFilter(pc piece) (*liquid.FilterCall, bool) {
	if pc.out == nil {
		return nil, false
	}
	e, ok := pc.out.Value.(*liquid.Filtered)
	if !ok {
		return nil, false
	}
	return e.Filters[len(e.Filters)-1], true
}

// inText judges an output within a string.
func (p *path) inText(tok token, pc piece) {
	h := pc.hole
	p.escapedTwice(tok, pc)
	if h.opaque || h.safety != raw {
		return
	}
	f := finding{rule: Unescaped, severity: Warning, at: pc.at,
		message: "a quote, a backslash or a line break in " + pc.what() + " would break the JSON; " + pc.wayOut("json_escape"),
		edits:   addEscape(pc, "json_escape")}
	if h.escapedBefore {
		f.message = "what changes " + pc.what() + " after json_escape can break the JSON; let json_escape be the last filter"
	}
	p.report(f)
}

// wayOut says how a filter gets to what a piece prints.
func (pc piece) wayOut(filter string) string {
	if pc.hole.tag {
		return "capture it and print the capture with | " + filter
	}
	return "add | " + filter
}

// addFilter is the edit that adds a filter to the output that printed a piece.
func addFilter(pc piece, filter string) []Edit {
	if pc.out == nil || pc.out.Value == nil {
		return nil
	}
	at := pc.out.Value.End().Offset
	return []Edit{{at, at, " | " + filter}}
}

// quotedJSON comes at the output of as_json_string in a string.
func (p *path) quotedJSON(tok token, pc piece) {
	f := finding{rule: QuotedJSON, severity: Error, at: tok.start.at,
		message: "as_json_string writes its own quotes, so " + pc.what() + " must stand without quotes around it"}
	if tok.single() {
		f.edits = unquoted(tok)
	}
	p.report(f)
}

// unquoted takes the quotes of a string away.
func unquoted(tok token) []Edit { return replacedBoth(tok.start, tok.end, "") }

// quotedNumber reports a number in quotes.
func (p *path) quotedNumber(tok token) {
	name := strconv.Quote(p.json.top.name)
	f := finding{rule: QuotedNumber, severity: Warning, at: tok.start.at,
		message: name + " is sent as text: receivers want a number here; take the quotes away",
		edits:   unquoted(tok)}
	if tok.single() {
		f.edits = asValue(tok)
	}
	if slices.ContainsFunc(f.edits, func(e Edit) bool { return strings.HasSuffix(e.Text, "as_json_string") }) {
		f.message += " and let | as_json_string print it, which gives null when there is no value and puts text in quotes"
	}
	p.report(f)
}

// asValue are the edits that make a quoted output of any value of the data print
// JSON: without quotes, by as_json_string. A default that was written with the
// quotes in mind needs a person.
func asValue(tok token) []Edit {
	pc := tok.holes[0]
	edits := unquoted(tok)
	if edits == nil {
		return nil
	}
	f, filtered := lastFilter(pc)
	switch {
	case pc.hole.shape == whole:
		return edits
	case pc.hole.fallback != nil && isScalar(textOf(pc.hole.fallback)):
		return edits
	case filtered && f.Name == "json_escape":
		return append(edits, Edit{f.Pos().Offset, f.End().Offset, "as_json_string"})
	case pc.hole.shape == number && pc.hole.empty:
		return append(edits, addFilter(pc, "default: 'null'")...)
	case pc.hole.shape == number:
		return edits
	case pc.hole.shape == anything && pc.out != nil:
		return append(edits, addEscape(pc, "as_json_string")...)
	}
	return nil
}

// seconds judges the unit of a time.
func (p *path) seconds(tok token) {
	if p.json.top.kind != '{' || p.w.opts.Numeric[p.json.top.name] != Milliseconds {
		return
	}
	f := finding{rule: Seconds, severity: Warning,
		message: strconv.Quote(p.json.top.name) + " is sent in seconds since 1970: receivers want milliseconds; add | append: '000'"}
	switch {
	case tok.single() && tok.holes[0].hole.seconds:
		f.at, f.edits = tok.holes[0].at, addFilter(tok.holes[0], "append: '000'")
	case len(tok.holes) == 0 && inSeconds(tok.text):
		f.message = strconv.Quote(p.json.top.name) + " is in seconds since 1970: receivers want milliseconds; write three more digits"
		end := tok.end.end
		if f.at = tok.start.at; tok.quote != "" {
			f.at, end = tok.start.end, tok.end.at
		}
		if p.w.found.reads(f.at, tok.text) {
			f.edits = []Edit{{end, end, "000"}}
		}
	default:
		return
	}
	p.report(f)
}

// inSeconds reports whether a whole number is a time in seconds. Milliseconds of
// a time after March 1973 have 12 digits or more, seconds up to the year 5138
// have 11 at most.
func inSeconds(text string) bool {
	digits, rest := leadingDigits(text)
	return rest == "" && len(digits) >= 9 && len(digits) <= 11
}

// mayBeEmpty reports a bare output that may print nothing. If it is the whole
// value, another filter helps.
func (p *path) mayBeEmpty(pc piece, whole bool) {
	f := finding{rule: MayBeEmpty, severity: Warning, at: pc.at,
		message: "nothing would be printed here when there is no " + pc.what() + ", which breaks the JSON"}
	switch {
	case !whole:
	case pc.hole.shape == number:
		f.message += "; add | default: 'null'"
		f.edits = addFilter(pc, "default: 'null'")
	default:
		f.message += "; add | as_json_string"
		f.edits = addEscape(pc, "as_json_string")
	}
	p.report(f)
}

// maybeText reports an output without quotes that is text if the data holds text.
func (p *path) maybeText(tok token, pc piece) {
	f := finding{rule: UnquotedText, severity: Warning, at: tok.start.at,
		message: "if " + pc.what() + " is text, it breaks the JSON without double quotes around it"}
	switch {
	case pc.hole.of != "":
		f.message += "; put if and else around it in place of the default, and let | as_json_string print it"
	case tok.single():
		f.message += "; add | as_json_string, which puts them around text only (or | default: 0 if it is always a number)"
		f.edits = addEscape(pc, "as_json_string")
	}
	p.report(f)
}

// unquotedOutput reports an output of text without quotes.
func (p *path) unquotedOutput(tok token, pc piece) {
	f := finding{rule: UnquotedText, severity: Error, at: tok.start.at,
		message: pc.what() + " is text, which must stand in double quotes"}
	if escapedValue(pc.hole) {
		f.severity = Warning // it may be a number
	}
	switch {
	case pc.hole.shape != word && !tok.single():
		f.message = pc.what() + " must stand alone, or in double quotes with the text next to it"
	case pc.hole.safety != raw:
		f.edits = quoted(tok)
	case tok.single() && (pc.hole.of == "" || pc.hole.fallback != nil):
		f.message += "; add | as_json_string"
		f.edits = addEscape(pc, "as_json_string")
	}
	p.report(f)
}

// oddQuotes reports a string in quotes that JSON does not know.
func (p *path) oddQuotes(tok token) {
	if tok.quote == `"` {
		return
	}
	f := finding{rule: SmartQuotes, severity: Error, at: tok.start.at,
		message: "curly quotes are not JSON; use straight double quotes"}
	if tok.quote == "'" {
		f.rule, f.message = SingleQuotes, "single quotes are not JSON; use double quotes"
	}
	if !strings.Contains(tok.text, `"`) && !tok.long {
		f.edits = replacedBoth(tok.start, tok.end, `"`)
	}
	p.report(f)
}

package payload

import (
	"strconv"
	"strings"
)

// hole reads an output whose text is not known.
func (p *path) hole(pc piece) {
	switch p.json.mode {
	case inString:
		if p.json.tok.escape > 0 {
			p.json.tok.escape = 0
			p.badEscape()
		}
		p.json.tok.addHole(pc)
		return
	case inBare:
		if p.json.tok.goesOnWith(pc) {
			p.json.tok.addHole(pc)
			p.json.tok.end = pc.mark(0)
			return
		}
		p.endBare()
	case lost:
		p.json.tail = 'x'
		return
	case inLineComment, inBlockComment, ended:
		return
	}
	if pc.hole.opaque {
		p.opaqueHole()
		return
	}
	m := pc.mark(0)
	if p.json.mode == wantComma && p.json.top.kind == '{' && !p.json.unsure {
		p.next()
		p.unexpected(m, "this output stands where a comma or the closing } was expected")
		return
	}
	if p.beginToken(m) {
		p.json.mode = inBare
		p.json.tok.addHole(pc)
	}
}

// goesOnWith reports whether an output may be a part of a bare token: not if one
// of them prints whole values, or if it is the same output in the next round of
// a loop.
func (t *token) goesOnWith(pc piece) bool {
	if len(t.holes) == 0 {
		return true
	}
	last := t.holes[len(t.holes)-1]
	return last.at != pc.at && last.hole.shape != whole && pc.hole.shape != whole
}

// readBare reads on in a name or value without quotes.
func (p *path) readBare(pc piece, i int) int {
	tok := &p.json.tok
	rest := pc.text[i:]
	switch c := rest[0]; {
	case c == '"' && p.opensText(rest):
		p.missingOpeningQuote(pc.mark(i))
		return 1
	case c == '"', strings.IndexByte(",}]\n", c) >= 0, c == ';' && !p.goesOn(), c == ':' && !strings.HasPrefix(rest, "://"),
		strings.IndexByte(spaces, c) >= 0 && !p.goesOn(),
		(c == '{' || c == '[') && (tok.name || !p.goesOn()),
		strings.HasPrefix(rest, "//") && tok.last != ':', strings.HasPrefix(rest, "/*"):
		p.endBare()
		return 0
	}
	tok.add(rest[:1])
	if strings.IndexByte(spaces, rest[0]) < 0 {
		tok.end = pc.mark(i)
	}
	return 1
}

// opensText reports whether a quote in a bare token is the closing one of a text
// whose opening quote is missing, and not the beginning of the next token.
func (p *path) opensText(rest string) bool {
	tok := p.json.tok
	if tok.name {
		return true
	}
	after := strings.TrimLeft(rest[1:], " \t\r")
	return after == "" || strings.IndexByte(",}]\n", after[0]) >= 0
}

// goesOn reports whether a bare token may hold white space: text whose quotes
// were forgotten does, a number and its like do not.
func (p *path) goesOn() bool {
	tok := p.json.tok
	return !tok.name && len(tok.holes) == 0 && !isScalar(tok.text) && !looksNumeric(tok.text)
}

// missingOpeningQuote ends a bare token at the quote at m.
func (p *path) missingOpeningQuote(m mark) {
	tok := p.json.tok
	p.json.tok = token{}
	at := before(tok.start, m)
	f := finding{rule: UnquotedText, severity: Error, at: at,
		message: "the text that begins here is not opened: its first double quote is missing",
		edits:   []Edit{{at, at, `"`}}}
	if tok.name {
		f.rule, f.message = UnquotedName, "the name that begins here is not opened: its first double quote is missing"
	}
	p.report(f)
	tok.end = m
	if tok.name {
		p.named(tok)
		return
	}
	for _, h := range tok.holes {
		p.inText(tok, h)
	}
	p.complete(m)
}

// endBare judges a bare token that has ended.
func (p *path) endBare() {
	tok := p.json.tok
	p.json.tok = token{}
	tok.text = strings.TrimRight(tok.text, spaces)
	if tok.name {
		p.report(finding{rule: UnquotedName, severity: Error, at: tok.start.at,
			message: "a name must stand in double quotes", edits: quoted(tok)})
		p.named(tok)
		return
	}
	if p.json.top.kind == 0 && !meantAsJSON(tok) {
		p.report(finding{rule: NotJSON, severity: Error, at: tok.start.at,
			message: "what begins here is no JSON, so nothing was checked from here on; a body of another kind, as a=1&b=2, is not for this linter"})
		p.json.mode = ended
		return
	}
	p.bareValue(tok)
	p.complete(tok.end)
}

// meantAsJSON reports whether a bare token that a document begins with can be
// one: an output alone, a number, or a word of JSON or of its like.
func meantAsJSON(tok token) bool {
	return tok.single() || numeric(tok.text) || isScalar(tok.text) || keyword(tok.text) != ""
}

// bareValue judges a value without quotes.
func (p *path) bareValue(tok token) {
	if len(tok.holes) == 0 {
		p.bareLiteral(tok)
		return
	}
	for _, pc := range tok.holes {
		h := pc.hole
		switch {
		case h.shape == whole && tok.single():
			p.escapedTwice(tok, pc)
			return
		case h.shape == whole || h.shape == word || !tok.numeral(), h.fallback != nil && !(tok.single() && h.defaultsToScalar()):
			p.unquotedOutput(tok, pc)
			return
		case h.shape == anything && (!h.empty || p.alone(tok)) && !p.meansNumber(h):
			p.maybeText(tok, pc)
			return
		case h.empty && p.alone(tok):
			p.top().first = &pc
		case h.empty:
			p.mayBeEmpty(pc, tok.single())
			return
		}
	}
	p.seconds(tok)
}

// meansNumber reports whether the template says that an output without quotes,
// of which the data alone tells what it is, is a number: it has a number, true,
// false or null as default, receivers want a number of its name, or it is one of
// a list that is joined without quotes.
func (p *path) meansNumber(h *hole) bool {
	_, wanted := p.w.opts.Numeric[p.json.top.name]
	return h.defaultsToScalar() || h.joined || wanted && p.json.top.kind == '{'
}

// alone reports whether a token is all that its list holds so far: if it prints
// nothing, the list is empty, which is no mistake.
func (p *path) alone(tok token) bool {
	f := p.json.top
	return f.kind == '[' && f.items == 1 && tok.single()
}

// bareLiteral judges a value without quotes that the template itself holds.
func (p *path) bareLiteral(tok token) {
	switch {
	case isScalar(tok.text) && !tok.long:
		p.seconds(tok)
	case looksNumeric(tok.text):
		p.report(finding{rule: BadNumber, severity: Error, at: tok.start.at,
			message: strconv.Quote(tok.text) + " is not a number in JSON: no leading zero or plus, digits on both sides of the point; or put it in double quotes"})
	default:
		f := finding{rule: UnquotedText, severity: Error, at: tok.start.at,
			message: "text must stand in double quotes", edits: quoted(tok)}
		if word := keyword(tok.text); word != "" {
			f.message = strconv.Quote(tok.text) + " is not JSON: write " + word
			f.edits = nil
			if p.w.found.reads(tok.start.at, tok.text) {
				f.edits = []Edit{{tok.start.at, tok.end.end, word}}
			}
		}
		p.report(f)
	}
}

// quoted puts quotes around a token, if it stands in one piece in the source.
func quoted(tok token) []Edit {
	if tok.long || !tok.start.own || !tok.end.own || strings.Contains(tok.text, `"`) || tok.start.at >= tok.end.end || len(tok.start.via) != len(tok.end.via) {
		return nil
	}
	return []Edit{{tok.start.at, tok.start.at, `"`}, {tok.end.end, tok.end.end, `"`}}
}

// keyword finds the JSON word for one of other languages.
func keyword(text string) string {
	switch text {
	case "None", "nil", "undefined", "NaN", "NULL", "Null", "Infinity", "-Infinity":
		return "null"
	case "True", "TRUE":
		return "true"
	case "False", "FALSE":
		return "false"
	}
	return ""
}

// isScalar reports whether text is a JSON number, true, false or null.
func isScalar(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	}
	return isNumber(text)
}

// isNumber follows the grammar of RFC 8259, section 6.
func isNumber(text string) bool {
	text = strings.TrimPrefix(text, "-")
	digits, rest := leadingDigits(text)
	if digits == "" || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		if digits, rest = leadingDigits(fraction); digits == "" {
			return false
		}
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	digits, rest = leadingDigits(rest)
	return digits != "" && rest == ""
}

func leadingDigits(text string) (digits, rest string) {
	rest = strings.TrimLeft(text, "0123456789")
	return text[:len(text)-len(rest)], rest
}

// looksNumeric reports whether text was meant as a number.
func looksNumeric(text string) bool {
	return text != "" && strings.IndexByte("+-.0123456789", text[0]) >= 0 && numeric(text)
}

// numeric reports whether text holds only what numbers are made of.
func numeric(text string) bool { return strings.Trim(text, "+-.0123456789eE") == "" }

package payload

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A token is a string, or a name or value without quotes.
type token struct {
	start, end mark
	name       bool      // a member's name
	quote      string    // that it began with; "" for none
	text       string    // its literal text, up to maxToken bytes
	samples    [2]string // the same with numbers in place of the holes
	long       bool      // there was more
	holes      []piece
	last       byte // the last character that is no white space; 'x' for a hole
	broken     bool // a line break in it was reported
	nested     bool // it holds an escaped quote

	escape    int // 0; 1 after a backslash; 2 to 5 in the digits after \u
	backslash mark
}

const maxToken = 96

// single reports whether the token is one output and nothing else.
func (t *token) single() bool { return len(t.holes) == 1 && t.text == "" }

// numeral reports whether the token is a number, provided that its holes are.
func (t *token) numeral() bool {
	return isNumber(strings.TrimRight(t.samples[0], spaces)) && isNumber(strings.TrimRight(t.samples[1], spaces))
}

// add appends literal text.
func (t *token) add(text string) {
	if trimmed := strings.TrimRight(text, spaces); trimmed != "" {
		t.last = trimmed[len(trimmed)-1]
	}
	if room := maxToken - len(t.text); len(text) > room {
		text, t.long = text[:room], true
	}
	t.text += text
	t.samples[0] += text
	t.samples[1] += text
}

func (t *token) addHole(pc piece) {
	t.holes = append(t.holes[:len(t.holes):len(t.holes)], pc)
	t.last = 'x'
	for i, text := range pc.hole.samples() {
		t.samples[i] += text
	}
}

// describe writes what decides how the token is judged when it ends.
func (t *token) describe(b *strings.Builder) {
	b.WriteString("<" + strconv.Itoa(t.start.at) + t.quote + t.text)
	for _, h := range t.holes {
		b.WriteString("," + strconv.Itoa(h.at))
		h.hole.describe(b)
	}
	b.Write([]byte{bit(t.name), bit(t.long), bit(t.broken), bit(t.nested), t.last, '0' + byte(t.escape), '>'})
}

// quotes are the signs that people begin a string with, and those that end it.
var quotes = []struct{ open, closing string }{
	{`"`, `"`}, {"'", "'"}, {"“", "“”\""}, {"”", "“”\""}, {"‘", "‘’'"}, {"’", "‘’'"}, {"„", "“”\""},
}

// token begins a string or a bare token.
func (p *path) token(pc piece, i int) int {
	rest := pc.text[i:]
	m := pc.mark(i)
	for _, q := range quotes {
		if strings.HasPrefix(rest, q.open) {
			if p.beginToken(m.wide(&pc, len(q.open))) {
				p.json.tok.quote = q.open
				p.json.mode = inString
			}
			return len(q.open)
		}
	}
	const byteOrderMark = "\ufeff"
	if strings.HasPrefix(rest, byteOrderMark) {
		p.report(finding{rule: UnexpectedText, severity: Error, at: m.at,
			message: "there is an invisible byte order mark here, which is not JSON; delete it",
			edits:   m.wide(&pc, len(byteOrderMark)).replaced("")})
		return len(byteOrderMark)
	}
	if p.json.mode == wantComma && p.json.touching && !p.json.unsure {
		p.strayQuote(m)
		return 0
	}
	if p.beginToken(m) {
		p.json.mode = inBare
		return 0
	}
	return 1
}

// beginToken makes room for a token where one may begin; it reports whether
// there is a place for it.
func (p *path) beginToken(m mark) bool {
	unsure := p.next()
	switch p.json.mode {
	case wantColon:
		if !unsure {
			p.missingColon()
		}
		p.json.mode = wantValue
	case wantComma:
		if !p.another(m, unsure) {
			return false
		}
	}
	named := p.json.mode == wantName
	p.begin(m)
	p.json.tok = token{start: m, end: m, name: named}
	if named {
		p.dedented(m)
	}
	return true
}

// dedented notes a member that stands no further right than the line of its
// bracket while others did: if the bracket turns out to lack its closing one,
// that is where it belongs.
func (p *path) dedented(m mark) {
	indent, first := p.w.found.indent(m.at)
	if !first {
		return
	}
	opening, _ := p.w.found.indent(p.json.top.open.at)
	f := p.top()
	switch {
	case indent > opening:
		f.deep = true
	case f.deep && f.dedent == nowhere:
		f.dedent = behindLast(f, m)
	}
}

// strayQuote comes at a letter right behind the quote that ended a string: the
// quote was meant as a part of the text.
func (p *path) strayQuote(m mark) {
	at := p.json.text.end.at
	p.report(finding{rule: StrayQuote, severity: Error, at: at,
		message: `this quote ends the text here; write \" for a quote within a text`})
	p.lose()
}

// lose gives up until the end of the line.
func (p *path) lose() {
	p.next()
	p.json.mode, p.json.tail = lost, 'x'
}

// readLost skips a line, keeping count of the brackets.
func (p *path) readLost(pc piece, i int) int {
	switch c := pc.text[i]; c {
	case '\n':
		p.resume(p.json.tail, pc.mark(i))
	case '{', '[':
		p.push(c, pc.mark(i))
		p.json.mode, p.json.tail = lost, c
	case '}', ']':
		if f := p.json.top; f.kind != 0 && (f.kind == '{') == (c == '}') {
			p.pop(pc.mark(i))
		}
		p.json.mode, p.json.tail = lost, c
	case ' ', '\t', '\r':
	default:
		p.json.tail = c
	}
	return 1
}

// resume goes on after a line that could not be read: its last character tells
// what may come.
func (p *path) resume(tail byte, m mark) {
	switch tail {
	case '{', '[':
		p.json.mode = wantValue
		if tail == '{' {
			p.json.mode = wantName
		}
	case ',':
		p.complete(m)
		p.wantItem()
	default:
		p.complete(m)
	}
}

// readString reads on in a string.
func (p *path) readString(pc piece, i int) int {
	tok := &p.json.tok
	rest := pc.text[i:]
	if tok.escape > 0 {
		return p.readEscape(rest)
	}
	switch c := rest[0]; {
	case c == '\\':
		tok.escape, tok.backslash = 1, pc.mark(i)
		tok.add(rest[:1])
		return 1
	case c == '\r' && strings.HasPrefix(rest, "\r\n"):
		return 1
	case c == '\n':
		p.lineBreak(pc, i)
		return 1
	case c < ' ':
		p.controlCharacter(pc, i)
		return 1
	}
	if n := closingQuote(tok.quote, rest); n > 0 {
		p.endString(pc.mark(i).wide(&pc, n), rest[n:])
		return n
	}
	n := 1
	for n < len(rest) && rest[n] >= ' ' && rest[n] != '"' && rest[n] != '\\' && rest[n] != '\'' && rest[n] < utf8.RuneSelf {
		n++
	}
	tok.add(rest[:n])
	return n
}

// closingQuote measures the quote at the beginning of rest, if it ends a string
// that began with open.
func closingQuote(open, rest string) int {
	for _, q := range quotes {
		if q.open != open {
			continue
		}
		r, n := utf8.DecodeRuneInString(rest)
		if strings.ContainsRune(q.closing, r) && r != utf8.RuneError {
			return n
		}
	}
	return 0
}

// readEscape reads one character of an escape.
func (p *path) readEscape(rest string) int {
	tok := &p.json.tok
	c := rest[0]
	switch {
	case tok.escape == 1 && c == 'u':
		tok.escape = 2
	case tok.escape == 1 && strings.IndexByte(`"\/bfnrt`, c) >= 0:
		tok.escape, tok.nested = 0, tok.nested || c == '"'
	case tok.escape > 1 && isHex(c):
		if tok.escape++; tok.escape == 6 {
			tok.escape = 0
		}
	default:
		tok.escape = 0
		p.badEscape()
		return 0
	}
	tok.add(rest[:1])
	return 1
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (p *path) badEscape() {
	m := p.json.tok.backslash
	p.report(finding{rule: BadEscape, severity: Error, at: m.at,
		message: `this backslash begins no escape that JSON knows; write \\ for a backslash`,
		edits:   m.replaced(`\\`)})
}

// lineBreak comes at the end of a line within a string: either its closing quote
// is missing, or the text goes on in the next line. What follows tells.
func (p *path) lineBreak(pc piece, i int) {
	tok := &p.json.tok
	m := pc.mark(i)
	if pc.exact && !tok.broken && p.w.found.endsString(m.end) {
		p.unclosedString(m.at)
		return
	}
	if !tok.broken {
		p.report(finding{rule: LineBreak, severity: Error, at: m.at,
			message: `a text may not hold a line break in JSON; write \n for one, or keep Liquid tags from leaving one with {%- and -%}`})
		tok.broken = true
	}
}

func (p *path) controlCharacter(pc piece, i int) {
	m := pc.mark(i)
	p.report(finding{rule: LineBreak, severity: Error, at: m.at,
		message: "a text may not hold a tab or another control character in JSON; write it as an escape",
		edits:   m.replaced(escapeJSON(pc.text[i : i+1]))})
}

// unclosedString reports a string that is not closed on its line, which ends at
// an offset of the source, and goes on as if it had been.
func (p *path) unclosedString(lineEnd int) {
	tok := p.json.tok
	f := finding{rule: UnclosedString, severity: Error, at: tok.start.at,
		message: "the text that begins here is not closed: its second double quote is missing"}
	if tok.quote == `"` && tok.start.own {
		f.edits = p.w.found.closeQuote(tok.start.end, lineEnd, tok.name)
	}
	p.report(f)
	m := markAt(lineEnd)
	switch {
	case tok.last == '{' || tok.last == '[':
		p.push(tok.last, m)
	case tok.name && !strings.Contains(tok.text, ":") && tok.last != ',':
		p.top().named = m
		p.json.mode = wantColon
	default:
		p.resume(tok.last, m)
	}
}

// endString judges a string whose closing quote is at m, with rest behind it.
func (p *path) endString(m mark, rest string) {
	tok := p.json.tok
	tok.end = m
	p.json.tok = token{}
	p.oddQuotes(tok)
	switch {
	case tok.name && !tok.long && strings.HasSuffix(strings.TrimRight(tok.text, " "), ":") && !strings.HasPrefix(rest, ":"):
		p.unclosedName(tok)
		return
	case tok.name:
		p.named(tok)
	default:
		p.stringValue(tok)
		p.complete(m)
	}
	p.json.text, p.json.touching = tok, true
}

// unclosedName comes when a name ends in a colon: its closing quote is missing,
// and the quote that ended it opens the value.
func (p *path) unclosedName(tok token) {
	at := tok.start.end + strings.IndexByte(tok.text, ':')
	f := finding{rule: UnclosedString, severity: Error, at: tok.start.at,
		message: "the name that begins here is not closed: its second double quote is missing"}
	if tok.start.own && p.w.found.reads(tok.start.end, tok.text) {
		f.edits = []Edit{{at, at, `"`}}
	}
	p.report(f)
	tok.text = tok.text[:strings.IndexByte(tok.text, ':')]
	p.named(tok)
	p.json.mode = wantValue
	p.beginToken(tok.end)
	p.json.tok.quote, p.json.mode = `"`, inString
}

// named notes a member's name.
func (p *path) named(tok token) {
	for _, h := range tok.holes {
		p.inText(tok, h)
	}
	f := p.top()
	f.named = tok.end
	p.json.mode = wantColon
	if tok.long || len(tok.holes) > 0 {
		return
	}
	f.name = tok.text
	if f.names.has(tok.text) {
		p.report(finding{rule: DuplicateName, severity: Warning, at: tok.start.at,
			message: "the name " + strconv.Quote(tok.text) + " stands twice in this object; receivers keep only one of the values"})
		return
	}
	f.names = f.names.with(tok.text)
	p.w.spend(f.names.count / 32) // for looking through them
}

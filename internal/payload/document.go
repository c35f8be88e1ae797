package payload

import "strings"

// mode is what the JSON scanner is in the middle of.
type mode uint8

const (
	wantValue mode = iota // a value, or the end of an empty list
	wantName              // a member's name, or the end of an empty object
	wantColon
	wantComma // a value is complete
	inString
	inBare         // a name or value without quotes
	inLineComment  // up to the end of the line
	inBlockComment // up to */
	lost           // a mistake that hides what follows; found again at the end of the line
	ended          // what follows the document was reported
)

// A document is where a JSON text stands. It is copied when paths split, so what
// it points to never changes.
type document struct {
	mode mode
	back mode   // where a comment or a lost line goes back to
	top  *frame // the innermost open bracket; the document itself has kind 0
	tok  token  // the string or bare token being read
	// text is the string that was read last, while nothing but white space came
	// after it; its start is nowhere otherwise.
	text     token
	touching bool // nothing at all came after it
	// unsure is set behind a hole that may have printed structure.
	unsure bool
	// suspect is the first bracket that was closed by one that is indented
	// differently: most likely its own is missing.
	suspect *frame
	tail    byte // last character of a lost line
}

// A frame is an open bracket.
type frame struct {
	parent *frame
	kind   byte // '{', '[' or 0
	open   mark

	name  string // of the member whose value is read; "" when not known
	names *name  // seen so far
	named mark   // the end of the last name
	colon mark   // the last colon
	last  []mark // the ends of the last value: several after paths joined
	prior []mark // those of the value before
	comma []mark // the commas in front of the item to come
	items int    // begun so far, counted up to 2
	// first is an output that may be empty and is the only item of a list, where
	// that is no mistake as long as nothing follows.
	first *piece

	deep   bool // a member stood further right than the line of the bracket
	dedent int  // behind the value after which a member did not; nowhere: none
}

func (f *frame) closing() string {
	if f.kind == '[' {
		return "]"
	}
	return "}"
}

// A name is a member's name in a list of those seen.
type name struct {
	text  string
	next  *name
	count int // of names, with this one
}

func (n *name) with(text string) *name {
	if n == nil {
		return &name{text, nil, 1}
	}
	return &name{text, n, n.count + 1}
}

func (n *name) has(text string) bool {
	for ; n != nil; n = n.next {
		if n.text == text {
			return true
		}
	}
	return false
}

func newDocument() document {
	return document{top: &frame{dedent: nowhere}, text: token{start: markAt(nowhere)}}
}

// read takes what begins at byte i and returns its length.
func (p *path) read(pc piece, i int) int {
	switch p.json.mode {
	case inString:
		return p.readString(pc, i)
	case inBare:
		return p.readBare(pc, i)
	case inLineComment:
		return p.skipTo(pc.text[i:], "\n", 0)
	case inBlockComment:
		return p.skipTo(pc.text[i:], "*/", len("*/"))
	case lost:
		return p.readLost(pc, i)
	case ended:
		return len(pc.text) - i
	}
	m := pc.mark(i)
	rest := pc.text[i:]
	switch c := rest[0]; {
	case strings.IndexByte(spaces, c) >= 0:
		p.json.touching = false
		return 1
	case c == '#', strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "/*"):
		return p.comment(rest, m)
	case c == '{' || c == '[':
		p.open(c, m)
	case c == '}' || c == ']':
		p.closeBracket(c, m)
	case c == ',':
		p.comma(m)
	case c == ':':
		p.colon(m)
	case p.sign(c, m):
	default:
		return p.token(pc, i)
	}
	return 1
}

// skipTo ends a comment.
func (p *path) skipTo(rest, end string, length int) int {
	i := strings.Index(rest, end)
	if i < 0 {
		return len(rest)
	}
	p.json.mode = p.json.back
	return i + length
}

func (p *path) comment(rest string, m mark) int {
	p.json.back, p.json.mode = p.json.mode, inLineComment
	sign, message := "//", "what follows // is sent to the receiver as it is: neither Liquid nor JSON has // comments; use {% comment %} or delete it"
	switch {
	case rest[0] == '#':
		sign, message = "#", "what follows # is sent to the receiver as it is: JSON has no # comments; use {% comment %} or delete it"
	case rest[1] == '*':
		sign, message = "/*", "this comment is sent to the receiver as it is: neither Liquid nor JSON has /* */ comments; use {% comment %} or delete it"
		p.json.mode = inBlockComment
	}
	p.report(finding{rule: CommentSent, severity: Error, at: m.at, message: message, edits: p.w.found.uncomment(m.at, sign)})
	return len(sign)
}

// top returns the innermost frame, copied so that it may be changed.
func (p *path) top() *frame {
	f := *p.json.top
	p.json.top = &f
	return &f
}

// next notes that a token other than a string comes, and returns whether it may
// come without what is usually before it.
func (p *path) next() (unsure bool) {
	p.json.text.start.at = nowhere
	p.json.touching = false
	unsure, p.json.unsure = p.json.unsure, false
	return unsure
}

// open reads { or [.
func (p *path) open(c byte, m mark) {
	unsure := p.next()
	if p.json.mode == wantComma && !p.another(m, unsure) {
		return
	}
	switch {
	case p.json.mode == wantColon:
		p.missingColon()
	case p.json.mode == wantName && !unsure:
		p.unexpected(m, "a member needs a name in double quotes and a colon in front of its value")
	}
	p.begin(m)
	p.push(c, m)
}

func (p *path) push(c byte, m mark) {
	p.json.top = &frame{parent: p.json.top, kind: c, open: m, dedent: nowhere}
	p.json.mode = wantValue
	if c == '{' {
		p.json.mode = wantName
	}
}

// another comes where a value begins behind a complete one: a comma is missing,
// or the document is over, which ends the reading.
func (p *path) another(m mark, unsure bool) (goesOn bool) {
	if p.json.top.kind == 0 {
		if unsure {
			p.json.mode = wantValue
			return true
		}
		p.after(m)
		return false
	}
	if !unsure {
		p.missingComma(m)
	}
	p.wantItem()
	return true
}

// wantItem expects the next member or element.
func (p *path) wantItem() {
	p.json.mode = wantValue
	if p.json.top.kind == '{' {
		p.json.mode = wantName
	}
}

// begin notes that an item begins, and with it that the comma in front of it was
// needed.
func (p *path) begin(m mark) {
	if p.json.top.kind == '{' && p.json.mode == wantValue {
		return // the value of a member that began with its name
	}
	f := p.top()
	for _, c := range f.comma {
		p.w.found.followed(c, before(m, c))
	}
	f.comma = nil
	f.items = min(f.items+1, 2)
}

// complete notes the end of a value.
func (p *path) complete(m mark) {
	f := p.top()
	f.prior, f.last, f.name = f.last, []mark{m}, ""
	p.json.mode = wantComma
}

// closeBracket reads } or ].
func (p *path) closeBracket(c byte, m mark) {
	unsure := p.next()
	kind := byte('{')
	if c == ']' {
		kind = '['
	}
	if !p.isOpen(kind) {
		p.stray(c, m)
		return
	}
	if p.json.top.kind != kind {
		p.closeInner(kind, m)
	}
	switch f := p.json.top; {
	case p.json.mode == wantColon:
		p.missingValue(f.named)
	case p.json.mode == wantValue && kind == '{':
		p.missingValue(f.colon)
	case p.json.mode != wantComma && !unsure:
		for _, comma := range f.comma {
			p.w.found.trailing(p, comma, m, c)
		}
	}
	p.misaligned(m)
	p.pop(m)
}

// closeInner leaves the brackets that lack a closing one before that of a kind.
func (p *path) closeInner(kind byte, m mark) {
	at := behindLast(p.json.top, m)
	var inner []*frame
	for p.json.top.kind != kind {
		inner = append(inner, p.json.top)
		p.pop(m)
	}
	p.unclosed(at, inner...)
}

func (p *path) isOpen(kind byte) bool {
	for f := p.json.top; f != nil; f = f.parent {
		if f.kind == kind {
			return true
		}
	}
	return false
}

// pop leaves the innermost bracket: a value of the one around it is complete.
func (p *path) pop(m mark) {
	p.json.top = p.json.top.parent
	p.complete(m)
}

// misaligned looks for a closing bracket that begins a line with another
// indentation than the line of its opening one.
func (p *path) misaligned(m mark) {
	f := p.json.top
	indent, first := p.w.found.indent(m.at)
	if opening, _ := p.w.found.indent(f.open.at); first && indent != opening && p.json.suspect == nil {
		p.json.suspect = f
	}
}

func (p *path) comma(m mark) {
	p.next()
	f := p.json.top
	switch p.json.mode {
	case wantComma:
		if f.kind == 0 {
			p.after(m)
			return
		}
		if f.first != nil {
			p.mayBeEmpty(*f.first, true)
		}
	case wantColon:
		p.missingValue(f.named)
	case wantValue, wantName:
		if f.kind == '{' && p.json.mode == wantValue {
			p.missingValue(f.colon)
			break
		}
		p.w.found.extra(p, m)
		return
	}
	f = p.top()
	f.comma, f.first, f.name = []mark{m}, nil, ""
	p.wantItem()
}

func (p *path) colon(m mark) {
	text := p.json.text
	p.next()
	switch {
	case p.json.mode == wantColon:
		p.top().colon = m
		p.json.mode = wantValue
	case p.json.mode == wantComma && text.start.at != nowhere && !text.name:
		p.impliedMember(text, m)
	default:
		f := finding{rule: UnexpectedText, severity: Error, at: m.at, message: "a colon stands only between a name and its value"}
		if p.json.mode == wantValue && p.json.top.kind == '{' {
			f.edits = m.replaced("") // the second of two
		}
		p.report(f)
	}
}

// impliedMember comes at a colon behind a string that was taken for a value: it
// is a name, so a { is missing in front of it, or a ] before.
func (p *path) impliedMember(text token, colon mark) {
	f := p.json.top
	if f.kind == '[' && f.items > 1 {
		p.unclosed(behind(f.prior[0], text.start), f)
		p.json.top = f.parent
		p.complete(text.start)
		p.wantItem()
	} else {
		at := before(text.start, markAt(nowhere))
		p.report(finding{rule: MissingBracket, severity: Error, at: at,
			message: "an opening { is missing in front of this name",
			edits:   []Edit{{at, at, p.w.found.opening(at)}}})
		p.push('{', text.start)
	}
	p.begin(text.start)
	f = p.top()
	f.colon, f.named, f.name = colon, text.end, text.text
	f.names = f.names.with(text.text)
	p.json.mode = wantValue
}

// opaqueHole reads a hole that may have printed anything.
func (p *path) opaqueHole() {
	p.next()
	if p.json.mode != wantColon {
		p.json.mode = wantComma
	}
	f := p.top()
	f.comma, f.first, f.items = nil, nil, 2
	p.json.unsure = true
}

func (jsonText) finish(p *path) {
	end := markAt(len(p.w.found.source))
	switch p.json.mode {
	case inBare:
		p.endBare()
	case inString:
		p.unclosedString(len(p.w.found.source))
		return
	case inLineComment, inBlockComment:
		p.json.mode = p.json.back
	case lost, ended:
		return
	}
	f := p.json.top
	switch {
	case f.kind != 0 && p.json.suspect != nil:
		p.unclosed(p.json.suspect.dedent, p.json.suspect)
	case f.kind != 0:
		at := behindLast(f, end)
		var open []*frame
		for ; f.kind != 0; f = f.parent {
			open = append(open, f)
		}
		p.unclosed(at, open...)
	case p.json.mode == wantValue && !p.json.unsure:
		p.report(finding{rule: NoJSON, severity: Error, at: 0,
			message: "nothing is sent, and nothing is not JSON; send a value, or end with {% abort_message %}"})
	}
}

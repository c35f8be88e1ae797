package payload

import "strings"

// report hands a finding on, with what was decided on the way to it.
func (p *path) report(f finding) { p.w.found.add(f, p.facts) }

func (p *path) unexpected(m mark, message string) {
	p.report(finding{rule: UnexpectedText, severity: Error, at: m.at, message: message})
}

// missingComma reports that the value before m and what begins there have no
// comma between them.
func (p *path) missingComma(m mark) {
	for _, last := range p.json.top.last {
		at := behind(last, m)
		p.report(finding{rule: MissingComma, severity: Error, at: at,
			message: "a comma is missing behind this value",
			edits:   p.w.found.addComma(at, before(m, last))})
	}
}

func (p *path) missingColon() {
	at := p.json.top.named.end
	p.report(finding{rule: MissingColon, severity: Error, at: at,
		message: "a colon is missing behind this name", edits: []Edit{{at, at, ":"}}})
	p.json.mode = wantValue
}

// missingValue reports a name or a colon without a value behind it.
func (p *path) missingValue(last mark) {
	p.report(finding{rule: MissingValue, severity: Error, at: last.end,
		message: "a value is missing here; write null if there is none"})
	p.json.mode = wantComma
}

// sign reads a character that JSON does not have, and reports whether it is one.
// Those of other languages are taken for what they mean there.
func (p *path) sign(c byte, m mark) bool {
	mode := p.json.mode
	if mode == wantValue || strings.IndexByte(";=()<>|&!?*^%@~`/", c) < 0 {
		return false
	}
	f := finding{rule: UnexpectedText, severity: Error, at: m.at,
		message: "JSON has no place for " + string(c) + " here; delete it"}
	switch {
	case c == ';' && mode == wantComma && p.json.top.kind != 0:
		f.message, f.edits = "JSON has commas where this semicolon stands", m.replaced(",")
		p.comma(m)
	case c == '=' && mode == wantColon:
		f.message, f.edits = "JSON has a colon where this = stands", m.replaced(":")
		p.colon(m)
	case mode == wantComma && p.json.top.kind == 0:
		return false
	}
	p.report(f)
	return true
}

// after reports text behind the document.
func (p *path) after(m mark) {
	f := finding{rule: TextAfter, severity: Error, at: m.at,
		message: "the JSON is complete before this; nothing may follow it"}
	source := p.w.found.source
	if len(m.via) == 0 && strings.TrimLeft(source[min(m.end, len(source)):], spaces) == "" {
		f.edits = m.replaced("")
	}
	p.report(f)
	p.json.mode = ended
}

// stray reports a closing bracket that closes nothing.
func (p *path) stray(c byte, m mark) {
	f := finding{rule: StrayBracket, severity: Error, at: m.at,
		message: "this " + string(c) + " closes nothing: its opening bracket is missing, or it is one too many"}
	if p.json.top.kind == 0 && p.json.mode == wantComma {
		f.edits = m.replaced("")
	}
	p.report(f)
}

// unclosed reports brackets without closing ones, innermost first, which belong
// at an offset.
func (p *path) unclosed(at int, frames ...*frame) {
	var closings strings.Builder
	for _, f := range frames {
		closings.WriteString(p.w.found.closing(f, at))
	}
	for _, f := range frames {
		found := finding{rule: Unclosed, severity: Error, at: f.open.at,
			message: "this " + string(f.kind) + " is never closed: its " + f.closing() + " is missing"}
		if at != nowhere {
			found.edits = []Edit{{at, at, closings.String()}}
		}
		p.report(found)
	}
}

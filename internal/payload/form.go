package payload

import "strings"

// formText is a form: name=value&name=value, escaped as in a URL.
type formText struct{}

func (formText) inert(text string) bool { return urlText{}.inert(text) }

func (formText) regardless(p *path, h *hole) bool { return p.flat.regardless(h) }

func (formText) feed(p *path, pc piece) {
	f := &p.flat
	if pc.hole != nil {
		fits := fitsValue
		if f.part == inName {
			fits = fitsName
		}
		p.unescaped(pc, fits, "a &, =, + or % in "+pc.what()+" would change the fields of the form")
		return
	}
	for i := 0; i < len(pc.text); i++ {
		switch c := pc.text[i]; {
		case c == '\n' || c == '\r':
			rest := pc.text[i:]
			n := len(rest) - len(strings.TrimLeft(rest, spaces))
			p.formBreak(pc, i, n)
			i += n - 1
		case c == '=' && f.part == inName:
			f.part = inValue
		case c == '&':
			f.part = inName
		}
	}
}

// formBreak reports a line break in a form, with the white space behind it: it is
// the end of nothing there.
func (p *path) formBreak(pc piece, i, n int) {
	m := pc.mark(i).wide(&pc, n)
	p.report(finding{rule: LineBreak, severity: Warning, at: m.at,
		message: "this line break is sent as a part of the form's text; delete it, or keep Liquid tags from leaving one with {%- and -%}",
		edits:   m.replaced("")})
}

func (formText) finish(*path) {}

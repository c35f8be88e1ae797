package payload

import (
	"net/http"
	"strings"
)

// headerText is the value of a header, which is one line.
type headerText struct {
	secret bool // the header is one that secrets are sent in
}

// secretHeaders are those whose value is mostly a secret.
var secretHeaders = map[string]bool{
	"Authorization": true, "Proxy-Authorization": true, "Cookie": true,
	"Api-Key": true, "Apikey": true, "X-Api-Key": true, "X-Api-Token": true, "X-Auth-Token": true, "X-Access-Token": true,
}

func holdsSecret(header string) bool { return secretHeaders[http.CanonicalHeaderKey(header)] }

func (headerText) inert(string) bool { return true }

func (headerText) regardless(p *path, h *hole) bool {
	return h.either == nil && isLiteral(h.fallback) && kinds(textOf(h.fallback))&lineBreaks == 0
}

func (t headerText) feed(p *path, pc piece) {
	f := &p.flat
	if pc.hole != nil {
		t.closeGap(p)
		f.begun, f.word = true, ""
		p.inHeader(pc)
		return
	}
	for i := range len(pc.text) {
		switch c := pc.text[i]; {
		case c == '\n' || c == '\r':
			f.space(&pc, i)
		case strings.IndexByte(spaces, c) < 0:
			t.closeGap(p)
			f.begun = true
		}
		if t.secret {
			t.read(p, pc, i)
		}
	}
}

func (p *path) inHeader(pc piece) {
	if pc.hole.opaque || pc.hole.prints()&^fitsLine == 0 {
		return
	}
	p.report(finding{rule: Unescaped, severity: Warning, at: pc.at,
		message: "a line break in " + pc.what() + " would end the header, and nothing would be sent; " + pc.wayOut("strip_newlines"),
		edits:   addFilter(pc, "strip_newlines")})
}

// closeGap reports a line break in front of something; at the ends of a value
// white space is dropped.
func (headerText) closeGap(p *path) {
	f := &p.flat
	if f.gap.at == nowhere {
		return
	}
	p.report(finding{rule: LineBreak, severity: Error, at: f.gap.at,
		message: "a header may not hold a line break; keep Liquid tags from leaving one with {%- and -%}",
		edits:   f.gap.replaced(" ")})
	f.gap = markAt(nowhere)
}

// leastSecret is how many characters the shortest word has that is taken for a
// secret: a whole one of a scheme (Bearer, Basic, ApiKey) is shorter.
const leastSecret = 8

// longSchemes are the beginnings of schemes that are as long as a secret.
var longSchemes = map[string]bool{"negotiat": true, "signatur": true, "aws4-hma": true}

// read follows the words of a value and reports those that are long enough to be
// a secret.
func (headerText) read(p *path, pc piece, i int) {
	f := &p.flat
	c := pc.text[i]
	if !isUnreserved(c) && strings.IndexByte("+/=:", c) < 0 {
		f.word = ""
		return
	}
	if f.word == "" {
		f.wordAt = pc.mark(i)
	}
	if len(f.word) == leastSecret {
		return
	}
	if f.word += string(c); len(f.word) == leastSecret && !longSchemes[strings.ToLower(f.word)] {
		p.report(finding{rule: SecretSent, severity: Warning, at: f.wordAt.at,
			message: "this looks like a secret, which everybody can read who sees the text; keep it in a kind: Credential and name that in credential:"})
	}
}

func (headerText) finish(*path) {}

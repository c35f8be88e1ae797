package payload

import (
	"mime"
	"strings"
)

// BodyAs gives the language of a body by its content type: JSON, a form, or any
// text. Of one without a type the first characters that are sent tell, as they do
// when it is sent (see campaign.Request.InferContentType).
func BodyAs(contentType string) Language {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case strings.TrimSpace(contentType) == "":
		return Body
	case err != nil:
		return AnyText
	case kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json"):
		return JSON
	case kind == "application/x-www-form-urlencoded":
		return Form
	}
	return AnyText
}

// bodyText is a body of which the first characters tell what it is: a bracket
// begins JSON, a name and = a form.
type bodyText struct{}

func (bodyText) inert(text string) bool       { return isPlain(text) && urlText{}.inert(text) }
func (bodyText) regardless(*path, *hole) bool { return false }
func (bodyText) finish(*path)                 {}

func (bodyText) feed(p *path, pc piece) {
	f := &p.flat
	if pc.hole != nil {
		p.lang, f.part = anyText{}, inBase
		return
	}
	for i := range len(pc.text) {
		switch c := pc.text[i]; {
		case strings.IndexByte(spaces, c) >= 0 && !f.begun:
			continue
		case !f.begun && (c == '{' || c == '['):
			p.lang = jsonText{}
		case f.begun && c == '=':
			p.lang, f.part = formText{}, inName
		case isUnreserved(c) || c == '[' || c == ']' || c == '%':
			f.begun = true
			continue
		default:
			p.lang, f.part = anyText{}, inBase
		}
		pc.text = pc.text[i:]
		if pc.exact {
			pc.at += i
		}
		p.lang.feed(p, pc)
		return
	}
}

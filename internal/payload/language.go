package payload

import (
	"slices"
	"strings"
)

// Language is what a text must be for its receiver.
type Language string

// The languages.
const (
	JSON    Language = "json" // the default
	URL     Language = "url"
	Header  Language = "header" // the value of a header
	Form    Language = "form"   // application/x-www-form-urlencoded
	Body    Language = "body"   // JSON, a form or any text, whichever it begins as
	AnyText Language = "text"   // anything: only what concerns Liquid is reported
)

// A language reads the text that is sent on a path.
type language interface {
	// feed reads a piece of the text.
	feed(p *path, pc piece)
	// finish reads the end of the text.
	finish(p *path)
	// regardless reports whether it makes no difference which of its texts a hole
	// prints here.
	regardless(p *path, h *hole) bool
	// inert reports whether literal text that an output prints beside a hole may
	// go through the filter that a repair adds for the hole.
	inert(text string) bool
}

// language returns the reader of the language that the options name.
func (o Options) language() language {
	switch o.As {
	case URL:
		return urlText{}
	case Header:
		return headerText{secret: holdsSecret(o.Header)}
	case Form:
		return formText{}
	case Body:
		return bodyText{}
	case AnyText:
		return anyText{}
	}
	return jsonText{}
}

// anyText is text in which everything is right.
type anyText struct{}

func (anyText) feed(*path, piece)            {}
func (anyText) finish(*path)                 {}
func (anyText) regardless(*path, *hole) bool { return true }
func (anyText) inert(string) bool            { return true }

// jsonText is JSON; see document.
type jsonText struct{}

func (jsonText) feed(p *path, pc piece) {
	if pc.hole != nil {
		p.hole(pc)
		return
	}
	for i := 0; i < len(pc.text); {
		i += p.read(pc, i)
	}
}

func (jsonText) inert(text string) bool { return isPlain(text) }

func (jsonText) regardless(p *path, h *hole) bool {
	switch p.json.mode {
	case inLineComment, inBlockComment, lost, ended:
		return true
	case inString:
		return isLiteral(h.fallback) && allInert(h.fallback, isPlain) && !slices.ContainsFunc(h.either, func(choice []piece) bool { return !allInert(choice, isPlain) })
	case inBare, wantValue:
		if h.either != nil || !isLiteral(h.fallback) {
			return false
		}
		switch h.shape {
		case anything:
			return h.defaultsToScalar() || h.defaultsToText()
		case word:
			return h.defaultsToText()
		case number:
			return h.defaultsToScalar()
		}
	}
	return false
}

// isLiteral reports whether the template itself holds all of a text.
func isLiteral(pieces []piece) bool {
	return !slices.ContainsFunc(pieces, func(pc piece) bool { return pc.hole != nil })
}

// defaultsToScalar reports whether the hole's default is a number, true, false
// or null.
func (h *hole) defaultsToScalar() bool { return isScalar(textOf(h.fallback)) }

// defaultsToText reports whether the hole's default is text without quotes.
func (h *hole) defaultsToText() bool {
	text := trimSpace(textOf(h.fallback))
	return text != "" && isPlain(text) && !isScalar(text) && strings.IndexByte("[{", text[0]) < 0
}

package payload

import (
	"slices"
	"strconv"
	"strings"

	"platen/liquid"
)

// flat is where a text without brackets stands: a URL, a form, the value of a
// header.
type flat struct {
	part  part
	begun bool // something other than white space was sent
	// word is what counts of the text before: the scheme of a URL, the last
	// character of its host, a word of a header's value, which begins at wordAt.
	word   string
	wordAt mark
	// gap is white space that is a mistake if anything follows it, and gapText what
	// it is; its place is nowhere when there is none.
	gap     mark
	gapText string
	// host is an output that is all of a URL's host so far; named is set when there
	// was anything else.
	host  *piece
	named bool
}

// part is a part of a URL or a form.
type part uint8

const (
	inScheme part = iota
	inBase        // behind an output that holds the scheme and who knows what else
	inHost
	inPath
	inName
	inValue
	inFragment
)

func newFlat(first part) flat { return flat{part: first, gap: markAt(nowhere)} }

// describe writes all that decides how the text goes on.
func (f *flat) describe(b *strings.Builder) {
	b.Write([]byte{'0' + byte(f.part), bit(f.begun), bit(f.named)})
	b.WriteString(f.word + " " + strconv.Itoa(f.gap.at))
	if f.host != nil {
		b.WriteString("," + strconv.Itoa(f.host.at))
	}
}

// space notes white space, of which only the first is remembered.
func (f *flat) space(pc *piece, i int) {
	if f.begun && f.gap.at == nowhere {
		f.gap, f.gapText = pc.mark(i), pc.text[i:i+1]
	}
}

// regardless reports whether a hole prints either a value of its own or one that
// can stand anywhere.
func (f *flat) regardless(h *hole) bool {
	return h.either == nil && isLiteral(h.fallback) && kinds(textOf(h.fallback)) == 0
}

// unescaped reports an output that may hold characters which its place does not
// allow, and what they would do.
func (p *path) unescaped(pc piece, allowed charset, harm string) {
	if pc.hole.opaque || pc.hole.prints()&^allowed == 0 {
		return
	}
	f := finding{rule: Unescaped, severity: Warning, at: pc.at, message: harm + "; " + pc.wayOut("url_param_escape")}
	if pc.escapedForURL() {
		f.message = harm + "; it was escaped before, so check what changes it afterwards"
	} else {
		f.edits = addURLEscape(pc)
	}
	p.report(f)
}

// urlEscapes are the filters that write a text as a URL has it, wholly or in part.
var urlEscapes = []string{"url_escape", "url_encode", "url_param_escape"}

// allEscapes are those that are too much beside url_param_escape.
var allEscapes = append([]string{"json_escape"}, urlEscapes...)

// rewritesEscapes are the filters that somebody writes behind an escape to have a
// part of it otherwise, as replace: '%2F', '/'.
var rewritesEscapes = []string{"replace", "replace_first", "replace_last", "remove", "remove_first", "remove_last", "url_decode"}

// escapedForURL reports whether a repair must leave an output alone, as what it
// prints was escaped by another tag, or escaped and then changed on purpose.
func (pc piece) escapedForURL() bool {
	if pc.out == nil {
		return pc.hole.urlEscaped
	}
	e, filtered := pc.out.Value.(*liquid.Filtered)
	if !filtered {
		return pc.hole.urlEscaped
	}
	here := false
	for _, f := range e.Filters {
		if here && slices.Contains(rewritesEscapes, f.Name) {
			return true
		}
		here = here || slices.Contains(urlEscapes, f.Name)
	}
	return pc.hole.urlEscaped && !here
}

// addURLEscape are the edits that make url_param_escape the last filter of the
// output that printed a piece, and the only one that escapes.
func addURLEscape(pc piece) []Edit {
	edits := addFilter(pc, "url_param_escape")
	if edits == nil {
		return nil
	}
	if e, ok := pc.out.Value.(*liquid.Filtered); ok {
		edits = append(withoutFilters(e, len(e.Filters), allEscapes...), edits...)
	}
	return edits
}

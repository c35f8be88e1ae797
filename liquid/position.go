package liquid

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Pos is a place in the source of a template.
type Pos struct {
	Offset int // in bytes, from 0
	Line   int // from 1
	Column int // in characters, from 1
}

// Span is a half-open range of the source. Every node and expression embeds one.
type Span struct{ Start, Stop Pos }

// Pos returns where the node begins.
func (s Span) Pos() Pos { return s.Start }

// End returns where the node ends: the place just after its last byte.
func (s Span) End() Pos { return s.Stop }

// A seam is a place in the text that is parsed where bytes of the source were
// left out before it (HTML comments, in the Braze dialect).
type seam struct {
	at      int // offset in the parsed text
	removed int // bytes left out before it, in total
}

// A locator turns offsets of the parsed text into places in the source.
type locator struct {
	source string
	seams  []seam
	lines  []int // offsets at which lines begin
	last   Pos   // the latest answer: questions come nearly in order
}

func newLocator(source string, seams []seam) *locator {
	lines := make([]int, 1, strings.Count(source, "\n")+1)
	for i := 0; i < len(source); i++ {
		if source[i] == '\n' {
			lines = append(lines, i+1)
		}
	}
	return &locator{source: source, seams: seams, lines: lines, last: Pos{0, 1, 1}}
}

// start locates the beginning of something: at a seam, after what was left out.
func (l *locator) start(at int) Pos {
	n := sort.Search(len(l.seams), func(i int) bool { return l.seams[i].at > at })
	if n > 0 {
		at += l.seams[n-1].removed
	}
	return l.locate(at)
}

// stop locates the end of something: at a seam, before what was left out.
func (l *locator) stop(at int) Pos {
	n := sort.Search(len(l.seams), func(i int) bool { return l.seams[i].at >= at })
	if n > 0 {
		at += l.seams[n-1].removed
	}
	return l.locate(at)
}

// span locates a range of the parsed text.
func (l *locator) span(from, to int) Span {
	if from == to {
		p := l.start(from)
		return Span{p, p}
	}
	return Span{l.start(from), l.stop(to)}
}

func (l *locator) locate(offset int) Pos {
	line := l.last.Line
	if offset < l.lines[line-1] || line < len(l.lines) && offset >= l.lines[line] {
		line = sort.SearchInts(l.lines, offset+1)
		l.last = Pos{l.lines[line-1], line, 1}
	}
	// Counting from the latest answer keeps very long lines linear.
	column := l.last.Column
	if offset >= l.last.Offset {
		column += utf8.RuneCountInString(l.source[l.last.Offset:offset])
	} else {
		column -= utf8.RuneCountInString(l.source[offset:l.last.Offset])
	}
	l.last = Pos{offset, line, column}
	return l.last
}

// removeComments takes HTML comments out of a source, as the Braze dialect does
// before Liquid runs, and says where. A comment without an end is left alone.
func removeComments(source string) (string, []seam) {
	var kept strings.Builder
	var seams []seam
	rest, removed := source, 0
	for {
		begin := strings.Index(rest, "<!--")
		if begin < 0 {
			break
		}
		length := strings.Index(rest[begin+4:], "-->")
		if length < 0 {
			break
		}
		length += len("<!--") + len("-->")
		kept.WriteString(rest[:begin])
		removed += length
		seams = append(seams, seam{kept.Len(), removed})
		rest = rest[begin+length:]
	}
	if seams == nil {
		return source, nil
	}
	kept.WriteString(rest)
	return kept.String(), seams
}

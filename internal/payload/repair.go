package payload

import (
	"cmp"
	"slices"
	"strings"
)

// notLast prints a comma in all rounds of a loop but the last.
const notLast = "{% unless forloop.last %},{% endunless %}"

// uncomment are the edits that turn a comment which is sent into a Liquid
// comment. There are none when Liquid tags reach into it.
func (c *collector) uncomment(at int, sign string) []Edit {
	if !strings.HasPrefix(c.source[at:], sign) {
		return nil // made by a filter
	}
	end := c.line(at).to
	text := c.source[at+len(sign) : end]
	if sign == "/*" {
		var closed bool
		if text, _, closed = strings.Cut(c.source[at+len(sign):], "*/"); !closed {
			return nil
		}
		end = at + len(sign) + len(text) + len("*/")
	}
	if strings.Contains(text, "{%") || strings.Contains(text, "%}") {
		return nil
	}
	return []Edit{{at, end, strings.TrimRight("{% comment %} "+trimSpace(text), " ") + " {% endcomment %}"}}
}

// addComma are the edits that put a comma between a value that ends at an offset
// and what follows it at another.
func (c *collector) addComma(behind, follower int) []Edit {
	at, comma := behind, ","
	switch {
	case follower <= behind:
		if c.inside(c.loops, behind, nowhere) {
			comma = notLast // the next round of a loop
		}
	case c.inside(c.parts, follower, behind-1):
		at = follower // the value is always there, what follows it is not
	}
	return []Edit{{at, at, comma}}
}

// inside reports whether some extent holds one offset and not the other.
func (c *collector) inside(extents []extent, offset, other int) bool {
	return slices.ContainsFunc(extents, func(e extent) bool { return e.holds(offset) && !e.holds(other) })
}

// commaEdits are the edits for a comma that is too much, on some paths at least.
func (c *collector) commaEdits(at int) []Edit {
	use := c.commas[at]
	remove := Edit{at, at + len(","), ""}
	switch {
	case !strings.HasPrefix(c.source[at:], ","):
		return nil // made by a filter
	case len(use.followers) == 0:
		return []Edit{remove}
	case use.extra:
		return nil // where the item before it comes from, only a person knows
	case c.inside(c.loops, at, use.closing) && !slices.ContainsFunc(use.followers, func(next int) bool { return !c.inside(c.loops, next, use.closing) }):
		remove.Text = notLast
		return []Edit{remove}
	}
	// What follows is not always there: it brings its own comma.
	edits := []Edit{remove}
	for _, next := range use.followers {
		edits = append(edits, Edit{next, next, ","})
	}
	return edits
}

// alwaysRight is how commas are printed where no edit gets them right.
const alwaysRight = `begin with {% assign comma = "" %}, print {{ comma }} in front of each item, and {% assign comma = "," %} behind it`

// commaAdvice is what the edits for a comma that is too much do, in words.
func (c *collector) commaAdvice(f *finding) string {
	switch {
	case len(c.commas[f.at].followers) == 0:
		return "delete it"
	case f.edits == nil:
		return alwaysRight
	}
	return "print it only where an item follows"
}

// endsString looks behind a line break within a string and reports whether the
// string was meant to end before it.
func (c *collector) endsString(offset int) bool {
	rest := strings.TrimLeft(c.source[offset:], spaces)
	for strings.HasPrefix(rest, "{%") {
		_, after, ok := strings.Cut(rest, "%}")
		if !ok {
			return false
		}
		rest = strings.TrimLeft(after, spaces)
	}
	switch {
	case rest == "", strings.HasPrefix(rest, "//"):
		return true
	case strings.HasPrefix(rest, "{{"):
		return false
	case rest[0] == '"':
		// A quote that a member or element ends with closes the text; one with
		// something behind it begins the next name.
		after := strings.TrimLeft(rest[1:], " \t\r")
		return after != "" && strings.IndexByte(",}]\n", after[0]) < 0
	}
	return strings.IndexByte("{}[],", rest[0]) >= 0
}

// closeQuote are the edits that close a string which is not closed on its line.
func (c *collector) closeQuote(from, lineEnd int, isName bool) []Edit {
	if lineEnd <= from || c.line(from).to < lineEnd-len("\r") {
		return nil // made of several places
	}
	text := strings.TrimRight(c.source[from:lineEnd], spaces)
	if i := strings.IndexByte(text, ':'); isName && i >= 0 {
		text = text[:i]
	} else if isName {
		return nil
	}
	text = strings.TrimSuffix(withoutTags(text), ",")
	at := from + len(text)
	return []Edit{{at, at, `"`}}
}

// withoutTags cuts Liquid tags from the end of a text.
func withoutTags(text string) string {
	for strings.HasSuffix(text, "%}") {
		open := strings.LastIndex(text, "{%")
		if open < 0 {
			break
		}
		text = strings.TrimRight(text[:open], spaces)
	}
	return text
}

// reads reports whether the source holds a text at an offset.
func (c *collector) reads(offset int, text string) bool {
	return strings.HasPrefix(c.source[offset:], text)
}

// opening is the text that opens an object at an offset: two braces in a row
// would begin an output.
func (c *collector) opening(at int) string {
	if c.reads(at, "{") {
		return "{ "
	}
	return "{"
}

// closing is the text that closes a bracket at an offset: on a line of its own
// when the opening one ends its line.
func (c *collector) closing(f *frame, at int) string {
	open := f.open.at
	l := c.line(open)
	if trimSpace(c.source[min(open+1, l.to):l.to]) != "" || at <= l.to {
		return f.closing()
	}
	width, _ := c.indent(open)
	return "\n" + c.source[l.from:l.from+width] + f.closing()
}

// tidy sorts edits and drops those that stand twice.
func tidy(edits []Edit) []Edit {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(edits)
}

// apply carries out sorted edits that do not overlap.
func apply(source string, edits []Edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(source[at:e.Start])
		b.WriteString(e.Text)
		at = e.End
	}
	b.WriteString(source[at:])
	return b.String()
}

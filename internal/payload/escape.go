package payload

import (
	"cmp"
	"slices"

	"platen/liquid"
)

// A text that goes through json_escape twice arrives with its backslashes. So
// each hole knows whether it went through it before, and no repair adds a second
// one.

// A doubling is an escaping of what was escaped before.
type doubling struct {
	at    int    // the second filter
	edits []Edit // that leave one of the two; none when a person must decide
}

// escapes reports whether a filter writes a text as JSON has it.
func escapes(f *liquid.FilterCall) bool {
	return f.Name == "json_escape" || f.Name == "as_json_string"
}

// traceEscape notes in what filter i of an expression made of a value whether it
// was escaped, and whether it is escaped twice now.
func traceEscape(e *liquid.Filtered, i int, in, out value) value {
	before, twice := in.escaping()
	switch {
	case escapes(e.Filters[i]):
		if twice = nil; before && !in.structured() {
			twice = double(e, i, in)
		}
	case !before || out.hole() == nil || out.hole().escapedBefore:
		return out
	}
	out.pieces = changed(out.pieces, func(h *hole) {
		if h.safety != plain {
			h.escapedBefore, h.twice = true, twice
		}
	}, sameText)
	return out
}

// escaping reports whether a part of the value was escaped, and twice.
func (v value) escaping() (before bool, twice *doubling) {
	for _, pc := range v.pieces {
		if h := pc.hole; h != nil && h.escapedBefore {
			before = true
			twice = cmp.Or(twice, h.twice)
		}
	}
	return before, twice
}

// double is the doubling by filter i of an expression.
func double(e *liquid.Filtered, i int, in value) *doubling {
	d := &doubling{at: e.Filters[i].Pos().Offset, edits: withoutFilters(e, i, "json_escape")}
	if d.edits == nil && e.Filters[i].Name == "json_escape" && in.safety() != raw {
		d.edits = []Edit{withoutFilter(e, i)}
	}
	return d
}

// escapedTwice reports an output that was escaped twice. Within a text that holds
// JSON itself, as "{\"a\": \"…\"}", that is right.
func (p *path) escapedTwice(tok token, pc piece) {
	if d := pc.hole.twice; d != nil && !tok.nested {
		p.report(finding{rule: DoubleEscaped, severity: Warning, at: d.at, edits: d.edits,
			message: pc.what() + ` was escaped before, so its quotes would arrive as \"; let it be escaped once, by the last filter`})
	}
}

// addEscape are the edits that make a filter which escapes the last one of the
// output that printed a piece. A json_escape in front of it is taken out.
func addEscape(pc piece, filter string) []Edit {
	edits := addFilter(pc, filter)
	if edits == nil {
		return nil
	}
	if e, ok := pc.out.Value.(*liquid.Filtered); ok {
		edits = append(withoutFilters(e, len(e.Filters), "json_escape"), edits...)
	}
	return edits
}

// withoutFilters are the edits that take filters with these names out of the
// first n of an expression.
func withoutFilters(e *liquid.Filtered, n int, names ...string) []Edit {
	var edits []Edit
	for i, f := range e.Filters[:n] {
		if slices.Contains(names, f.Name) {
			edits = append(edits, withoutFilter(e, i))
		}
	}
	return edits
}

// withoutFilter is the edit that takes a filter out, with the sign in front of it.
func withoutFilter(e *liquid.Filtered, i int) Edit {
	from := e.Base.End().Offset
	if i > 0 {
		from = e.Filters[i-1].End().Offset
	}
	return Edit{from, e.Filters[i].End().Offset, ""}
}

package payload

// A mark is a character or an output in what is sent.
type mark struct {
	at, end int
	// own is unset for text that a filter made: its place is that of the output
	// which printed all of it, so nothing of the source can be replaced for it.
	own bool
	via []printing
}

// mark is the place of byte i of a text, or of a hole.
func (pc *piece) mark(i int) mark {
	if pc.exact {
		return mark{pc.at + i, pc.at + i + 1, true, pc.via}
	}
	return mark{pc.at, pc.end, pc.hole != nil, pc.via}
}

// wide is the mark of a character of n bytes, of which m is the first.
func (m mark) wide(pc *piece, n int) mark {
	if pc.exact {
		m.end = m.at + n
	}
	return m
}

// markAt is a place in the source that nothing was printed at.
func markAt(offset int) mark { return mark{at: offset, end: offset} }

// replaced is the edit that puts text in the mark's place.
func (m mark) replaced(text string) []Edit {
	if !m.own {
		return nil
	}
	return []Edit{{m.at, m.end, text}}
}

// replacedBoth puts text in the place of two marks.
func replacedBoth(a, b mark, text string) []Edit {
	if !a.own || !b.own {
		return nil
	}
	return append(a.replaced(text), b.replaced(text)...)
}

// Captured text is sent where an output prints it. What lies between two places
// of the text that is sent (a comma that is missing, say) therefore lies in the
// source between two outputs of one level: behind and before step out of the
// outputs that one of the two places was printed by and the other was not.

// behind returns the offset right behind a, as seen from b.
func behind(a, b mark) int {
	if n := outside(a, b); n > 0 {
		return a.via[n-1].end
	}
	return a.end
}

// before returns the offset right in front of a, as seen from b.
func before(a, b mark) int {
	if n := outside(a, b); n > 0 {
		return a.via[n-1].at
	}
	return a.at
}

// outside counts the outputs that printed a and not b.
func outside(a, b mark) int {
	n, m := len(a.via), len(b.via)
	for n > 0 && m > 0 && a.via[n-1].id == b.via[m-1].id {
		n, m = n-1, m-1
	}
	return n
}

// behindLast is where a bracket that is missing belongs: behind the last value
// in the frame, or behind its opening bracket.
func behindLast(f *frame, next mark) int {
	if len(f.last) > 0 {
		return behind(f.last[0], next)
	}
	return behind(f.open, next)
}

package payload

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

package render

import (
	"slices"
	"unicode"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
)

// baseDirection is the direction of a paragraph: as asked, or that of its first
// strong character outside isolates (UAX #9, P2 and P3).
func baseDirection(text []rune, asked Direction) di.Direction {
	if asked == DirectionAuto {
		asked = firstStrong(text)
	}
	if asked == RightToLeft {
		return di.DirectionRTL
	}
	return di.DirectionLTR
}

// firstStrong is DirectionAuto where no character is strong.
func firstStrong(text []rune) Direction {
	isolates := 0
	for _, r := range text {
		switch {
		case r >= '\u2066' && r <= '\u2068': // the isolates open
			isolates++
		case r == '\u2069': // and close
			isolates = max(isolates-1, 0)
		case isolates > 0:
		case r == '\u200E':
			return LeftToRight
		case r == '\u200F', r == '\u061C':
			return RightToLeft
		case unicode.IsLetter(r) && inRightToLeftBlock(r):
			return RightToLeft
		case unicode.IsLetter(r):
			return LeftToRight
		}
	}
	return DirectionAuto
}

// inRightToLeftBlock reports whether r lies in the ranges whose letters have
// the bidirectional classes R and AL by default (DerivedBidiClass.txt).
func inRightToLeftBlock(r rune) bool {
	return r >= 0x0590 && r <= 0x08FF || r >= 0xFB1D && r <= 0xFDFF || r >= 0xFE70 && r <= 0xFEFF ||
		r >= 0x10800 && r <= 0x10FFF || r >= 0x1E800 && r <= 0x1EFFF
}

// levelRun is a stretch of text with one embedding level.
type levelRun struct {
	start, end int
	level      int
}

// levelRuns gives the embedding levels of a paragraph.
func levelRuns(p *bidi.Paragraph, text []rune, base di.Direction) []levelRun {
	asked := bidi.LeftToRight
	if base == di.DirectionRTL {
		asked = bidi.RightToLeft
	}
	segments := p.Segment(text, asked)
	var out []levelRun
	for i := range segments.NumRuns() {
		run := segments.Run(i)
		level := int(run.Level)
		// The library joins neighbours of levels 2 and 0, as they have the same
		// direction. A number after right-to-left text must stay apart from the
		// left-to-right text that follows it, or it would land on the wrong side.
		if level == 2 && base == di.DirectionLTR {
			if n := numberLength(text[run.Start:run.End]); n > 0 && run.Start+n < run.End {
				out = append(out, levelRun{run.Start, run.Start + n, 2})
				out = append(out, levelRun{run.Start + n, run.End, 0})
				continue
			}
		}
		out = append(out, levelRun{run.Start, run.End, level})
	}
	return out
}

// numberLength is the length of the number that text begins with, with its
// inner separators and the signs that belong to it.
func numberLength(text []rune) int {
	n := 0
	for i, r := range text {
		switch {
		case unicode.IsDigit(r), r == '%', unicode.Is(unicode.Sc, r):
			n = i + 1
		case r == '.' || r == ',' || r == ':' || r == '/':
		default:
			return n
		}
	}
	return n
}

// visualOrder sorts the indexes of the runs of a line, whose levels are given,
// from left to right (UAX #9, L2).
func visualOrder(levels []int) []int {
	order := make([]int, len(levels))
	highest, lowestOdd := 0, 127
	for i, level := range levels {
		order[i] = i
		highest = max(highest, level)
		if level%2 == 1 {
			lowestOdd = min(lowestOdd, level)
		}
	}
	for level := highest; level >= lowestOdd; level-- {
		for i := 0; i < len(order); i++ {
			j := i
			for j < len(order) && levels[order[j]] >= level {
				j++
			}
			slices.Reverse(order[i:j])
			i = max(i, j-1)
		}
	}
	return order
}

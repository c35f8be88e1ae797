package render

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/harfbuzz"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// emUnits is the size at which all text is shaped and wrapped, whatever the size
// it is drawn with: so a text breaks at the same places at 1× and 2×, and
// MaxTextRunes of the widest characters stay within the 26.6 numbers of the
// shaper (which rounds fractional sizes up, besides).
const emUnits = 256

const ellipsis = "…"

// typesetter turns texts into placed glyphs. It holds the caches and buffers of
// one goroutine.
type typesetter struct {
	regular, bold faces
	segmenter     shaping.Segmenter
	shaper        shaping.HarfbuzzShaper
	wrapper       shaping.LineWrapper
	bidi          bidi.Paragraph
}

// textLayout is a text in lines, at a size of emUnits.
type textLayout struct {
	lines   []textLine
	cut     bool
	missing []rune // sorted, each once
	ascent  float64
	descent float64 // positive
}

type textLine struct {
	text   string // what is drawn, with the ellipsis
	glyphs []placedGlyph
	width  float64
	rtl    bool
}

// placedGlyph is a glyph and its origin, right of the line's start and above
// its baseline.
type placedGlyph struct {
	font *font.Font
	id   font.GID
	x, y float64
}

// layout breaks a text into lines. At most limit lines are made; 0 is no limit.
func (ts *typesetter) layout(ctx context.Context, t Text, limit int) (textLayout, error) {
	faces := ts.regular
	if t.Weight > (Regular+Bold)/2 {
		faces = ts.bold
	}
	var out textLayout
	if extents, ok := faces[0].FontHExtents(); ok {
		em := float64(faces[0].Upem())
		out.ascent, out.descent = float64(extents.Ascender)/em, -float64(extents.Descender)/em
	}

	paragraphs, shortened := paragraphsOf(t.Text)
	out.cut = shortened
	for i, text := range paragraphs {
		if limit > 0 && len(out.lines) == limit {
			out.cut = true
			break
		}
		if err := ctx.Err(); err != nil {
			return textLayout{}, err
		}
		more := i < len(paragraphs)-1
		p := paragraph{
			text:      text,
			faces:     faces,
			width:     toUnits(t.Box.W / t.Size * emUnits),
			base:      baseDirection(text, t.Direction),
			overflow:  t.Overflow,
			continues: more || shortened,
		}
		if limit > 0 {
			p.limit = limit - len(out.lines)
		}
		if t.NoWrap {
			// Each paragraph is a line of its own; the last line of all tells
			// that more follows.
			p.continues = more && p.limit == 1 || !more && shortened
			p.limit = 1
		}
		ts.setParagraph(p, &out)
	}
	slices.Sort(out.missing)
	out.missing = slices.Compact(out.missing)
	return out, nil
}

// paragraph is what ends in a forced line break, with the rules for its lines.
type paragraph struct {
	text      []rune
	faces     faces
	width     fixed.Int26_6
	base      di.Direction
	overflow  Overflow
	limit     int  // of lines; 0 is none
	continues bool // there is more text below it
}

// setParagraph adds the lines of p to out.
func (ts *typesetter) setParagraph(p paragraph, out *textLayout) {
	if len(p.text) == 0 {
		out.lines = append(out.lines, textLine{rtl: p.base == di.DirectionRTL})
		return
	}
	runs, levels := ts.shape(p)
	for _, run := range runs {
		out.missing = p.appendMissing(out.missing, run)
	}
	config := shaping.WrapConfig{
		Direction:          p.base,
		TruncateAfterLines: p.limit,
		TextContinues:      p.continues,
		// The lines are trimmed below, by the order of reading: the library
		// looks for the space on the side where its own ordering puts it.
		DisableTrailingWhitespaceTrim: true,
	}
	if p.overflow == OverflowEllipsis && p.limit > 0 {
		end := ts.shaper.Shape(shaping.Input{
			Text: []rune(ellipsis), RunEnd: 1, Direction: p.base,
			Face: p.faces.ResolveFace([]rune(ellipsis)[0]), Size: fixed.I(emUnits),
		})
		if end.Advance <= p.width { // a box narrower than "…" shows what fits
			config.Truncator = end
		}
	}
	ts.wrapper.Prepare(config, p.text, shaping.NewSliceIterator(runs))
	for done, start := false, 0; !done; {
		var wrapped shaping.WrappedLine
		wrapped, done = ts.wrapper.WrapNextLineF(p.width)
		if wrapped.Line == nil {
			break
		}
		out.lines = append(out.lines, p.line(wrapped, levels, start))
		out.cut = out.cut || wrapped.Truncated > 0
		start = wrapped.NextLine
	}
}

// shape gives the runs of a paragraph in reading order, and the embedding level
// of each of its characters.
func (ts *typesetter) shape(p paragraph) ([]shaping.Output, []int) {
	var runs []shaping.Output
	levels := make([]int, len(p.text))
	for _, run := range levelRuns(&ts.bidi, p.text, p.base) {
		direction := di.DirectionLTR
		if run.level%2 == 1 {
			direction = di.DirectionRTL
		}
		inputs := ts.segmenter.Split(shaping.Input{
			Text: p.text, RunStart: run.start, RunEnd: run.end,
			Direction: direction, Size: fixed.I(emUnits),
		}, p.faces)
		for _, input := range inputs {
			input.Direction = direction
			runs = append(runs, ts.shaper.Shape(input))
		}
		for i := run.start; i < run.end; i++ {
			levels[i] = run.level
		}
	}
	return runs, levels
}

// line places the glyphs of a wrapped line that begins at the character start.
// A run that lies behind the line's end is the ellipsis.
func (p paragraph) line(wrapped shaping.WrappedLine, levels []int, start int) textLine {
	end := wrapped.NextLine
	for end > start && p.text[end-1] == ' ' {
		end--
	}
	line := textLine{text: string(p.text[start:end]), rtl: p.base == di.DirectionRTL}
	runLevels := make([]int, len(wrapped.Line))
	for i, run := range wrapped.Line {
		if run.Runes.Offset < wrapped.NextLine {
			runLevels[i] = levels[run.Runes.Offset]
			continue
		}
		if line.rtl {
			runLevels[i] = 1
		}
		if len(run.Glyphs) > 0 {
			line.text += ellipsis
		}
	}
	for _, i := range visualOrder(runLevels) {
		run := wrapped.Line[i]
		isText := run.Runes.Offset < wrapped.NextLine
		for _, glyph := range run.Glyphs {
			if isText && glyph.TextIndex() >= end {
				continue // white space at the end of the line
			}
			if glyph.GlyphID != font.EmptyGlyph {
				line.glyphs = append(line.glyphs, placedGlyph{
					font: run.Face.Font,
					id:   glyph.GlyphID,
					x:    line.width + fromUnits(glyph.XOffset),
					y:    fromUnits(glyph.YOffset),
				})
			}
			line.width += fromUnits(glyph.Advance)
		}
	}
	return line
}

// appendMissing adds the characters of a run that no font has. A cluster drawn
// as a box may also hold marks and joiners that are not to blame.
func (p paragraph) appendMissing(missing []rune, run shaping.Output) []rune {
	for _, glyph := range run.Glyphs {
		if glyph.GlyphID != 0 {
			continue
		}
		first := glyph.TextIndex()
		for _, r := range p.text[first : first+glyph.RunesCount()] {
			if !p.faces.has(r) && !harfbuzz.IsDefaultIgnorable(r) {
				missing = append(missing, r)
			}
		}
	}
	return missing
}

// paragraphsOf splits a text at its forced line breaks and collapses other white
// space as HTML does. Control characters are dropped. It reports whether the
// text was longer than MaxTextRunes and lost its end.
func paragraphsOf(s string) (paragraphs [][]rune, shortened bool) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var current []rune
	count := 0
	for _, r := range s {
		if count++; count > MaxTextRunes {
			shortened = true
			break
		}
		switch {
		case isLineBreak(r):
			paragraphs = append(paragraphs, trimSpace(current))
			current = nil
		case isCollapsible(r):
			if len(current) > 0 && current[len(current)-1] != ' ' {
				current = append(current, ' ')
			}
		case unicode.IsControl(r):
		default:
			current = append(current, r)
		}
	}
	return append(paragraphs, trimSpace(current)), shortened
}

func isLineBreak(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// isCollapsible holds for white space other than the no-break spaces.
func isCollapsible(r rune) bool {
	return unicode.IsSpace(r) && r != '\u00A0' && r != '\u2007' && r != '\u202F'
}

func trimSpace(text []rune) []rune {
	if n := len(text); n > 0 && text[n-1] == ' ' {
		return text[:n-1]
	}
	return text
}

// toUnits converts to 26.6 numbers, at most the largest.
func toUnits(v float64) fixed.Int26_6 {
	return fixed.Int26_6(math.Min(v*64, math.MaxInt32))
}

func fromUnits(v fixed.Int26_6) float64 { return float64(v) / 64 }

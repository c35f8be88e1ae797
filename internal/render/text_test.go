package render

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// lay lays a text out as Draw does, at 16 px with lines of 20 px.
func lay(t *testing.T, text Text, limit int) textLayout {
	t.Helper()
	text.Size, text.LineHeight = 16, 20
	layout, err := newWorker(testFonts(t)).layout(context.Background(), text, limit)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

func linesOf(layout textLayout) []string {
	lines := []string{}
	for _, line := range layout.lines {
		lines = append(lines, line.text)
	}
	return lines
}

func TestWrapping(t *testing.T) {
	const title = "Hand-thrown stoneware coffee mug"
	for _, test := range []struct {
		name  string
		text  Text
		limit int
		want  []string
		cut   bool
	}{
		{"one line", Text{Text: title, Box: Box{W: 400}}, 0, []string{title}, false},
		{"words", Text{Text: title, Box: Box{W: 150}}, 0, []string{"Hand-thrown", "stoneware coffee", "mug"}, false},
		{"two lines with ellipsis", Text{Text: title, Box: Box{W: 150}}, 2, []string{"Hand-thrown", "stoneware coffee…"}, true},
		{"two lines clipped", Text{Text: title, Box: Box{W: 150}, Overflow: OverflowClip}, 2, []string{"Hand-thrown", "stoneware coffee m"}, true},
		{"just fits", Text{Text: title, Box: Box{W: 150}}, 3, []string{"Hand-thrown", "stoneware coffee", "mug"}, false},
		{"long word", Text{Text: "Donaudampfschifffahrt", Box: Box{W: 80}}, 0, []string{"Donauda", "mpfschifff", "ahrt"}, false},
		{"white space", Text{Text: "  a\t \u00a0b  c \r\n d\x00e ", Box: Box{W: 400}}, 0, []string{"a \u00a0b c", "de"}, false},
		{"blank line", Text{Text: "a\n\nb", Box: Box{W: 400}}, 0, []string{"a", "", "b"}, false},
		{"line feed beyond the limit", Text{Text: "a\nb", Box: Box{W: 400}}, 1, []string{"a…"}, true},
		{"no wrap", Text{Text: title + "\nmug", Box: Box{W: 150}, NoWrap: true}, 0, []string{"Hand-thrown ston…", "mug"}, true},
		{"no wrap, limited", Text{Text: "a\nb\nc", Box: Box{W: 150}, NoWrap: true}, 2, []string{"a", "b…"}, true},
		{"space before the ellipsis", Text{Text: "aaaa bbbbbbbbbbbb", Box: Box{W: 55}}, 1, []string{"aaaa…"}, true},
		{"narrower than the ellipsis", Text{Text: "abc", Box: Box{W: 9}}, 1, []string{"a"}, true},
		{"empty", Text{Box: Box{W: 100}}, 2, []string{""}, false},
	} {
		layout := lay(t, test.text, test.limit)
		if got := linesOf(layout); !slices.Equal(got, test.want) || layout.cut != test.cut {
			t.Errorf("%s: %q, cut %v; want %q, cut %v", test.name, got, layout.cut, test.want, test.cut)
		}
	}
}

func TestLinesFitTheirBox(t *testing.T) {
	const text = "Hand-thrown stoneware Mug, 250 ml, قهوة عربية, כיסא עץ, Extraordinarilylongunbreakableword"
	for width := 40.0; width < 500; width += 13 {
		for limit := range 4 {
			layout := lay(t, Text{Text: text, Box: Box{W: width}}, limit)
			if limit > 0 && len(layout.lines) > limit {
				t.Fatalf("width %g: %d lines, at most %d wanted", width, len(layout.lines), limit)
			}
			for _, line := range layout.lines {
				if got := line.width * 16 / emUnits; got > width+0.01 {
					t.Errorf("width %g: the line %q is %g wide", width, line.text, got)
				}
			}
			if !layout.cut && strings.Join(strings.Fields(strings.Join(linesOf(layout), "")), "") != strings.Join(strings.Fields(text), "") {
				t.Errorf("width %g: characters are lost: %q", width, linesOf(layout))
			}
		}
	}
}

func TestRightToLeftLines(t *testing.T) {
	layout := lay(t, Text{Text: "כיסא עץ 2 IKEA", Box: Box{W: 400}}, 1)
	line := layout.lines[0]
	if !line.rtl {
		t.Error("a line that begins in Hebrew is not right to left")
	}
	if len(layout.missing) > 0 {
		t.Errorf("missing %q", string(layout.missing))
	}
	// IKEA, the end of the sentence, is drawn first from the left and reads on.
	latin := lay(t, Text{Text: "IKEA", Box: Box{W: 400}}, 1).lines[0]
	for i, g := range latin.glyphs {
		if line.glyphs[i].id != g.id {
			t.Errorf("glyph %d from the left is %d, want that of IKEA, %d", i, line.glyphs[i].id, g.id)
		}
	}
	cut := lay(t, Text{Text: "כיסא עץ אלון מלא", Box: Box{W: 60}}, 1)
	if !cut.cut || !strings.HasSuffix(cut.lines[0].text, ellipsis) {
		t.Fatalf("lines %q, cut %v", linesOf(cut), cut.cut)
	}
	dots := lay(t, Text{Text: ellipsis, Box: Box{W: 60}}, 1).lines[0].glyphs[0]
	if first := cut.lines[0].glyphs[0]; first.id != dots.id || first.font != dots.font {
		t.Error("the ellipsis of a right-to-left line is not at its left")
	}
}

func TestArabicJoins(t *testing.T) {
	joined := lay(t, Text{Text: "عرب", Box: Box{W: 400}}, 1).lines[0]
	var apart []uint32
	for _, letter := range []string{"ب", "ر", "ع"} {
		apart = append(apart, uint32(lay(t, Text{Text: letter, Box: Box{W: 400}}, 1).lines[0].glyphs[0].id))
	}
	var together []uint32
	for _, g := range joined.glyphs {
		together = append(together, uint32(g.id))
	}
	if slices.Equal(together, apart) {
		t.Error("the letters of an Arabic word are drawn in their isolated forms")
	}
}

// TestNumberBetweenDirections is a case that go-text's own ordering of runs gets
// wrong: it would draw the number right of the word.
func TestNumberBetweenDirections(t *testing.T) {
	line := lay(t, Text{Text: "a ש 5 b", Box: Box{W: 400}}, 1).lines[0]
	glyph := func(s string) placedGlyph { return lay(t, Text{Text: s, Box: Box{W: 400}}, 1).lines[0].glyphs[0] }
	at := func(s string) int {
		return slices.IndexFunc(line.glyphs, func(g placedGlyph) bool { return g.id == glyph(s).id && g.font == glyph(s).font })
	}
	if a, five, shin, b := at("a"), at("5"), at("ש"), at("b"); a >= five || five >= shin || shin >= b {
		t.Errorf("order from the left: a %d, 5 %d, ש %d, b %d", a, five, shin, b)
	}
}

func TestKerning(t *testing.T) {
	width := func(s string) float64 { return lay(t, Text{Text: s, Box: Box{W: 400}}, 1).lines[0].width }
	if pair, apart := width("AV"), width("A")+width("V"); pair >= apart {
		t.Errorf("AV is %g wide, A and V alone %g", pair, apart)
	}
}

func TestMissingCharacters(t *testing.T) {
	layout := lay(t, Text{Text: "咖啡杯 Mug 咖\u200D\u2068 \uFE0F", Box: Box{W: 400}}, 1)
	if got := string(layout.missing); got != "咖啡杯" {
		t.Errorf("missing %q", got)
	}
	if n := len(layout.lines[0].glyphs); n < 8 {
		t.Errorf("%d glyphs, so missing ones are not drawn as boxes", n)
	}
}

func TestInvalidUTF8IsDrawn(t *testing.T) {
	layout := lay(t, Text{Text: "a\xff\xfeb", Box: Box{W: 400}}, 1)
	if got := layout.lines[0].text; !utf8.ValidString(got) || !strings.HasPrefix(got, "a") {
		t.Errorf("line %q", got)
	}
}

// hugeTexts are as long as texts may be, or longer.
var hugeTexts = map[string]string{
	"words":     strings.Repeat("lorem ipsum ", 900),
	"one word":  strings.Repeat("x", 20_000),
	"ligatures": strings.Repeat("\uFDFD", 10_000), // one of the widest characters
	"mixed":     strings.Repeat("a ש 5 ", 1_700),
	"newlines":  strings.Repeat("\n", 10_000),
	"marks":     "a" + strings.Repeat("\u0301", 10_000),
}

// titleOf is a scene of nothing but a title in two lines.
func titleOf(text string) Scene {
	title := Text{Name: "title", Text: text, Box: Box{W: 200, H: 44}, Size: 16, LineHeight: 22, MaxLines: 2}
	return Scene{Width: 200, Height: 44, Scale: 2, Layers: []Layer{title}}
}

// BenchmarkHugeTexts measures how long they take.
func TestHugeTexts(t *testing.T) {
	r := newTestRenderer(t)
	for name, text := range hugeTexts {
		picture, err := r.Draw(context.Background(), titleOf(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		report := picture.Report.Texts[0]
		if len(report.Lines) > 2 || name != "marks" && !report.Cut {
			t.Errorf("%s: %d lines, cut %v", name, len(report.Lines), report.Cut)
		}
	}
}

func TestMeasureAgreesWithDraw(t *testing.T) {
	r := newTestRenderer(t)
	text := Text{Text: "Hand-thrown stoneware coffee mug", Box: Box{W: 150}, Size: 15.5, LineHeight: 21.5, MaxLines: 5}
	size, err := r.Measure(text)
	if err != nil {
		t.Fatal(err)
	}
	if size.Lines != 3 || size.Height != 3*21.5 || size.Width <= 100 || size.Width > 150 || size.Cut {
		t.Errorf("measured %+v", size)
	}
	text.Box.H = size.Height
	for scale := 1; scale <= 2; scale++ {
		picture, err := r.Draw(context.Background(), Scene{Width: 200, Height: 100, Scale: scale, Layers: []Layer{text}})
		if err != nil {
			t.Fatal(err)
		}
		if got := picture.Report.Texts[0]; len(got.Lines) != size.Lines || got.Cut {
			t.Errorf("scale %d: drawn %+v", scale, got)
		}
	}
}

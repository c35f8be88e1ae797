package render

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/go-text/typesetting/font"
)

//go:embed fonts/*.ttf fonts/OFL.txt
var fontFiles embed.FS

// Family is one typeface, as the bytes of TrueType or OpenType files.
type Family struct {
	Name          string
	Regular, Bold []byte
}

// Fonts is an ordered list of families. Each character is drawn with the first
// family that has it.
type Fonts struct {
	regular, bold []*font.Font
}

// ParseFonts reads families; the first is the main one, the others fill in for
// the characters that it lacks.
func ParseFonts(families ...Family) (*Fonts, error) {
	if len(families) == 0 {
		return nil, fmt.Errorf("no font family given")
	}
	fonts := &Fonts{}
	for _, family := range families {
		regular, err := font.ParseTTF(bytes.NewReader(family.Regular))
		if err != nil {
			return nil, fmt.Errorf("font %s regular: %w", family.Name, err)
		}
		bold, err := font.ParseTTF(bytes.NewReader(family.Bold))
		if err != nil {
			return nil, fmt.Errorf("font %s bold: %w", family.Name, err)
		}
		fonts.regular = append(fonts.regular, regular.Font)
		fonts.bold = append(fonts.bold, bold.Font)
	}
	return fonts, nil
}

// EmbeddedFonts reads the fonts that are part of the program: Noto Sans (Latin,
// Greek, Cyrillic, Devanagari) with its companions for Arabic and Hebrew.
func EmbeddedFonts() (*Fonts, error) {
	var families []Family
	for _, name := range []string{"NotoSans", "NotoSansHebrew", "NotoSansArabic"} {
		regular, err := fontFiles.ReadFile("fonts/" + name + "-Regular.ttf")
		if err != nil {
			return nil, err
		}
		bold, err := fontFiles.ReadFile("fonts/" + name + "-Bold.ttf")
		if err != nil {
			return nil, err
		}
		families = append(families, Family{Name: name, Regular: regular, Bold: bold})
	}
	return ParseFonts(families...)
}

// has reports whether any family has r.
func (f *Fonts) has(r rune) bool {
	for _, font := range f.regular {
		if _, ok := font.NominalGlyph(r); ok {
			return true
		}
	}
	return false
}

// faces are the fonts of one weight with the lookup caches of one goroutine.
type faces []*font.Face

func newFaces(fonts []*font.Font) faces {
	var out faces
	for _, f := range fonts {
		out = append(out, font.NewFace(f))
	}
	return out
}

// ResolveFace is the face that draws r: the first that has it, else the main
// one, which draws a box. It makes faces a shaping.Fontmap.
func (f faces) ResolveFace(r rune) *font.Face {
	if face := f.find(r); face != nil {
		return face
	}
	return f[0]
}

// has reports whether any face has r.
func (f faces) has(r rune) bool { return f.find(r) != nil }

func (f faces) find(r rune) *font.Face {
	for _, face := range f {
		if _, ok := face.NominalGlyph(r); ok {
			return face
		}
	}
	return nil
}

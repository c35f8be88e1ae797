package render

import (
	"image/color"
	"math"
)

// Theme is the colours of a card. Ink and Muted must be readable on Card,
// OnAccent on Accent, and Accent on Card and on Tint (WCAG 2.2, 1.4.3: a
// contrast of 4.5).
type Theme struct {
	Page     color.NRGBA // around the card
	Card     color.NRGBA
	Line     color.NRGBA // borders and dividers
	Ink      color.NRGBA // titles and prices
	Muted    color.NRGBA // subtitles
	Accent   color.NRGBA
	OnAccent color.NRGBA
	Tint     color.NRGBA // the tile behind a missing photo
}

// DefaultTheme is a white card on a soft grey page with one indigo accent.
func DefaultTheme() Theme {
	return Theme{
		Page:     rgb(0xF2F4F8),
		Card:     rgb(0xFFFFFF),
		Line:     rgb(0xE4E8F0),
		Ink:      rgb(0x161B2E),
		Muted:    rgb(0x5C6479),
		Accent:   rgb(0x3D4FD8),
		OnAccent: rgb(0xFFFFFF),
		Tint:     rgb(0xE9ECFD),
	}
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}

// withAlpha is the colour c made translucent.
func withAlpha(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

// mix is the opaque colour between a and b, at part of the way.
func mix(a, b color.NRGBA, part float64) color.NRGBA {
	between := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a) + (float64(b)-float64(a))*part))
	}
	return color.NRGBA{R: between(a.R, b.R), G: between(a.G, b.G), B: between(a.B, b.B), A: 0xFF}
}

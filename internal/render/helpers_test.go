package render

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

var embeddedFonts = sync.OnceValues(EmbeddedFonts)

func testFonts(t testing.TB) *Fonts {
	t.Helper()
	fonts, err := embeddedFonts()
	if err != nil {
		t.Fatal(err)
	}
	return fonts
}

func newTestRenderer(t testing.TB) *Renderer {
	t.Helper()
	return New(testFonts(t))
}

// testPhoto is something like a photo: a lit ball on a gradient, with noise.
func testPhoto(kind int) image.Image {
	const w, h = 800, 600
	random := rand.New(rand.NewPCG(1, uint64(kind)))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			red, green, blue := 200-y/6, 180+x/20-y/10, 140+kind*30
			if d := math.Hypot(float64(x-w/2), float64(y-h/2)); d < 180 {
				light := 1 - d/360
				red, green, blue = int(230*light), int(float64(90+kind*50)*light), int(80*light)+40
			}
			noise := random.IntN(9) - 4
			img.SetRGBA(x, y, color.RGBA{clampByte(red + noise), clampByte(green + noise), clampByte(blue + noise), 255})
		}
	}
	return img
}

func clampByte(v int) uint8 {
	return uint8(max(0, min(v, 255)))
}

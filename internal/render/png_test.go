package render

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"testing"

	"pgregory.net/rapid"
)

// TestPNGRoundTrip decodes random pictures with the standard library.
func TestPNGRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "width"), rapid.IntRange(1, 40).Draw(t, "height")
		opaque := rapid.Bool().Draw(t, "opaque")
		values := rapid.SliceOfN(rapid.Byte(), 7, 97).Draw(t, "values")
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for i := range w * h {
			// Rows repeat now and then, so that every filter has its turn.
			v := func(c int) uint8 { return values[(i*4+c)%len(values)] }
			col := color.NRGBA{v(0), v(1), v(2), v(3)}
			if opaque {
				col.A = 255
			}
			img.Set(i%w, i/w, col)
		}
		requireRoundTrip(t, img)
	})
}

func TestPNGOfCards(t *testing.T) {
	r := newTestRenderer(t)
	scene, err := r.CardsScene(goldenCards(2)["cards-rows"])
	if err != nil {
		t.Fatal(err)
	}
	picture := mustDraw(t, r, scene)
	requireRoundTrip(t, picture.Pixels)
	var out bytes.Buffer
	if err := EncodePNG(&out, picture); err != nil {
		t.Fatal(err)
	}
	if colorType := out.Bytes()[25]; colorType != 2 {
		t.Errorf("an opaque picture has PNG colour type %d, want 2 (RGB)", colorType)
	}
}

// TestPNGOfPartOfAnImage encodes an image whose rows do not lie side by side.
func TestPNGOfPartOfAnImage(t *testing.T) {
	whole := testPhoto(1).(*image.RGBA)
	requireRoundTrip(t, whole.SubImage(image.Rect(30, 40, 95, 77)).(*image.RGBA))
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func requireRoundTrip(t fataler, img *image.RGBA) {
	var out bytes.Buffer
	if err := EncodePNG(&out, &Picture{Pixels: img}); err != nil {
		t.Fatalf("encode: %v", err)
	}
	decoded, err := png.Decode(&out)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if decoded.Bounds().Size() != img.Bounds().Size() {
		t.Fatalf("size %v, want %v", decoded.Bounds(), img.Bounds())
	}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			want := color.NRGBAModel.Convert(img.At(img.Rect.Min.X+x, img.Rect.Min.Y+y))
			if got := color.NRGBAModel.Convert(decoded.At(x, y)); got != want {
				t.Fatalf("pixel %d, %d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestPNGErrors(t *testing.T) {
	if err := EncodePNG(&bytes.Buffer{}, &Picture{Pixels: &image.RGBA{}}); err == nil {
		t.Error("an empty picture was encoded")
	}
	want := errors.New("connection lost")
	if err := EncodePNG(brokenWriter{want}, &Picture{Pixels: image.NewRGBA(image.Rect(0, 0, 2, 2))}); !errors.Is(err, want) {
		t.Errorf("error %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestChooseFilter(t *testing.T) {
	gradient := make([]byte, 3*64)
	for i := range gradient {
		gradient[i] = byte(i)
	}
	flat := bytes.Repeat([]byte{250}, 3*64)
	for name, test := range map[string]struct {
		row, above []byte
		want       int
	}{
		"same as above":   {gradient, gradient, filterUp},
		"first, smooth":   {gradient, nil, filterSub},
		"smooth, on flat": {flat, gradient, filterSub},
		"black":           {make([]byte, 3*64), flat, filterSub},
	} {
		if got := chooseFilter(test.row, test.above, 3); got != test.want {
			t.Errorf("%s: filter %d, want %d", name, got, test.want)
		}
	}
	spots := make([]byte, 3*64)
	for i := 3; i < len(spots); i += 3 * 8 { // dark pixels that follow bright ones
		spots[i-3] = 100
	}
	if got := chooseFilter(spots, nil, 3); got != filterNone {
		t.Errorf("spots: filter %d, want none", got)
	}
}

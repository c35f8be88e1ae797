package render

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"strings"
	"sync"
	"testing"

	"platen/internal/fault"
)

var (
	red   = color.NRGBA{R: 255, A: 255}
	white = color.NRGBA{R: 255, G: 255, B: 255, A: 255}
)

func mustDraw(t testing.TB, r *Renderer, scene Scene) *Picture {
	t.Helper()
	picture, err := r.Draw(context.Background(), scene)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func TestRefusedScenes(t *testing.T) {
	box := Box{W: 10, H: 10}
	text := func(change func(*Text)) []Layer {
		layer := Text{Name: "title", Text: "a", Box: box, Size: 10, LineHeight: 10}
		change(&layer)
		return []Layer{layer}
	}
	nested := Layer(Group{})
	for range MaxGroupDepth {
		nested = Group{Layers: []Layer{nested}}
	}
	for name, test := range map[string]struct {
		scene  Scene
		reason string
		says   string
	}{
		"scale 3":        {Scene{Width: 1, Height: 1, Scale: 3}, "scene_invalid", "scale"},
		"no width":       {Scene{Height: 1, Scale: 1}, "scene_invalid", "0×1"},
		"too wide":       {Scene{Width: 4097, Height: 1, Scale: 1}, "scene_too_large", "4096"},
		"too high at 2×": {Scene{Width: 1, Height: 2049, Scale: 2}, "scene_too_large", "2048"},
		"NaN":            {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Shape{Name: "card", Box: Box{X: math.NaN()}}}}, "scene_invalid", `layer "card": the x is not a number`},
		"infinite":       {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Shape{Name: "card", Box: Box{W: math.Inf(1)}}}}, "scene_invalid", `layer "card": the width`},
		"negative":       {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Image{Name: "photo", Box: Box{H: -1}}}}, "scene_invalid", `layer "photo": the height`},
		"huge image":     {Scene{Width: 9, Height: 9, Scale: 2, Layers: []Layer{Image{Name: "photo", Box: Box{W: 2049}}}}, "scene_invalid", "2048"},
		"NaN radius":     {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Shape{Box: box, Radius: math.NaN()}}}, "scene_invalid", "radius"},
		"NaN border":     {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Shape{Box: box, Border: Border{Width: math.NaN()}}}}, "scene_invalid", "border"},
		"NaN group":      {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Group{Name: "g", Y: math.NaN()}}}, "scene_invalid", "the y"},
		"fade":           {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Group{Name: "g", Fade: 2}}}, "scene_invalid", "fade"},
		"font size 0":    {Scene{Width: 9, Height: 9, Scale: 1, Layers: text(func(t *Text) { t.Size = 0 })}, "scene_invalid", "size"},
		"NaN line":       {Scene{Width: 9, Height: 9, Scale: 1, Layers: text(func(t *Text) { t.LineHeight = math.NaN() })}, "scene_invalid", "line height"},
		"lines":          {Scene{Width: 9, Height: 9, Scale: 1, Layers: text(func(t *Text) { t.MaxLines = -1 })}, "scene_invalid", "lines"},
		"much text":      {Scene{Width: 9, Height: 9, Scale: 1, Layers: text(func(t *Text) { t.Text = strings.Repeat("ä", MaxSceneRunes+1) })}, "scene_too_large", "characters"},
		"nil layer":      {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Group{Layers: make([]Layer, 1)}}}, "scene_invalid", "layer"},
		"nested":         {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{nested}}, "scene_too_large", "deep"},
		"in a group":     {Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{Group{Layers: []Layer{Shape{Name: "deep", Box: Box{Y: math.NaN()}}}}}}, "scene_invalid", `"deep"`},
	} {
		_, err := newTestRenderer(t).Draw(context.Background(), test.scene)
		if fault.ReasonOf(err) != test.reason || !strings.Contains(fault.From(err).Safe(), test.says) {
			t.Errorf("%s: %v, want %s with %q", name, err, test.reason, test.says)
		}
	}
	shapes := make([]Layer, MaxLayers+1)
	for i := range shapes {
		shapes[i] = Shape{}
	}
	_, err := newTestRenderer(t).Draw(context.Background(), Scene{Width: 9, Height: 9, Scale: 1, Layers: shapes})
	if fault.ReasonOf(err) != "scene_too_large" {
		t.Errorf("%d layers: %v", len(shapes), err)
	}
}

func TestZeroBoxesDrawNothing(t *testing.T) {
	photo := testPhoto(0)
	for _, box := range []Box{{X: 2, Y: 2}, {X: 2, Y: 2, W: 5}, {X: 2, Y: 2, H: 5}} {
		picture := mustDraw(t, newTestRenderer(t), Scene{Width: 10, Height: 10, Scale: 2, Background: white, Layers: []Layer{
			Shape{Box: box, Fill: red, Radius: 3},
			Text{Text: "abc", Box: box, Size: 10, LineHeight: 10, Color: red},
			Image{Box: box, Source: photo, Radius: 2},
			Image{Box: Box{W: 5, H: 5}},
			Image{Box: Box{W: 5, H: 5}, Source: image.NewRGBA(image.Rectangle{})},
		}})
		for i, v := range picture.Pixels.Pix {
			if v != 255 {
				t.Fatalf("box %v: byte %d is %d", box, i, v)
			}
		}
		if text := picture.Report.Texts[0]; !text.Cut || len(text.Lines) > 0 {
			t.Errorf("box %v: %+v", box, text)
		}
		for _, report := range picture.Report.Images {
			if report.Drawn {
				t.Errorf("box %v: %+v", box, report)
			}
		}
	}
}

// TestShapesBeyondThePicture draws shapes far larger than the picture, which
// must cost no more than what is seen of them.
func TestShapesBeyondThePicture(t *testing.T) {
	const reach = 5 // into the picture
	far := Box{X: reach - maxCoordinate, Y: reach - maxCoordinate, W: maxCoordinate, H: maxCoordinate}
	picture := mustDraw(t, newTestRenderer(t), Scene{Width: 10, Height: 10, Scale: 2, Background: white, Layers: []Layer{
		Shape{Box: far, Fill: red, Radius: 4, Border: Border{Width: 3, Color: red}},
		Shape{Box: Box{X: -8000, Y: -8000, W: 16000, H: 16000}, Radius: 8000, Border: Border{Width: 8000, Color: withAlpha(red, 1)}},
		Text{Text: "abc", Box: far, Size: 10, LineHeight: 10},
	}})
	if got := picture.Pixels.RGBAAt(0, 0); got.G > 10 {
		t.Errorf("inside: %v", got)
	}
	if got := picture.Pixels.RGBAAt(11, 11); got.G < 250 {
		t.Errorf("outside: %v", got)
	}
}

func TestRoundedShape(t *testing.T) {
	for _, box := range []Box{{X: 10, Y: 10, W: 80, H: 40}, {X: 10, Y: 10, W: 81.5, H: 39.5}, {X: 10, Y: 10, W: 7, H: 5}} {
		for _, radius := range []float64{0, 1, 2.5, 12, 400} {
			scene := Scene{Width: 100, Height: 60, Scale: 2, Layers: []Layer{Shape{Box: box, Radius: radius, Fill: withAlpha(red, 128)}}}
			pixels := mustDraw(t, newTestRenderer(t), scene).Pixels
			r := math.Min(radius, math.Min(math.Round(box.W*2), math.Round(box.H*2))/4)
			want := (math.Round(box.W*2)*math.Round(box.H*2)/4 - (4-math.Pi)*r*r) * 128 / 255
			if got := coverage(pixels) / 4; math.Abs(got-want) > 0.5+want*0.002 {
				t.Errorf("box %v, radius %g: covers %.1f, want %.1f", box, radius, got, want)
			}
		}
	}
}

func TestBorder(t *testing.T) {
	for _, radius := range []float64{0, 3, 12, 400} {
		outer := Box{X: 10, Y: 10, W: 80, H: 40}
		ring := Shape{Box: outer, Radius: radius, Border: Border{Width: 4, Color: withAlpha(red, 128)}}
		got := coverage(mustDraw(t, newTestRenderer(t), Scene{Width: 100, Height: 60, Scale: 2, Layers: []Layer{ring}}).Pixels) / 4
		area := func(w, h, r float64) float64 { return w*h - (4-math.Pi)*r*r }
		r := math.Min(radius, 20)
		want := (area(80, 40, r) - area(72, 32, math.Max(r-4, 0))) * 128 / 255
		if math.Abs(got-want) > 2 {
			t.Errorf("radius %g: the border covers %.1f, want %.1f", radius, got, want)
		}
	}
}

// coverage is the sum of alpha in device pixels.
func coverage(img *image.RGBA) float64 {
	sum := 0
	for i := 3; i < len(img.Pix); i += 4 {
		sum += int(img.Pix[i])
	}
	return float64(sum) / 255
}

func TestGroup(t *testing.T) {
	inner := []Layer{
		Shape{Box: Box{W: 4, H: 4}, Fill: red},
		Shape{Box: Box{X: 2, W: 4, H: 4}, Fill: red}, // overlaps, which must not show
	}
	pixels := mustDraw(t, newTestRenderer(t), Scene{Width: 12, Height: 12, Scale: 1, Background: white, Layers: []Layer{
		Group{X: 1, Y: 1, Layers: []Layer{Group{X: 2, Y: 3, Fade: 0.5, Layers: inner}}},
		Group{Fade: 1, Layers: []Layer{Shape{Box: Box{W: 2, H: 2}, Fill: red}}},
	}}).Pixels
	for _, at := range []image.Point{{3, 4}, {5, 5}, {8, 7}} {
		if got := pixels.RGBAAt(at.X, at.Y); got.R != 255 || got.G < 126 || got.G > 128 {
			t.Errorf("%v: %v, want half red", at, got)
		}
	}
	for _, at := range []image.Point{{2, 4}, {3, 3}, {9, 4}, {0, 0}} {
		if got := pixels.RGBAAt(at.X, at.Y); got != (color.RGBA{255, 255, 255, 255}) {
			t.Errorf("%v: %v, want white", at, got)
		}
	}
}

func TestImageFit(t *testing.T) {
	source := image.NewRGBA(image.Rect(5, 5, 45, 25)) // 40×20, not at the origin
	for x := 5; x < 45; x++ {
		for y := 5; y < 25; y++ {
			source.Set(x, y, color.NRGBA{R: uint8(x * 5), G: 200, B: 10, A: 255})
		}
	}
	for _, test := range []struct {
		fit  Fit
		area Box
	}{
		{Cover, Box{X: 10, Y: 10, W: 20, H: 20}},
		{Contain, Box{X: 10, Y: 15, W: 20, H: 10}},
	} {
		picture := mustDraw(t, newTestRenderer(t), Scene{Width: 40, Height: 40, Scale: 2, Background: white, Layers: []Layer{
			Group{X: 10, Y: 10, Layers: []Layer{Image{Name: "photo", Box: Box{W: 20, H: 20}, Source: source, Fit: test.fit, Radius: 3}}},
		}})
		want := ImageReport{Name: "photo", Drawn: true, Source: [2]int{40, 20}, Fit: test.fit.String(), Area: test.area}
		if got := picture.Report.Images[0]; got != want {
			t.Errorf("report %+v, want %+v", got, want)
		}
		inside := picture.Pixels.RGBAAt(40, int(test.area.Y*2)+1)
		outside := picture.Pixels.RGBAAt(40, int(test.area.Y*2)-1)
		corner := picture.Pixels.RGBAAt(20, int(test.area.Y*2))
		if inside.G != 200 || outside.G != 255 || corner.B < 200 {
			t.Errorf("%v: inside %v, outside %v, corner %v", test.fit, inside, outside, corner)
		}
	}
}

func TestAlignment(t *testing.T) {
	for _, test := range []struct {
		text  string
		align Align
		left  bool // else right
	}{
		{"abc", AlignStart, true}, {"abc", AlignEnd, false}, {"abc", AlignLeft, true}, {"abc", AlignRight, false},
		{"אבג", AlignStart, false}, {"אבג", AlignEnd, true}, {"אבג", AlignLeft, true}, {"אבג", AlignRight, false},
	} {
		layer := Text{Text: test.text, Box: Box{W: 200, H: 20}, Size: 16, LineHeight: 20, Color: red, Align: test.align}
		pixels := mustDraw(t, newTestRenderer(t), Scene{Width: 200, Height: 20, Scale: 1, Layers: []Layer{layer}}).Pixels
		drawnLeft := columnHasInk(pixels, 0, 60)
		drawnRight := columnHasInk(pixels, 140, 200)
		if drawnLeft != test.left || drawnRight == test.left {
			t.Errorf("%q aligned %d: left %v, right %v", test.text, test.align, drawnLeft, drawnRight)
		}
	}
	centred := Text{Text: "HH", Box: Box{W: 200, H: 20}, Size: 16, LineHeight: 20, Color: red, Align: AlignCenter}
	pixels := mustDraw(t, newTestRenderer(t), Scene{Width: 200, Height: 20, Scale: 1, Layers: []Layer{centred}}).Pixels
	if columnHasInk(pixels, 0, 85) || columnHasInk(pixels, 115, 200) || !columnHasInk(pixels, 85, 115) {
		t.Error("the centred text is not in the middle")
	}
}

func columnHasInk(img *image.RGBA, x0, x1 int) bool {
	for y := range img.Rect.Dy() {
		for x := x0; x < x1; x++ {
			if img.RGBAAt(x, y).A > 0 {
				return true
			}
		}
	}
	return false
}

func TestSameSceneSameBytes(t *testing.T) {
	r := newTestRenderer(t)
	scene, err := r.CardsScene(goldenCards(1)["cards-rows"])
	if err != nil {
		t.Fatal(err)
	}
	encode := func(r *Renderer) []byte {
		var out bytes.Buffer
		picture, err := r.Draw(context.Background(), scene)
		if err == nil {
			err = EncodePNG(&out, picture)
		}
		if err != nil {
			t.Error(err)
		}
		return out.Bytes()
	}
	want := encode(newTestRenderer(t))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 2 {
				if !bytes.Equal(encode(r), want) {
					t.Error("the same scene gave other bytes")
				}
			}
		})
	}
	wait.Wait()
}

func TestCancelledDraw(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	scene := Scene{Width: 10, Height: 10, Scale: 1, Layers: []Layer{Shape{}}}
	if _, err := newTestRenderer(t).Draw(ctx, scene); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestGlyphCacheIsBounded(t *testing.T) {
	const budget = 40_000
	r := newTestRenderer(t)
	r.glyphs = newGlyphCache(budget)
	text := Text{Text: "The quick brown fox", Box: Box{W: 400, H: 100}, LineHeight: 50}
	var first *image.RGBA
	for size := 10.0; size < 60; size++ {
		text.Size = 10
		again := mustDraw(t, r, Scene{Width: 400, Height: 100, Scale: 2, Layers: []Layer{text}}).Pixels
		if first == nil {
			first = again
		} else if !bytes.Equal(first.Pix, again.Pix) {
			t.Fatal("a glyph from the cache differs")
		}
		text.Size = size
		mustDraw(t, r, Scene{Width: 400, Height: 100, Scale: 2, Layers: []Layer{text}})
		if got := r.glyphs.bytes(); got > budget || got == 0 {
			t.Fatalf("the cache holds %d bytes", got)
		}
	}
}

// explosive is an image that cannot be drawn.
type explosive struct{ image.Image }

func (explosive) Bounds() image.Rectangle { panic("out of paint") }

func TestAWorkerThatPanickedIsNotUsedAgain(t *testing.T) {
	r := newTestRenderer(t)
	var made []*worker
	r.workers.New = func() any {
		w := newWorker(r.fonts)
		made = append(made, w)
		return w
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("it did not panic")
			}
		}()
		r.Draw(context.Background(), Scene{Width: 9, Height: 9, Scale: 1, Layers: []Layer{
			Image{Name: "bomb", Box: Box{W: 9, H: 9}, Source: explosive{}},
		}})
	}()
	if len(made) != 1 {
		t.Fatalf("%d workers were made", len(made))
	}
	if r.workers.Get() == made[0] {
		t.Error("it waits for the next picture")
	}
}

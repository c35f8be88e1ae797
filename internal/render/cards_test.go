package render

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platen/internal/fault"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// goldenCards are the cards of the golden pictures.
func goldenCards(scale int) map[string]Cards {
	wipes := CardItem{Title: "All-Purpose Cleaning Wipes", Price: "$1.99", Subtitle: "Bathroom"}
	mug := CardItem{Title: "Hand-thrown stoneware coffee mug with a name that does not fit into two lines", Price: "€24.00", Subtitle: "Kitchen", Photo: testPhoto(0)}
	coffee := CardItem{Title: "قهوة عربية مع الهيل 250 غرام", Price: "٢٩٫٩٩ ر.س", Subtitle: "مشروبات", Photo: testPhoto(2)}
	chair := CardItem{Title: "כיסא עץ אלון (2 יחידות) IKEA", Price: "₪ 499", Subtitle: "סלון"}
	return map[string]Cards{
		"card-letter": {Header: "Still thinking about it?", Items: []CardItem{wipes}, Button: "View product", Scale: scale},
		"card-photo":  {Items: []CardItem{mug}, Button: "View product", Scale: scale},
		"card-hebrew": {Header: "ראיתם לאחרונה", Items: []CardItem{chair}, Button: "לצפייה במוצר", Scale: scale},
		"cards-rows":  {Header: "Recently viewed", Items: []CardItem{wipes, mug, coffee}, Button: "View product", Scale: scale},
		"card-bare":   {Items: []CardItem{{Title: "咖啡杯 Mug"}}, Scale: scale},
	}
}

func TestGoldenPictures(t *testing.T) {
	r := newTestRenderer(t)
	scenes := map[string]Scene{}
	for name, cards := range goldenCards(1) {
		scene, err := r.CardsScene(cards)
		if err != nil {
			t.Fatal(err)
		}
		scenes[name] = scene
	}
	single := goldenCards(2)["card-letter"]
	scene, err := r.CardsScene(single)
	if err != nil {
		t.Fatal(err)
	}
	scenes["card-letter-2x"] = scene
	fallback, err := r.FallbackScene(Fallback{Headline: "Discover what's new", Text: "Fresh arrivals and favourites, picked for this week.", Button: "Shop now", Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	scenes["fallback"] = fallback
	scenes["fallback-hebrew"], err = r.FallbackScene(Fallback{Headline: "גלו מה חדש", Text: "מוצרים חדשים ומועדפים, שנבחרו לשבוע הזה.", Button: "לחנות", Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			picture := mustDraw(t, r, scene)
			file := filepath.Join("testdata", name+".png")
			if *update {
				writePNG(t, file, picture)
			}
			if diff := difference(t, file, picture.Pixels); diff != "" {
				drawn := filepath.Join(t.TempDir(), name+".png")
				writePNG(t, drawn, picture)
				t.Errorf("%s; if that is right, run the test with -update", diff)
			}
		})
	}
}

func writePNG(t *testing.T, file string, p *Picture) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := EncodePNG(f, p); err != nil {
		t.Fatal(err)
	}
}

// difference compares a picture with a golden file. Floating point may differ a
// little between processors, so a channel may be off by 4.
func difference(t *testing.T, file string, got *image.RGBA) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Bounds() {
		return fmt.Sprintf("the picture is %v, %s is %v", got.Bounds(), file, want.Bounds())
	}
	different := 0
	var first image.Point
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			a, b := color.RGBAModel.Convert(want.At(x, y)).(color.RGBA), got.RGBAAt(x, y)
			if far(a.R, b.R) || far(a.G, b.G) || far(a.B, b.B) || far(a.A, b.A) {
				if different == 0 {
					first = image.Pt(x, y)
				}
				different++
			}
		}
	}
	if different > 0 {
		return fmt.Sprintf("%d pixels differ from %s, the first at %v", different, file, first)
	}
	return ""
}

func far(a, b uint8) bool {
	return abs(int(a)-int(b)) > 4
}

func TestCardsReport(t *testing.T) {
	r := newTestRenderer(t)
	scene, err := r.CardsScene(goldenCards(2)["cards-rows"])
	if err != nil {
		t.Fatal(err)
	}
	picture := mustDraw(t, r, scene)
	texts := map[string]TextReport{}
	for _, text := range picture.Report.Texts {
		texts[text.Name] = text
		if text.Missing != "" {
			t.Errorf("%s: missing %q", text.Name, text.Missing)
		}
	}
	if got := texts["items[0].title"]; got.Cut || strings.Join(got.Lines, " ") != "All-Purpose Cleaning Wipes" {
		t.Errorf("first title: %+v", got)
	}
	if got := texts["items[0].price"].Lines; len(got) != 1 || got[0] != "$1.99" {
		t.Errorf("first price: %q", got)
	}
	if got := texts["items[1].title"]; !got.Cut || len(got.Lines) != 2 || !strings.HasSuffix(got.Lines[1], ellipsis) {
		t.Errorf("long title: %+v", got)
	}
	if got := texts["items[0].letter"].Lines; len(got) != 1 || got[0] != "A" {
		t.Errorf("letter: %q", got)
	}
	if got := picture.Report.Images; len(got) != 2 || got[0].Name != "items[1].photo" || !got[0].Drawn {
		t.Errorf("images: %+v", got)
	}
	if size := picture.Pixels.Rect.Size(); size.X != 1200 || size.Y < 400 {
		t.Errorf("size %v", size)
	}
}

// TestCardsOfAnyContent draws cards of what profiles may hold.
func TestCardsOfAnyContent(t *testing.T) {
	r := newTestRenderer(t)
	long := strings.Repeat("Überlänge ", 5000)
	for n := 1; n <= MaxCardItems; n++ {
		for _, item := range []CardItem{{}, {Title: "\n\n"}, {Title: "*"}, {Title: long, Price: long, Subtitle: long}, {Price: "1"}, {Title: "é", Photo: image.NewGray(image.Rect(0, 0, 1, 1))}} {
			cards := Cards{Header: long, Button: long, Scale: 2}
			for range n {
				cards.Items = append(cards.Items, item)
			}
			scene, err := r.CardsScene(cards)
			if err != nil {
				t.Fatal(err)
			}
			if scene.Width != 600 || scene.Height < 200 {
				t.Errorf("%d products: %d×%d", n, scene.Width, scene.Height)
			}
			if err := scene.check(); err != nil {
				t.Errorf("%d products: %v", n, err)
			}
			if n == 1 {
				mustDraw(t, r, scene)
			}
		}
	}
	for _, n := range []int{0, MaxCardItems + 1} {
		if _, err := r.CardsScene(Cards{Items: make([]CardItem, n), Scale: 1}); fault.ReasonOf(err) != "cards_invalid" {
			t.Errorf("%d products: %v", n, err)
		}
	}
	for _, f := range []Fallback{{Scale: 1}, {Headline: long, Text: long, Button: long, Scale: 2}, {Headline: "גלו מה חדש", Button: "לחנות", Scale: 1}} {
		scene, err := r.FallbackScene(f)
		if err != nil {
			t.Fatal(err)
		}
		if scene.Height < 200 {
			t.Errorf("fallback: %d high", scene.Height)
		}
		mustDraw(t, r, scene)
	}
}

// TestTextsStayOnTheCard looks for text layers that leave the card.
func TestTextsStayOnTheCard(t *testing.T) {
	r := newTestRenderer(t)
	for name, cards := range goldenCards(1) {
		scene, err := r.CardsScene(cards)
		if err != nil {
			t.Fatal(err)
		}
		walk(scene.Layers, 0, 0, func(layer Layer, x, y float64) {
			text, ok := layer.(Text)
			if !ok {
				return
			}
			left, right := text.Box.X+x, text.Box.X+text.Box.W+x
			bottom := text.Box.Y + text.Box.H + y
			if left < contentLeft || right > contentLeft+contentWidth || bottom > float64(scene.Height-pageMargin) {
				t.Errorf("%s: %s lies at %v + %g, %g", name, text.Name, text.Box, x, y)
			}
		})
	}
}

func walk(layers []Layer, x, y float64, visit func(layer Layer, x, y float64)) {
	for _, layer := range layers {
		visit(layer, x, y)
		if group, ok := layer.(Group); ok {
			walk(group.Layers, x+group.X, y+group.Y, visit)
		}
	}
}

func TestScaledPhotosAreDrawnAsTheyAre(t *testing.T) {
	r := newTestRenderer(t)
	for _, n := range []int{1, 3} {
		var pictures []*Picture
		side := PhotoSize(n) * 2
		scaled, err := Scale(testPhoto(0), side, side, Cover)
		if err != nil {
			t.Fatal(err)
		}
		for _, photo := range []image.Image{testPhoto(0), scaled} {
			cards := Cards{Scale: 2}
			for range n {
				cards.Items = append(cards.Items, CardItem{Title: "Mug", Photo: photo})
			}
			scene, err := r.CardsScene(cards)
			if err != nil {
				t.Fatal(err)
			}
			pictures = append(pictures, mustDraw(t, r, scene))
		}
		if string(pictures[0].Pixels.Pix) != string(pictures[1].Pixels.Pix) {
			t.Errorf("%d products: the photo scaled beforehand looks different", n)
		}
	}
}

func TestThemeContrast(t *testing.T) {
	theme := DefaultTheme()
	for name, pair := range map[string][2]color.NRGBA{
		"title":    {theme.Ink, theme.Card},
		"subtitle": {theme.Muted, theme.Card},
		"price":    {theme.Accent, theme.Card},
		"button":   {theme.OnAccent, theme.Accent},
		"letter":   {theme.Accent, theme.Tint},
	} {
		if got := contrast(pair[0], pair[1]); got < 4.5 {
			t.Errorf("%s: contrast %.2f", name, got)
		}
	}
}

// contrast is the contrast ratio of WCAG 2.2.
func contrast(a, b color.NRGBA) float64 {
	luminance := func(c color.NRGBA) float64 {
		linear := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

package content

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"platen/internal/block"
	"platen/internal/event"
	"platen/internal/render"
)

func TestPriceText(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"1.99", "", "1.99"},
		{"12.5", "", "12.5"},
		{"1.99", "USD", "$1.99"},
		{"1.99", "eur", "€1.99"},
		{"1.99", " GBP ", "£1.99"},
		{"1.99", "CHF", "1.99 CHF"},
		{"1200", "USD", "$1200"},
		{"12.5", "USD", "$12.50"},
		{"12.5", "CHF", "12.50 CHF"},
		{"-3", "USD", "-$3"},
		{"1e3", "JPY", "1000 JPY"},
		{"$1.99", "USD", "$1.99"},
		{"from 5", "USD", "from 5"},
		{"1,99", "EUR", "1,99"},
		{" ", "USD", ""},
		{"", "USD", ""},
		{"free", "", "free"},
	} {
		if got := priceText(c.amount, c.currency); got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.amount, c.currency, got, c.want)
		}
	}
}

func TestCardOf(t *testing.T) {
	for properties, want := range map[string]render.CardItem{
		`{"title":"A","name":"B","price":1.90,"currency":"USD"}`:         {Title: "A", Price: "$1.90"},
		`{"name":"B","categories":[{"id":"c1","title":"Bathroom"}]}`:     {Title: "B", Subtitle: "Bathroom"},
		`{"title":" A ","brand":"Lumo","categories":[{"title":"Bath"}]}`: {Title: "A", Subtitle: "Lumo"},
		`{"title":7,"categories":[{"id":"Bathroom"}]}`:                   {Title: "7"},
		`{"title":"A","categories":"Bathroom"}`:                          {Title: "A"},
		`{}`:                                                             {},
		``:                                                               {},
	} {
		got := cardOf(block.NewItem(event.Event{Properties: json.RawMessage(properties)}))
		if got != want {
			t.Errorf("%s gives %+v, want %+v", properties, got, want)
		}
	}
}

func TestGIFKeepsFlatColours(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	flat := []color.RGBA{{0xF2, 0xF4, 0xF8, 255}, {0x3D, 0x4F, 0xD8, 255}, {255, 255, 255, 255}}
	for y := range 100 {
		for x := range 100 {
			img.SetRGBA(x, y, flat[x/34])
		}
	}
	// More colours than a palette has, a few pixels each.
	for i := range 1000 {
		img.SetRGBA(i%100, 90+i/100, color.RGBA{uint8(i * 7), uint8(i * 13), uint8(i * 29), 255})
	}
	file, err := encode(&render.Picture{Pixels: img, Scale: 1}, GIF)
	if err != nil {
		t.Fatal(err)
	}
	got, err := gif.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []int{0, 34, 99} {
		if c := color.RGBAModel.Convert(got.At(x, 5)); c != flat[x/34] {
			t.Errorf("%v became %v", flat[x/34], c)
		}
	}
	for i := range 1000 {
		want, c := img.RGBAAt(i%100, 90+i/100), color.RGBAModel.Convert(got.At(i%100, 90+i/100)).(color.RGBA)
		if d := max(want.R, c.R) - min(want.R, c.R); d > 80 {
			t.Fatalf("%v became %v", want, c)
		}
	}
}

package render

import (
	"context"
	"io"
	"testing"
)

func BenchmarkDrawCards(b *testing.B) {
	r := newTestRenderer(b)
	scene := benchScene(b, r)
	if _, err := r.Draw(context.Background(), scene); err != nil { // warms the caches
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Draw(context.Background(), scene); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodePNG(b *testing.B) {
	r := newTestRenderer(b)
	picture, err := r.Draw(context.Background(), benchScene(b, r))
	if err != nil {
		b.Fatal(err)
	}
	var size countingWriter
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		if err := EncodePNG(&size, picture); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/1024, "KiB/picture")
}

func BenchmarkScalePhoto(b *testing.B) {
	photo := testPhoto(0)
	for b.Loop() {
		if _, err := Scale(photo, 224, 224, Cover); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHugeTexts(b *testing.B) {
	r := newTestRenderer(b)
	for name, text := range hugeTexts {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Draw(context.Background(), titleOf(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchScene is the card of 600 CSS pixels at 2× with three photos, scaled
// beforehand as they are when the event arrives.
func benchScene(b *testing.B, r *Renderer) Scene {
	b.Helper()
	cards := Cards{Header: "Recently viewed", Button: "View product", Scale: 2}
	for i, title := range []string{"All-Purpose Cleaning Wipes", "Hand-thrown stoneware coffee mug with a lid", "Linen apron"} {
		side := PhotoSize(3) * cards.Scale
		photo, err := Scale(testPhoto(i), side, side, Cover)
		if err != nil {
			b.Fatal(err)
		}
		cards.Items = append(cards.Items, CardItem{Title: title, Price: "$1.99", Subtitle: "Kitchen", Photo: photo})
	}
	scene, err := r.CardsScene(cards)
	if err != nil {
		b.Fatal(err)
	}
	return scene
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

var _ io.Writer = (*countingWriter)(nil)

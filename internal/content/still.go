package content

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"log/slog"
	"sync"

	"platen/internal/block"
	"platen/internal/render"
)

// still is a picture that is the same for everybody, drawn once and held in
// memory in all formats.
type still struct {
	images map[Format][]byte
	report render.Report
	size   image.Point
}

// stills holds the fallbacks of all blocks.
type stills struct {
	render *render.Renderer
	log    *slog.Logger
	blank  *still

	mu  sync.Mutex
	all map[string]*version // by the block's public id
}

// version is the fallback of one version of a block.
type version struct {
	of   block.Fallback
	draw func() *still
}

func newStills(r *render.Renderer, log *slog.Logger) (*stills, error) {
	s := &stills{render: r, log: log, all: map[string]*version{}}
	var err error
	s.blank, err = blank()
	return s, err
}

// fallback gives the picture that a block shows when there is nothing personal.
// It never fails: should the fallback itself not be drawable, it is the blank.
func (s *stills) fallback(b *block.Block) *still {
	s.mu.Lock()
	v := s.all[b.PublicID]
	if v == nil || v.of != b.Fallback {
		v = &version{of: b.Fallback, draw: sync.OnceValue(func() *still { return s.draw(b) })}
		s.all[b.PublicID] = v
	}
	s.mu.Unlock()
	return v.draw()
}

func (s *stills) draw(b *block.Block) *still {
	drawn, err := attempt(func() (*still, error) { return s.tryDraw(b.Fallback) })
	if err != nil {
		s.log.Error("a fallback could not be drawn", "block", b.PublicID, "error", err)
		return s.blank
	}
	return drawn
}

func (s *stills) tryDraw(f block.Fallback) (*still, error) {
	scene, err := s.render.FallbackScene(render.Fallback{Headline: f.Title, Text: f.Text, Scale: pictureScale})
	if err != nil {
		return nil, err
	}
	// It is drawn once for all, whoever asked first and however long it takes.
	picture, err := s.render.Draw(context.Background(), scene)
	if err != nil {
		return nil, err
	}
	return newStill(picture)
}

func newStill(p *render.Picture) (*still, error) {
	s := &still{images: map[Format][]byte{}, report: p.Report, size: p.Pixels.Rect.Size()}
	for _, f := range formats {
		var err error
		if s.images[f], err = encode(p, f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// blank is one pixel, to be seen through where the format allows it and white
// where not.
func blank() (*still, error) {
	square := image.Rect(0, 0, 1, 1)
	white := image.NewRGBA(square)
	white.Set(0, 0, color.White)
	s, err := newStill(&render.Picture{Pixels: white, Scale: 1})
	if err != nil {
		return nil, err
	}
	if s.images[PNG], err = encode(&render.Picture{Pixels: image.NewRGBA(square), Scale: 1}, PNG); err != nil {
		return nil, err
	}
	var clear bytes.Buffer
	if err := gif.Encode(&clear, image.NewPaletted(square, color.Palette{color.Transparent}), nil); err != nil {
		return nil, err
	}
	s.images[GIF] = clear.Bytes()
	return s, nil
}

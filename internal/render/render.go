package render

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"math"
	"sync"

	"github.com/go-text/typesetting/font"
	"golang.org/x/image/vector"
)

// glyphCacheBytes bounds the memory for glyph masks. The texts of a few hundred
// layouts in Latin script fit.
const glyphCacheBytes = 16 << 20

// Renderer draws scenes. It is safe for concurrent use.
type Renderer struct {
	fonts   *Fonts
	glyphs  *glyphCache
	workers sync.Pool // of *worker
}

// worker is what one goroutine needs to draw.
type worker struct {
	typesetter
	faces  map[*font.Font]*font.Face // for outlines
	raster vector.Rasterizer
}

// New makes a Renderer that draws text with the given fonts.
func New(fonts *Fonts) *Renderer {
	r := &Renderer{fonts: fonts, glyphs: newGlyphCache(glyphCacheBytes)}
	r.workers.New = func() any { return newWorker(fonts) }
	return r
}

func newWorker(fonts *Fonts) *worker {
	w := &worker{faces: map[*font.Font]*font.Face{}}
	w.regular, w.bold = newFaces(fonts.regular), newFaces(fonts.bold)
	for _, list := range []faces{w.regular, w.bold} {
		for _, face := range list {
			w.faces[face.Font] = face
		}
	}
	return w
}

// Draw draws a scene. The error is a fault when the scene is not valid or too
// large, and wraps the context's when that ends first.
func (r *Renderer) Draw(ctx context.Context, scene Scene) (*Picture, error) {
	if err := scene.check(); err != nil {
		return nil, err
	}
	w := r.workers.Get().(*worker)
	bounds := image.Rect(0, 0, scene.Width*scene.Scale, scene.Height*scene.Scale)
	picture := &Picture{Pixels: image.NewRGBA(bounds), Scale: scene.Scale, Report: Report{Texts: []TextReport{}, Images: []ImageReport{}}}
	draw.Draw(picture.Pixels, bounds, image.NewUniform(scene.Background), image.Point{}, draw.Src)
	p := painter{
		worker: w,
		glyphs: r.glyphs,
		scale:  float64(scene.Scale),
		canvas: canvas{pixels: picture.Pixels, raster: &w.raster},
		report: &picture.Report,
	}
	err := p.layers(ctx, scene.Layers)
	r.workers.Put(w) // not deferred: a panic may leave it in any state
	if err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	return picture, nil
}

// TextSize is how much room a text takes, in CSS pixels.
type TextSize struct {
	Width, Height float64 // of the widest line; of all lines
	Lines         int
	Cut           bool // the text has more than MaxLines
}

// Measure lays a text out in the width of its box, whatever the box's height.
func (r *Renderer) Measure(t Text) (TextSize, error) {
	if err := firstError(checkBox(t.Name, t.Box), checkType(t)); err != nil {
		return TextSize{}, err
	}
	w := r.workers.Get().(*worker)
	layout, err := w.layout(context.Background(), t, t.MaxLines)
	r.workers.Put(w) // not deferred: a panic may leave it in any state
	if err != nil {
		return TextSize{}, err
	}
	size := TextSize{Lines: len(layout.lines), Height: float64(len(layout.lines)) * t.LineHeight, Cut: layout.cut}
	for _, line := range layout.lines {
		size.Width = math.Max(size.Width, line.width*t.Size/emUnits)
	}
	return size, nil
}

// painter draws the layers of one scene.
type painter struct {
	*worker
	canvas
	glyphs *glyphCache
	scale  float64 // device pixels per CSS pixel
	origin struct{ x, y float64 }
	report *Report
}

func (p *painter) layers(ctx context.Context, layers []Layer) error {
	for _, layer := range layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		switch l := layer.(type) {
		case Shape:
			p.shape(l)
		case Text:
			err = p.text(ctx, l)
		case Image:
			err = p.image(l)
		case Group:
			err = p.group(ctx, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// device gives the device pixels of a box, with its edges on whole pixels.
func (p *painter) device(b Box) image.Rectangle {
	round := func(v float64) int { return int(math.Round(v * p.scale)) }
	x, y := b.X+p.origin.x, b.Y+p.origin.y
	return image.Rect(round(x), round(y), round(x+b.W), round(y+b.H))
}

func (p *painter) shape(s Shape) {
	r := p.device(s.Box)
	if s.Fill.A > 0 {
		p.fill(r, s.Radius*p.scale, image.NewUniform(s.Fill), image.Point{})
	}
	if s.Border.Width > 0 && s.Border.Color.A > 0 {
		width := max(int(math.Round(s.Border.Width*p.scale)), 1)
		p.stroke(r, s.Radius*p.scale, width, s.Border.Color)
	}
}

func (p *painter) image(i Image) error {
	report := ImageReport{Name: i.Name, Fit: i.Fit.String()}
	defer func() { p.report.Images = append(p.report.Images, report) }()
	r := p.device(i.Box)
	if i.Source == nil || i.Source.Bounds().Empty() || r.Empty() {
		return nil
	}
	report.Source = [2]int{i.Source.Bounds().Dx(), i.Source.Bounds().Dy()}
	scaled, err := Scale(i.Source, r.Dx(), r.Dy(), i.Fit)
	if err != nil {
		return err
	}
	size := scaled.Bounds().Size()
	r.Min = r.Min.Add(r.Size().Sub(size).Div(2))
	r.Max = r.Min.Add(size)
	p.fill(r, i.Radius*p.scale, scaled, scaled.Bounds().Min)
	report.Drawn = true
	report.Area = Box{
		X: float64(r.Min.X) / p.scale, Y: float64(r.Min.Y) / p.scale,
		W: float64(size.X) / p.scale, H: float64(size.Y) / p.scale,
	}
	return nil
}

func (p *painter) group(ctx context.Context, g Group) error {
	if g.Fade == 1 {
		return nil
	}
	inner := *p
	inner.origin.x += g.X
	inner.origin.y += g.Y
	if g.Fade == 0 {
		return inner.layers(ctx, g.Layers)
	}
	inner.pixels = image.NewRGBA(p.pixels.Rect)
	if err := inner.layers(ctx, g.Layers); err != nil {
		return err
	}
	fade(inner.pixels, 1-g.Fade)
	draw.Draw(p.pixels, p.pixels.Rect, inner.pixels, image.Point{}, draw.Over)
	return nil
}

func (p *painter) text(ctx context.Context, t Text) error {
	// A hair more than the box keeps rounding from costing a line.
	limit := int(math.Floor(t.Box.H/t.LineHeight + 1e-6))
	if t.MaxLines > 0 {
		limit = min(limit, t.MaxLines)
	}
	report := TextReport{Name: t.Name, Text: t.Text, Lines: []string{}, Cut: t.Text != ""}
	if limit > 0 && t.Box.W > 0 {
		layout, err := p.layout(ctx, t, limit)
		if err != nil {
			return err
		}
		report.Cut, report.Missing = layout.cut, string(layout.missing)
		for i, line := range layout.lines {
			report.Lines = append(report.Lines, line.text)
			p.line(t, layout, line, t.Box.Y+float64(i)*t.LineHeight)
		}
	}
	p.report.Texts = append(p.report.Texts, report)
	return nil
}

// line draws one line of a text whose line box begins at top.
func (p *painter) line(t Text, layout textLayout, line textLine, top float64) {
	x := t.Box.X + p.origin.x + indent(t, line)
	// The room that the line height leaves is shared above and below, as in CSS.
	ascent, descent := layout.ascent*t.Size, layout.descent*t.Size
	baseline := top + p.origin.y + (t.LineHeight-ascent-descent)/2 + ascent
	unit := t.Size / emUnits
	src := image.NewUniform(t.Color)
	size := float32(t.Size * p.scale)
	for _, g := range line.glyphs {
		sub := int(math.Round((x + g.x*unit) * p.scale * subpixels))
		dot := image.Pt(sub>>subpixelBits, int(math.Round((baseline-g.y*unit)*p.scale)))
		mask := p.mask(glyphKey{font: g.font, id: g.id, size: size, sub: uint8(sub & (subpixels - 1))})
		draw.DrawMask(p.pixels, mask.Rect.Add(dot), src, image.Point{}, mask, mask.Rect.Min, draw.Over)
	}
}

// indent is how far right of its box's left edge a line begins.
func indent(t Text, line textLine) float64 {
	room := t.Box.W - line.width*t.Size/emUnits
	switch {
	case t.Align == AlignCenter:
		return room / 2
	case t.Align == AlignRight, t.Align == AlignStart && line.rtl, t.Align == AlignEnd && !line.rtl:
		return room
	default:
		return 0
	}
}

// mask gives a glyph's mask from the cache, or makes it.
func (p *painter) mask(key glyphKey) *image.Alpha {
	mask, ok := p.glyphs.get(key)
	if !ok {
		mask = rasterizeGlyph(p.canvas.raster, p.faces[key.font], key)
		p.glyphs.put(key, mask)
	}
	return mask
}

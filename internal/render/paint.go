package render

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// canvas draws in device pixels.
type canvas struct {
	pixels *image.RGBA
	raster *vector.Rasterizer
}

// fill covers a rectangle with rounded corners with src, whose point sp lies at
// the rectangle's top left corner.
func (c canvas) fill(r image.Rectangle, radius float64, src image.Image, sp image.Point) {
	radius = clampRadius(r, radius)
	side := int(math.Ceil(radius))
	op := draw.Over
	if o, ok := src.(interface{ Opaque() bool }); ok && o.Opaque() {
		op = draw.Src // a plain copy
	}
	paint := func(part image.Rectangle) {
		draw.Draw(c.pixels, part, src, sp.Add(part.Min.Sub(r.Min)), op)
	}
	// Only the corners need a mask; the rest is plain rectangles.
	paint(area(r.Min.X+side, r.Min.Y, r.Max.X-side, r.Min.Y+side))
	paint(area(r.Min.X, r.Min.Y+side, r.Max.X, r.Max.Y-side))
	paint(area(r.Min.X+side, r.Max.Y-side, r.Max.X-side, r.Max.Y))
	if side == 0 {
		return
	}
	for _, corner := range corners(r, side) {
		visible := corner.Intersect(c.pixels.Rect)
		if visible.Empty() {
			continue
		}
		c.raster.Reset(visible.Dx(), visible.Dy())
		roundedPath(c.raster, r, radius, visible.Min, false)
		draw.DrawMask(c.pixels, visible, src, sp.Add(visible.Min.Sub(r.Min)), rasterMask(c.raster, visible), visible.Min, draw.Over)
	}
}

// stroke draws a line of the given width along the inner edge of a rectangle
// with rounded corners.
func (c canvas) stroke(r image.Rectangle, radius float64, width int, col color.NRGBA) {
	inner := r.Inset(width)
	if inner.Empty() {
		c.fill(r, radius, image.NewUniform(col), image.Point{})
		return
	}
	radius = clampRadius(r, radius)
	side := max(int(math.Ceil(radius)), width)
	src := image.NewUniform(col)
	for _, edge := range []image.Rectangle{
		area(r.Min.X+side, r.Min.Y, r.Max.X-side, r.Min.Y+width),
		area(r.Min.X+side, r.Max.Y-width, r.Max.X-side, r.Max.Y),
		area(r.Min.X, r.Min.Y+side, r.Min.X+width, r.Max.Y-side),
		area(r.Max.X-width, r.Min.Y+side, r.Max.X, r.Max.Y-side),
	} {
		draw.Draw(c.pixels, edge, src, image.Point{}, draw.Over)
	}
	for _, corner := range corners(r, side) {
		visible := corner.Intersect(c.pixels.Rect)
		if visible.Empty() {
			continue
		}
		c.raster.Reset(visible.Dx(), visible.Dy())
		roundedPath(c.raster, r, radius, visible.Min, false)
		roundedPath(c.raster, inner, math.Max(radius-float64(width), 0), visible.Min, true)
		draw.DrawMask(c.pixels, visible, src, image.Point{}, rasterMask(c.raster, visible), visible.Min, draw.Over)
	}
}

// area is a rectangle that stays empty when its sides are in the wrong order,
// where image.Rect would swap them.
func area(x0, y0, x1, y1 int) image.Rectangle {
	return image.Rectangle{Min: image.Pt(x0, y0), Max: image.Pt(x1, y1)}
}

// clampRadius limits a radius to half of the shorter side.
func clampRadius(r image.Rectangle, radius float64) float64 {
	return math.Min(radius, float64(min(r.Dx(), r.Dy()))/2)
}

// fade multiplies pixels, whose colours are premultiplied, by an opacity.
func fade(pixels *image.RGBA, opacity float64) {
	part := uint32(math.Round(opacity * 255))
	for i, v := range pixels.Pix {
		pixels.Pix[i] = uint8((uint32(v)*part + 127) / 255)
	}
}

// corners are the four squares of the given side in the corners of r. They do
// not overlap, even where two of them are wider than r by one pixel.
func corners(r image.Rectangle, side int) [4]image.Rectangle {
	left, right := r.Min.X+side, max(r.Max.X-side, r.Min.X+side)
	top, bottom := r.Min.Y+side, max(r.Max.Y-side, r.Min.Y+side)
	return [4]image.Rectangle{
		image.Rect(r.Min.X, r.Min.Y, left, top),
		image.Rect(right, r.Min.Y, r.Max.X, top),
		image.Rect(r.Min.X, bottom, left, r.Max.Y),
		image.Rect(right, bottom, r.Max.X, r.Max.Y),
	}
}

// roundedPath adds a rectangle with rounded corners to a path, relative to
// origin; a reversed one cuts its area out of what is there.
func roundedPath(path *vector.Rasterizer, r image.Rectangle, radius float64, origin image.Point, reversed bool) {
	r = r.Sub(origin)
	x0, y0, x1, y1 := float32(r.Min.X), float32(r.Min.Y), float32(r.Max.X), float32(r.Max.Y)
	if reversed {
		x0, x1 = x1, x0
	}
	dx, dy := float32(radius), float32(radius)
	if reversed {
		dx = -dx
	}
	// A quarter of a circle as a cubic: the handles are this part of the radius.
	const handle = 0.5522847498
	kx, ky := dx*(1-handle), dy*(1-handle)
	path.MoveTo(x0+dx, y0)
	path.LineTo(x1-dx, y0)
	path.CubeTo(x1-kx, y0, x1, y0+ky, x1, y0+dy)
	path.LineTo(x1, y1-dy)
	path.CubeTo(x1, y1-ky, x1-kx, y1, x1-dx, y1)
	path.LineTo(x0+dx, y1)
	path.CubeTo(x0+kx, y1, x0, y1-ky, x0, y1-dy)
	path.LineTo(x0, y0+dy)
	path.CubeTo(x0, y0+ky, x0+kx, y0, x0+dx, y0)
	path.ClosePath()
}

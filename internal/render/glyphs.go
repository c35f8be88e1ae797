package render

import (
	"image"
	"math"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// subpixels is how many horizontal positions within a device pixel a glyph is
// drawn at. Vertically glyphs sit on whole pixels, which keeps baselines sharp.
const (
	subpixelBits = 2
	subpixels    = 1 << subpixelBits
)

// glyphKey names the mask of a glyph.
type glyphKey struct {
	font *font.Font
	id   font.GID
	size float32 // device pixels per em
	sub  uint8   // shift to the right, in 1/subpixels of a device pixel
}

// glyphCache keeps masks in two generations: when the young one has filled half
// of the budget it becomes the old one, and what was old is let go. What is used
// is copied to the young one, so it stays. Reading the young generation, by far
// the most frequent case, takes no exclusive lock.
type glyphCache struct {
	mu         sync.RWMutex
	budget     int // bytes
	young, old map[glyphKey]*image.Alpha
	youngCost  int
	oldCost    int
}

func newGlyphCache(budget int) *glyphCache {
	return &glyphCache{budget: budget, young: map[glyphKey]*image.Alpha{}}
}

func (c *glyphCache) get(key glyphKey) (*image.Alpha, bool) {
	c.mu.RLock()
	mask, ok := c.young[key]
	if ok {
		c.mu.RUnlock()
		return mask, true
	}
	mask, ok = c.old[key]
	c.mu.RUnlock()
	if ok {
		c.put(key, mask)
	}
	return mask, ok
}

func (c *glyphCache) put(key glyphKey, mask *image.Alpha) {
	cost := len(mask.Pix) + 128 // and the entry around them
	if cost > c.budget/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[key]; ok {
		return
	}
	if c.youngCost+cost > c.budget/2 {
		c.old, c.oldCost = c.young, c.youngCost
		c.young, c.youngCost = map[glyphKey]*image.Alpha{}, 0
	}
	c.young[key] = mask
	c.youngCost += cost
}

// bytes is what the cache holds, at most its budget.
func (c *glyphCache) bytes() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.youngCost + c.oldCost
}

// rasterizeGlyph makes the mask of a glyph from its outline. Its bounds are
// relative to the glyph's origin; the mask of a blank has no pixels.
func rasterizeGlyph(raster *vector.Rasterizer, face *font.Face, key glyphKey) *image.Alpha {
	outline, ok := face.GlyphDataOutline(key.id)
	if !ok || len(outline.Segments) == 0 {
		return &image.Alpha{}
	}
	scale := key.size / float32(face.Upem())
	shift := float32(key.sub) / subpixels
	bounds := outlineBounds(outline, scale, shift)
	place := func(p opentype.SegmentPoint) (x, y float32) {
		return p.X*scale + shift - float32(bounds.Min.X), -p.Y*scale - float32(bounds.Min.Y)
	}
	raster.Reset(bounds.Dx(), bounds.Dy())
	for _, s := range outline.Segments {
		x0, y0 := place(s.Args[0])
		x1, y1 := place(s.Args[1])
		x2, y2 := place(s.Args[2])
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			raster.ClosePath()
			raster.MoveTo(x0, y0)
		case opentype.SegmentOpLineTo:
			raster.LineTo(x0, y0)
		case opentype.SegmentOpQuadTo:
			raster.QuadTo(x0, y0, x1, y1)
		case opentype.SegmentOpCubeTo:
			raster.CubeTo(x0, y0, x1, y1, x2, y2)
		}
	}
	raster.ClosePath()
	return rasterMask(raster, bounds)
}

// rasterMask turns the path in raster into a mask with the given bounds.
func rasterMask(raster *vector.Rasterizer, bounds image.Rectangle) *image.Alpha {
	mask := image.NewAlpha(bounds)
	raster.DrawOp = draw.Src
	raster.Draw(mask, bounds, image.Opaque, image.Point{})
	return mask
}

// outlineBounds is the smallest rectangle of whole pixels around an outline's
// points.
func outlineBounds(outline font.GlyphOutline, scale, shift float32) image.Rectangle {
	minX, minY := float32(math.MaxFloat32), float32(math.MaxFloat32)
	maxX, maxY := -minX, -minY
	for i := range outline.Segments {
		for _, p := range outline.Segments[i].ArgsSlice() {
			x, y := p.X*scale+shift, -p.Y*scale
			minX, maxX = min(minX, x), max(maxX, x)
			minY, maxY = min(minY, y), max(maxY, y)
		}
	}
	floor := func(v float32) int { return int(math.Floor(float64(v))) }
	ceil := func(v float32) int { return int(math.Ceil(float64(v))) }
	return image.Rect(floor(minX), floor(minY), ceil(maxX), ceil(maxY))
}

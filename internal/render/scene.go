// Package render draws scenes: a description of a picture goes in, pixels and a
// report of what was drawn come out. It also decodes and scales the photos that
// scenes show and encodes pictures as PNG.
//
// Everything here is a function of its arguments: the same scene gives the same
// bytes, and nothing is fetched, so that an answer to an open never waits for
// another host.
package render

import (
	"image"
	"image/color"
	"math"
	"unicode/utf8"

	"platen/internal/fault"
)

// Limits of a scene. A scene beyond them is refused with a fault, so that no
// document or profile can make one picture cost more than a bounded amount of
// memory and time.
const (
	MaxSide       = 4096   // device pixels of a picture's or an image's side
	MaxLayers     = 1000   // layers of a scene, those in groups included
	MaxGroupDepth = 8      // groups within groups
	MaxTextRunes  = 10_000 // characters of one text; what follows is cut
	MaxSceneRunes = 50_000 // characters of all texts of a scene
	MaxTextSize   = 512.0  // CSS pixels
	maxCoordinate = 16384  // CSS pixels from the origin, in either direction
)

// Scene describes one picture. Lengths are CSS pixels, the origin is the top
// left corner.
type Scene struct {
	Width, Height int
	Scale         int         // device pixels per CSS pixel, 1 or 2
	Background    color.NRGBA // the zero value leaves the picture transparent
	Layers        []Layer     // drawn in order, so the last is on top
}

// Layer is a Shape, a Text, an Image or a Group. Its name is what reports and
// faults call it.
type Layer interface {
	layerName() string
}

// Box is a rectangle in CSS pixels.
type Box struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// inset is the box made smaller by d on each side.
func (b Box) inset(d float64) Box {
	return Box{b.X + d, b.Y + d, b.W - 2*d, b.H - 2*d}
}

// Shape is a rectangle, a pill or a circle, depending on its radius.
type Shape struct {
	Name   string
	Box    Box
	Radius float64     // of the corners; more than half a side counts as half
	Fill   color.NRGBA // the zero value fills nothing
	Border Border
}

// Border is a line along the inner edge of a shape.
type Border struct {
	Width float64 // 0 draws no border
	Color color.NRGBA
}

// Text is a piece of text in a box, wrapped to the box's width. Lines that do
// not fit the box's height are left out.
type Text struct {
	Name       string
	Text       string // line feeds break lines, other white space is collapsed
	Box        Box
	Size       float64 // of the font
	LineHeight float64
	Weight     Weight
	Color      color.NRGBA
	Align      Align
	Direction  Direction
	MaxLines   int  // 0 means as many as the box holds
	NoWrap     bool // only line feeds break lines
	Overflow   Overflow
}

// Weight is the thickness of a font, as in CSS.
type Weight int

// The weights the fonts have. Others are drawn with the nearer one.
const (
	Regular Weight = 400
	Bold    Weight = 700
)

// Align says where the lines of a text lie in its box.
type Align int

// Start and end depend on the direction of the text, left and right do not.
const (
	AlignStart Align = iota
	AlignCenter
	AlignEnd
	AlignLeft
	AlignRight
)

// Direction is the base direction of a text.
type Direction int

// DirectionAuto is the direction of the first strong character of each
// paragraph, left to right where there is none (UAX #9, P2 and P3).
const (
	DirectionAuto Direction = iota
	LeftToRight
	RightToLeft
)

// Overflow says how a text ends that does not fit.
type Overflow int

// With OverflowEllipsis the last line ends in "…", with OverflowClip it just
// ends.
const (
	OverflowEllipsis Overflow = iota
	OverflowClip
)

// Image is a picture within the picture.
type Image struct {
	Name   string
	Box    Box
	Source image.Image // nil draws nothing
	Fit    Fit
	Radius float64
}

// Fit says how an image of other proportions fills its box.
type Fit int

// Cover fills the box and crops what stands out; Contain shows the whole image
// and leaves room beside it.
const (
	Cover Fit = iota
	Contain
)

// String is the CSS word for the fit.
func (f Fit) String() string {
	if f == Contain {
		return "contain"
	}
	return "cover"
}

// Group draws its layers moved by X and Y.
type Group struct {
	Name string
	X, Y float64
	// Fade is 1 − opacity, so that the zero value is an opaque group.
	Fade   float64
	Layers []Layer
}

func (s Shape) layerName() string { return s.Name }
func (t Text) layerName() string  { return t.Name }
func (i Image) layerName() string { return i.Name }
func (g Group) layerName() string { return g.Name }

// check refuses a scene that could not be drawn or would cost too much.
func (s Scene) check() error {
	if s.Scale != 1 && s.Scale != 2 {
		return fault.New(fault.Invalid, "scene_invalid", "the scale of a picture is 1 or 2, not %d", s.Scale)
	}
	if s.Width < 1 || s.Height < 1 {
		return fault.New(fault.Invalid, "scene_invalid", "a picture of %d×%d pixels cannot be drawn; both sides must be at least 1", s.Width, s.Height)
	}
	if most := MaxSide / s.Scale; s.Width > most || s.Height > most {
		return fault.New(fault.TooLarge, "scene_too_large", "a picture of %d×%d pixels is too large; at scale %d a side has at most %d", s.Width, s.Height, s.Scale, most)
	}
	c := checker{scale: float64(s.Scale)}
	return c.layers(s.Layers, 0)
}

// checker counts what a scene holds while it walks through the layers.
type checker struct {
	scale float64
	count int
	runes int
}

func (c *checker) layers(layers []Layer, depth int) error {
	if depth > MaxGroupDepth {
		return fault.New(fault.TooLarge, "scene_too_large", "groups lie more than %d deep in one another", MaxGroupDepth)
	}
	for _, layer := range layers {
		if c.count++; c.count > MaxLayers {
			return fault.New(fault.TooLarge, "scene_too_large", "the picture has more than %d layers", MaxLayers)
		}
		if err := c.layer(layer, depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) layer(layer Layer, depth int) error {
	switch l := layer.(type) {
	case Shape:
		return firstError(checkBox(l.Name, l.Box), within(l.Name, "radius", l.Radius, 0, maxCoordinate),
			within(l.Name, "border width", l.Border.Width, 0, maxCoordinate))
	case Text:
		return c.text(l)
	case Image:
		most := MaxSide / c.scale
		return firstError(checkBox(l.Name, l.Box), within(l.Name, "radius", l.Radius, 0, maxCoordinate),
			within(l.Name, "width", l.Box.W, 0, most), within(l.Name, "height", l.Box.H, 0, most))
	case Group:
		return firstError(within(l.Name, "x", l.X, -maxCoordinate, maxCoordinate), within(l.Name, "y", l.Y, -maxCoordinate, maxCoordinate),
			within(l.Name, "fade", l.Fade, 0, 1), c.layers(l.Layers, depth+1))
	default:
		return fault.New(fault.Invalid, "scene_invalid", "the picture holds a layer that is no shape, text, image or group")
	}
}

func (c *checker) text(t Text) error {
	if c.runes += utf8.RuneCountInString(t.Text); c.runes > MaxSceneRunes {
		return fault.New(fault.TooLarge, "scene_too_large", "the texts of the picture have more than %d characters", MaxSceneRunes)
	}
	return firstError(checkBox(t.Name, t.Box), checkType(t))
}

// checkType looks at everything of a text but its box.
func checkType(t Text) error {
	return firstError(within(t.Name, "size", t.Size, 1, MaxTextSize), within(t.Name, "line height", t.LineHeight, 1, maxCoordinate),
		within(t.Name, "number of lines", float64(t.MaxLines), 0, MaxTextRunes))
}

func checkBox(name string, b Box) error {
	return firstError(within(name, "x", b.X, -maxCoordinate, maxCoordinate), within(name, "y", b.Y, -maxCoordinate, maxCoordinate),
		within(name, "width", b.W, 0, maxCoordinate), within(name, "height", b.H, 0, maxCoordinate))
}

func within(name, what string, v, least, most float64) error {
	if math.IsNaN(v) {
		return fault.New(fault.Invalid, "scene_invalid", "layer %q: the %s is not a number", name, what)
	}
	if v < least || v > most {
		return fault.New(fault.Invalid, "scene_invalid", "layer %q: the %s is %g; it must be from %g to %g", name, what, v, least, most)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

package content

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"slices"

	"platen/internal/render"
)

// Format is a format of pictures, named by its extension.
type Format string

// The formats, which all e-mail clients show
// (shared/spec/collector-and-content.md section 8).
const (
	PNG  Format = "png"
	JPEG Format = "jpg"
	GIF  Format = "gif"
)

// formats are all of them.
var formats = []Format{PNG, JPEG, GIF}

// IsFormat says whether an extension names a format.
func IsFormat(extension string) bool { return slices.Contains(formats, Format(extension)) }

// ContentType is the format's media type.
func (f Format) ContentType() string {
	if f == JPEG {
		return "image/jpeg"
	}
	return "image/" + string(f)
}

// jpegQuality keeps text on flat colour clean at two pixels per CSS pixel.
const jpegQuality = 88

// encode writes a picture in a format. Equal pictures give equal bytes.
func encode(p *render.Picture, f Format) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch f {
	case JPEG:
		err = jpeg.Encode(&b, p.Pixels, &jpeg.Options{Quality: jpegQuality})
	case GIF:
		err = gif.Encode(&b, paletted(p.Pixels), nil)
	default:
		err = render.EncodePNG(&b, p)
	}
	if err != nil {
		return nil, fmt.Errorf("encode a picture as %s: %w", f, err)
	}
	return b.Bytes(), nil
}

// Colours are gathered in buckets of 5 bits a channel.
const (
	bucketBits = 5
	buckets    = 1 << (3 * bucketBits)
)

func bucketOf(r, g, b uint8) int {
	const drop = 8 - bucketBits
	return int(r>>drop)<<(2*bucketBits) | int(g>>drop)<<bucketBits | int(b>>drop)
}

// bucket sums up the pixels of similar colours.
type bucket struct {
	index, count int
	r, g, b      int
}

func (b bucket) mean() color.RGBA {
	return color.RGBA{uint8(b.r / b.count), uint8(b.g / b.count), uint8(b.b / b.count), 255}
}

// paletted reduces an opaque picture to its 256 most frequent colours. Cards are
// mostly flat colours, which it keeps as they are; dithering would grain them.
func paletted(img *image.RGBA) *image.Paletted {
	sums := make([]bucket, buckets)
	for i := 0; i+4 <= len(img.Pix); i += 4 {
		r, g, b := img.Pix[i], img.Pix[i+1], img.Pix[i+2]
		s := &sums[bucketOf(r, g, b)]
		s.count++
		s.r, s.g, s.b = s.r+int(r), s.g+int(g), s.b+int(b)
	}
	var used []bucket
	for i, s := range sums {
		if s.count > 0 {
			s.index = i
			used = append(used, s)
		}
	}
	slices.SortStableFunc(used, func(a, b bucket) int { return b.count - a.count })

	palette := make(color.Palette, min(len(used), 256))
	nearest := make([]uint8, buckets)
	for i := range palette {
		palette[i] = used[i].mean()
		nearest[used[i].index] = uint8(i)
	}
	for _, s := range used[len(palette):] {
		nearest[s.index] = uint8(palette.Index(s.mean()))
	}
	out := image.NewPaletted(img.Rect, palette)
	for i := range out.Pix {
		p := img.Pix[4*i:]
		out.Pix[i] = nearest[bucketOf(p[0], p[1], p[2])]
	}
	return out
}

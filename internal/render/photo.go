package render

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"platen/internal/fault"
)

// PhotoLimits bound what DecodePhoto accepts. A zero field means the default.
type PhotoLimits struct {
	Bytes int64 // of the file; default 5 MB
	// Pixels are width × height; default 40 million. Of what takes more memory
	// while it is decoded fewer are read: half of them with 16 bits or four inks
	// per pixel, a fifth of them in a progressive JPEG.
	Pixels int
}

const (
	defaultPhotoBytes  = 5_000_000
	defaultPhotoPixels = 40_000_000

	// maxScans is how many scans of a JPEG are read. Each may cost a pass over all
	// pixels for a few bytes of file; encoders write about ten.
	maxScans = 64
)

func (l PhotoLimits) orDefault() PhotoLimits {
	if l.Bytes == 0 {
		l.Bytes = defaultPhotoBytes
	}
	if l.Pixels == 0 {
		l.Pixels = defaultPhotoPixels
	}
	return l
}

// photoFormat is how to read one format, which is known by how a file begins.
type photoFormat struct {
	magic  string // "?" stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var photoFormats = []photoFormat{
	{pngSignature, png.DecodeConfig, png.Decode},
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8?a", gif.DecodeConfig, gif.Decode},
	{"RIFF????WEBP", webp.DecodeConfig, webp.Decode},
}

func formatOf(data []byte) (photoFormat, bool) {
	for _, format := range photoFormats {
		if hasMagic(data, format.magic) {
			return format, true
		}
	}
	return photoFormat{}, false
}

func hasMagic(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// DecodePhoto reads a PNG, JPEG, GIF (its first frame) or WebP image and turns
// it as its EXIF orientation says. What that costs is checked before any pixel is
// decoded. Faults have the reasons photo_too_large, photo_unsupported and
// photo_broken; a failure of the reader is returned as it is, wrapped.
func DecodePhoto(r io.Reader, limits PhotoLimits) (image.Image, error) {
	limits = limits.orDefault()
	data, err := io.ReadAll(io.LimitReader(r, limits.Bytes+1))
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	if int64(len(data)) > limits.Bytes {
		return nil, fault.New(fault.TooLarge, "photo_too_large", "the photo has more than %d bytes", limits.Bytes)
	}
	format, ok := formatOf(data)
	if !ok {
		return nil, fault.Refused("photo_unsupported", "the photo is no PNG, JPEG, GIF or WebP file")
	}
	config, err := format.config(bytes.NewReader(data))
	if err != nil {
		return nil, photoFault(err)
	}
	if err := limits.check(config, data); err != nil {
		return nil, err
	}
	img, err := format.decode(bytes.NewReader(data))
	if err != nil {
		return nil, photoFault(err)
	}
	screen := image.Rect(0, 0, config.Width, config.Height)
	if img.Bounds() != screen {
		img = onScreen(img, screen) // the first frame of a GIF may cover a part
	}
	return upright(img, jpegOrientation(data)), nil
}

// check refuses a photo by what decoding it would cost. A side of 0 cannot be
// drawn.
func (l PhotoLimits) check(c image.Config, data []byte) error {
	if c.Width < 1 || c.Height < 1 {
		return fault.Refused("photo_broken", "the photo has no pixels")
	}
	scans, progressive := jpegScans(data)
	if scans > maxScans {
		return fault.New(fault.TooLarge, "photo_too_large", "the photo is stored in %d scans; at most %d are read", scans, maxScans)
	}
	most := l.Pixels
	switch {
	case progressive: // 4 bytes for each coefficient, until the last scan
		most /= 5
	case c.ColorModel == color.RGBA64Model, c.ColorModel == color.NRGBA64Model, c.ColorModel == color.CMYKModel:
		most /= 2
	}
	if c.Width > most/c.Height {
		return fault.New(fault.TooLarge, "photo_too_large", "the photo has %d×%d pixels; at most %d of its kind are read", c.Width, c.Height, most)
	}
	return nil
}

// photoFault tells a kind of file that no decoder knows from a damaged one.
func photoFault(err error) error {
	var (
		jpegUnsupported jpeg.UnsupportedError
		pngUnsupported  png.UnsupportedError
	)
	if errors.As(err, &jpegUnsupported) || errors.As(err, &pngUnsupported) {
		return fault.Refused("photo_unsupported", "the photo is of a kind that cannot be read").Because(err)
	}
	return fault.Refused("photo_broken", "the photo is damaged, or of a kind that cannot be read").Because(err)
}

func onScreen(img image.Image, screen image.Rectangle) image.Image {
	out := image.NewRGBA(screen)
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// Scale fits an image to w × h pixels: with Cover the result has exactly that
// size, with Contain it is as large as fits. An image that has the size already
// is returned as it is, so that a scaled image can be kept and drawn again
// without cost. A size beyond MaxSide, or without pixels, is a fault.
func Scale(img image.Image, w, h int, fit Fit) (image.Image, error) {
	bounds := img.Bounds()
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide || bounds.Empty() {
		return nil, fault.New(fault.Invalid, "size_invalid", "an image of %d×%d pixels cannot be scaled to %d×%d", bounds.Dx(), bounds.Dy(), w, h)
	}
	part := bounds
	if fit == Cover {
		part = middle(bounds, w, h)
	} else {
		w, h = contained(bounds.Dx(), bounds.Dy(), w, h)
	}
	if part == bounds && w == bounds.Dx() && h == bounds.Dy() {
		return img, nil
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Rect, img, part, draw.Src, nil)
	return out, nil
}

// middle is the largest part in the middle of r with the proportions w : h.
func middle(r image.Rectangle, w, h int) image.Rectangle {
	dx, dy := r.Dx(), r.Dy()
	if dx*h > dy*w {
		part := max((dy*w+h/2)/h, 1)
		r.Min.X += (dx - part) / 2
		r.Max.X = r.Min.X + part
	} else {
		part := max((dx*h+w/2)/w, 1)
		r.Min.Y += (dy - part) / 2
		r.Max.Y = r.Min.Y + part
	}
	return r
}

// contained is the largest size with the proportions dx : dy within w × h.
func contained(dx, dy, w, h int) (int, int) {
	if dx*h > dy*w {
		return w, max((dy*w+dx/2)/dx, 1)
	}
	return max((dx*h+dy/2)/dy, 1), h
}

package render

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// pngLevel was chosen with BenchmarkEncodePNG, a card with three photos: levels 2
// and 3 took about as long as 1 and saved 2 % of the bytes, level 4 took 17 %
// longer and saved 4 % (medians of 3 rounds on a shared machine).
const pngLevel = 1

// The filters of PNG rows that the encoder uses (PNG specification, 9.2).
const (
	filterNone = 0
	filterSub  = 1
	filterUp   = 2
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// EncodePNG writes a picture as PNG: 8-bit RGB when it is opaque, else RGBA.
func EncodePNG(w io.Writer, p *Picture) error {
	img := p.Pixels
	if img.Rect.Empty() {
		return fmt.Errorf("encode PNG: the picture has no pixels")
	}
	e := pngEncoders.Get().(*pngEncoder)
	defer pngEncoders.Put(e)
	e.out.Reset()
	e.out.WriteString(pngSignature)

	opaque := img.Opaque()
	e.chunk("IHDR", func() { e.header(img.Rect, opaque) })
	var err error
	e.chunk("IDAT", func() { err = e.pixels(img, opaque) })
	e.chunk("IEND", func() {})
	if err == nil {
		_, err = w.Write(e.out.Bytes())
	}
	if err != nil {
		return fmt.Errorf("encode PNG: %w", err)
	}
	return nil
}

// pngEncoder holds the buffers of one encoding.
type pngEncoder struct {
	out           bytes.Buffer
	zlib          *zlib.Writer
	row, above    []byte // packed pixels, without filter
	filtered      []byte // the filter's number and the filtered row
	bytesPerPixel int
}

var pngEncoders = sync.Pool{New: func() any {
	z, err := zlib.NewWriterLevel(io.Discard, pngLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &pngEncoder{zlib: z}
}}

// chunk writes one chunk around the data that write adds to e.out.
func (e *pngEncoder) chunk(name string, write func()) {
	start := e.out.Len()
	e.out.Write(make([]byte, 4)) // the length, known afterwards
	e.out.WriteString(name)
	write()
	chunk := e.out.Bytes()[start:]
	binary.BigEndian.PutUint32(chunk, uint32(len(chunk)-8))
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE(chunk[4:]))
	e.out.Write(sum[:])
}

func (e *pngEncoder) header(bounds image.Rectangle, opaque bool) {
	var b [13]byte
	binary.BigEndian.PutUint32(b[0:], uint32(bounds.Dx()))
	binary.BigEndian.PutUint32(b[4:], uint32(bounds.Dy()))
	b[8] = 8 // bits per channel
	b[9] = 6 // RGBA
	if opaque {
		b[9] = 2 // RGB
	}
	e.out.Write(b[:])
}

// pixels writes the rows, each with the filter that suits it.
func (e *pngEncoder) pixels(img *image.RGBA, opaque bool) error {
	e.bytesPerPixel = 4
	if opaque {
		e.bytesPerPixel = 3
	}
	size := img.Rect.Dx() * e.bytesPerPixel
	e.row, e.above = resize(e.row, size), resize(e.above, size)
	e.filtered = resize(e.filtered, size+1)
	e.zlib.Reset(&e.out)
	for y := range img.Rect.Dy() {
		e.row, e.above = e.above, e.row
		pixels := img.Pix[y*img.Stride:][:img.Rect.Dx()*4]
		if opaque {
			packRGB(e.row, pixels)
		} else {
			packRGBA(e.row, pixels)
		}
		above := e.above
		if y == 0 {
			above = nil
		}
		filterRow(e.filtered, e.row, above, e.bytesPerPixel)
		if _, err := e.zlib.Write(e.filtered); err != nil {
			return err
		}
	}
	return e.zlib.Close()
}

func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// packRGB drops the alpha of opaque pixels.
func packRGB(dst, src []byte) {
	for len(dst) >= 3 && len(src) >= 4 {
		dst[0], dst[1], dst[2] = src[0], src[1], src[2]
		dst, src = dst[3:], src[4:]
	}
}

// packRGBA divides the colours by alpha, as PNG wants them, in the same way as
// color.NRGBAModel does.
func packRGBA(dst, src []byte) {
	for i := 0; i+4 <= len(src); i += 4 {
		a := uint32(src[i+3])
		switch a {
		case 255:
			copy(dst[i:i+4], src[i:i+4])
		case 0:
			clear(dst[i : i+4])
		default:
			for c := range 3 {
				dst[i+c] = uint8(uint32(src[i+c]) * 0x101 * 0xffff / (a * 0x101) >> 8)
			}
			dst[i+3] = uint8(a)
		}
	}
}

// filterRow chooses a filter and writes its number and the filtered row to dst.
// There is no row above the first of a picture: above is nil.
func filterRow(dst, row, above []byte, bytesPerPixel int) {
	filter := chooseFilter(row, above, bytesPerPixel)
	dst[0] = byte(filter)
	dst = dst[1 : 1+len(row)]
	switch filter {
	case filterNone:
		copy(dst, row)
	case filterSub:
		copy(dst[:bytesPerPixel], row)
		left := row[:len(row)-bytesPerPixel]
		for i, v := range row[bytesPerPixel:] {
			dst[i+bytesPerPixel] = v - left[i]
		}
	case filterUp:
		above = above[:len(row)]
		for i, v := range row {
			dst[i] = v - above[i]
		}
	}
}

// chooseFilter guesses which filter makes a row compress best: Up, which turns
// what is the same in two rows into zeros, unless a sample of the row's pixels
// says that its neighbours to the left are closer.
func chooseFilter(row, above []byte, bytesPerPixel int) int {
	const step = 8 // pixels between samples
	var none, sub, up int
	for i := bytesPerPixel; i < len(row); i += step * bytesPerPixel {
		none += magnitude(row[i])
		sub += magnitude(row[i] - row[i-bytesPerPixel])
		if above != nil {
			up += magnitude(row[i] - above[i])
		}
	}
	switch {
	case above != nil && up <= sub:
		return filterUp
	case sub <= none:
		return filterSub
	default:
		return filterNone
	}
}

// magnitude is the distance of a difference of two bytes from 0.
func magnitude(d byte) int {
	return int(min(d, -d))
}

package render

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"platen/internal/fault"
)

// onePixelWebP is the smallest lossy WebP file: one pixel.
const onePixelWebP = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA="

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gifOf is a GIF of 20×10 pixels whose first frame covers a part.
func gifOf(t testing.TB) []byte {
	t.Helper()
	part := image.NewPaletted(image.Rect(5, 2, 15, 8), palette.WebSafe)
	for i := range part.Pix {
		part.Pix[i] = uint8(part.Palette.Index(color.RGBA{255, 0, 0, 255}))
	}
	var out bytes.Buffer
	err := gif.EncodeAll(&out, &gif.GIF{
		Image:  []*image.Paletted{part, image.NewPaletted(image.Rect(0, 0, 20, 10), palette.WebSafe)},
		Delay:  []int{0, 0},
		Config: image.Config{Width: 20, Height: 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func webpOf(t testing.TB) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(onePixelWebP)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDecodePhotoFormats(t *testing.T) {
	photo := testPhoto(0)
	for name, test := range map[string]struct {
		data []byte
		size image.Point
	}{
		"png":  {pngOf(t, photo), image.Pt(800, 600)},
		"jpeg": {jpegOf(t, photo), image.Pt(800, 600)},
		"gif":  {gifOf(t), image.Pt(20, 10)},
		"webp": {webpOf(t), image.Pt(1, 1)},
	} {
		img, err := DecodePhoto(bytes.NewReader(test.data), PhotoLimits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Bounds().Size() != test.size {
			t.Errorf("%s: %v", name, img.Bounds())
		}
	}
	img, err := DecodePhoto(bytes.NewReader(gifOf(t)), PhotoLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, a := img.At(7, 4).RGBA(); r != 0xffff || a != 0xffff {
		t.Error("the frame of the GIF is not where it belongs")
	}
	if _, _, _, a := img.At(1, 1).RGBA(); a != 0 {
		t.Error("the GIF is not transparent beside its frame")
	}
}

func TestRefusedPhotos(t *testing.T) {
	good := pngOf(t, testPhoto(0))
	for name, test := range map[string]struct {
		data   []byte
		limits PhotoLimits
		reason string
	}{
		"empty":          {nil, PhotoLimits{}, "photo_unsupported"},
		"text":           {[]byte("<svg/>"), PhotoLimits{}, "photo_unsupported"},
		"bytes":          {good, PhotoLimits{Bytes: int64(len(good)) - 1}, "photo_too_large"},
		"pixels":         {good, PhotoLimits{Pixels: 800*600 - 1}, "photo_too_large"},
		"100 megapixels": {pngHeader(10_000, 10_000, 8), PhotoLimits{}, "photo_too_large"},
		"overflow":       {pngHeader(0x7fffffff, 0x7fffffff, 8), PhotoLimits{}, "photo_unsupported"},
		"deep colours":   {pngHeader(6000, 6000, 16), PhotoLimits{}, "photo_too_large"},
		"cut off":        {good[:len(good)/2], PhotoLimits{}, "photo_broken"},
		"only a header":  {good[:8], PhotoLimits{}, "photo_broken"},
		"jpeg of rubble": {append([]byte("\xff\xd8\xff"), make([]byte, 50)...), PhotoLimits{}, "photo_broken"},
		"webp of rubble": {[]byte("RIFF\x10\x00\x00\x00WEBPVP8 junkjunk"), PhotoLimits{}, "photo_broken"},
	} {
		_, err := DecodePhoto(bytes.NewReader(test.data), test.limits)
		if fault.ReasonOf(err) != test.reason {
			t.Errorf("%s: %v, want %s", name, err, test.reason)
		}
	}
	if _, err := DecodePhoto(bytes.NewReader(good), PhotoLimits{Bytes: int64(len(good)), Pixels: 800 * 600}); err != nil {
		t.Errorf("a photo exactly at the limits: %v", err)
	}
	lost := errors.New("connection lost")
	if _, err := DecodePhoto(io.MultiReader(strings.NewReader("\x89PNG"), iotest.ErrReader(lost)), PhotoLimits{}); !errors.Is(err, lost) {
		t.Errorf("a broken connection: %v", err)
	}
}

// pngHeader is a PNG file that says how large it is and holds no pixels.
func pngHeader(w, h uint32, depth byte) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, depth, 2, 0, 0, 0)
	data := append([]byte(pngSignature), 0, 0, 0, 13)
	data = append(data, chunk...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(chunk))
}

// TestOrientation stores one upright image in each of the eight ways and reads
// it back.
func TestOrientation(t *testing.T) {
	const w, h = 48, 32
	corner := func(x, y int) color.RGBA { // four colours, one for each corner
		return color.RGBA{uint8(x / (w / 2) * 255), uint8(y / (h / 2) * 255), 128, 255}
	}
	for orientation := 1; orientation <= 8; orientation++ {
		stored := image.NewRGBA(image.Rect(0, 0, w, h))
		if orientation >= 5 {
			stored = image.NewRGBA(image.Rect(0, 0, h, w))
		}
		for y := range stored.Rect.Dy() {
			for x := range stored.Rect.Dx() {
				to := turned(x, y, stored.Rect.Dx(), stored.Rect.Dy(), orientation)
				stored.SetRGBA(x, y, corner(to.X, to.Y))
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := withEXIF(jpegOf(t, stored), order, orientation)
			img, err := DecodePhoto(bytes.NewReader(data), PhotoLimits{})
			if err != nil {
				t.Fatal(err)
			}
			if img.Bounds().Size() != image.Pt(w, h) {
				t.Fatalf("orientation %d: %v", orientation, img.Bounds())
			}
			for _, at := range []image.Point{{2, 2}, {w - 3, 2}, {2, h - 3}, {w - 3, h - 3}} {
				want := corner(at.X, at.Y)
				r, g, _, _ := img.At(at.X, at.Y).RGBA()
				if abs(int(r>>8)-int(want.R)) > 20 || abs(int(g>>8)-int(want.G)) > 20 {
					t.Errorf("orientation %d: %v is %d, %d; want %v", orientation, at, r>>8, g>>8, want)
				}
			}
		}
	}
}

// TestTurnedBySpecification ties the turning to what EXIF says of row 0 and
// column 0, apart from the round trip.
func TestTurnedBySpecification(t *testing.T) {
	const w, h = 3, 2
	for orientation, want := range map[int][2]image.Point{ // where (0,0) and (1,0) are seen
		1: {{0, 0}, {1, 0}}, 2: {{2, 0}, {1, 0}}, 3: {{2, 1}, {1, 1}}, 4: {{0, 1}, {1, 1}},
		5: {{0, 0}, {0, 1}}, 6: {{1, 0}, {1, 1}}, 7: {{1, 2}, {1, 1}}, 8: {{0, 2}, {0, 1}},
	} {
		if got := [2]image.Point{turned(0, 0, w, h, orientation), turned(1, 0, w, h, orientation)}; got != want {
			t.Errorf("orientation %d: %v, want %v", orientation, got, want)
		}
	}
}

func abs(v int) int {
	return max(v, -v)
}

// withEXIF puts an EXIF block behind the start of a JPEG file, after another
// block as cameras write.
func withEXIF(data []byte, order binary.AppendByteOrder, orientation int) []byte {
	tiff := []byte("MM")
	if order.String() == binary.LittleEndian.String() {
		tiff = []byte("II")
	}
	tiff = order.AppendUint16(tiff, 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2) // entries
	for _, entry := range [][2]uint16{{0x0100, 7}, {0x0112, uint16(orientation)}} {
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	segment := func(marker byte, body string) []byte {
		out := binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2))
		return append(out, body...)
	}
	out := append([]byte{}, data[:2]...)
	out = append(out, segment(0xE0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")...)
	out = append(out, segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00")...)
	out = append(out, segment(0xE1, "Exif\x00\x00"+string(tiff))...)
	return append(out, data[2:]...)
}

func TestScale(t *testing.T) {
	photo := testPhoto(0) // 800×600
	for _, test := range []struct {
		w, h int
		fit  Fit
		want image.Point
	}{
		{200, 200, Cover, image.Pt(200, 200)},
		{200, 200, Contain, image.Pt(200, 150)},
		{100, 300, Contain, image.Pt(100, 75)},
		{1000, 300, Contain, image.Pt(400, 300)},
		{1, 4096, Cover, image.Pt(1, 4096)},
		{4096, 1, Contain, image.Pt(1, 1)},
	} {
		got, err := Scale(photo, test.w, test.h, test.fit)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds().Size() != test.want {
			t.Errorf("%d×%d %v: %v, want %v", test.w, test.h, test.fit, got.Bounds(), test.want)
		}
		again, err := Scale(got, test.w, test.h, test.fit)
		if err != nil || again != got {
			t.Errorf("%d×%d %v: a scaled image was scaled again (%v)", test.w, test.h, test.fit, err)
		}
	}
	for _, size := range []image.Point{{0, 5}, {5, -1}, {MaxSide + 1, 5}} {
		if _, err := Scale(photo, size.X, size.Y, Cover); fault.ReasonOf(err) != "size_invalid" {
			t.Errorf("%v: %v", size, err)
		}
	}
}

func TestScaleCoverKeepsTheMiddle(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 90, 30))
	for x := range 90 {
		for y := range 30 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 30 * 100), 0, 0, 255})
		}
	}
	got, err := Scale(img, 15, 15, Cover)
	if err != nil {
		t.Fatal(err)
	}
	for x := range 15 {
		if r, _, _, _ := got.At(x, 7).RGBA(); r>>8 != 100 {
			t.Errorf("column %d is %d, want 100", x, r>>8)
		}
	}
}

func FuzzDecodePhoto(f *testing.F) {
	small, err := Scale(testPhoto(0), 32, 24, Cover)
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{pngOf(f, small), withEXIF(jpegOf(f, small), binary.LittleEndian, 6), gifOf(f), webpOf(f), pngHeader(9000, 9000, 8), progressiveJPEG(64, 48, 3, "junk")} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const pixels = 1 << 16
		img, err := DecodePhoto(bytes.NewReader(data), PhotoLimits{Pixels: pixels})
		if err != nil {
			if fault.CodeOf(err) == fault.Internal {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		if size := img.Bounds().Size(); size.X*size.Y > pixels {
			t.Fatal(fmt.Sprint("beyond the limit: ", size))
		}
	})
}

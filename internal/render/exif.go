package render

import (
	"encoding/binary"
	"image"

	"golang.org/x/image/draw"
)

// tiffOrientation reads tag 0x0112 of the first directory (TIFF 6.0, section 2
// and page 36; EXIF keeps its data in this form).
func tiffOrientation(data []byte) int {
	const (
		tagOrientation = 0x0112
		typeShort      = 3
		entrySize      = 12
	)
	if len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if data[0] == 'I' {
		order = binary.LittleEndian
	}
	start := int64(order.Uint32(data[4:]))
	if start+2 > int64(len(data)) {
		return 1
	}
	count := int(order.Uint16(data[start:]))
	entries := data[start+2:]
	for range count {
		if len(entries) < entrySize {
			return 1
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[entrySize:]
	}
	return 1
}

// upright turns and mirrors an image as its EXIF orientation says.
func upright(img image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return img
	}
	bounds := img.Bounds()
	w, h := bounds.Dx(), bounds.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	row := image.NewRGBA(image.Rect(0, 0, w, 1)) // one at a time: photos are large
	for y := range h {
		draw.Draw(row, row.Rect, img, bounds.Min.Add(image.Pt(0, y)), draw.Src)
		for x := range w {
			to := turned(x, y, w, h, orientation)
			copy(out.Pix[out.PixOffset(to.X, to.Y):][:4], row.Pix[4*x:])
		}
	}
	return out
}

// turned is where the pixel x, y of a w × h image belongs (EXIF 2.32, 4.6.4:
// the orientation tells where the stored row 0 and column 0 are to be seen).
func turned(x, y, w, h, orientation int) image.Point {
	switch orientation {
	case 2: // top, right
		return image.Pt(w-1-x, y)
	case 3: // bottom, right
		return image.Pt(w-1-x, h-1-y)
	case 4: // bottom, left
		return image.Pt(x, h-1-y)
	case 5: // left, top
		return image.Pt(y, x)
	case 6: // right, top
		return image.Pt(h-1-y, x)
	case 7: // right, bottom
		return image.Pt(h-1-y, w-1-x)
	case 8: // left, bottom
		return image.Pt(y, w-1-x)
	default:
		return image.Pt(x, y)
	}
}

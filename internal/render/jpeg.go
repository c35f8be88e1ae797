package render

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Markers of JPEG files (ITU-T T.81, table B.1).
const (
	jpegFirstRestart = 0xD0
	jpegLastRestart  = 0xD7
	jpegEndOfImage   = 0xD9
	jpegStartOfScan  = 0xDA
	jpegProgressive  = 0xC2 // begins a progressive frame
	jpegApp1         = 0xE1
)

// jpegSegments gives the segments of a JPEG file, each with its marker, up to the
// end of the image; none of a file of another kind. What lies between segments,
// as the pixels of a scan do, is skipped as image/jpeg skips it, so that no
// segment which that decodes is missed.
func jpegSegments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(marker byte, body []byte) bool) {
		if !hasMagic(data, "\xff\xd8") {
			return
		}
		rest := data[2:]
		for {
			at := bytes.IndexByte(rest, 0xFF)
			if at < 0 || at+4 > len(rest) {
				return
			}
			marker := rest[at+1]
			switch {
			case marker == 0xFF: // padding
				rest = rest[at+1:]
				continue
			case marker == 0, jpegFirstRestart <= marker && marker <= jpegLastRestart: // within a scan
				rest = rest[at+2:]
				continue
			case marker == jpegEndOfImage:
				return
			}
			size := int(binary.BigEndian.Uint16(rest[at+2:]))
			if size < 2 || len(rest) < at+2+size {
				return
			}
			if !yield(marker, rest[at+4:at+2+size]) {
				return
			}
			rest = rest[at+2+size:]
		}
	}
}

// jpegScans counts the scans of a JPEG file and says whether it is a progressive
// one; 0 and false for a file of another kind.
func jpegScans(data []byte) (scans int, progressive bool) {
	for marker := range jpegSegments(data) {
		switch marker {
		case jpegStartOfScan:
			scans++
		case jpegProgressive:
			progressive = true
		}
	}
	return scans, progressive
}

// jpegOrientation finds the EXIF orientation of a JPEG file, 1 to 8; 1, which is
// upright, where the file has none or is something else.
func jpegOrientation(data []byte) int {
	for marker, body := range jpegSegments(data) {
		if marker == jpegStartOfScan {
			break
		}
		if marker == jpegApp1 && len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
			return tiffOrientation(body[6:])
		}
	}
	return 1
}

package render

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"platen/internal/fault"
)

// progressiveJPEG is a grey picture in few bytes, each scan of which passes over
// its blocks, at most 32,767. What is between is put behind each scan.
func progressiveJPEG(w, h uint16, scans int, between string) []byte {
	out := []byte{0xFF, 0xD8}
	segment := func(marker byte, body ...byte) {
		out = binary.BigEndian.AppendUint16(append(out, 0xFF, marker), uint16(len(body)+2))
		out = append(out, body...)
	}
	segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...) // quantization
	segment(0xC2, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
	// The only code of the table is a zero bit: a run of 16,384 empty blocks, and as
	// many more as the next 14 bits say.
	segment(0xC4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xE0)...)
	for range scans {
		segment(0xDA, 1, 1, 0, 1, 63, 0)
		out = append(out, 0x7F, 0xFF, 0)
		out = append(out, between...)
	}
	return append(out, 0xFF, 0xD9)
}

func TestScansAreBounded(t *testing.T) {
	for _, between := range []string{"", "junk", "\xff\xff\xff", "\xff\xd3", "\xff\x00", "\xff\xfe\x00\x02", "x\xff\xfe\x00\x04\xff\xd9"} {
		t.Run(fmt.Sprintf("%q", between), func(t *testing.T) {
			most := progressiveJPEG(64, 48, maxScans, between)
			if scans, progressive := jpegScans(most); scans != maxScans || !progressive {
				t.Errorf("%d scans are counted, progressive %v", scans, progressive)
			}
			if _, err := DecodePhoto(bytes.NewReader(most), PhotoLimits{}); err != nil {
				t.Errorf("as many scans as are allowed: %v", err)
			}
			more := progressiveJPEG(64, 48, maxScans+1, between)
			if _, err := DecodePhoto(bytes.NewReader(more), PhotoLimits{}); fault.ReasonOf(err) != "photo_too_large" {
				t.Errorf("one more: %v", err)
			}
		})
	}
	if scans, progressive := jpegScans(jpegOf(t, testPhoto(0))); scans != 1 || progressive {
		t.Errorf("%d scans are counted in a plain photo, progressive %v", scans, progressive)
	}
}

func TestProgressivePhotosAreSmaller(t *testing.T) {
	const side = 100
	file := progressiveJPEG(side, side, 1, "")
	if _, err := DecodePhoto(bytes.NewReader(file), PhotoLimits{Pixels: 5 * side * side}); err != nil {
		t.Errorf("exactly at the limit: %v", err)
	}
	if _, err := DecodePhoto(bytes.NewReader(file), PhotoLimits{Pixels: 5*side*side - 1}); fault.ReasonOf(err) != "photo_too_large" {
		t.Errorf("beyond the limit: %v", err)
	}
	// A few hundred bytes that would take half a gigabyte.
	if _, err := DecodePhoto(bytes.NewReader(progressiveJPEG(6320, 6320, 3, "")), PhotoLimits{}); fault.ReasonOf(err) != "photo_too_large" {
		t.Errorf("a huge one: %v", err)
	}
}

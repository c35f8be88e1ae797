package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"platen/internal/event"
)

// A row of parts_recent is a sequence of entries, one for each part. An event
// changes little of a part, so an entry says how it differs from the one before,
// where that lies in the same generation: whole rows would be most of what a
// commit writes. An entry is one of
//
//	id workspace owner created updated lastEvent stale data
//	0 id updated lastEvent copied tail end data
//
// where the numbers are signed varints, except stale, a byte, and copied, tail and
// end, which are unsigned; data has its length, unsigned, before it. In the second,
// updated and lastEvent count from those before, and data stands between the first
// copied bytes of the data before and the tail bytes of it that end at end.
//
// Rows are removed from the first one on, once all their parts are in the table or
// in a later generation. An entry of the second form whose first form is gone is
// therefore of no use any more, and is passed over.

var errRecent = errors.New("sqlite: a row of recent parts cannot be read")

// leastTail is how many bytes at the end of a part are looked for in the one
// before. A reference to an event that moved by one place takes about ten.
const leastTail = 16

// appendRecent appends an entry. before is the part as the last entry of this
// generation left it, nil when there is none.
func appendRecent(b []byte, p, before *storedPart) []byte {
	if before != nil && p.workspace == before.workspace && p.owner == before.owner &&
		p.created == before.created && p.stale == before.stale {
		return appendChange(b, p, before)
	}
	for _, v := range []int64{int64(p.id), p.workspace, int64(p.owner), p.created, p.updated, int64(p.lastEvent)} {
		b = binary.AppendVarint(b, v)
	}
	if p.stale {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(p.data))), p.data...)
}

func appendChange(b []byte, p, before *storedPart) []byte {
	for _, v := range []int64{0, int64(p.id), p.updated - before.updated, int64(p.lastEvent - before.lastEvent)} {
		b = binary.AppendVarint(b, v)
	}
	copied := sameStart(p.data, before.data)
	rest := p.data[copied:]
	tail, end := sameEnd(rest, before.data)
	for _, v := range []int{copied, tail, end, len(rest) - tail} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return append(b, rest[:len(rest)-tail]...)
}

// sameStart is how many bytes two texts begin with alike.
func sameStart(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// sameEnd finds the end of a in b, where it may be followed by more: it gives its
// length, and where in b it ends.
func sameEnd(a, b []byte) (length, end int) {
	if len(a) < leastTail {
		return 0, 0
	}
	at := bytes.LastIndex(b, a[len(a)-leastTail:])
	if at < 0 {
		return 0, 0
	}
	end = at + leastTail
	for length = leastTail; length < min(len(a), end) && a[len(a)-length-1] == b[end-length-1]; {
		length++
	}
	return length, end
}

// eachRecent calls f for the parts of a row. before gives a part as the rows
// before left it, nil when they have none.
func eachRecent(entries []byte, before func(event.ID) *storedPart, f func(*storedPart)) error {
	d := rowDecoder{in: entries}
	for len(d.in) > 0 && !d.bad {
		p := &storedPart{id: event.ID(d.int())}
		if p.id != 0 {
			p.workspace, p.owner, p.created = d.int(), event.ID(d.int()), d.int()
			p.updated, p.lastEvent = d.int(), event.ID(d.int())
			p.stale = d.uint() == 1
			p.data = slices.Clone(d.bytes(d.uint()))
		} else {
			p = d.change(before)
		}
		if p != nil && !d.bad {
			f(p)
		}
	}
	if d.bad {
		return errRecent
	}
	return nil
}

// change reads an entry of the second form behind its zero. It gives nil where
// there is nothing that it could be a change of.
func (d *rowDecoder) change(before func(event.ID) *storedPart) *storedPart {
	base := before(event.ID(d.int()))
	updated, lastEvent := d.int(), event.ID(d.int())
	copied, tail, end := d.uint(), d.uint(), d.uint()
	middle := d.bytes(d.uint())
	if base == nil {
		return nil
	}
	if size := uint64(len(base.data)); copied > size || end > size || tail > end {
		d.bad = true
		return nil
	}
	p := *base
	p.updated += updated
	p.lastEvent += lastEvent
	p.data = slices.Concat(base.data[:copied], middle, base.data[end-tail:end])
	return &p
}

// rowDecoder takes values from the front of a row. After a mistake it is bad.
type rowDecoder struct {
	in  []byte
	bad bool
}

func (d *rowDecoder) int() int64 {
	v, n := binary.Varint(d.in)
	d.skip(n)
	return v
}

func (d *rowDecoder) uint() uint64 {
	v, n := binary.Uvarint(d.in)
	d.skip(n)
	return v
}

func (d *rowDecoder) bytes(n uint64) []byte {
	if n > uint64(len(d.in)) {
		d.bad = true
		return nil
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b
}

func (d *rowDecoder) skip(n int) {
	if n <= 0 {
		d.bad, d.in = true, nil
		return
	}
	d.in = d.in[n:]
}

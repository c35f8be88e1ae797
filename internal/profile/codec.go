package profile

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"platen/internal/event"
)

// A stored part is a sequence of unsigned varints, and of strings with their
// length before them; numbers that may be negative are zig-zag coded. The first
// byte is the version of the form, so that it can be read for ever.
const partForm = 1

var errPart = errors.New("profile: a stored part cannot be read")

// MarshalPart writes a part in its stored form. ID, Workspace, Owner, Created and
// Updated are columns of their own and are not in it.
func MarshalPart(p *Part) []byte {
	e := encoder{buf: make([]byte, 0, sizeOf(p))}
	e.uint(partForm)
	e.uint(bit(p.Blocked) | bit(p.Stale)<<1)
	e.uint(uint64(len(p.Identifiers)))
	for _, i := range p.Identifiers {
		e.uint(uint64(i.Kind))
		e.string(i.Value)
	}
	e.uint(uint64(len(p.Claims)))
	for _, c := range p.Claims {
		e.int(c.At)
		e.string(c.User)
	}
	e.uint(uint64(len(p.Members)))
	for _, m := range p.Members {
		e.uint(uint64(m))
	}
	e.facts(p.Own)
	e.uint(uint64(len(p.Shares)))
	for _, s := range p.Shares {
		e.string(s.User)
		e.summary(s.Summary)
	}
	if len(p.Members) > 0 {
		e.facts(p.Total)
	}
	return e.buf
}

// sizeOf guesses the stored size, so that the common part needs one allocation.
func sizeOf(p *Part) int {
	size := 128 + 32*len(p.Claims) + 10*len(p.Members)
	for _, f := range []*Facts{&p.Own, &p.Total} {
		size += 48*len(f.Attributes) + 64*len(f.Summary.Counts) + 14*len(f.Summary.Recent)
	}
	return size
}

// UnmarshalPart reads what MarshalPart wrote into p, whose columns of their own
// are left as they are. The strings of p share one copy of data.
func UnmarshalPart(data []byte, p *Part) error {
	d := decoder{in: string(data)}
	if d.uint() != partForm {
		return errPart
	}
	flags := d.uint()
	p.Blocked, p.Stale = flags&1 != 0, flags&2 != 0
	p.Identifiers = make([]Identifier, d.count())
	for i := range p.Identifiers {
		p.Identifiers[i] = Identifier{Kind: Kind(d.uint()), Value: d.string()}
	}
	p.Claims = make([]Claim, d.count())
	for i := range p.Claims {
		p.Claims[i] = Claim{At: d.int(), User: d.string()}
	}
	p.Members = make([]event.ID, d.count())
	for i := range p.Members {
		p.Members[i] = event.ID(d.uint())
	}
	p.Own = d.facts()
	p.Shares = make([]Share, d.count())
	for i := range p.Shares {
		p.Shares[i] = Share{User: d.string(), Summary: d.summary()}
	}
	if len(p.Members) > 0 {
		p.Total = d.facts()
	}
	if d.bad || d.at != len(d.in) {
		return errPart
	}
	return nil
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

type encoder struct{ buf []byte }

func (e *encoder) uint(v uint64) { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) int(v int64)   { e.buf = binary.AppendVarint(e.buf, v) }
func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) facts(f Facts) {
	names := make([]string, 0, len(f.Attributes))
	for name := range f.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	e.uint(uint64(len(names)))
	for _, name := range names {
		e.string(name)
		e.uint(uint64(len(f.Attributes[name])))
		for _, v := range f.Attributes[name] {
			e.int(v.At)
			e.string(v.Value)
		}
	}
	e.summary(f.Summary)
}

// summary writes each count with a bit set of its days that are not zero. Refs
// are most of a part: each is its id relative to the one before, its time
// relative to the receipt that is in the id, and the index of its name.
func (e *encoder) summary(s Summary) {
	e.uint(uint64(len(s.Counts)))
	for i := range s.Counts {
		c := &s.Counts[i]
		e.string(c.Name)
		e.uint(uint64(c.Total))
		e.int(c.First)
		e.int(c.Last - c.First)
		e.int(int64(c.Day))
		var set uint64
		for day := range c.Days {
			if c.Days[day] != 0 {
				set |= 1 << day
			}
		}
		e.uint(set)
		for ; set != 0; set &= set - 1 {
			e.uint(uint64(c.Days[bits.TrailingZeros64(set)]))
		}
	}
	e.uint(uint64(len(s.Recent)))
	var before event.ID
	for _, r := range s.Recent {
		e.int(int64(r.ID - before))
		e.int(r.At - r.ID.Time().UnixMicro())
		before = r.ID
		if i, ok := s.find(r.Name); ok {
			e.uint(uint64(i) + 1)
		} else {
			e.uint(0)
			e.string(r.Name)
		}
	}
}

// decoder reads from at on. After a mistake it is bad and has nothing left, so
// that every loop over what remains ends.
type decoder struct {
	in  string
	at  int
	bad bool
}

func (d *decoder) fail() {
	d.bad, d.at = true, len(d.in)
}

func (d *decoder) uint() uint64 {
	var v uint64
	for shift := 0; shift < 64 && d.at < len(d.in); shift += 7 {
		c := d.in[d.at]
		d.at++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.fail()
	return 0
}

// int reads a zig-zag coded number, as encoding/binary writes it.
func (d *decoder) int() int64 {
	v := d.uint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads a number of items, each of which takes at least one byte.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.in)-d.at) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.count()
	s := d.in[d.at : d.at+n]
	d.at += n
	return s
}

func (d *decoder) facts() Facts {
	n := d.count()
	f := Facts{Attributes: make(Attributes, n)}
	single := make([]Version, n) // most attributes have one version
	for i := range n {
		name := d.string()
		versions := single[i : i+1 : i+1]
		if v := d.count(); v != 1 {
			versions = make([]Version, v)
		}
		for j := range versions {
			versions[j] = Version{At: d.int(), Value: d.string()}
		}
		f.Attributes[name] = versions
	}
	f.Summary = d.summary()
	return f
}

func (d *decoder) summary() Summary {
	s := Summary{Counts: make([]Count, d.count())}
	for i := range s.Counts {
		c := &s.Counts[i]
		c.Name = d.string()
		c.Total = int64(d.uint())
		c.First = d.int()
		c.Last = c.First + d.int()
		c.Day = int32(d.int())
		for set := d.uint() & (1<<SummaryDays - 1); set != 0; set &= set - 1 {
			c.Days[bits.TrailingZeros64(set)] = uint32(d.uint())
		}
	}
	n := d.count()
	s.Recent = make([]Ref, 0, min(n+1, SummaryRecent))
	var id event.ID
	for range n {
		id += event.ID(d.int())
		r := Ref{ID: id, At: id.Time().UnixMicro() + d.int()}
		switch i := d.uint(); {
		case i == 0:
			r.Name = d.string()
		case i <= uint64(len(s.Counts)):
			r.Name = s.Counts[i-1].Name
		default:
			d.fail()
		}
		s.Recent = append(s.Recent, r)
	}
	return s
}

package payload

import (
	"strconv"
	"strings"
)

// join puts paths together that cannot go on in different ways: their JSON text
// stands at the same place, and no variable or decision in which they differ
// matters behind the offset.
func (w *walker) join(paths []*path, offset int) []*path {
	if len(paths) < 2 {
		return paths
	}
	seen := make(map[string]*path, len(paths))
	joined := paths[:0]
	for _, p := range paths {
		p.vars = p.vars.alive(w.uses, offset)
		key := p.key(offset)
		w.spend(len(key) / 64)
		if same := seen[key]; same != nil {
			same.facts = same.facts.both(p.facts)
			same.json.join(&p.json)
			continue
		}
		seen[key] = p
		joined = append(joined, p)
	}
	return w.bounded(joined, offset)
}

// bounded drops paths when there are too many, evenly, and says so.
func (w *walker) bounded(paths []*path, offset int) []*path {
	if len(paths) <= maxPaths {
		return paths
	}
	w.found.noteOnce(offset, "there are more than "+strconv.Itoa(maxPaths)+" combinations of conditions up to here; some of them were not checked")
	kept := make([]*path, maxPaths)
	for i := range kept {
		kept[i] = paths[i*len(paths)/maxPaths]
	}
	return kept
}

// key describes all that decides how the path goes on behind an offset; its
// variables are those that are alive there.
func (p *path) key(offset int) string {
	var b strings.Builder
	p.json.describe(&b)
	p.flat.describe(&b)
	b.WriteByte(byte('0' + p.leave))
	for c := p.into; c != nil; c = c.before {
		for _, pc := range c.pieces {
			describePiece(&b, pc)
		}
		b.WriteByte('|')
	}
	for _, v := range p.vars {
		b.WriteString("\n" + v.name + "=" + v.key)
	}
	for _, f := range p.facts {
		if p.w.uses.asks(f, offset) {
			b.WriteString("\n?" + f.subject + " " + f.op + " " + f.other + strconv.Itoa(f.answer))
		}
	}
	return b.String()
}

// describe writes all that decides how the text can go on.
func (d *document) describe(b *strings.Builder) {
	b.Write([]byte{'0' + byte(d.mode), '0' + byte(d.back), bit(d.touching), bit(d.unsure), d.tail})
	if d.mode == inString || d.mode == inBare {
		d.tok.describe(b)
	}
	b.WriteString(strconv.Itoa(d.text.start.at))
	for f := d.top; f != nil; f = f.parent {
		b.Write([]byte{f.kind, '0' + byte(f.items), bit(f.comma != nil), bit(f.first != nil)})
		b.WriteString(f.name)
	}
}

func bit(set bool) byte {
	if set {
		return '1'
	}
	return '0'
}

// join takes over what another text at the same place has seen.
func (d *document) join(other *document) {
	d.top = d.top.joined(other.top)
}

func (f *frame) joined(other *frame) *frame {
	if f == nil || f == other {
		return f
	}
	j := *f
	j.parent = f.parent.joined(other.parent)
	j.last, j.comma = joinMarks(f.last, other.last), joinMarks(f.comma, other.comma)
	for n := other.names; n != nil && n != f.names; n = n.next {
		if !f.names.has(n.text) {
			j.names = j.names.with(n.text)
		}
	}
	return &j
}

func joinMarks(a, b []mark) []mark {
	out := a[:len(a):len(a)]
next:
	for _, m := range b {
		for _, known := range a {
			if known.at == m.at {
				continue next
			}
		}
		out = append(out, m)
	}
	return out
}

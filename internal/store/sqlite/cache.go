package sqlite

import (
	"platen/internal/event"
	"platen/internal/profile"
)

// cacheParts is how many parts a generation of the cache takes. There are two, so
// it holds at most twice as many, of some kilobytes each.
const cacheParts = 8192

// partCache holds the parts that were written or read last by transactions, so
// that the people who are active are not read and decoded again for each event. It
// belongs to the writing connection: what it holds is what is committed. A
// transaction changes the parts themselves, so after a roll-back it is emptied.
type partCache struct {
	young, old generation
}

type generation struct {
	parts map[event.ID]*profile.Part
	names map[profile.Key]event.ID // identifiers; they never change what they name
}

func newGeneration() generation {
	return generation{parts: map[event.ID]*profile.Part{}, names: map[profile.Key]event.ID{}}
}

func newPartCache() *partCache { return &partCache{young: newGeneration(), old: newGeneration()} }

// empty forgets everything.
func (p *partCache) empty() { *p = *newPartCache() }

// part gives a part, nil when it is not held.
func (p *partCache) part(id event.ID) *profile.Part {
	if part := p.young.parts[id]; part != nil {
		return part
	}
	part := p.old.parts[id]
	if part != nil {
		p.put(part)
	}
	return part
}

// named gives the part that an identifier names, nil when it is not held.
func (p *partCache) named(k profile.Key) *profile.Part {
	id, ok := p.young.names[k]
	if !ok {
		if id, ok = p.old.names[k]; !ok {
			return nil
		}
	}
	part := p.part(id)
	if part != nil {
		p.young.names[k] = id
	}
	return part
}

// put holds a part. When the young generation is full it becomes the old one.
func (p *partCache) put(part *profile.Part) {
	if _, ok := p.young.parts[part.ID]; !ok && len(p.young.parts) >= cacheParts {
		p.old, p.young = p.young, newGeneration()
	}
	p.young.parts[part.ID] = part
}

// name notes that an identifier names a part that is held.
func (p *partCache) name(k profile.Key, id event.ID) { p.young.names[k] = id }

package sqlite

import (
	"platen/internal/event"
	"platen/internal/profile"
)

// How many parts and identifiers a generation of the cache takes. There are two,
// so it holds at most twice as many: parts of some kilobytes, and identifiers of
// about a hundred bytes.
const (
	cacheParts = 8192
	cacheNames = 1 << 17
)

// partCache holds the parts that were written or read last by transactions, so
// that the people who are active are not read and decoded again for each event,
// and what led to these and to many more. It belongs to the writing connection:
// what it holds is what is committed. A transaction changes the parts themselves,
// so after a roll-back it is emptied.
type partCache struct {
	parts generations[event.ID, *profile.Part]
	names generations[profile.Key, event.ID] // identifiers; they never change what they name
}

func newPartCache() *partCache {
	return &partCache{
		parts: newGenerations[event.ID, *profile.Part](cacheParts),
		names: newGenerations[profile.Key, event.ID](cacheNames),
	}
}

// empty forgets everything.
func (p *partCache) empty() { *p = *newPartCache() }

// part gives a part, nil when it is not held.
func (p *partCache) part(id event.ID) *profile.Part {
	part, _ := p.parts.get(id)
	return part
}

// put holds a part.
func (p *partCache) put(part *profile.Part) { p.parts.put(part.ID, part) }

// generations hold what was put or asked for last. When the young one is full it
// becomes the old one, and what was in the old one is forgotten.
type generations[K comparable, V any] struct {
	most       int // in one
	young, old map[K]V
}

func newGenerations[K comparable, V any](most int) generations[K, V] {
	return generations[K, V]{most: most, young: map[K]V{}}
}

func (g *generations[K, V]) get(k K) (v V, ok bool) {
	if v, ok = g.young[k]; ok {
		return v, true
	}
	if v, ok = g.old[k]; ok {
		g.put(k, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	if _, ok := g.young[k]; !ok && len(g.young) >= g.most {
		g.old, g.young = g.young, map[K]V{}
	}
	g.young[k] = v
}

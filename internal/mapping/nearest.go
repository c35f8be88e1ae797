package mapping

import (
	"maps"
	"slices"

	"platen/internal/nearest"
)

// name is a name that a sender may use, and what it would lead to.
type name struct {
	spelling string
	leadsTo  string // as "product_viewed (movable-ink)"
}

// nearestName gives the name with the fewest typing mistakes between it and word,
// nil when there are no names.
func nearestName(word string, names []name) *name {
	word = spelling(word)
	if word == "" {
		return nil
	}
	var best *name
	least := 0
	for i := range names {
		if d := nearest.Distance(word, names[i].spelling); best == nil || d < least {
			best, least = &names[i], d
		}
	}
	return best
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

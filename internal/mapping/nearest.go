package mapping

import (
	"maps"
	"slices"
)

// name is a name that a sender may use, and what it would lead to.
type name struct {
	spelling string
	leadsTo  string // as "product_viewed (movable-ink)"
}

// nearest gives the name with the fewest typing mistakes between it and word,
// nil when there are no names.
func nearest(word string, names []name) *name {
	word = spelling(word)
	if word == "" {
		return nil
	}
	var best *name
	least := 0
	for i := range names {
		if d := editDistance(word, names[i].spelling); best == nil || d < least {
			best, least = &names[i], d
		}
	}
	return best
}

// maxDistanceRunes bounds the words that editDistance compares: its cost is their
// product, and event names come from outside.
const maxDistanceRunes = 64

// editDistance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	x, y := clipRunes(a), clipRunes(b)
	var before, last, row [maxDistanceRunes + 1]int
	for j := range y {
		last[j+1] = j + 1
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

func clipRunes(s string) []rune {
	r := []rune(s[:min(len(s), 4*maxDistanceRunes)])
	return r[:min(len(r), maxDistanceRunes)]
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// Package nearest finds the known word that a mistyped one most likely means.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// Word gives the known word with the fewest typing mistakes, whatever the case of
// its letters; of equally near ones the first. ok is false when none is near: a
// third of the letters may be wrong, and one more.
func Word(word string, known []string) (near string, ok bool) {
	least := utf8.RuneCountInString(word)/3 + 2
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			near, least, ok = k, d, true
		}
	}
	return near, ok
}

// maxRunes bounds the words that Distance compares: its cost is their product, and
// words come from outside.
const maxRunes = 64

// Distance counts the insertions, deletions, substitutions and swaps of neighbours
// that turn a into b (optimal string alignment). Of long words the first 64
// characters count.
func Distance(a, b string) int {
	x, y := beginning(a), beginning(b)
	var before, last, row [maxRunes + 1]int
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

func beginning(s string) []rune {
	r := []rune(s[:min(len(s), utf8.UTFMax*maxRunes)])
	return r[:min(len(r), maxRunes)]
}

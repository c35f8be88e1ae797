package document

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// didYouMean is the end of a message about a word that is not known: the nearest
// one that is, or all of them when none is near.
func didYouMean(word string, known []string) string {
	if near, ok := nearest(word, known); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return "there is none"
	}
	const most = 12
	if len(known) > most {
		known = append(slices.Clone(known[:most]), "…")
	}
	return "it can be " + strings.Join(known, ", ")
}

// nearest finds the known word that a mistyped one most likely means.
func nearest(word string, known []string) (string, bool) {
	best, least := "", utf8.RuneCountInString(word)/3+2
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance counts the letters that must be inserted, removed or replaced to turn
// a into b (Levenshtein). Long words are compared by their beginning.
func distance(a, b string) int {
	x, y := beginning(a), beginning(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			replaced := diagonal
			if x[i] != y[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}

func beginning(s string) []rune {
	const most = 64
	r := []rune(s[:min(len(s), 4*most)])
	return r[:min(len(r), most)]
}

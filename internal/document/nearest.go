package document

import (
	"fmt"
	"slices"
	"strings"

	"platen/internal/nearest"
)

// didYouMean is the end of a message about a word that is not known: the nearest
// one that is, or all of them when none is near.
func didYouMean(word string, known []string) string {
	if near, ok := nearest.Word(word, known); ok {
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

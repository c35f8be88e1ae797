package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"platen/internal/fault"
)

// Problem is one mistake in a file, with its place in the fault.
type Problem struct {
	File string
	*fault.Error
}

// String is the problem as compilers write theirs: file:line:column: message.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all mistakes that were found, sorted by place. As an error it
// holds one *fault.Error with all their texts.
type Problems []Problem

// Error gives one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the fault for callers that know nothing of documents.
func (p Problems) Unwrap() error {
	return fault.Refused("bad_document", "%s", p.Error())
}

// orNil is the error of a step that collected problems.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

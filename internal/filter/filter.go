// Package filter is the one language of conditions: on a profile's identifiers and
// attributes, on what it did, and on the properties of the event at hand. Audiences,
// triggers and the rules of blocks are written in it.
//
// The tree is open, so that a store can translate it; it is made by the
// constructors, which refuse what could never be evaluated.
package filter

import (
	"regexp"
	"time"

	"platen/internal/fault"
)

// Expr is a condition. Its types are And, Or, Not, *Compare and Did.
type Expr interface {
	// matches says whether the condition holds.
	matches(*Subject) bool
	// whyNot says in one line why it does not hold; it is asked only then.
	whyNot(*Subject) string
	// seen says in one line what was looked at, whether the condition holds or not.
	seen(*Subject) string
}

// And holds when all its conditions hold; an empty one always does.
type And []Expr

// Or holds when at least one of its conditions holds; an empty one never does.
type Or []Expr

// Not holds when its condition does not.
type Not struct{ Expr Expr }

// Did holds when the profile did something.
type Did struct {
	Event string
	// Within is how long ago, at most, the last time was; 0 is any time.
	Within time.Duration
}

// Compare holds one value of the subject against an operator. It is made by
// NewPlain, NewNumeric and NewTextual.
type Compare struct {
	Operand Operand
	Op      Op
	Number  float64  // of an operator that takes a number
	Texts   []string // of an operator that takes texts; one pattern for the regex operators

	pattern *regexp.Regexp
}

// Matches says whether e holds for s. No condition at all (nil) holds for everyone.
func Matches(e Expr, s *Subject) bool { return e == nil || e.matches(s) }

// WhyNot gives the first reason why e does not hold for s, in one line for
// people, and "" when it holds.
func WhyNot(e Expr, s *Subject) string {
	if Matches(e, s) {
		return ""
	}
	return e.whyNot(s)
}

func refused(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "bad_condition", format, args...)
}

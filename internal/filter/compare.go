package filter

import (
	"errors"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
)

// Op is an operator. The names are those of shared/spec/engage.md section 5.4,
// written as one word.
type Op string

// The operators.
const (
	Blank    Op = "blank"
	NotBlank Op = "not_blank"

	IsTrue        Op = "true"
	IsFalse       Op = "false"
	TrueOrNotSet  Op = "true_or_not_set"
	FalseOrNotSet Op = "false_or_not_set"

	Exactly      Op = "exactly"
	DoesNotEqual Op = "does_not_equal"
	MoreThan     Op = "more_than"
	LessThan     Op = "less_than"

	AnyOf             Op = "any_of"
	NoneOf            Op = "none_of"
	ContainsAnyOf     Op = "contains_any_of"
	ContainsNoneOf    Op = "contains_none_of"
	MatchesRegex      Op = "matches_regex"
	DoesNotMatchRegex Op = "does_not_match_regex"
)

// Argument says what an operator takes beside the operand.
type Argument uint8

// The kinds of arguments.
const (
	NoArgument Argument = iota + 1
	OneNumber
	SomeTexts
	OnePattern // a regular expression in RE2's syntax
)

// operator is what holds of one Op.
type operator struct {
	argument Argument
	// negative operators must hold for every value that the operand leads to,
	// all others for at least one.
	negative bool
	words    string // of a sentence "it must …"
	test     func(c *Compare, v any) bool
}

var operators = map[Op]operator{
	Blank:    {NoArgument, false, "be blank", func(c *Compare, v any) bool { return c.blank(v) }},
	NotBlank: {NoArgument, false, "not be blank", func(c *Compare, v any) bool { return !c.blank(v) }},

	IsTrue:        {NoArgument, false, "be true", func(_ *Compare, v any) bool { return v == true }},
	IsFalse:       {NoArgument, false, "be false", func(_ *Compare, v any) bool { return v == false }},
	TrueOrNotSet:  {NoArgument, false, "be true or not set", func(_ *Compare, v any) bool { return v == nil || v == true }},
	FalseOrNotSet: {NoArgument, false, "be false or not set", func(_ *Compare, v any) bool { return v == nil || v == false }},

	Exactly:      {OneNumber, false, "be exactly", func(c *Compare, v any) bool { return numberOr(v, 0) == c.Number }},
	DoesNotEqual: {OneNumber, true, "not equal", func(c *Compare, v any) bool { return numberOr(v, 0) != c.Number }},
	MoreThan:     {OneNumber, false, "be more than", func(c *Compare, v any) bool { return numberOr(v, math.Inf(-1)) > c.Number }},
	LessThan:     {OneNumber, false, "be less than", func(c *Compare, v any) bool { return numberOr(v, math.Inf(-1)) < c.Number }},

	AnyOf:             {SomeTexts, false, "be any of", (*Compare).isListed},
	NoneOf:            {SomeTexts, true, "be none of", func(c *Compare, v any) bool { return !c.isListed(v) }},
	ContainsAnyOf:     {SomeTexts, false, "contain any of", (*Compare).containsListed},
	ContainsNoneOf:    {SomeTexts, true, "contain none of", func(c *Compare, v any) bool { return !c.containsListed(v) }},
	MatchesRegex:      {OnePattern, false, "match", (*Compare).matchesPattern},
	DoesNotMatchRegex: {OnePattern, true, "have a value that does not match", (*Compare).hasTextBesidePattern},
}

// Ops gives the names of all operators, sorted.
func Ops() []string {
	names := make([]string, 0, len(operators))
	for op := range operators {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}

// Takes says what the operator takes, 0 for a name that is no operator.
func (op Op) Takes() Argument { return operators[op].argument }

// The bounds of texts, from shared/spec/engage.md section 5.4.
const (
	maxTexts   = 256
	maxPattern = 32764
)

// NewPlain makes a condition whose operator takes nothing.
func NewPlain(on Operand, op Op) (*Compare, error) {
	if op.Takes() != NoArgument {
		return nil, refused("%s needs a value to compare with", op)
	}
	return &Compare{Operand: on, Op: op}, nil
}

// NewNumeric makes a condition whose operator takes a number.
func NewNumeric(on Operand, op Op, number float64) (*Compare, error) {
	if op.Takes() != OneNumber {
		return nil, refused("%s does not compare with a number", op)
	}
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, refused("%v is not a number that a value can have", number)
	}
	return &Compare{Operand: on, Op: op, Number: number + 0}, nil // -0 becomes 0
}

// NewTextual makes a condition whose operator takes texts, or one pattern. Texts
// are compared with regard to case, patterns without.
func NewTextual(on Operand, op Op, texts ...string) (*Compare, error) {
	c := &Compare{Operand: on, Op: op, Texts: texts}
	switch op.Takes() {
	case SomeTexts:
		if len(texts) == 0 || len(texts) > maxTexts {
			return nil, refused("%s takes 1 to %d texts, here are %d", op, maxTexts, len(texts))
		}
	case OnePattern:
		if len(texts) != 1 || len(texts[0]) > maxPattern {
			return nil, refused("%s takes one pattern of at most %d bytes", op, maxPattern)
		}
		pattern, err := regexp.Compile("(?i)" + texts[0])
		if err != nil {
			return nil, refused("%q is not a regular expression%s", texts[0], patternMistake(err)).Because(err)
		}
		c.pattern = pattern
	default:
		return nil, refused("%s does not compare with text", op)
	}
	return c, nil
}

// patternMistake is the end of a sentence about a pattern that does not compile.
func patternMistake(err error) string {
	var mistake *syntax.Error
	if errors.As(err, &mistake) {
		return ": " + string(mistake.Code)
	}
	return ""
}

package payload

import (
	"slices"
	"strings"

	"platen/liquid"
)

// A question is a condition without `and` and `or`, in terms of the input, so
// that it is the same question wherever the template asks it.
type question struct {
	subject string // name of the value
	op      string // truthy, length, or a comparison other than !=
	other   string // name of what it is compared to
	literal any    // that value, when otherKnown
	known   bool
}

// The operators that no template writes.
const (
	truthy = "truthy" // is there, and not false
	length = "length" // number of rounds of a loop
)

// A fact is a question that one way through the template has answered.
type fact struct {
	question
	answer int    // 1 for yes, 0 for no; the number of rounds for length
	phrase string // as a person says it: "${user_id} is set"
	// roots are the inputs that it is about (see walker.roots); none: it matters
	// only until the ways join again.
	roots []string
}

func (f fact) same(g fact) bool { return f.question == g.question && f.answer == g.answer }

// facts never change; with returns a longer list.
type facts []fact

func (fs facts) with(f fact) facts { return append(fs[:len(fs):len(fs)], f) }

// both returns the facts that two ways share.
func (fs facts) both(other facts) facts {
	var shared facts
	for _, f := range fs {
		if slices.ContainsFunc(other, f.same) {
			shared = append(shared, f)
		}
	}
	return shared
}

// answer tells what the facts say to a question: 1, 0, or -1 for nothing.
func (fs facts) answer(q question) int {
	for _, f := range fs {
		if f.subject != q.subject {
			continue
		}
		if f.question == q {
			return f.answer
		}
		if a := f.implies(q); a >= 0 {
			return a
		}
	}
	return -1
}

// implies draws the conclusions that keep related conditions together, as
// `x == 'a'` and then `x == 'b'`, or `x` and then `x == blank`.
func (f fact) implies(q question) int {
	if f.op == length || q.op == length {
		return -1
	}
	switch q.op {
	case truthy:
		switch {
		case f.op == "==" && f.isNil():
			return unless(f.answer)
		case f.op == "==" && f.is(liquid.Blank) && f.answer == 0:
			return 1
		case f.op == "==" && f.known && !f.isSpecial() && f.answer == 1:
			return yes(liquid.Truthy(f.literal))
		case f.op != "==" && f.answer == 1:
			return 1 // nil is neither greater nor smaller than anything
		}
	case "==":
		switch {
		case !q.known:
		case f.op == truthy && f.answer == 0:
			return q.holdsForNothing()
		case f.op == truthy && q.isNil():
			return 0
		case f.op == "==" && f.answer == 1 && f.known && !f.isSpecial() && !q.isSpecial():
			return 0 // equal to another constant, or the questions would be the same
		}
	default:
		if f.op == truthy && f.answer == 0 {
			return 0
		}
	}
	return -1
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unless is the answer turned round, when the answer is yes.
func unless(answer int) int {
	if answer == 1 {
		return 0
	}
	return -1
}

func (q question) isNil() bool     { return q.known && q.literal == nil }
func (q question) is(v any) bool   { return q.known && q.literal == v }
func (q question) isSpecial() bool { return q.is(liquid.Blank) || q.is(liquid.Empty) }

// holdsForNothing answers `x == literal` for an x that is nil or false.
func (q question) holdsForNothing() int {
	switch q.literal.(type) {
	case nil, bool:
		return -1
	}
	return yes(q.is(liquid.Blank))
}

// present reports whether the facts say that a value is there.
func (fs facts) present(name string) bool {
	for _, f := range fs {
		if f.subject != name {
			// What has a member, a size or an item is there itself.
			if len(f.subject) > len(name) && f.subject[:len(name)] == name && f.holdsOfSomething() {
				if c := f.subject[len(name)]; c == '.' || c == '[' {
					return true
				}
			}
			continue
		}
		if f.holdsOfSomething() {
			return true
		}
	}
	return false
}

// holdsOfSomething reports whether the fact can only be so for a value that is
// there.
func (f fact) holdsOfSomething() bool {
	switch f.op {
	case truthy:
		return f.answer == 1
	case length:
		return f.answer > 0
	case "==":
		if f.isNil() || f.isSpecial() {
			return f.answer == 0
		}
	}
	return f.answer == 1
}

// filled reports whether the facts say that a list has an item.
func (fs facts) filled(name string) bool {
	for _, f := range fs {
		switch {
		case f.subject == name && f.op == length:
			return f.answer > 0
		case f.subject == name && f.op == "==" && f.isSpecial() && f.answer == 0:
			return true
		case f.subject == name+".size" && f.answer == 1 && (f.op == ">" || f.op == ">=" && !f.is(int64(0))):
			return true
		case f.subject == name+".size" && f.answer == 0 && f.op == "==" && f.is(int64(0)):
			return true
		}
	}
	return false
}

// number reports whether the facts say that a value is a number: it was found to
// be less or more than one, and to compare a text with a number is an error.
func (fs facts) number(name string) bool {
	return slices.ContainsFunc(fs, func(f fact) bool {
		_, text := f.literal.(string)
		return f.subject == name && f.answer == 1 && f.known && !text && strings.ContainsAny(f.op, "<>")
	})
}

// literal returns the constant that the facts say a value equals.
func (fs facts) literal(name string) (any, bool) {
	for _, f := range fs {
		if f.subject == name && f.op == "==" && f.answer == 1 && f.known && !f.isSpecial() {
			return f.literal, true
		}
	}
	return nil, false
}

package mapping

import (
	"errors"
	"strconv"

	"github.com/itchyny/gojq"
)

// closure is an expression compiled to Go: one value in, one value or error out.
// It does exactly what gojq does for the same expression; a property test holds it
// to that.
type closure func(v any) (any, error)

// errNothing stands for an expression without an output, as .a? of a string.
var errNothing = errors.New("the expression gives nothing")

// jqError is an error of an expression, in the words of gojq.
type jqError string

func (e jqError) Error() string { return string(e) }

// closureOf compiles paths, literals, comparisons, and, or, not, //, if and pipes
// of these; ok=false for any other expression.
func closureOf(q *gojq.Query) (c closure, ok bool) {
	if q.Term != nil {
		return termClosure(q.Term)
	}
	left, ok := closureOf(q.Left)
	if !ok {
		return nil, false
	}
	right, ok := closureOf(q.Right)
	if !ok {
		return nil, false
	}
	switch q.Op {
	case gojq.OpPipe:
		return pipe(left, right), true
	case gojq.OpAlt:
		return alternative(left, right), true
	case gojq.OpAnd:
		return branch(left, branch(right, constant(true), constant(false)), constant(false)), true
	case gojq.OpOr:
		return branch(left, constant(true), branch(right, constant(true), constant(false))), true
	}
	if holds := comparison(q.Op); holds != nil {
		return compare(left, right, holds), true
	}
	return nil, false
}

func termClosure(t *gojq.Term) (closure, bool) {
	c, ok := baseClosure(t)
	for i := 0; ok && i < len(t.SuffixList); i++ {
		suffix := t.SuffixList[i]
		switch {
		case suffix.Optional:
			c = optionally(c)
		case suffix.Index != nil:
			var step closure
			if step, ok = indexClosure(suffix.Index); !ok {
				return nil, false
			}
			// A question mark forgives the step before it, not the whole path.
			if i+1 < len(t.SuffixList) && t.SuffixList[i+1].Optional {
				step = optionally(step)
				i++
			}
			c = pipe(c, step)
		default:
			return nil, false
		}
	}
	return c, ok
}

func baseClosure(t *gojq.Term) (closure, bool) {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return identity, true
	case gojq.TermTypeNull:
		return constant(nil), true
	case gojq.TermTypeTrue:
		return constant(true), true
	case gojq.TermTypeFalse:
		return constant(false), true
	case gojq.TermTypeNumber, gojq.TermTypeUnary:
		return literal(t)
	case gojq.TermTypeString:
		return constant(t.Str.Str), t.Str.Queries == nil
	case gojq.TermTypeIndex:
		return indexClosure(t.Index)
	case gojq.TermTypeQuery:
		return closureOf(t.Query)
	case gojq.TermTypeIf:
		return ifClosure(t.If.Cond, t.If.Then, t.If.Elif, t.If.Else)
	case gojq.TermTypeFunc:
		return branch(identity, constant(false), constant(true)), t.Func.Name == "not"
	default:
		return nil, false
	}
}

func identity(v any) (any, error) { return v, nil }

func constant(v any) closure { return func(any) (any, error) { return v, nil } }

// literal lets gojq read a number, so that both hold the same value.
func literal(t *gojq.Term) (closure, bool) {
	code, err := gojq.Compile(&gojq.Query{Term: &gojq.Term{Type: t.Type, Number: t.Number, Unary: t.Unary}})
	if err != nil {
		return nil, false
	}
	v, ok := code.Run(nil).Next()
	return constant(v), ok
}

func pipe(left, right closure) closure {
	return func(v any) (any, error) {
		v, err := left(v)
		if err != nil {
			return nil, err
		}
		return right(v)
	}
}

func optionally(c closure) closure {
	return func(v any) (any, error) {
		v, err := c(v)
		if err != nil {
			return nil, errNothing
		}
		return v, nil
	}
}

func alternative(left, right closure) closure {
	return func(v any) (any, error) {
		got, err := left(v)
		switch {
		case err != nil && err != errNothing:
			return nil, err
		case err == nil && isTrue(got):
			return got, nil
		default:
			return right(v)
		}
	}
}

func branch(condition, then, otherwise closure) closure {
	return func(v any) (any, error) {
		got, err := condition(v)
		switch {
		case err != nil:
			return nil, err
		case isTrue(got):
			return then(v)
		default:
			return otherwise(v)
		}
	}
}

// isTrue is jq's truth: all but false and null.
func isTrue(v any) bool { return v != nil && v != false }

func ifClosure(cond, then *gojq.Query, elifs []*gojq.IfElif, last *gojq.Query) (closure, bool) {
	condition, ok := closureOf(cond)
	if !ok {
		return nil, false
	}
	consequence, ok := closureOf(then)
	if !ok {
		return nil, false
	}
	otherwise := closure(identity)
	switch {
	case len(elifs) > 0:
		otherwise, ok = ifClosure(elifs[0].Cond, elifs[0].Then, elifs[1:], last)
	case last != nil:
		otherwise, ok = closureOf(last)
	}
	return branch(condition, consequence, otherwise), ok
}

// comparison tells which results of gojq.Compare make an operator hold.
func comparison(op gojq.Operator) func(order int) bool {
	switch op {
	case gojq.OpEq:
		return func(order int) bool { return order == 0 }
	case gojq.OpNe:
		return func(order int) bool { return order != 0 }
	case gojq.OpLt:
		return func(order int) bool { return order < 0 }
	case gojq.OpLe:
		return func(order int) bool { return order <= 0 }
	case gojq.OpGt:
		return func(order int) bool { return order > 0 }
	case gojq.OpGe:
		return func(order int) bool { return order >= 0 }
	default:
		return nil
	}
}

// compare evaluates the right side first, as jq does; it matters when both fail.
func compare(left, right closure, holds func(order int) bool) closure {
	return func(v any) (any, error) {
		r, err := right(v)
		if err != nil {
			return nil, err
		}
		l, err := left(v)
		if err != nil {
			return nil, err
		}
		if weight(l, maxSteps) > maxSteps || weight(r, maxSteps) > maxSteps {
			return nil, errTooMuchWork
		}
		return holds(gojq.Compare(l, r)), nil
	}
}

// indexClosure compiles .name, ."name", ["name"] and [0].
func indexClosure(x *gojq.Index) (closure, bool) {
	switch {
	case x.Name != "":
		return byName(x.Name), true
	case x.Str != nil:
		return byName(x.Str.Str), x.Str.Queries == nil
	case x.IsSlice || x.Start.Term == nil || len(x.Start.Term.SuffixList) > 0:
		return nil, false
	}
	switch t := x.Start.Term; t.Type {
	case gojq.TermTypeString:
		return byName(t.Str.Str), t.Str.Queries == nil
	case gojq.TermTypeNumber:
		n, err := strconv.Atoi(t.Number)
		return byPosition(n), err == nil
	default:
		return nil, false
	}
}

func byName(name string) closure {
	return func(v any) (any, error) {
		switch v := v.(type) {
		case nil:
			return nil, nil
		case map[string]any:
			return v[name], nil
		default:
			return nil, wrongInput("an object", v)
		}
	}
}

// byPosition counts from 0 in arrays; in strings, as gojq, by characters.
func byPosition(n int) closure {
	return func(v any) (any, error) {
		switch v := v.(type) {
		case nil:
			return nil, nil
		case []any:
			if n < len(v) {
				return v[n], nil
			}
			return nil, nil
		case string:
			if runes := []rune(v); n < len(runes) {
				return string(runes[n]), nil
			}
			return nil, nil
		default:
			return nil, wrongInput("an array", v)
		}
	}
}

func wrongInput(expected string, got any) error {
	return jqError("expected " + expected + " but got: " + gojq.TypeOf(got) + " (" + gojq.Preview(got) + ")")
}

package mapping

import (
	"github.com/itchyny/gojq"
)

// price is what a function costs beyond the steps that gojq counts. Most functions
// do all their work in one step, however much that is.
type price uint8

const (
	free        price = iota + 1 // it looks at one value, or its steps are counted
	weighed                      // it reads its whole input once
	multiplied                   // it reads its whole argument for each part of its input
	searched                     // it searches its input with a pattern
	searchedAll                  // the same; gojq counts the characters before each place it finds
)

// The functions that compileBounded puts into an expression, as no text can name them.
const (
	weighCall     = "__weigh__"
	searchCall    = "__search__"
	searchAllCall = "__search_all__"
	keyCall       = "__key__"
)

// workVariable hands the functions the work to count on.
const workVariable = "$__work__"

var guards = map[price]string{weighed: weighCall, searched: searchCall, searchedAll: searchAllCall}

// multipliedCalls are the functions with that price, by the names they get.
var multipliedCalls = map[string]string{"contains": "__contains__", "join": "__join__"}

// compileBounded compiles a checked tree, which it changes, into code that counts
// all its work. Its variables are receivedVariable and workVariable.
func compileBounded(q *gojq.Query) (*gojq.Code, error) {
	boundQuery(q)
	options := []gojq.CompilerOption{
		gojq.WithVariables([]string{receivedVariable, workVariable}),
		gojq.WithFunction(keyCall, 0, 0, keyOf),
		gojq.WithFunction(weighCall, 1, 1, guard(weight)),
		gojq.WithFunction(searchCall, 1, 1, guard(func(v any, _ int) int { return textLength(v) })),
		gojq.WithFunction(searchAllCall, 1, 1, guard(func(v any, _ int) int {
			n := textLength(v)
			return n + n*n/bytesPerStep
		})),
	}
	for name, call := range multipliedCalls {
		f, err := multiply(name)
		if err != nil {
			return nil, err
		}
		options = append(options, gojq.WithFunction(call, 2, 2, f))
	}
	return gojq.Compile(q, options...)
}

// guard is a function that gives its input and spends what it costs to use it.
func guard(cost func(v any, most int) int) func(any, []any) any {
	return func(v any, args []any) any {
		w := args[0].(*work)
		if err := w.spend(cost(v, w.left)); err != nil {
			return err
		}
		return v
	}
}

func textLength(v any) int {
	text, _ := v.(string)
	return len(text)
}

// multiply is gojq's function of a name, charged with the product of what it reads.
func multiply(name string) (func(any, []any) any, error) {
	q, err := gojq.Parse(name + "($x)")
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(q, gojq.WithVariables([]string{"$x"}))
	if err != nil {
		return nil, err
	}
	return func(v any, args []any) any {
		w := args[1].(*work)
		if err := w.spend(weight(v, w.left) * weight(args[0], w.left)); err != nil {
			return err
		}
		result, _ := code.Run(v, args[0]).Next()
		return result
	}, nil
}

// keyOf refuses to look for an array in an array, which costs their product.
func keyOf(v any, _ []any) any {
	if _, isArray := v.([]any); isArray {
		return jqError("an index must be a name or a number and is an array")
	}
	return v
}

// boundQuery and its kin walk the tree and put a guard before all that gojq does
// in one step at a cost that the input decides.
func boundQuery(q *gojq.Query) {
	switch {
	case q == nil:
	case q.Term != nil:
		boundTerm(q.Term)
	default:
		boundQuery(q.Left)
		boundQuery(q.Right)
		if comparison(q.Op) != nil {
			q.Left, q.Right = through(q.Left, weighCall), through(q.Right, weighCall)
		}
	}
}

func boundTerm(t *gojq.Term) {
	boundIndex(t.Index)
	boundText(t.Str)
	switch t.Type {
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			boundText(kv.KeyString)
			boundQuery(kv.KeyQuery)
			boundQuery(kv.Val)
		}
	case gojq.TermTypeArray:
		boundQuery(t.Array.Query)
	case gojq.TermTypeQuery:
		boundQuery(t.Query)
	case gojq.TermTypeIf:
		boundIf(t.If)
	case gojq.TermTypeFormat:
		if t.Str == nil {
			before(t, weighCall)
		}
	case gojq.TermTypeFunc:
		boundFunction(t)
	}
	for _, s := range t.SuffixList {
		boundIndex(s.Index)
	}
}

func boundIf(i *gojq.If) {
	boundQuery(i.Cond)
	boundQuery(i.Then)
	for _, elif := range i.Elif {
		boundQuery(elif.Cond)
		boundQuery(elif.Then)
	}
	boundQuery(i.Else)
}

func boundIndex(x *gojq.Index) {
	if x == nil {
		return
	}
	boundText(x.Str)
	boundQuery(x.Start)
	boundQuery(x.End)
	if x.Start != nil && !x.IsSlice {
		x.Start = through(x.Start, keyCall)
	}
}

func boundText(s *gojq.String) {
	if s == nil {
		return
	}
	for i, q := range s.Queries {
		boundQuery(q)
		s.Queries[i] = through(q, weighCall)
	}
}

func boundFunction(t *gojq.Term) {
	f := t.Func
	for _, arg := range f.Args {
		boundQuery(arg)
	}
	cost := jqFunctions[functionKey(f)]
	if cost == multiplied {
		f.Name, f.Args = multipliedCalls[f.Name], append(f.Args, callQuery(workVariable))
		return
	}
	if call, guarded := guards[cost]; guarded {
		before(t, call)
	}
}

// before puts a guard before a term, whose suffixes stay outside.
func before(t *gojq.Term, call string) {
	bare := *t
	bare.SuffixList = nil
	*t = gojq.Term{Type: gojq.TermTypeQuery, SuffixList: t.SuffixList, Query: &gojq.Query{
		Left: guardQuery(call), Op: gojq.OpPipe, Right: &gojq.Query{Term: &bare},
	}}
}

// through sends the outputs of a query through a guard. Literals need none.
func through(q *gojq.Query, call string) *gojq.Query {
	if isLiteral(q) {
		return q
	}
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeQuery, Query: &gojq.Query{
		Left: q, Op: gojq.OpPipe, Right: guardQuery(call),
	}}}
}

func guardQuery(call string) *gojq.Query {
	if call == keyCall {
		return callQuery(call)
	}
	return callQuery(call, callQuery(workVariable))
}

func callQuery(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}

// isLiteral tells whether a query is a text, number or word as it stands there.
func isLiteral(q *gojq.Query) bool {
	if q.Term == nil || len(q.Term.SuffixList) > 0 {
		return false
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeUnary:
		return true
	default:
		return t.Type == gojq.TermTypeString && t.Str.Queries == nil
	}
}

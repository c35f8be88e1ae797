package liquid

import (
	"context"
	"errors"
	"sync"
)

// Scope is the state of one render: its variables and what it has used of its
// limits. A render makes its own; a linter gets one from [Template.Scope] to
// evaluate single expressions on values it knows. It is not safe for use by
// several goroutines.
type Scope struct {
	ctx  context.Context
	in   Input
	opts *Options

	source   string // of the template or partial that is being rendered
	partial  string // its name; "" for the template itself
	includes int    // partials around this place
	snippets int    // snippets around this place

	out   []byte
	stack []any // arguments of the filter calls in progress
	given given // the variable looked up last among those of in
	steps int   // left
	built int   // bytes left

	extras map[string]bool // the keys of message_extras so far

	variables
}

// variables are what a partial that is rendered in isolation has of its own.
type variables struct {
	bound     []binding        // loop variables and arguments, innermost last
	locals    Map              // assigned and captured
	counters  map[string]any   // increment and decrement
	cycles    map[string]int   // where each cycle stands
	ends      map[string]int64 // where each loop ended, for offset: continue
	changed   string           // what ifchanged printed last
	loop      *loopState       // the innermost for loop
	interrupt interrupt
}

// given is a variable from outside. A template asks for the same few again and
// again, mostly for one several times in a row.
type given struct {
	name       string
	value      any
	ok, looked bool
}

// A binding is a variable that exists as long as its block.
type binding struct {
	name  string
	value any
}

// interrupt is a break or continue that looks for its loop.
type interrupt uint8

const (
	noInterrupt interrupt = iota
	breakLoop
	continueLoop
)

// checkEvery is the number of steps between two looks at the context.
const checkEvery = 512

var (
	errSteps  = exceeded("this template does more than its limit of steps")
	errOutput = exceeded("this template prints more than its limit")
	errBuilt  = exceeded("this template builds more text than its limit")
)

// Scope begins a render of which the caller decides what is evaluated.
func (t *Template) Scope(ctx context.Context, in Input) *Scope {
	s := new(Scope)
	s.begin(ctx, t, in)
	return s
}

// ended are the scopes of renders that are over. Only their memory is used again:
// a render knows nothing of another.
var ended = sync.Pool{New: func() any { return new(Scope) }}

// What is larger than this is not kept for another render.
const (
	keptOutput = 64 << 10 // bytes
	keptNames  = 64
)

// begin makes a scope that of a new render.
func (s *Scope) begin(ctx context.Context, t *Template, in Input) {
	*s = Scope{
		ctx: ctx, in: in, opts: &t.opts, source: t.source,
		steps: t.opts.Limits.Steps, built: t.opts.Limits.Built,
		out: s.out, stack: s.stack, variables: variables{locals: s.locals},
	}
}

// end gives the scope's memory to another render.
func (s *Scope) end() {
	if cap(s.out) > keptOutput || s.locals.Len() > keptNames || cap(s.stack) > keptNames {
		return
	}
	s.locals.reset()
	s.out, s.stack = s.out[:0], s.stack[:0]
	ended.Put(s) // begin sets everything else
}

// Set assigns a value to a name, as the assign tag does.
func (s *Scope) Set(name string, value any) {
	s.locals.Set(name, value)
}

// Eval returns the value of an expression of this scope's template: nil for what
// is not there. Every error is an *[Error]. A range is a value of an unexported
// type; Items lists it.
func (s *Scope) Eval(e Expr) (any, error) {
	v, err := e.eval(s)
	return v, s.placed(err, e)
}

// Apply returns what one filter makes of a value.
func (s *Scope) Apply(f *FilterCall, in any) (any, error) {
	v, err := f.apply(s, normal(in))
	return v, s.placed(err, f)
}

// Text returns a value as an output prints it. Its errors are limits, without a
// place.
func (s *Scope) Text(v any) (string, error) {
	out, err := s.appendOutput(nil, v, 0)
	return string(out), s.placed(err, Span{})
}

// Items returns what a for tag would loop over for a value. Its errors are
// limits, without a place.
func (s *Scope) Items(v any) ([]any, error) {
	list, err := s.items(iterable(normal(v)))
	return list, s.placed(err, Span{})
}

// lookup finds a variable by name.
func (s *Scope) lookup(name string) (any, bool) {
	for i := len(s.bound) - 1; i >= 0; i-- {
		if s.bound[i].name == name {
			return s.bound[i].value, true
		}
	}
	if v, ok := s.locals.Get(name); ok {
		return v, true
	}
	if v, ok := s.counters[name]; ok {
		return v, true
	}
	if g := &s.given; !g.looked || name != g.name {
		g.name, g.looked = name, true
		g.value, g.ok = s.in.Vars[name]
	}
	return s.given.value, s.given.ok
}

// bind makes a variable that exists until unbind is called with the returned
// mark.
func (s *Scope) bind(name string, value any) (mark int) {
	s.bound = append(s.bound, binding{name, value})
	return len(s.bound) - 1
}

func (s *Scope) unbind(mark int) {
	clear(s.bound[mark:])
	s.bound = s.bound[:mark]
}

// entrySize is about what an entry of a map takes, in bytes.
const entrySize = 64

// work takes n steps from the budget.
func (s *Scope) work(n int) error {
	before := s.steps
	s.steps -= n
	if s.steps < 0 {
		return errSteps
	}
	if before/checkEvery != s.steps/checkEvery {
		if err := s.ctx.Err(); err != nil {
			return &failure{KindLimit, "the render was cancelled: " + context.Cause(s.ctx).Error(), err}
		}
	}
	return nil
}

// workOn takes steps for going over text.
func (s *Scope) workOn(text string) error {
	const piece = 256
	if len(text) < piece {
		return nil
	}
	return s.work(len(text) / piece)
}

// build takes n bytes from what filters and captures may build.
func (s *Scope) build(n int) error {
	s.built -= n
	if s.built < 0 || n < 0 {
		return errBuilt
	}
	return nil
}

// buildList takes what a list of n items costs, in bytes and steps.
func (s *Scope) buildList(n int64) error {
	const item = 16
	if n > int64(s.built)/item {
		return errBuilt
	}
	if err := s.build(int(n) * item); err != nil {
		return err
	}
	return s.work(int(n))
}

// print writes text to the output.
func (s *Scope) print(text string) error {
	if len(s.out)+len(text) > s.opts.Limits.Output {
		return errOutput
	}
	s.out = append(s.out, text...)
	return nil
}

// printValue writes a value to the output.
func (s *Scope) printValue(v any) error {
	if text, ok := v.(string); ok {
		return s.print(text)
	}
	out, err := s.appendOutput(s.out, v, 0)
	if err != nil {
		return err
	}
	if len(out) > s.opts.Limits.Output {
		return errOutput
	}
	s.out = out
	return nil
}

// captured takes what was printed since the output was `from` bytes long back
// from it.
func (s *Scope) captured(from int) (string, error) {
	if err := s.build(len(s.out) - from); err != nil {
		return "", err
	}
	text := string(s.out[from:])
	s.out = s.out[:from]
	return text, nil
}

// placed gives an error that does not know its place that of a node or
// expression.
func (s *Scope) placed(err error, at interface {
	Pos() Pos
	End() Pos
}) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{Kind: KindRender, Message: err.Error(), Pos: at.Pos(), Partial: s.partial}
	e.Text = excerpt(s.source[at.Pos().Offset:at.End().Offset])
	var f *failure
	if errors.As(err, &f) {
		e.Kind, e.cause = f.kind, f.cause
	} else {
		e.cause = err
	}
	return e
}

package liquid

import (
	"math/big"
	"strconv"
	"strings"
)

// A cursor reads the expressions within one tag or output.
type cursor struct {
	p    *parser
	end  int
	tok  token
	last int // where the token before tok ended
}

// cursor begins to read at `from`.
func (p *parser) cursor(from, to int) *cursor {
	return &cursor{p: p, end: to, tok: p.scan(from, to)}
}

func (c *cursor) advance() {
	c.last = c.tok.to
	c.tok = c.p.scan(c.tok.to, c.end)
}

func (c *cursor) is(kind tokenKind) bool { return c.tok.kind == kind }

func (c *cursor) word(text string) bool { return c.tok.kind == tokenWord && c.tok.text == text }

// accept takes a token of this kind if it is the next one.
func (c *cursor) accept(kind tokenKind) bool {
	if c.tok.kind != kind {
		return false
	}
	c.advance()
	return true
}

func (c *cursor) peek() token { return c.p.scan(c.tok.to, c.end) }

func (c *cursor) lax() bool { return c.p.opts.Syntax == Lax }

// unexpected reports the current token.
func (c *cursor) unexpected(expected string) error {
	t := c.tok
	if t.kind == tokenEnd {
		return c.p.errorAt(t.from, t.to, "it ends here: expected %s", expected)
	}
	found := c.p.text[t.from:t.to]
	switch found {
	case "“", "”", "‘", "’":
		return c.p.errorAt(t.from, t.to, "unexpected %s: use straight quotes", found)
	case `"`, `'`:
		return c.p.errorAt(t.from, c.end, "this string is never closed: expected another %s", found)
	}
	return c.p.errorAt(t.from, t.to, "unexpected %s: expected %s", found, expected)
}

// finish checks that nothing is left over; lax syntax does not mind.
func (c *cursor) finish(expected string) error {
	if c.is(tokenEnd) || c.lax() {
		return nil
	}
	return c.unexpected(expected)
}

// outputValue reads the inside of an output or an echo: a value with filters, or
// nothing.
func (p *parser) outputValue(pc piece) (Expr, error) {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if c.is(tokenEnd) {
		return nil, nil
	}
	e, err := c.filtered()
	if err != nil {
		return nil, err
	}
	return e, c.finish("a filter (|) or the end of the output")
}

// filtered reads a value and the filters after it.
func (c *cursor) filtered() (Expr, error) {
	from := c.tok.from
	base, err := c.value()
	if err != nil {
		return nil, err
	}
	var calls []*FilterCall
	to := base.End()
	for {
		c.skipToFilter()
		if !c.accept(tokenPipe) {
			break
		}
		if c.lax() && !c.is(tokenWord) {
			continue
		}
		call, err := c.filterCall()
		if err != nil {
			return nil, err
		}
		calls, to = append(calls, call), call.End()
	}
	if calls == nil {
		return base, nil
	}
	return &Filtered{Span{c.p.loc.start(from), to}, base, calls}, nil
}

// skipToFilter passes over what lax syntax ignores between a value and a pipe.
func (c *cursor) skipToFilter() {
	for c.lax() && !c.is(tokenPipe) && !c.is(tokenEnd) && !c.is(tokenCloseBraces) {
		c.advance()
	}
}

// filterCall reads a filter's name and arguments.
func (c *cursor) filterCall() (*FilterCall, error) {
	if !c.is(tokenWord) {
		return nil, c.unexpected("the name of a filter")
	}
	name := c.tok
	call := &FilterCall{Name: name.text}
	c.advance()
	if c.accept(tokenColon) {
		for more := true; more; more = c.accept(tokenComma) {
			if err := c.argument(call); err != nil {
				return nil, err
			}
		}
	}
	call.Span = c.p.loc.span(name.from, c.last)
	return call, c.resolve(call, name)
}

// argument reads one argument of a filter.
func (c *cursor) argument(call *FilterCall) error {
	if c.is(tokenWord) && c.peek().kind == tokenColon {
		arg, err := c.namedArg()
		call.Named = append(call.Named, arg)
		return err
	}
	value, err := c.value()
	call.Args = append(call.Args, value)
	return err
}

// namedArg reads `name: value`.
func (c *cursor) namedArg() (NamedArg, error) {
	name := c.tok.text
	c.advance()
	if !c.accept(tokenColon) {
		return NamedArg{}, c.unexpected(":")
	}
	value, err := c.value()
	return NamedArg{name, value}, err
}

// resolve finds the filter that a call names and checks the arguments.
func (c *cursor) resolve(call *FilterCall, name token) error {
	f := filters[call.Name]
	if f == nil || !f.in(c.p.opts.Dialect) {
		if c.lax() {
			return nil
		}
		return c.p.errorAt(name.from, name.to, "unknown filter %q%s", call.Name, suggestion(call.Name, filterNames(c.p.opts.Dialect)))
	}
	call.filter = f
	if message := f.misuse(call); message != "" {
		return c.p.errorAt(name.from, c.last, "%s", message)
	}
	return nil
}

// value reads a literal, a variable, a range or (Braze) braces.
func (c *cursor) value() (Expr, error) {
	t := c.tok
	switch t.kind {
	case tokenString:
		return c.literal(t.text), nil
	case tokenNumber:
		return c.number()
	case tokenOpenParen:
		return c.rangeValue()
	case tokenOpenBraces:
		return c.braced()
	case tokenWord:
		next := c.peek().kind
		if value, ok := keywords[t.text]; ok && next != tokenDot && next != tokenOpenBracket {
			return c.literal(value), nil
		}
		return c.variable()
	case tokenDollar, tokenOpenBracket:
		return c.variable()
	}
	if c.lax() {
		return &Literal{Span: c.p.loc.span(t.from, t.from), Source: "nil"}, nil
	}
	return nil, c.unexpected("a value")
}

var keywords = map[string]any{
	"nil": nil, "null": nil, "true": true, "false": false, "empty": Empty, "blank": Blank,
}

// literal takes the current token as a constant.
func (c *cursor) literal(value any) *Literal {
	t := c.tok
	c.advance()
	return &Literal{c.p.loc.span(t.from, t.to), value, c.p.text[t.from:t.to]}
}

func (c *cursor) number() (Expr, error) {
	text := c.tok.text
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return c.literal(n), nil
	}
	if len(text) > maxDigits {
		return nil, c.p.errorAt(c.tok.from, c.tok.to, "this number has more than %d digits", maxDigits)
	}
	if n, ok := new(big.Int).SetString(text, 10); ok {
		return c.literal(n), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, c.p.errorAt(c.tok.from, c.tok.to, "this number is too large")
	}
	return c.literal(f), nil
}

// rangeValue reads `(from..to)`.
func (c *cursor) rangeValue() (Expr, error) {
	open := c.tok
	if err := c.p.enter(open.from, open.to); err != nil {
		return nil, err
	}
	defer c.p.leave()
	c.advance()
	from, err := c.value()
	if err != nil {
		return nil, err
	}
	if !c.accept(tokenDots) {
		return nil, c.unexpected(".. (parentheses are for ranges only; conditions have none)")
	}
	to, err := c.value()
	if err != nil {
		return nil, err
	}
	if !c.accept(tokenCloseParen) {
		return nil, c.unexpected(")")
	}
	return &Range{c.p.loc.span(open.from, c.last), from, to}, nil
}

// braced reads `{{ … }}` inside a tag or an output.
func (c *cursor) braced() (Expr, error) {
	open := c.tok
	if err := c.p.enter(open.from, open.to); err != nil {
		return nil, err
	}
	defer c.p.leave()
	c.advance()
	inner, err := c.filtered()
	if err != nil {
		return nil, err
	}
	if !c.accept(tokenCloseBraces) {
		return nil, c.unexpected("}}")
	}
	return &Braced{c.p.loc.span(open.from, c.last), inner}, nil
}

// variable reads a path, or a snippet, which looks like one.
func (c *cursor) variable() (Expr, error) {
	v := &Variable{}
	begin := c.tok
	switch begin.kind {
	case tokenWord:
		v.Steps = append(v.Steps, Step{Span: c.p.loc.span(begin.from, begin.to), Name: begin.text})
		c.advance()
	case tokenDollar:
		v.Steps = append(v.Steps, Step{Span: c.p.loc.span(begin.from, begin.from), Name: ProfileVariables})
	}
	for {
		step, ok, err := c.step(begin)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		v.Steps = append(v.Steps, step)
	}
	v.Span = c.p.loc.span(begin.from, c.last)
	if s, err := c.p.snippet(v); s != nil || err != nil {
		return s, err
	}
	return v, nil
}

// step reads `.name`, `.${name}`, `[…]`, or the `${name}` that begins a path;
// ok is false when there is none of them.
func (c *cursor) step(begin token) (step Step, ok bool, err error) {
	switch {
	case c.is(tokenOpenBracket):
		step, err = c.bracketed()
		return step, true, err
	case c.is(tokenDollar) && c.tok == begin:
		step, err = c.dollar()
		return step, true, err
	case !c.accept(tokenDot):
		return Step{}, false, nil
	}
	switch t := c.tok; {
	case t.kind == tokenWord, t.kind == tokenNumber && c.lax():
		c.advance()
		return Step{Span: c.p.loc.span(t.from, t.to), Name: t.text}, true, nil
	case t.kind == tokenDollar:
		step, err = c.dollar()
		return step, true, err
	case c.lax():
		return c.step(begin)
	}
	return Step{}, false, c.unexpected("the name of a member after the dot")
}

// dollar reads `${name}`.
func (c *cursor) dollar() (Step, error) {
	t := c.tok
	if t.text == "" {
		return Step{}, c.p.errorAt(t.from, t.to, "expected a name between ${ and }")
	}
	if name, filters, ok := strings.Cut(t.text, "|"); ok && !c.lax() {
		return Step{}, c.p.errorAt(t.from, t.to, "a filter stands behind the brace: write ${%s} | %s", trimSpace(name), trimSpace(filters))
	}
	c.advance()
	span := c.p.loc.span(t.from, t.to)
	return Step{Span: span, Name: t.text, Dollar: true, Path: dollarPath(t.text, span)}, nil
}

// bracketed reads `[expression]`.
func (c *cursor) bracketed() (Step, error) {
	open := c.tok
	if err := c.p.enter(open.from, open.to); err != nil {
		return Step{}, err
	}
	defer c.p.leave()
	c.advance()
	index, err := c.value()
	if err != nil {
		return Step{}, err
	}
	if !c.accept(tokenCloseBracket) {
		return Step{}, c.unexpected("]")
	}
	step := Step{Span: c.p.loc.span(open.from, c.last), Index: index}
	if l, ok := index.(*Literal); ok {
		if name, ok := l.Value.(string); ok {
			step.Name, step.Index, step.bracket = name, nil, true
		}
	}
	return step, nil
}

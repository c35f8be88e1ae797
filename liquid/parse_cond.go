package liquid

// condition reads what stands in an if, elsif or unless.
func (p *parser) condition(pc piece) (Expr, error) {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	var terms []Expr
	var operators []string
	for {
		term, err := c.comparison()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if !c.word("and") && !c.word("or") {
			break
		}
		operators = append(operators, c.tok.text)
		c.advance()
	}
	if err := c.endOfCondition(); err != nil {
		return nil, err
	}
	// Liquid groups from the right, whatever the operators are.
	last := len(terms) - 1
	cond := terms[last]
	for i := last - 1; i >= 0; i-- {
		cond = &Logic{Span{terms[i].Pos(), cond.End()}, operators[i], terms[i], cond}
	}
	return cond, nil
}

// comparison reads a value, or two of them with an operator in between.
func (c *cursor) comparison() (Expr, error) {
	left, err := c.value()
	if err != nil {
		return nil, err
	}
	op := c.tok
	switch {
	case op.kind == tokenOperator, c.word("contains"):
	case op.kind == tokenWord && !c.word("and") && !c.word("or"):
		return nil, c.p.errorAt(op.from, op.to, "unknown operator %q: expected ==, !=, <, >, <=, >=, contains, and, or", op.text)
	default:
		return left, nil
	}
	c.advance()
	right, err := c.value()
	if err != nil {
		return nil, err
	}
	name := op.text
	if name == "<>" {
		name = "!="
	}
	return &Compare{Span{left.Pos(), right.End()}, name, left, right}, nil
}

// endOfCondition checks that nothing is left over, with advice for what people
// often write.
func (c *cursor) endOfCondition() error {
	t := c.tok
	switch {
	case c.is(tokenEnd):
		return nil
	case c.is(tokenEquals):
		return c.p.errorAt(t.from, t.to, "unexpected =: use == to compare")
	case c.is(tokenPipe) && !c.lax():
		return c.p.errorAt(t.from, t.to, "filters are not possible in conditions: assign the filtered value first")
	case c.p.text[t.from:t.to] == "&":
		return c.p.errorAt(t.from, t.to, "unexpected &: write and")
	}
	return c.finish("an operator or the end of the condition")
}

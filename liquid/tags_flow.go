package liquid

import "strings"

func init() {
	registerTags(
		&tag{TagDoc{Name: "if", End: "endif", Syntax: "if condition … elsif condition … else … endif",
			Doc:     "Renders its first branch whose condition holds.",
			Example: `{% if 1 > 2 %}a{% elsif 'ab' contains 'b' %}b{% else %}c{% endif %}`, Output: "b"}, parseIf},
		&tag{TagDoc{Name: "unless", End: "endunless", Syntax: "unless condition … else … endunless",
			Doc:     "Is an if whose first condition is turned round.",
			Example: `{% unless 1 > 2 %}a{% endunless %}`, Output: "a"}, parseIf},
		&tag{TagDoc{Name: "case", End: "endcase", Syntax: "case value … when value, value … else … endcase",
			Doc:     "Renders the bodies whose values equal its own.",
			Example: `{% case 2 %}{% when 1 %}a{% when 2, 3 %}b{% else %}c{% endcase %}`, Output: "b"}, parseCase},
		&tag{TagDoc{Name: "for", End: "endfor", Syntax: "for item in list reversed limit: n offset: n … else … endfor",
			Doc:     "Renders its body once for each item; offset: continue goes on where the last loop ended.",
			Example: `{% for i in (1..4) limit: 2 offset: 1 %}{{ i }}{% endfor %}`, Output: "23"}, parseFor},
		&tag{TagDoc{Name: "tablerow", End: "endtablerow", Syntax: "tablerow item in list cols: n limit: n offset: n … endtablerow",
			Doc:     "Renders its body as the cells of an HTML table.",
			Example: `{% tablerow i in (1..2) %}{{ i }}{% endtablerow %}`,
			Output:  "<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n"}, parseTableRow},
		&tag{TagDoc{Name: "break", Syntax: "break",
			Doc:     "Ends the loop around it.",
			Example: `{% for i in (1..3) %}{{ i }}{% break %}{% endfor %}`, Output: "1"}, parseInterrupt},
		&tag{TagDoc{Name: "continue", Syntax: "continue",
			Doc:     "Goes on with the next round of the loop around it.",
			Example: `{% for i in (1..3) %}{% continue %}{{ i }}{% endfor %}`, Output: ""}, parseInterrupt},
		&tag{TagDoc{Name: "cycle", Syntax: "cycle group: value, value, …",
			Doc:     "Prints its values in turn.",
			Example: `{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}`, Output: "aba"}, parseCycle},
		&tag{TagDoc{Name: "ifchanged", End: "endifchanged", Syntax: "ifchanged … endifchanged",
			Doc:     "Prints its body when that differs from the last time.",
			Example: `{% for i in (1..3) %}{% ifchanged %}a{% endifchanged %}{% endfor %}`, Output: "a"}, parseIfChanged},
	)
}

func parseIf(p *parser, pc piece) (Node, error) {
	node := &If{}
	end := tags[pc.name].End
	opening := pc
	for {
		branch := &Branch{Span: p.loc.span(opening.from, opening.to), Negate: opening.name == "unless"}
		if opening.name == "else" {
			if err := p.bareElse(opening); err != nil {
				return nil, err
			}
		} else {
			cond, err := p.condition(opening)
			if err != nil {
				return nil, err
			}
			branch.Cond = cond
		}
		body, next, err := p.body(pc, "elsif", "else", end)
		if err != nil {
			return nil, err
		}
		branch.Body = body
		node.Branches = append(node.Branches, branch)
		if next.name == end {
			node.Span = p.spanTo(pc, next)
			break
		}
		opening = next
	}
	if node.blank() {
		for _, b := range node.Branches {
			b.Body.dropBlankText()
		}
	}
	return node, nil
}

// bareElse refuses words behind an else in a message: Shopify's language passes over
// them, and a condition written there never counts.
func (p *parser) bareElse(pc piece) error {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if c.is(tokenEnd) || c.lax() || p.opts.Dialect == Shopify {
		return nil
	}
	if c.word("if") {
		return c.unexpected("the end of the tag; a further condition is written elsif")
	}
	return c.unexpected("the end of the tag")
}

func parseCase(p *parser, pc piece) (Node, error) {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	subject, err := c.value()
	if err != nil {
		return nil, err
	}
	if err := c.finish("the end of the tag"); err != nil {
		return nil, err
	}
	node := &Case{Subject: subject}
	// What stands before the first when belongs to no alternative.
	_, opening, err := p.body(pc, "when", "else", "endcase")
	if err != nil {
		return nil, err
	}
	for opening.name != "endcase" {
		when := &When{Span: p.loc.span(opening.from, opening.to)}
		if opening.name == "when" {
			if when.Values, err = p.whenValues(opening); err != nil {
				return nil, err
			}
		}
		if when.Body, opening, err = p.body(pc, "when", "else", "endcase"); err != nil {
			return nil, err
		}
		node.Whens = append(node.Whens, when)
	}
	node.Span = p.spanTo(pc, opening)
	if node.blank() {
		for _, w := range node.Whens {
			w.Body.dropBlankText()
		}
	}
	return node, nil
}

// whenValues reads values separated by commas or `or`.
func (p *parser) whenValues(pc piece) ([]Expr, error) {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if c.is(tokenEnd) {
		return nil, c.unexpected("a value")
	}
	var values []Expr
	for {
		v, err := c.value()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if !c.is(tokenComma) && !c.word("or") {
			return values, c.finish("a comma, or, or the end of the tag")
		}
		c.advance()
	}
}

func parseFor(p *parser, pc piece) (Node, error) {
	node := &For{}
	err := p.loop(pc, &node.Loop, func(c *cursor, attribute string) (bool, error) {
		if attribute == "reversed" {
			node.Reversed = true
			return true, nil
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	body, end, err := p.body(pc, "else", "endfor")
	if err != nil {
		return nil, err
	}
	node.Body = body
	if end.name == "else" {
		if node.Else, end, err = p.body(pc, "endfor"); err != nil {
			return nil, err
		}
	}
	node.Span = p.spanTo(pc, end)
	if node.blank() {
		node.Body.dropBlankText()
		if node.Else != nil {
			node.Else.dropBlankText()
		}
	}
	return node, nil
}

func parseTableRow(p *parser, pc piece) (Node, error) {
	node := &TableRow{}
	err := p.loop(pc, &node.Loop, func(c *cursor, attribute string) (found bool, err error) {
		if attribute != "cols" || !c.accept(tokenColon) {
			return false, nil
		}
		node.Cols, err = c.value()
		return true, err
	})
	if err != nil {
		return nil, err
	}
	body, end, err := p.body(pc, "endtablerow")
	if err != nil {
		return nil, err
	}
	node.Body, node.Span = body, p.spanTo(pc, end)
	return node, nil
}

// loop reads `item in list` and the attributes after it. own reads those that
// only one of the loop tags has.
func (p *parser) loop(pc piece, loop *Loop, own func(c *cursor, attribute string) (bool, error)) error {
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if !c.is(tokenWord) {
		return c.unexpected("the name of the loop's variable")
	}
	loop.Var = c.tok.text
	c.advance()
	if !c.word("in") {
		return c.unexpected("in")
	}
	c.advance()
	over, err := c.value()
	if err != nil {
		return err
	}
	loop.Over = over
	loop.name = loop.Var + "-" + over.String()
	for {
		for c.accept(tokenComma) {
		}
		if !c.is(tokenWord) {
			return c.finish("limit, offset or the end of the tag")
		}
		attribute := c.tok
		c.advance()
		found, err := own(c, attribute.text)
		if !found && err == nil {
			found, err = c.slice(loop, attribute.text)
		}
		if err != nil {
			return err
		}
		if !found && !c.lax() {
			return p.errorAt(attribute.from, attribute.to, "unexpected %s: expected limit:, offset: or the end of the tag", attribute.text)
		}
	}
}

// slice reads the value of limit or offset.
func (c *cursor) slice(loop *Loop, attribute string) (found bool, err error) {
	if attribute != "limit" && attribute != "offset" || !c.accept(tokenColon) {
		return false, nil
	}
	if attribute == "offset" && c.word("continue") {
		c.advance()
		loop.Continue = true
		return true, nil
	}
	value, err := c.value()
	if attribute == "limit" {
		loop.Limit = value
	} else {
		loop.Offset = value
	}
	return true, err
}

func parseInterrupt(p *parser, pc piece) (Node, error) {
	n := &Interrupt{p.loc.span(pc.from, pc.to), pc.name == "continue"}
	return n, p.cursor(pc.markupFrom, pc.markupTo).finish("the end of the tag")
}

func parseCycle(p *parser, pc piece) (Node, error) {
	node := &Cycle{Span: p.loc.span(pc.from, pc.to)}
	c := p.cursor(pc.markupFrom, pc.markupTo)
	var key strings.Builder
	for more := true; more; more = c.accept(tokenComma) {
		if c.is(tokenEnd) && len(node.Values) > 0 {
			break
		}
		value, err := c.value()
		if err != nil {
			return nil, err
		}
		if len(node.Values) == 0 && node.Group == nil && c.accept(tokenColon) {
			node.Group = value
			if value, err = c.value(); err != nil {
				return nil, err
			}
		}
		node.Values = append(node.Values, value)
		key.WriteString("\x00" + value.String())
	}
	node.key = key.String()
	return node, c.finish("a comma or the end of the tag")
}

func parseIfChanged(p *parser, pc piece) (Node, error) {
	body, end, err := p.body(pc, "endifchanged")
	if err != nil {
		return nil, err
	}
	return &IfChanged{p.spanTo(pc, end), body}, nil
}

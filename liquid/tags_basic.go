package liquid

import "strings"

func init() {
	registerTags(
		&tag{TagDoc{Name: "assign", Syntax: "assign name = value",
			Doc:     "Gives a value, with filters, a name.",
			Example: `{% assign a = 2 | plus: 3 %}{{ a }}`, Output: "5"}, parseAssign},
		&tag{TagDoc{Name: "capture", End: "endcapture", Syntax: "capture name … endcapture",
			Doc:     "Gives the text that its body prints a name.",
			Example: `{% capture a %}x{{ 1 }}{% endcapture %}{{ a }}`, Output: "x1"}, parseCapture},
		&tag{TagDoc{Name: "echo", Syntax: "echo value",
			Doc:     "Prints a value, as an output does; of use inside a liquid tag.",
			Example: `{% echo 'a' | upcase %}`, Output: "A"}, parseEcho},
		&tag{TagDoc{Name: "increment", Syntax: "increment name",
			Doc:     "Prints a counter that begins at 0, then adds 1 to it.",
			Example: `{% increment n %}{% increment n %}`, Output: "01"}, parseCounter},
		&tag{TagDoc{Name: "decrement", Syntax: "decrement name",
			Doc:     "Takes 1 from a counter that begins at 0, then prints it.",
			Example: `{% decrement n %}{% decrement n %}`, Output: "-1-2"}, parseCounter},
		&tag{TagDoc{Name: "comment", End: "endcomment", Syntax: "comment … endcomment",
			Doc:     "Prints nothing; what is inside is not read.",
			Example: `a{% comment %}b{% endcomment %}c`, Output: "ac"}, parseComment},
		&tag{TagDoc{Name: "#", Syntax: "# text",
			Doc:     "Is a comment of one line; each further line begins with # as well.",
			Example: `a{% # b %}c`, Output: "ac"}, parseInlineComment},
		&tag{TagDoc{Name: "doc", End: "enddoc", Syntax: "doc … enddoc", Shopify: true,
			Doc:     "Documents a template; prints nothing.",
			Example: `a{% doc %}b{% enddoc %}c`, Output: "ac"}, parseDoc},
		&tag{TagDoc{Name: "raw", End: "endraw", Syntax: "raw … endraw",
			Doc:     "Prints what is inside as it stands.",
			Example: `{% raw %}{{ a }}{% endraw %}`, Output: "{{ a }}"}, parseRaw},
		&tag{TagDoc{Name: "liquid", Syntax: "liquid\n  tag\n  tag\n",
			Doc:     "Holds several tags without their delimiters.",
			Example: "{% liquid\n  assign a = 1\n  echo a\n%}", Output: "1"}, parseLiquid},
		&tag{TagDoc{Name: "abort_message", Syntax: "abort_message('reason')", Braze: true,
			Doc:     "Ends the render; the message is not sent and the reason is logged.",
			Example: `{% if false %}{% abort_message('no language') %}{% endif %}sent`, Output: "sent"}, parseAbort},
	)
}

// target reads the name that a tag assigns to; it may stand in quotes.
func (p *parser) target(pc piece) (name string, rest int, err error) {
	at := pc.markupFrom + leading(p.text[pc.markupFrom:pc.markupTo])
	text := p.text[at:pc.markupTo]
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		if n := nameLength(text[1:]); n > 0 && n+1 < len(text) && text[n+1] == text[0] {
			return text[1 : n+1], at + n + 2, nil
		}
	}
	n := nameLength(text)
	if n == 0 {
		return "", 0, p.errorAt(at, pc.markupTo, "%s: expected a name made of letters, digits, _ and -", pc.name)
	}
	return text[:n], at + n, nil
}

func parseAssign(p *parser, pc piece) (Node, error) {
	name, rest, err := p.target(pc)
	if err != nil {
		return nil, err
	}
	c := p.cursor(rest, pc.markupTo)
	if !c.accept(tokenEquals) {
		return nil, c.unexpected("= after the name " + name)
	}
	value, err := c.filtered()
	if err != nil {
		return nil, err
	}
	if c.is(tokenOperator) && !c.lax() {
		return nil, c.p.errorAt(c.tok.from, c.tok.to, "unexpected %s: conditions are possible in if, elsif and unless only", c.tok.text)
	}
	return &Assign{p.loc.span(pc.from, pc.to), name, value}, c.finish("a filter (|) or the end of the tag")
}

func parseCapture(p *parser, pc piece) (Node, error) {
	name, rest, err := p.target(pc)
	if err != nil {
		return nil, err
	}
	if err := p.cursor(rest, pc.markupTo).finish("the end of the tag"); err != nil {
		return nil, err
	}
	body, end, err := p.body(pc, "endcapture")
	if err != nil {
		return nil, err
	}
	return &Capture{p.spanTo(pc, end), name, body}, nil
}

func parseEcho(p *parser, pc piece) (Node, error) {
	value, err := p.outputValue(pc)
	if err != nil {
		return nil, err
	}
	return &Output{p.loc.span(pc.from, pc.to), value, true}, nil
}

func parseCounter(p *parser, pc piece) (Node, error) {
	name, rest, err := p.target(pc)
	if err != nil {
		return nil, err
	}
	n := &Counter{p.loc.span(pc.from, pc.to), name, pc.name == "decrement"}
	return n, p.cursor(rest, pc.markupTo).finish("the end of the tag")
}

// parseComment skips to the endcomment that belongs to the tag: comments nest,
// and what is inside a raw within is not looked at.
func parseComment(p *parser, pc piece) (Node, error) {
	from := p.lex.at
	rawCloses := true // as far as is known: where one does not, no later one does
	for depth := 1; ; {
		inner, found := p.nextTag()
		switch {
		case !found:
			return nil, p.errorAt(pc.from, pc.to, "this comment is never closed: expected endcomment")
		case inner.name == "comment":
			depth++
		case inner.name == "raw" && rawCloses && !p.lex.lines:
			_, _, _, rawCloses = p.lex.verbatim("endraw")
		case inner.name == "endcomment":
			if depth--; depth == 0 {
				return &Comment{p.spanTo(pc, inner), p.text[from:inner.from]}, nil
			}
		}
	}
}

// nextTag finds the next tag that can be read, whatever stands before it.
func (p *parser) nextTag() (piece, bool) {
	l := p.lex
	for l.lines {
		pc, err := l.nextLine()
		if err == nil {
			return pc, pc.kind == pieceTag
		}
	}
	for {
		i := strings.Index(p.text[l.at:l.end], "{%")
		if i < 0 || !strings.Contains(p.text[l.at+i+len("{%"):l.end], "%}") {
			return piece{}, false
		}
		l.at, l.trim = l.at+i, false
		if pc, err := l.tag(); err == nil {
			return pc, true
		}
	}
}

func parseInlineComment(p *parser, pc piece) (Node, error) {
	text := p.text[pc.markupFrom:pc.markupTo]
	at := pc.markupFrom
	for i, line := range strings.SplitAfter(text, "\n") {
		trimmed := trimSpace(line)
		if i > 0 && trimmed != "" && trimmed[0] != '#' {
			return nil, p.errorAt(at, at+len(line), "each line of a comment must begin with #")
		}
		at += len(line)
	}
	return &Comment{p.loc.span(pc.from, pc.to), text}, nil
}

// verbatimBody reads the body of a tag whose inside is not Liquid.
func (p *parser) verbatimBody(pc piece) (from, to int, end piece, err error) {
	if err := p.cursor(pc.markupFrom, pc.markupTo).finish("the end of the tag"); err != nil {
		return 0, 0, piece{}, err
	}
	closing := tags[pc.name].End
	if p.lex.lines {
		return 0, 0, piece{}, p.errorAt(pc.from, pc.to, "%s is not possible inside a liquid tag", pc.name)
	}
	from, to, end, ok := p.lex.verbatim(closing)
	if !ok {
		return 0, 0, piece{}, p.errorAt(pc.from, pc.to, "this %s is never closed: expected %s", pc.name, closing)
	}
	return from, to, end, nil
}

func parseDoc(p *parser, pc piece) (Node, error) {
	if trimSpace(p.text[pc.markupFrom:pc.markupTo]) != "" {
		return nil, p.errorAt(pc.markupFrom, pc.markupTo, "doc takes no arguments")
	}
	from, to, end, err := p.verbatimBody(pc)
	if err != nil {
		return nil, err
	}
	return &Comment{p.spanTo(pc, end), p.text[from:to]}, nil
}

func parseRaw(p *parser, pc piece) (Node, error) {
	from, to, end, err := p.verbatimBody(pc)
	if err != nil {
		return nil, err
	}
	return &Block{p.spanTo(pc, end), p.texts(from, to, true)}, nil
}

func parseLiquid(p *parser, pc piece) (Node, error) {
	outer := p.lex
	p.lex = &lexer{p: p, at: pc.markupFrom, end: pc.markupTo, lines: true}
	body, end, err := p.block()
	p.lex = outer
	if err != nil {
		return nil, err
	}
	if end.kind == pieceTag {
		return nil, p.strayTag(end)
	}
	body.Span = p.loc.span(pc.from, pc.to)
	return body, nil
}

// parseAbort reads the spellings abort_message, abort_message(), with a space
// before the parenthesis, and with a string of either quotes.
func parseAbort(p *parser, pc piece) (Node, error) {
	n := &Abort{p.loc.span(pc.from, pc.to), "{% abort_message %} called"}
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if !c.accept(tokenOpenParen) {
		return n, c.finish("( or the end of the tag")
	}
	if c.is(tokenString) {
		n.Message = c.tok.text
		c.advance()
	}
	if !c.accept(tokenCloseParen) {
		return nil, c.unexpected("a string in quotes, then )")
	}
	return n, c.finish("the end of the tag")
}

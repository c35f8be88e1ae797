package liquid

import (
	"strconv"
	"strings"
)

func init() {
	registerTags(
		&tag{TagDoc{Name: "include", Syntax: "include 'name' with value as name, argument: value", Shopify: true,
			Doc:     "Renders a partial that shares all variables.",
			Example: `{% assign who = 'you' %}{% include 'hello' %}`, Output: "Hello you"}, parsePartial},
		&tag{TagDoc{Name: "render", Syntax: "render 'name' with value as name, argument: value", Shopify: true,
			Doc:     "Renders a partial that sees its arguments only.",
			Example: `{% render 'hello', who: 'you' %}`, Output: "Hello you"}, parsePartial},
	)
}

func parsePartial(p *parser, pc piece) (Node, error) {
	n := &Partial{Span: p.loc.span(pc.from, pc.to), Isolated: pc.name == "render"}
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if n.Isolated && !c.is(tokenString) {
		return nil, c.unexpected("the name of the partial in quotes")
	}
	var err error
	if n.Name, err = c.value(); err != nil {
		return nil, err
	}
	if c.word("with") || c.word("for") {
		if next := c.peek().kind; next != tokenColon {
			n.Each = c.word("for")
			c.advance()
			if n.With, err = c.value(); err != nil {
				return nil, err
			}
		}
	}
	if c.word("as") && c.peek().kind != tokenColon {
		c.advance()
		if !c.is(tokenWord) {
			return nil, c.unexpected("a name")
		}
		n.As = c.tok.text
		c.advance()
	}
	for {
		for c.accept(tokenComma) {
		}
		if !c.is(tokenWord) {
			return n, c.finish("an argument (name: value) or the end of the tag")
		}
		arg, err := c.namedArg()
		if err != nil {
			return nil, err
		}
		n.Args = append(n.Args, arg)
	}
}

func (n *Partial) render(s *Scope) error {
	called, err := s.partialOf(n)
	if err != nil {
		return err
	}
	if s.includes++; s.includes > s.opts.Limits.Includes {
		return exceeded("partials call partials more than " + strconv.Itoa(s.opts.Limits.Includes) + " deep")
	}
	defer func() { s.includes-- }()
	var with any
	if n.With != nil {
		if with, err = n.With.eval(s); err != nil {
			return err
		}
	}
	mark := len(s.bound)
	defer func() { s.unbind(mark) }()
	args := make([]binding, 0, len(n.Args)+2)
	for _, a := range n.Args {
		v, err := a.Value.eval(s)
		if err != nil {
			return err
		}
		if n.Isolated {
			args = append(args, binding{a.Name, v})
		} else {
			s.bind(a.Name, v) // the next argument sees it already
		}
	}
	return s.within(called, func() error {
		if n.Isolated {
			return n.isolatedRounds(s, called, with, args)
		}
		return n.rounds(s, called, with)
	})
}

// A call is a partial that was found.
type call struct {
	name     string
	template *Template
}

// partialOf finds the partial that a node names.
func (s *Scope) partialOf(n *Partial) (call, error) {
	v, err := n.Name.eval(s)
	if err != nil {
		return call{}, err
	}
	name, ok := v.(string)
	if !ok {
		return call{}, s.placed(failed("the name of a partial must be text, not "+kindName(v)), n.Name)
	}
	c, err := s.findPartial("partial", name)
	return c, s.placed(err, n.Name)
}

// findPartial looks a partial up by its name; what says in an error what it is.
func (s *Scope) findPartial(what, name string) (call, error) {
	var t *Template
	if s.in.Partials != nil {
		var err error
		if t, err = s.in.Partials.Partial(s.ctx, name); err != nil {
			return call{}, outside(what+" "+quote(name)+" could not be read", err)
		}
	}
	if t == nil {
		return call{}, failed("there is no " + what + " " + quote(name))
	}
	return call{name, t}, nil
}

// within makes a partial the template that errors refer to.
func (s *Scope) within(c call, render func() error) error {
	source, partial := s.source, s.partial
	s.source, s.partial = c.template.source, c.name
	err := render()
	s.source, s.partial = source, partial
	return err
}

// isolated renders a partial on these variables and no others, and drops what it
// assigns. What it uses of the limits counts.
func (s *Scope) isolated(c call, locals []binding) error {
	outer, vars := s.variables, s.in.Vars
	s.variables, s.in.Vars, s.given = variables{}, nil, given{}
	for _, l := range locals {
		s.Set(l.name, l.value)
	}
	err := c.template.root.render(s)
	s.variables, s.in.Vars, s.given = outer, vars, given{}
	return err
}

// itemName is the name under which a partial sees what it was called with.
func (n *Partial) itemName(c call) string {
	if n.As != "" {
		return n.As
	}
	return c.name[strings.LastIndexByte(c.name, '/')+1:]
}

// isolatedRounds renders the partial of a render tag once, or for each item anew.
func (n *Partial) isolatedRounds(s *Scope, c call, with any, args []binding) error {
	if n.With == nil {
		return s.isolated(c, args)
	}
	args = append(args, binding{n.itemName(c), with})
	if !n.each(with) {
		return s.isolated(c, args)
	}
	items, err := s.items(iterable(with))
	if err != nil {
		return err
	}
	state := &loopState{name: n.itemName(c), length: int64(len(items))}
	args = append(args, binding{"forloop", state})
	item := &args[len(args)-2]
	for ; state.at < state.length; state.at++ {
		if err := s.work(1); err != nil {
			return err
		}
		item.value = normal(items[state.at])
		if err := s.isolated(c, args); err != nil {
			return err
		}
	}
	return nil
}

// rounds renders the partial of an include tag once, or once for each item.
func (n *Partial) rounds(s *Scope, c call, with any) error {
	name := n.itemName(c)
	if n.With == nil {
		with, _ = s.lookup(c.name)
		with = normal(with)
	}
	if !n.each(with) {
		s.bind(name, with)
		return c.template.root.render(s)
	}
	items, err := s.items(with)
	if err != nil {
		return err
	}
	item := s.bind(name, nil)
	for i := 0; i < len(items) && s.interrupt == noInterrupt; i++ {
		if err := s.work(1); err != nil {
			return err
		}
		s.bound[item].value = normal(items[i])
		if err := c.template.root.render(s); err != nil {
			return err
		}
	}
	return nil
}

// each reports whether the partial is rendered once for each item of a value:
// include does so for every list, render for lists and maps and only when it says
// `for`.
func (n *Partial) each(with any) bool {
	switch with.(type) {
	case []any:
		return n.Each || !n.Isolated
	case interval, map[string]any, *Map:
		return n.Each && n.Isolated
	}
	return false
}

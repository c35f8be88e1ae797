package liquid

import (
	"errors"
	"strconv"
	"strings"
)

// Text that came from outside is rendered with :rerender, one level deep: it may
// hold variables, filters and the tags of Shopify's Liquid, and nothing that
// asks for something from outside again. In such text alone, `${name}` is a
// variable without braces around it too (spec/engage.md, 2.2).

// fromOutside says in errors where something is not possible.
const fromOutside = "text from outside: variables, filters and the tags of Shopify's Liquid are"

// maxFetched is the number of bytes that a text to be rendered may have.
const maxFetched = 100 << 10

// fetchedCost is how many bytes the tree of such a text may take for each of its
// own: they count as built.
const fetchedCost = 16

// rerender renders a text from outside in place. name says in errors where it
// came from.
func (s *Scope) rerender(name, text string) error {
	if len(text) > maxFetched {
		return exceeded(name + " is too long to be rendered: it has more than " + strconv.Itoa(maxFetched>>10) + " KiB")
	}
	if err := s.build(fetchedCost * len(text)); err != nil {
		return err
	}
	if err := s.work(len(text) / fetchedCost); err != nil {
		return err
	}
	p := newParser(text, s.opts)
	p.fetched = true
	root, err := p.template()
	if err != nil {
		return fetchedError(name, err)
	}
	t := &Template{opts: *s.opts, source: text, root: root}
	err = s.within(call{name, t}, func() error { return root.render(s) })
	s.interrupt = noInterrupt // such a text ends no loop but its own
	return err
}

// fetchedError places a syntax error in a text from outside. It is one of the
// render: the template itself reads well.
func fetchedError(name string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Partial = name
		if e.Kind == KindSyntax {
			e.Kind = KindRender
		}
	}
	return err
}

// rerendered is rerender for a text that becomes a value.
func (s *Scope) rerendered(name, text string) (string, error) {
	from := len(s.out)
	if err := s.rerender(name, text); err != nil {
		s.out = s.out[:from]
		return "", err
	}
	return s.captured(from)
}

// rerenderItems renders Liquid in the text fields of the items of a catalog. The
// items are shared between renders: what changes is changed in copies.
func (s *Scope) rerenderItems(catalog string, items []any) ([]any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		var err error
		if list[i], err = s.rerenderItem("item "+strconv.Itoa(i+1)+" of catalog "+quote(catalog), normal(item)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Scope) rerenderItem(name string, item any) (any, error) {
	if found, err := s.anyLiquid(item); !found {
		return item, err
	}
	n, _ := size(item)
	if err := s.buildList(4 * n); err != nil {
		return nil, err
	}
	copied := &Map{}
	for field, value := range entries(item) {
		text, ok := value.(string)
		if ok && holdsLiquid(text) {
			rendered, err := s.rerendered(name+", field "+quote(field), text)
			if err != nil {
				return nil, err
			}
			value = rendered
		}
		copied.Set(field, value)
	}
	return copied, nil
}

// anyLiquid reports whether one of the text fields of an item holds Liquid.
func (s *Scope) anyLiquid(item any) (bool, error) {
	for _, value := range entries(item) {
		text, ok := value.(string)
		if !ok {
			continue
		}
		if err := s.workOn(text); err != nil {
			return false, err
		}
		if holdsLiquid(text) {
			return true, nil
		}
	}
	return false, nil
}

func holdsLiquid(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%") || strings.Contains(text, "${")
}

// plainText makes nodes of a run of text outside of tags and outputs.
func (p *parser) plainText(from, to int) ([]Node, error) {
	if !p.fetched {
		return p.texts(from, to, false), nil
	}
	var nodes []Node
	closed := from + strings.LastIndexByte(p.text[from:to], '}') + 1 // behind it no ${ has an end
	for at := from; at < closed; {
		i := strings.Index(p.text[at:closed], "${")
		if i < 0 {
			break
		}
		at += i
		name := brazeToken(p.text[at:to], at)
		if name.kind != tokenDollar || name.text == "" {
			at += len("${")
			continue
		}
		value, err := p.cursor(at, name.to).value()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, p.texts(from, at, false)...)
		nodes = append(nodes, &Output{Span: p.loc.span(at, name.to), Value: value})
		at, from = name.to, name.to
	}
	return append(nodes, p.texts(from, to, false)...), nil
}

package liquid

func init() {
	registerTags(
		&tag{TagDoc{Name: "catalog_items", Braze: true, Syntax: "catalog_items catalog id id … :rerender",
			Doc:     "Sets items to the items of a catalog that have these ids; an unknown id adds none.",
			Example: `{% catalog_items games 1234 {{ '5678' }} %}{{ items[0].title }}, {{ items[1].title }}`,
			Output:  "Chess, Go"}, parseCatalogItems},
		&tag{TagDoc{Name: "catalog_selection_items", Braze: true, Syntax: "catalog_selection_items catalog selection :rerender",
			Doc:     "Sets items to the items of a selection of a catalog.",
			Example: `{% catalog_selection_items games for_two %}{% for item in items %}{{ item.title }} {% endfor %}`,
			Output:  "Chess Go "}, parseCatalogSelection},
		&tag{TagDoc{Name: "message_extras", Braze: true, Syntax: "message_extras :key name :value text",
			Doc:     "Keeps a pair with the message, to be read later; it is not sent. The first pair of a key counts.",
			Example: `a{% message_extras :key season :value "{{ 'spring' }} sale" %}b`, Output: "ab"}, parseMessageExtras},
		&tag{TagDoc{Name: "promotion", Braze: true, Syntax: "promotion('list')",
			Doc:     "Prints a code of a promotion list: one for each message, however often it is asked.",
			Example: `{% promotion('spring') %}`, Output: "SPRING-1"}, parsePromotion},
		&tag{TagDoc{Name: contentBlocks, Braze: true, Syntax: "{{content_blocks.${name}}}",
			Doc:     "Prints a snippet, which sees and sets the variables of the message. It is no tag, but a value like any other.",
			Example: `{{content_blocks.${greeting}}}!`, Output: "Hello you!"}, parseContentBlocks},
	)
}

// contentBlocks is the namespace of snippets.
const contentBlocks = "content_blocks"

const rerenderOption = ":rerender"

func parseCatalogItems(p *parser, pc piece) (Node, error) {
	n := &CatalogItems{Span: p.loc.span(pc.from, pc.to)}
	r := p.words(pc)
	var err error
	if n.Catalog, n.CatalogSpan, err = r.name("the name of a catalog"); err != nil {
		return nil, err
	}
	for first := true; first || r.more() && p.text[r.at] != ':'; first = false {
		id, err := r.id()
		if err != nil {
			return nil, err
		}
		n.IDs = append(n.IDs, id)
	}
	n.Rerender, err = r.rerender(pc.name)
	return n, err
}

// id reads the id of an item.
func (r *words) id() (*Block, error) {
	const expected = "the id of an item"
	if r.more() && r.p.text[r.at] == ':' {
		return nil, r.p.errorAt(r.at, r.end, "expected %s before the options", expected)
	}
	w, err := r.next(expected)
	if err != nil {
		return nil, err
	}
	if w.from == w.to {
		return nil, r.errorAt(w, "this is empty: expected %s", expected)
	}
	if !w.quoted && r.p.text[w.to-1] == ',' {
		return nil, r.p.errorAt(w.to-1, w.to, "unexpected comma: ids have white space between them only")
	}
	return r.p.phrase(w)
}

func parseCatalogSelection(p *parser, pc piece) (Node, error) {
	n := &CatalogSelection{Span: p.loc.span(pc.from, pc.to)}
	r := p.words(pc)
	var err error
	if n.Catalog, n.CatalogSpan, err = r.name("the name of a catalog"); err != nil {
		return nil, err
	}
	if n.Selection, n.SelectionSpan, err = r.name("the name of a selection"); err != nil {
		return nil, err
	}
	n.Rerender, err = r.rerender(pc.name)
	return n, err
}

// rerender reads the only option of the catalog tags.
func (r *words) rerender(tag string) (found bool, err error) {
	for r.more() {
		w, err := r.next("an option")
		if err != nil {
			return false, err
		}
		if r.text(w) != rerenderOption || w.quoted {
			return false, r.unknownOption(tag, w, []string{rerenderOption})
		}
		if found {
			return false, r.errorAt(w, "%s stands here twice", rerenderOption)
		}
		found = true
	}
	return found, nil
}

func parseMessageExtras(p *parser, pc piece) (Node, error) {
	n := &MessageExtras{Span: p.loc.span(pc.from, pc.to)}
	r := p.words(pc)
	var err error
	if n.Key, err = r.pairPart(":key"); err != nil {
		return nil, err
	}
	if n.Value, err = r.pairPart(":value"); err != nil {
		return nil, err
	}
	if r.more() {
		return nil, p.errorAt(r.at, r.end, "expected the end of the tag; a value with white space stands in quotes")
	}
	return n, nil
}

// pairPart reads an option of message_extras, which has a fixed place, and its
// value.
func (r *words) pairPart(name string) (*Block, error) {
	const form = "message_extras is written :key name :value text, in this order"
	option, err := r.next(name)
	if err != nil {
		return nil, err
	}
	if r.text(option) != name || option.quoted {
		return nil, r.errorAt(option, "expected %s: %s", name, form)
	}
	w, err := r.value(option, "a text")
	if err != nil {
		return nil, err
	}
	return r.p.phrase(w)
}

func parsePromotion(p *parser, pc piece) (Node, error) {
	const form = "promotion is written promotion('list')"
	c := p.cursor(pc.markupFrom, pc.markupTo)
	if !c.accept(tokenOpenParen) {
		return nil, c.unexpected("(: " + form)
	}
	if !c.is(tokenString) || c.tok.text == "" {
		return nil, c.unexpected("the name of a promotion list in quotes: " + form)
	}
	name := c.tok
	c.advance()
	if !c.accept(tokenCloseParen) {
		return nil, c.unexpected(")")
	}
	n := &Promotion{p.loc.span(pc.from, pc.to), name.text, p.loc.span(name.from+1, name.to-1)}
	return n, c.finish("the end of the tag")
}

// parseContentBlocks reports a snippet that is written as a tag.
func parseContentBlocks(p *parser, pc piece) (Node, error) {
	return nil, p.errorAt(pc.from, pc.to, "content_blocks is no tag: write {{content_blocks.${name}}}")
}

// snippet turns the path `content_blocks.${name}` into the snippet it names; nil
// for every other path.
func (p *parser) snippet(v *Variable) (*Snippet, error) {
	if len(v.Steps) < 2 || v.Steps[0].Name != contentBlocks || v.Steps[0].bracket || !v.Steps[1].Dollar {
		return nil, nil
	}
	if len(v.Steps) > 2 {
		return nil, p.errorIn(v.Span, "a content block is text and has no members")
	}
	if p.fetched {
		return nil, p.errorIn(v.Span, "content_blocks is not possible in "+fromOutside)
	}
	return &Snippet{v.Span, v.Steps[1].Name, v.Steps[1].Span}, nil
}

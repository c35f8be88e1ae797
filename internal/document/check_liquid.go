package document

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"platen/liquid"
)

// liquidText is a template of a document, and the scalar that holds it.
type liquidText struct {
	at *yaml.Node
	*liquid.Template
}

// liquidTexts gives all templates of a document. Those of campaigns and blocks are
// parsed for this: the packages that compile them keep theirs.
func (d *document) liquidTexts() []liquidText {
	var texts []liquidText
	add := func(pointer, source string) {
		at := nodeAt(d.root, pointer)
		t, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
		if at != nil && err == nil { // an error was reported when the document was read
			texts = append(texts, liquidText{at, t})
		}
	}
	switch s := d.spec.(type) {
	case *snippetSpec:
		texts = append(texts, liquidText{d.at("/text"), s.template})
	case *blockSpec:
		add("/link", string(s.Link))
	case *campaignSpec:
		for i, v := range s.Variants {
			webhook := fmt.Sprintf("/variants/%d/webhook", i)
			add(webhook+"/url", string(v.Webhook.URL))
			for _, h := range v.Webhook.Headers {
				add(webhook+"/headers/"+escapePointer(h.Name), h.Value)
			}
			add(webhook+"/body", string(v.Webhook.Body))
		}
	}
	return texts
}

// escapePointer writes a name as a member of a JSON pointer.
func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// checkTexts holds that what the templates of a document ask for by its name exists.
func (p *planning) checkTexts(d *document, id identity) {
	for _, t := range d.liquidTexts() {
		c := textCheck{p, d, id.workspace, t.at}
		u := t.Uses()
		for _, use := range u.Catalogs {
			c.want(KindCatalog, "catalog", use.Use)
		}
		for _, use := range u.Selections {
			c.wantSelection(use)
		}
		for _, use := range u.Promotions {
			c.want(KindPromotionList, "list of promotion codes", use)
		}
		for _, use := range u.Snippets {
			c.want(KindSnippet, "snippet", use)
		}
		for _, use := range u.Credentials {
			c.want(KindCredential, "credential", use)
		}
	}
}

// textCheck looks at what one template uses.
type textCheck struct {
	*planning
	d         *document
	workspace int64
	at        *yaml.Node // the scalar with the template
}

// want reports a name that no document has, and gives the one that has it. That is
// nil also for a document that is here and was refused itself.
func (c textCheck) want(kind Kind, what string, use liquid.Use) *entry {
	id := identity{kind, c.workspace, use.Name}
	e := c.after[id]
	if e == nil && c.given[id] == nil {
		c.refuse(use.Span, "unknown_"+strings.ToLower(string(kind)), "workspace %q has no %s %q; %s",
			c.d.workspace, what, use.Name, didYouMean(use.Name, c.namesOf(kind, c.workspace)))
	}
	return e
}

func (c textCheck) wantSelection(use liquid.SelectionUse) {
	e := c.want(KindCatalog, "catalog", use.Catalog)
	if e == nil {
		return
	}
	of := e.doc.spec.(*catalogSpec)
	if _, ok := of.catalog.Selection(use.Name); !ok {
		c.refuse(use.Span, "unknown_selection", "the catalog %q has no selection %q; %s", of.Name, use.Name, didYouMean(use.Name, of.selectionNames()))
	}
}

func (c textCheck) refuse(at liquid.Span, reason, format string, args ...any) {
	c.d.in.refuseIn(c.at, at.Start.Line, at.Start.Column, reason, fmt.Sprintf(format, args...))
}

func (s *catalogSpec) selectionNames() []string {
	names := make([]string, len(s.Selections))
	for i, selection := range s.Selections {
		names[i] = selection.Name
	}
	return names
}

// checkSelectionsKept holds that a changed catalog still has the selections that
// stored documents use; those of this apply are checked themselves.
func (p *planning) checkSelectionsKept(d *document, id identity, s *catalogSpec) {
	old := p.before[id]
	if old == nil {
		return
	}
	gone := old.doc.spec.(*catalogSpec).selectionNames()
	gone = slices.DeleteFunc(gone, func(name string) bool { return slices.Contains(s.selectionNames(), name) })
	if len(gone) == 0 {
		return
	}
	for _, other := range inOrder(p.after) {
		e := p.after[other]
		if other.workspace != id.workspace || p.given[other] != nil {
			continue
		}
		for _, t := range e.doc.liquidTexts() {
			for _, use := range t.Uses().Selections {
				if use.Catalog.Name == d.name && slices.Contains(gone, use.Name) {
					d.refuse("/selections", "selection_used", "the %s %q uses the selection %q, which is not here any more; change both together",
						strings.ToLower(string(other.kind)), e.stored.Name, use.Name)
				}
			}
		}
	}
}

// checkNesting holds that a snippet does not use itself, and warns where it uses one
// that uses another: a message shows only one level of snippets within snippets.
func (p *planning) checkNesting(d *document, id identity, s *snippetSpec) {
	c := textCheck{p, d, id.workspace, d.at("/text")}
	for _, use := range s.template.Uses().Snippets {
		if way := p.wayTo(d.name, use.Name, id.workspace, map[string]bool{}); way != nil {
			c.refuse(use.Span, "snippet_cycle", "a snippet cannot use itself: %s", strings.Join(append([]string{d.name}, way...), " → "))
			continue
		}
		for _, inner := range p.snippetsIn(use.Name, id.workspace) {
			line, column, _ := d.in.lines.Place(c.at, use.Start.Line, use.Start.Column)
			p.report.Warnings = append(p.report.Warnings, Warning{File: d.in.file, Line: line, Column: column, Message: fmt.Sprintf(
				"messages that use this snippet do not show %q, which %q uses: snippets within snippets go one level deep", inner, use.Name)})
		}
	}
}

// wayTo follows the snippets that one uses until it finds a wanted one: the names
// from the first to the wanted, nil when there is no way.
func (p *planning) wayTo(wanted, from string, workspace int64, seen map[string]bool) []string {
	if from == wanted {
		return []string{wanted}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range p.snippetsIn(from, workspace) {
		if way := p.wayTo(wanted, next, workspace, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}

// snippetsIn gives the names of the snippets that a snippet uses, each once.
func (p *planning) snippetsIn(name string, workspace int64) []string {
	e := p.after[identity{KindSnippet, workspace, name}]
	if e == nil {
		return nil
	}
	var names []string
	for _, use := range e.doc.spec.(*snippetSpec).template.Uses().Snippets {
		if !slices.Contains(names, use.Name) {
			names = append(names, use.Name)
		}
	}
	return names
}

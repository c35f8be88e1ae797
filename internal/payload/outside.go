package payload

import (
	"slices"
	"strings"

	"platen/liquid"
)

// aside follows a text that a tag uses and does not print, in a language of its
// own. What a snippet in it sets is not known afterwards.
func (w *walker) aside(text *liquid.Block, p *path, as Options) {
	q := w.start(as)
	q.vars, q.facts = p.vars, p.facts
	before := p.vars
	for _, r := range w.block(text, []*path{q}) {
		if !w.tired(text.End().Offset) {
			r.lang.finish(r)
		}
		for _, v := range r.vars {
			if at, found := before.find(v.name); !found || before[at].key != v.key {
				p.define(v.name)
			}
		}
	}
}

// connected carries connected_content out: the parts of the call are checked in
// their languages, and what comes back is unknown. Without :save a text may come
// back, which is printed, unless the template reads the variable.
func (w *walker) connected(n *liquid.ConnectedContent, p *path) []*path {
	w.aside(n.URL, p, Options{As: URL})
	for _, h := range n.Headers {
		w.aside(h.Value, p, Options{As: Header, Header: h.Name})
	}
	if n.Body != nil {
		w.aside(n.Body, p, Options{As: calledBodyAs(n.ContentType)})
	}
	p.define(n.Variable())
	if n.Save != "" || w.uses.reads(n.Variable()) {
		return []*path{p}
	}
	w.found.note(n.Pos().Offset, "what this call prints cannot be known here; it was not checked; with :save its answer goes to a variable")
	return p.print(at(n, hole{name: "connected_content", opaque: true}))
}

// calledBodyAs is the language of a call's body: one that is a form is made JSON
// where the content type says so (spec/engage.md, section 2.5).
func calledBodyAs(contentType string) Language {
	if as := BodyAs(contentType); as != JSON {
		return as
	}
	return Body
}

// define gives a variable a value of which nothing is known.
func (p *path) define(name string) {
	p.set(name, unknown(hole{name: name, empty: true}))
	p.facts = slices.DeleteFunc(slices.Clone(p.facts), func(f fact) bool { return f.about(name) })
}

// about reports whether the fact is about a variable or a member of it.
func (f fact) about(name string) bool {
	rest, ok := strings.CutPrefix(f.subject, name)
	return ok && (rest == "" || strings.IndexByte(".[ ", rest[0]) >= 0)
}

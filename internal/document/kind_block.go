package document

import (
	"go.yaml.in/yaml/v3"

	"platen/internal/block"
)

type blockSpec struct {
	head     `yaml:",inline"`
	ID       string       `yaml:"id"`
	Show     []ruleSpec   `yaml:"show"`
	Fallback fallbackSpec `yaml:"fallback"`
	Link     text         `yaml:"link,omitempty"`

	block *block.Block
}

type ruleSpec struct {
	When   *condition `yaml:"when,omitempty,flow"`
	Items  itemsSpec  `yaml:"items,flow"`
	Layout string     `yaml:"layout"`
}

type itemsSpec struct {
	Event    string       `yaml:"event"`
	Distinct string       `yaml:"distinct,omitempty"`
	Exclude  *excludeSpec `yaml:"exclude,omitempty"`
	Limit    int          `yaml:"limit"`
}

type excludeSpec struct {
	Event string `yaml:"event"`
}

type fallbackSpec struct {
	Title text `yaml:"title"`
	Text  text `yaml:"text,omitempty"`
}

// defaultItems is how many items a rule shows that does not say it.
const defaultItems = 3

func decodeBlock(o *object, h head) spec {
	s := &blockSpec{head: h, ID: o.text("id", optional), Link: text(o.freeText("link", optional))}
	if s.ID != "" && !block.IsPublicID(s.ID) {
		o.refuse(o.node("id"), "bad_id", "%q is no public id: that is 16 hex digits in lower case; leave it out to be given one", s.ID)
	}
	if block.IsPublicID(h.Name) {
		o.refuse(o.node("name"), "bad_name", "the name %q would be taken for a public id; choose another", h.Name)
	}
	for _, n := range o.list("show", required) {
		s.Show = append(s.Show, o.rule(n))
	}
	s.Fallback = o.fallback("fallback")
	s.block = s.definition()
	if err := s.block.Compile(); err != nil {
		o.refuseLiquid(o.node("link"), err)
	}
	return s
}

func (o *object) fallback(field string) fallbackSpec {
	if n := o.node(field); n != nil && n.Kind == yaml.ScalarNode {
		o.refuse(n, "not_yet", "this version draws the fallback from a text; write {title: …, text: …} instead of a file")
		return fallbackSpec{}
	}
	f := o.child(field, field, required)
	if f == nil {
		return fallbackSpec{}
	}
	s := fallbackSpec{Title: text(f.freeText("title", required)), Text: text(f.freeText("text", optional))}
	f.done()
	return s
}

func (o *object) rule(n *yaml.Node) ruleSpec {
	r := o.object(n, "a rule of show")
	s := ruleSpec{
		When:   r.condition("when", blockConditions),
		Layout: r.choice("layout", block.LayoutCards, block.Layouts()...),
	}
	if q := r.child("items", "items", required); q != nil {
		s.Items = itemsSpec{
			Event:    q.text("event", required),
			Distinct: q.text("distinct", optional),
			Limit:    q.whole("limit", 1, block.MaxItems, defaultItems),
		}
		if x := q.child("exclude", "exclude", optional); x != nil {
			s.Items.Exclude = &excludeSpec{Event: x.text("event", required)}
			x.done()
		}
		q.done()
	}
	r.done()
	return s
}

// statedID is the public id.
func (s *blockSpec) statedID() string { return s.ID }

// definition is the block without workspace and id.
func (s *blockSpec) definition() *block.Block {
	b := &block.Block{Name: s.Name, Link: string(s.Link), Fallback: block.Fallback{Title: string(s.Fallback.Title), Text: string(s.Fallback.Text)}}
	for _, r := range s.Show {
		rule := block.Rule{
			When:   r.When.expr(),
			Items:  block.Query{Event: r.Items.Event, Distinct: r.Items.Distinct, Limit: r.Items.Limit},
			Layout: r.Layout,
		}
		if r.Items.Exclude != nil {
			rule.Items.Exclude.Event = r.Items.Exclude.Event
		}
		b.Show = append(b.Show, rule)
	}
	return b
}

func (s *blockSpec) compile(number int64, id string) *block.Block {
	b := *s.block
	b.Workspace, b.PublicID = number, id
	return &b
}

package document

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"platen/internal/catalog"
	"platen/internal/fault"
)

type catalogSpec struct {
	head       `yaml:",inline"`
	Fields     []fieldSpec     `yaml:"fields,omitempty"`
	Selections []selectionSpec `yaml:"selections,omitempty"`
	// The data, in the one form in which it was given.
	Items *yaml.Node `yaml:"items,omitempty"`
	CSV   text       `yaml:"csv,omitempty"`
	JSON  text       `yaml:"json,omitempty"`

	catalog *catalog.Catalog // without workspace
}

type fieldSpec struct{ Name, Type string }

// MarshalYAML writes a field in one line.
func (f fieldSpec) MarshalYAML() (any, error) {
	n := mappingNode("name", textNode(f.Name))
	n.Content = append(n.Content, textNode("type"), textNode(f.Type))
	return n, nil
}

type selectionSpec struct {
	Name  string      `yaml:"name"`
	Where []whereSpec `yaml:"where,omitempty"`
	Sort  *sortSpec   `yaml:"sort,omitempty,flow"`
	Limit int         `yaml:"limit"`
}

type sortSpec struct {
	Field      string `yaml:"field"`
	Descending bool   `yaml:"descending,omitempty"`
}

type whereSpec struct {
	Field, Is string
	Value     *yaml.Node // nil where the operator takes none

	value any
}

// MarshalYAML writes a condition in one line.
func (w whereSpec) MarshalYAML() (any, error) {
	n := mappingNode("field", textNode(w.Field))
	n.Content = append(n.Content, textNode("is"), textNode(w.Is))
	if w.Value != nil {
		n.Content = append(n.Content, textNode("value"), plainCopy(w.Value))
	}
	return n, nil
}

func decodeCatalog(o *object, h head) spec {
	before := len(o.problems)
	if h.Name != "" && !catalog.IsName(h.Name) {
		o.refuse(o.node("name"), "bad_name", "%.80q is no name of a catalog: it can have letters, digits, dashes and underscores, at most 250", h.Name)
	}
	s := &catalogSpec{head: h, Fields: o.catalogFields("fields"), Selections: o.selections("selections")}
	data, table := o.catalogData(s)
	if table == nil || len(o.problems) > before {
		return s
	}
	var problems []*fault.Error
	s.catalog, problems = catalog.New(s.Name, table, s.fields(), s.choices())
	for _, f := range problems {
		o.refuseInCatalog(data, f)
	}
	return s
}

func (s *catalogSpec) compile(number int64) *catalog.Catalog {
	c := *s.catalog
	c.Workspace = number
	return &c
}

func (o *object) catalogFields(field string) []fieldSpec {
	var fields []fieldSpec
	for _, n := range o.list(field, optional) {
		f := o.object(n, "a field")
		fields = append(fields, fieldSpec{Name: f.text("name", required), Type: f.choice("type", "", catalog.Types()...)})
		f.want("type", required)
		f.done()
	}
	return fields
}

func (o *object) selections(field string) []selectionSpec {
	var selections []selectionSpec
	for _, n := range o.list(field, optional) {
		c := o.object(n, "a selection")
		s := selectionSpec{Name: c.text("name", required), Limit: c.whole("limit", 1, catalog.MaxSelected, catalog.MaxSelected)}
		for _, n := range c.list("where", optional) {
			s.Where = append(s.Where, c.where(n))
		}
		if by := c.child("sort", "sort", optional); by != nil {
			s.Sort = &sortSpec{Field: by.text("field", required), Descending: by.truth("descending")}
			by.done()
		}
		c.done()
		selections = append(selections, s)
	}
	return selections
}

func (o *object) where(n *yaml.Node) whereSpec {
	w := o.object(n, "a condition")
	s := whereSpec{Field: w.text("field", required), Is: w.choice("is", "", catalog.Operators()...), Value: w.node("value")}
	w.want("is", required)
	w.done()
	switch takes := catalog.Operator(s.Is).TakesValue(); {
	case s.Is == "" || w.at == nil:
	case takes && s.Value == nil:
		w.refuse(w.at, "missing_field", "%s needs %q", s.Is, "value")
	case !takes && s.Value != nil:
		w.refuse(s.Value, "bad_condition", "%s takes no value", s.Is)
	case takes && s.Value.Kind != yaml.ScalarNode:
		w.refuse(s.Value, "wrong_type", "%q must be one value, but is %s", "value", shape(s.Value))
	case takes:
		s.value = w.plainValue(s.Value, 1)
	}
	return s
}

// catalogData reads the data from the one form in which it is given. The table is
// nil when it was refused.
func (o *object) catalogData(s *catalogSpec) (at *yaml.Node, table *catalog.Table) {
	var err error
	switch form := o.oneForm("items", "csv", "json", "file"); form {
	case "items":
		at = o.node(form)
		table = o.catalogItems(at)
		s.Items = plainCopy(at)
	case "csv":
		at, s.CSV = o.node(form), text(o.freeText(form, required))
		table, err = catalog.ReadCSV(string(s.CSV))
	case "json":
		at, s.JSON = o.node(form), text(o.freeText(form, required))
		table, err = catalog.ReadJSON(string(s.JSON))
	case "file":
		o.refuseFile(form)
	}
	if err != nil {
		o.refuseInCatalog(at, fault.From(err).In("/data"))
		return at, nil
	}
	return at, table
}

// oneForm gives the one of some members that is there, "" when that is not so.
func (o *object) oneForm(forms ...string) string {
	var given []string
	for _, form := range forms {
		if o.node(form) != nil {
			given = append(given, form)
		}
	}
	if len(given) == 1 {
		return given[0]
	}
	if o.at != nil {
		o.refuse(o.at, "missing_field", "%s needs its data as exactly one of %s", o.what, strings.Join(forms, ", "))
	}
	return ""
}

// refuseFile refuses a reference to a file, which the server never reads.
func (o *object) refuseFile(field string) {
	o.refuse(o.node(field), "file_not_read", "the server reads no files; platen apply puts what is in the file here before it sends the document")
}

func (o *object) catalogItems(n *yaml.Node) *catalog.Table {
	table, ok := o.rows(n)
	if !ok {
		return nil
	}
	return catalog.NewTable(table)
}

func (s *catalogSpec) fields() []catalog.Field {
	var fields []catalog.Field
	for _, f := range s.Fields {
		fields = append(fields, catalog.Field{Name: f.Name, Type: catalog.Type(f.Type)})
	}
	return fields
}

// choices are the selections as package catalog takes them.
func (s *catalogSpec) choices() []catalog.Selection {
	var choices []catalog.Selection
	for _, spec := range s.Selections {
		c := catalog.Selection{Name: spec.Name, Limit: spec.Limit}
		if spec.Sort != nil {
			c.Sort, c.Descending = spec.Sort.Field, spec.Sort.Descending
		}
		for _, w := range spec.Where {
			c.Where = append(c.Where, catalog.Condition{Field: w.Field, Is: catalog.Operator(w.Is), Value: w.value})
		}
		choices = append(choices, c)
	}
	return choices
}

// refuseInCatalog reports a problem of package catalog: in the data, which may be a
// text, or at what its pointer names.
func (o *object) refuseInCatalog(data *yaml.Node, f *fault.Error) {
	pointer, ofData := strings.CutPrefix(f.Pointer, "/data")
	switch {
	case ofData && f.Line > 0:
		o.refuseIn(data, f.Line, f.Column, f.Reason, f.Message)
	case ofData:
		o.refuse(nearestNode(data, pointer), f.Reason, "%s", f.Message)
	default:
		o.refuse(nearestNode(o.at, pointer), f.Reason, "%s", f.Message)
	}
}

// nearestNode is the node at a JSON pointer, or the innermost one around it.
func nearestNode(n *yaml.Node, pointer string) *yaml.Node {
	for ; pointer != ""; pointer = pointer[:strings.LastIndexByte(pointer, '/')] {
		if found := nodeAt(n, pointer); found != nil {
			return found
		}
	}
	return n
}

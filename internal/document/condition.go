package document

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"platen/internal/filter"
	"platen/internal/nearest"
)

// condition is a filter as documents write it:
//
//	{field: user_id, is: not_blank}              a field of the profile
//	{attribute: plan, is: any_of, value: pro}    a custom attribute
//	{property: price, is: more_than, value: 10}  a property of the event
//	{event: product_viewed, within: 30d}         something the profile did
//	{and: […]}, {or: […]}, {not: …}
type condition struct{ filter.Expr }

// expr is the filter, nil for no condition.
func (c *condition) expr() filter.Expr {
	if c == nil {
		return nil
	}
	return c.Expr
}

// MarshalYAML writes the condition as it is read.
func (c *condition) MarshalYAML() (any, error) { return conditionNode(c.Expr), nil }

// conditionUse says which conditions have a meaning at a place.
type conditionUse struct {
	sources []filter.Source
	events  bool
	instead string // where the others belong
}

var (
	triggerConditions  = conditionUse{[]filter.Source{filter.Property}, false, "conditions on the profile belong to the audience"}
	audienceConditions = conditionUse{[]filter.Source{filter.Field, filter.Attribute}, false, "conditions on the event belong to trigger: {where: …}"}
	blockConditions    = conditionUse{[]filter.Source{filter.Field, filter.Attribute}, true, "a picture is drawn without an event at hand"}
)

// maxConditionDepth bounds the groups within groups.
const maxConditionDepth = 16

// condition gives a condition, nil when it is absent or was refused.
func (o *object) condition(field string, use conditionUse) *condition {
	n := o.node(field)
	if n == nil {
		return nil
	}
	if e := o.readCondition(n, use, 1); e != nil {
		return &condition{e}
	}
	return nil
}

func (r *reader) readCondition(n *yaml.Node, use conditionUse, depth int) filter.Expr {
	if depth > maxConditionDepth {
		r.refuse(n, "too_deep", "conditions are nested deeper than %d groups", maxConditionDepth)
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		r.refuse(n, "wrong_type", "a list of conditions needs a word before it: {and: […]} or {or: […]}")
		return nil
	}
	o := r.object(n, "a condition")
	if o.at == nil {
		return nil
	}
	e := o.readForm(use, depth)
	o.done()
	return e
}

// conditionForms are the members that tell the forms of conditions apart.
var conditionForms = []string{"field", "attribute", "property", "event", "and", "or", "not"}

func (o *object) readForm(use conditionUse, depth int) filter.Expr {
	var forms []string
	for _, form := range conditionForms {
		if o.node(form) != nil {
			forms = append(forms, form)
		}
	}
	if len(forms) != 1 {
		for _, later := range []string{"is", "value", "within"} {
			o.node(later) // known, though nothing can be said about it now
		}
		o.refuse(o.at, "bad_condition", "a condition needs exactly one of field, attribute, property, event, and, or, not")
		return nil
	}
	switch form := forms[0]; form {
	case "and":
		return filter.And(o.group(form, use, depth))
	case "or":
		return filter.Or(o.group(form, use, depth))
	case "not":
		if e := o.readCondition(o.node(form), use, depth+1); e != nil {
			return filter.Not{Expr: e}
		}
		return nil
	case "event":
		return o.did(use)
	default:
		return o.compare(filter.Source(form), use)
	}
}

func (o *object) group(form string, use conditionUse, depth int) []filter.Expr {
	var group []filter.Expr
	items := o.list(form, required)
	if len(items) == 0 {
		o.refuse(o.at, "bad_condition", "%q needs at least one condition", form)
	}
	for _, n := range items {
		if e := o.readCondition(n, use, depth+1); e != nil {
			group = append(group, e)
		}
	}
	return group
}

func (o *object) did(use conditionUse) filter.Expr {
	event, within := o.text("event", required), o.duration("within", 0, false)
	if !use.events {
		o.refuse(o.at, "not_yet", "this version does not know conditions on past events here yet")
		return nil
	}
	return filter.Did{Event: event, Within: within}
}

func (o *object) compare(source filter.Source, use conditionUse) filter.Expr {
	name := o.text(string(source), required)
	op, value := o.operator("is"), o.node("value")
	if !slices.Contains(use.sources, source) {
		o.refuse(o.at, "bad_condition", "%s has no meaning here: %s", source, use.instead)
		return nil
	}
	if name == "" || op == "" {
		return nil
	}
	on, err := filter.ParseOperand(source, name)
	if err != nil {
		o.refuseOperand(source, name, err)
		return nil
	}
	c, err := o.comparison(on, op, value)
	if err != nil {
		at := value
		if at == nil {
			at = o.at
		}
		o.pass(at, err)
		return nil
	}
	if c == nil {
		return nil
	}
	return c
}

func (o *object) refuseOperand(source filter.Source, name string, err error) {
	if near, ok := nearest.Word(name, filter.Fields()); ok && source == filter.Field {
		o.refuse(o.node("field"), "unknown_value", "there is no field %q; did you mean %q? A custom attribute is written attribute: %s", name, near, name)
		return
	}
	o.pass(o.node(string(source)), err)
}

// comparison reads the value that the operator takes. It gives nil without an
// error for a value that was refused already.
func (o *object) comparison(on filter.Operand, op filter.Op, value *yaml.Node) (*filter.Compare, error) {
	if takes := op.Takes(); takes == filter.NoArgument {
		if value != nil {
			o.refuse(value, "bad_condition", "%s takes no value", op)
			return nil, nil
		}
		return filter.NewPlain(on, op)
	} else if value == nil {
		o.refuse(o.at, "missing_field", "%s needs %q", op, "value")
		return nil, nil
	} else if takes == filter.OneNumber {
		number, ok := o.number(value, "value")
		if !ok {
			return nil, nil
		}
		return filter.NewNumeric(on, op, number)
	}
	if value.Kind != yaml.SequenceNode {
		text, ok := o.scalarText(value, "value")
		if !ok {
			return nil, nil
		}
		return filter.NewTextual(on, op, text)
	}
	return filter.NewTextual(on, op, o.texts("value", required)...)
}

func (r *reader) number(n *yaml.Node, name string) (float64, bool) {
	var v float64
	numeric := n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float")
	if !numeric || n.Decode(&v) != nil {
		r.refuse(n, "wrong_type", "%q must be a number, but is %s", name, shape(n))
		return 0, false
	}
	return v, true
}

// otherWords are operators as other programs name them.
var otherWords = map[string]string{
	"equals": "any_of for text, exactly for a number", "equal": "any_of for text, exactly for a number",
	"not_equal": "none_of for text, does_not_equal for a number",
	"exists":    "not_blank", "does_not_exist": "blank", "present": "not_blank", "empty": "blank",
	"greater_than": "more_than", "contains": "contains_any_of", "in": "any_of", "not_in": "none_of",
}

// operator reads an operator; true and false need no quotes.
func (o *object) operator(field string) filter.Op {
	n := o.want(field, required)
	if n == nil {
		return ""
	}
	text := n.Value
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		var ok bool
		if text, ok = o.scalarText(n, field); !ok {
			return ""
		}
	}
	op := filter.Op(text)
	if op.Takes() == 0 {
		if ours, ok := otherWords[text]; ok {
			o.refuse(n, "unknown_value", "there is no operator %q; write %s", text, ours)
		} else {
			o.refuse(n, "unknown_value", "there is no operator %q; %s", text, didYouMean(text, filter.Ops()))
		}
		return ""
	}
	return op
}

// conditionNode writes what readCondition reads.
func conditionNode(e filter.Expr) *yaml.Node {
	switch e := e.(type) {
	case filter.And:
		return mappingNode("and", listNode(e))
	case filter.Or:
		return mappingNode("or", listNode(e))
	case filter.Not:
		return mappingNode("not", conditionNode(e.Expr))
	case filter.Did:
		n := mappingNode("event", textNode(e.Event))
		if e.Within > 0 {
			n.Content = append(n.Content, textNode("within"), textNode(formatDuration(e.Within)))
		}
		return n
	case *filter.Compare:
		n := mappingNode(string(e.Operand.Source), textNode(e.Operand.Text))
		n.Content = append(n.Content, textNode("is"), operatorNode(e.Op))
		if value := valueNode(e); value != nil {
			n.Content = append(n.Content, textNode("value"), value)
		}
		return n
	}
	return nil
}

func operatorNode(op filter.Op) *yaml.Node {
	if op == filter.IsTrue || op == filter.IsFalse {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: string(op)}
	}
	return textNode(string(op))
}

func valueNode(c *filter.Compare) *yaml.Node {
	switch c.Op.Takes() {
	case filter.OneNumber:
		n := &yaml.Node{}
		n.Value, n.Kind = strconv.FormatFloat(c.Number, 'f', -1, 64), yaml.ScalarNode
		return n
	case filter.OnePattern:
		return textNode(c.Texts[0])
	case filter.SomeTexts:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, t := range c.Texts {
			n.Content = append(n.Content, textNode(t))
		}
		return n
	}
	return nil
}

func listNode(group []filter.Expr) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range group {
		n.Content = append(n.Content, conditionNode(e))
	}
	return n
}

func mappingNode(key string, value *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{textNode(key), value}}
}

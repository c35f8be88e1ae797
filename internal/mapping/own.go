package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"platen/internal/fault"
)

// ownMapping is a compiled Spec.
type ownMapping struct {
	place  string // "mappings[0]"
	draft  bool
	event  string
	schema *schema
	match  *expression // nil: never
	fields []ownField  // in the order of their names
	// literals are the strings that match compares with: the names of its senders.
	literals []string
}

// ownField is one field expression.
type ownField struct {
	name string
	key  []byte                  // of a property, with quotes
	slot func(e *envelope) *slot // of an envelope field, else nil
	expr *expression
}

// callTypes are the types a call may have.
var callTypes = []string{typeTrack, typeIdentify, "page", "screen", "group"}

func compileOwn(index int, spec Spec) (*ownMapping, error) {
	o := &ownMapping{place: fmt.Sprintf("mappings[%d]", index), draft: spec.Draft, event: spec.Event}
	at := pointerAt("/mappings", index)
	if spec.Event == "" {
		return nil, badJQ(`%s.event is missing; write the name to store, as product_viewed`, o.place).In(pointer(at, "event"))
	}
	if o.schema = canonicalSchema(spec.Event); o.schema == nil {
		o.schema = customSchema
	}
	if spec.Match != "" {
		x, err := compileExpression(spec.Match)
		if err != nil {
			return nil, within(o.place+".match", pointer(at, "match"), err)
		}
		o.match = x
		o.literals = stringLiterals(spec.Match)
	}
	for _, fieldName := range sortedKeys(spec.Fields) {
		x, err := compileExpression(spec.Fields[fieldName])
		if err != nil {
			return nil, within(o.fieldPlace(fieldName), pointer(pointer(at, "fields"), fieldName), err)
		}
		o.fields = append(o.fields, ownField{name: fieldName, key: quote(fieldName), slot: envelopeFields[fieldName], expr: x})
	}
	return o, nil
}

func (o *ownMapping) fieldPlace(field string) string { return o.place + ".fields." + field }

// within puts the place of an expression before its fault.
func within(place, at string, err error) error {
	f := *fault.From(err)
	f.Message = place + ": " + f.Message
	f.Pointer = at
	return &f
}

// stringLiterals are the strings of a match expression that may name an event.
func stringLiterals(src string) []string {
	var literals []string
	for _, t := range jqTokens(src) {
		if t.text != `"` {
			continue
		}
		text := textOf([]byte(src[t.offset:max(t.offset, endOfString([]byte(src), t.offset))]))
		isPattern := strings.ContainsAny(text, `^$*+?()[]{}|\`)
		if text != "" && !isPattern && !slices.Contains(callTypes, text) {
			literals = append(literals, text)
		}
	}
	return literals
}

// names are those under which senders may reach the mapping.
func (o *ownMapping) names() []name {
	leadsTo := o.event + " (" + o.place + ")"
	names := []name{{spelling: spelling(o.event), leadsTo: leadsTo}}
	for _, literal := range o.literals {
		names = append(names, name{spelling: spelling(literal), leadsTo: fmt.Sprintf("%q (%s)", literal, o.place)})
	}
	return names
}

func (o *ownMapping) matches(e *evaluation) (bool, error) {
	if o.match == nil {
		return false, nil
	}
	v, err := e.eval(o.match)
	switch {
	case err == errNothing:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s.match failed: %w", o.place, err)
	default:
		return isTrue(v), nil
	}
}

// read gives the body as the mapping understands it.
func (o *ownMapping) read(e *evaluation, body []member) (*reading, error) {
	r := &reading{envelope: readEnvelope(body), kind: typeTrack, event: o.event, schema: o.schema, label: o.place + "/" + o.event}
	if o.schema == identifySchema {
		r.kind = typeIdentify
	}
	for i := range o.fields {
		f := &o.fields[i]
		value, err := e.json(f.expr)
		if errors.Is(err, errOutOfTime) {
			return nil, errOutOfTime
		}
		if err != nil {
			return nil, fault.Refused("mapping_failed", "%s failed: %v; mend the expression or the call", o.fieldPlace(f.name), err)
		}
		switch {
		case value == nil:
		case f.name == "type":
			err = o.setType(r, textOf(value))
		case f.slot != nil:
			*f.slot(&r.envelope) = slot{raw: value}
		default:
			r.computed = append(r.computed, member{key: f.key, name: []byte(f.name), value: value})
		}
		if err != nil {
			return nil, err
		}
	}
	if r.kind == typeIdentify {
		r.event, r.schema = "", identifySchema
	}
	return r, nil
}

func (o *ownMapping) setType(r *reading, kind string) error {
	if !slices.Contains(callTypes, kind) {
		return fault.Refused("mapping_failed", "%s gives %q, which is none of %v", o.fieldPlace("type"), clip(kind), callTypes)
	}
	r.kind = kind
	return nil
}

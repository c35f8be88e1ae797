package catalog

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"platen/liquid"
)

// The bounds of one selection.
const (
	MaxSelected   = 50
	MaxConditions = 10
)

// Selection is a choice of items that messages ask for by its name. It is made once,
// when the catalog is.
type Selection struct {
	Name       string
	Where      []Condition // all of them hold
	Sort       string      // field; "" for the order of the data
	Descending bool
	Limit      int // from 1 to MaxSelected
}

// Condition is what a selection asks of a field.
type Condition struct {
	Field string
	Is    Operator
	// Value is a string, bool, int64, float64 or json.Number; nil where the
	// operator takes none.
	Value any
}

// Operator compares a field of an item with a value.
type Operator string

// The operators. An item without a value is not equal to anything, and neither
// greater nor less. Texts are compared with their case.
const (
	Equals      Operator = "equals"
	NotEqual    Operator = "not_equal"
	GreaterThan Operator = "greater_than" // numbers and times
	LessThan    Operator = "less_than"
	Contains    Operator = "contains" // a text has this within it
	Includes    Operator = "includes" // an array has this as a member
	Blank       Operator = "blank"
	NotBlank    Operator = "not_blank"
)

// Operators lists the operators as documents write them.
func Operators() []string {
	return []string{
		string(Equals), string(NotEqual), string(GreaterThan), string(LessThan),
		string(Contains), string(Includes), string(Blank), string(NotBlank),
	}
}

// TakesValue says whether the operator compares with a value.
func (o Operator) TakesValue() bool { return o != Blank && o != NotBlank }

// takes says whether the operator has a meaning for fields of this type.
func (o Operator) takes(t Type) bool {
	switch o {
	case Equals, NotEqual:
		return t != Object && t != Array
	case GreaterThan, LessThan:
		return t == Number || t == Time
	case Contains:
		return t == Text
	case Includes:
		return t == Array
	}
	return true
}

func (b *builder) addSelections(selections []Selection) {
	if len(selections) > MaxSelections {
		b.refuse("/selections", "too_many", "the catalog has %d selections; at most %d are kept", len(selections), MaxSelections)
		return
	}
	for i, s := range selections {
		at := fmt.Sprintf("/selections/%d", i)
		before := len(b.problems)
		b.checkSelection(s, at)
		if len(b.problems) == before {
			b.selections[s.Name] = b.choose(s)
		}
	}
}

func (b *builder) checkSelection(s Selection, at string) {
	if !IsName(s.Name) {
		b.refuse(at+"/name", "bad_name", "%.80q is no name of a selection: it can have letters, digits, dashes and underscores, at most 250", s.Name)
	}
	if _, twice := b.selections[s.Name]; twice {
		b.refuse(at+"/name", "duplicate_name", "there are two selections with the name %q", s.Name)
	}
	if s.Limit < 1 || s.Limit > MaxSelected {
		b.refuse(at+"/limit", "out_of_range", "a selection has from 1 to %d items, not %d", MaxSelected, s.Limit)
	}
	if len(s.Where) > MaxConditions {
		b.refuse(at+"/where", "too_many", "a selection has at most %d conditions, here are %d", MaxConditions, len(s.Where))
	}
	for i, c := range s.Where {
		b.checkCondition(c, fmt.Sprintf("%s/where/%d", at, i))
	}
	if s.Sort == "" || !b.knowsField(s.Sort, at+"/sort/field") {
		return
	}
	if t := b.types[s.Sort]; t == Object || t == Array {
		b.refuse(at+"/sort/field", "bad_type", "items cannot be sorted by %q, which is of type %s", s.Sort, t)
	}
}

func (b *builder) checkCondition(c Condition, at string) {
	if !b.knowsField(c.Field, at+"/field") {
		return
	}
	t := b.types[c.Field]
	switch {
	case !c.Is.takes(t):
		b.refuse(at+"/is", "bad_condition", "%s has no meaning for the field %q, which is of type %s", c.Is, c.Field, t)
	case c.Is.TakesValue() && c.Is != Includes:
		if _, ok := termOf(c.Value, t); !ok {
			b.refuse(at+"/value", "wrong_type", "the field %q is of type %s and cannot be compared with %.80q", c.Field, t, fmt.Sprint(c.Value))
		}
	}
}

func (b *builder) knowsField(field, at string) bool {
	if _, ok := b.types[field]; ok {
		return true
	}
	known := slices.Clone(b.fields)
	const most = 12
	if len(known) > most {
		known = append(known[:most], "…")
	}
	b.refuse(at, "unknown_field", "the catalog has no field %q; it has %s", field, strings.Join(known, ", "))
	return false
}

// choose gives the items of a checked selection.
func (b *builder) choose(s Selection) []any {
	chosen := []any{}
	for _, item := range b.items {
		if b.admits(s, item.(*liquid.Map)) {
			chosen = append(chosen, item)
		}
	}
	if s.Sort != "" {
		b.sort(chosen, s)
	}
	return slices.Clip(chosen[:min(len(chosen), s.Limit)])
}

func (b *builder) admits(s Selection, item *liquid.Map) bool {
	for _, c := range s.Where {
		if !c.holds(item, b.types[c.Field]) {
			return false
		}
	}
	return true
}

func (c Condition) holds(item *liquid.Map, t Type) bool {
	value, _ := item.Get(c.Field)
	switch c.Is {
	case Blank:
		return isBlank(value)
	case NotBlank:
		return !isBlank(value)
	case Includes:
		list, _ := value.([]any)
		return slices.ContainsFunc(list, func(member any) bool { return sameMember(member, c.Value) })
	}
	is, ok := termOf(value, t)
	wanted, _ := termOf(c.Value, t)
	switch c.Is {
	case NotEqual:
		return !ok || is != wanted
	case Equals:
		return ok && is == wanted
	case GreaterThan:
		return ok && is.compare(wanted) > 0
	case LessThan:
		return ok && is.compare(wanted) < 0
	default: // Contains
		return ok && strings.Contains(is.text, wanted.text)
	}
}

// sameMember compares values of any types; numbers are equal however they are written.
func sameMember(a, b any) bool {
	plain := &Table{}
	t := plain.typeOf(a)
	if t != plain.typeOf(b) {
		return false
	}
	x, isTerm := termOf(a, t)
	y, _ := termOf(b, t)
	return isTerm && x == y
}

// sort puts the items into the order of a field. Those without a value come last in
// either direction, equal ones stay in the order of the data.
func (b *builder) sort(items []any, s Selection) {
	type keyed struct {
		item any
		term term
		has  bool
	}
	list := make([]keyed, len(items))
	for i, item := range items {
		value, _ := item.(*liquid.Map).Get(s.Sort)
		list[i].item = item
		list[i].term, list[i].has = termOf(value, b.types[s.Sort])
	}
	slices.SortStableFunc(list, func(x, y keyed) int {
		switch {
		case x.has != y.has && x.has:
			return -1
		case x.has != y.has:
			return 1
		case s.Descending:
			return y.term.compare(x.term)
		}
		return x.term.compare(y.term)
	})
	for i := range list {
		items[i] = list[i].item
	}
}

// term is a value as it is compared: by its members in their order. Of two whole
// numbers that are the same as a float64 the second tells which is greater.
type term struct {
	number float64
	whole  int64 // 0 of a number that is not whole; of a time: microseconds since 1970; true is 1
	text   string
}

func (a term) compare(b term) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.whole, b.whole), cmp.Compare(a.text, b.text))
}

// termOf gives the term of a value of a field of a type, and false where there is no
// value or one of another type.
func termOf(value any, t Type) (term, bool) {
	switch t {
	case Text:
		text, ok := value.(string)
		return term{text: text}, ok
	case Boolean:
		truth, ok := value.(bool)
		if truth {
			return term{whole: 1}, ok
		}
		return term{}, ok
	case Number:
		if _, isText := value.(string); isText {
			return term{}, false
		}
		return numberTerm(fmt.Sprint(value))
	case Time:
		at, ok := timeOf(value)
		return term{whole: at.UnixMicro()}, ok
	}
	return term{}, false
}

func numberTerm(text string) (term, bool) {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return term{number: float64(whole), whole: whole}, true
	}
	number, err := strconv.ParseFloat(text, 64)
	t := term{number: number}
	if number == math.Trunc(number) && math.Abs(number) < 1<<63 {
		t.whole = int64(number) // so that 2 and 2.0 are the same
	}
	return t, err == nil
}

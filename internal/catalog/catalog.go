// Package catalog holds what a workspace keeps for its messages beside profiles:
// catalogs of items, and lists of promotion codes.
package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"platen/internal/fault"
	"platen/liquid"
)

// The bounds of one catalog. Those of ids, field names and values are those of
// Braze; the others keep a catalog in memory until there is an import.
const (
	MaxItems      = 10_000
	MaxBytes      = 4 << 20 // of its data as text
	MaxFields     = 250
	MaxValues     = 500_000 // of all items together
	MaxValueRunes = 5_000   // of one value; of an object or array of all texts in it
	MaxSelections = 30
)

// IDField is the field that names an item.
const IDField = "id"

// Catalog is a table of items by id. It never changes.
type Catalog struct {
	Workspace int64
	Name      string

	fields     []string // in the order in which the data has them
	items      []any    // of type *liquid.Map
	byID       map[string]any
	selections map[string][]any
}

// names are those of catalogs, fields, selections and items, which must stand
// without quotes in a tag.
var names = regexp.MustCompile(`^[A-Za-z0-9_-]{1,250}$`)

// IsName says whether a text can name a catalog, a field, a selection or an item:
// at most 250 letters, digits, dashes and underscores.
func IsName(text string) bool { return names.MatchString(text) }

// Items gives the items with these ids in their order; unknown ids are left out.
// They are of type *liquid.Map, shared, and must not be changed.
func (c *Catalog) Items(ids []string) []any {
	found := make([]any, 0, len(ids))
	for _, id := range ids {
		if item, ok := c.byID[id]; ok {
			found = append(found, item)
		}
	}
	return found
}

// Selection gives the items of a selection, shared as those of Items. ok is false
// when there is no selection of that name.
func (c *Catalog) Selection(name string) (items []any, ok bool) {
	items, ok = c.selections[name]
	return items, ok
}

// Len is the number of items.
func (c *Catalog) Len() int { return len(c.items) }

// maxProblems is how many mistakes of one catalog are told.
const maxProblems = 20

// builder makes one catalog and collects what is wrong.
type builder struct {
	*Catalog
	data     *Table
	types    map[string]Type
	problems []*fault.Error
}

// New makes a catalog of data. Fields that are not declared get the type that all
// their values have. The problems point to what was given: /fields/0,
// /selections/0/where/1/value, or /data/12/price with the place in the text that
// the data was read from. The catalog is nil when there are any.
func New(name string, data *Table, declared []Field, selections []Selection) (*Catalog, []*fault.Error) {
	b := builder{
		Catalog: &Catalog{Name: name, byID: make(map[string]any, len(data.rows)), selections: make(map[string][]any, len(selections))},
		data:    data, types: map[string]Type{},
	}
	b.declare(declared)
	if b.checkSize() {
		b.findFields(declared)
		b.addItems()
	}
	if len(b.problems) == 0 { // else the conditions would be held against wrong types
		b.addSelections(selections)
	}
	if len(b.problems) > 0 {
		return nil, b.problems
	}
	return b.Catalog, nil
}

func (b *builder) refuse(pointer, reason, format string, args ...any) {
	if len(b.problems) < maxProblems {
		b.problems = append(b.problems, fault.Refused(reason, format, args...).In(pointer))
	}
}

// refuseRow reports a mistake of an item, or of one field of it.
func (b *builder) refuseRow(row int, field, reason, format string, args ...any) {
	if len(b.problems) == maxProblems {
		return
	}
	pointer := fmt.Sprintf("/data/%d", row)
	if field != "" {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(field)
	}
	f := fault.Refused(reason, "item %d: %s", row+1, fmt.Sprintf(format, args...)).In(pointer)
	if b.data.place != nil {
		f = f.At(b.data.place(row, field))
	}
	b.problems = append(b.problems, f)
}

func (b *builder) declare(fields []Field) {
	for i, f := range fields {
		at := fmt.Sprintf("/fields/%d", i)
		switch _, twice := b.types[f.Name]; {
		case !IsName(f.Name):
			b.refuse(at+"/name", "bad_name", "%.80q is no name of a field: it can have letters, digits, dashes and underscores, at most 250", f.Name)
		case twice:
			b.refuse(at+"/name", "duplicate_name", "there are two fields with the name %q", f.Name)
		case f.Name == IDField && f.Type != Text:
			b.refuse(at+"/type", "bad_type", "the field %q is always of type %s", IDField, Text)
		}
		b.types[f.Name] = f.Type
	}
	b.types[IDField] = Text
}

func (b *builder) checkSize() bool {
	values := 0
	for _, row := range b.data.rows {
		values += row.Len()
	}
	switch {
	case len(b.data.rows) > MaxItems:
		b.refuse("/data", "too_many", "the catalog has %d items; at most %d are kept in this version", len(b.data.rows), MaxItems)
	case values > MaxValues:
		b.refuse("/data", "too_many", "all items together have %d values; at most %d are kept in this version", values, MaxValues)
	default:
		return true
	}
	return false
}

// findFields lists the fields in the order in which they appear and finds the types
// of those that are not declared.
func (b *builder) findFields(declared []Field) {
	seen := map[string]bool{}
	add := func(field string) {
		if !seen[field] {
			seen[field] = true
			b.fields = append(b.fields, field)
		}
	}
	for i, row := range b.data.rows {
		for field := range row.All() {
			if !seen[field] && !IsName(field) {
				b.refuseRow(i, field, "bad_name", "%.80q is no name of a field: it can have letters, digits, dashes and underscores, at most 250", field)
			}
			add(field)
		}
		if len(b.fields) > MaxFields {
			b.refuseRow(i, "", "too_many", "the catalog has more than %d fields", MaxFields)
			break
		}
	}
	for _, f := range declared {
		add(f.Name)
	}
	if len(b.problems) > 0 {
		return
	}
	b.inferTypes()
}

func (b *builder) addItems() {
	if len(b.problems) > 0 {
		return
	}
	firstWith := make(map[string]int, len(b.data.rows))
	for i, row := range b.data.rows {
		id, ok := b.idOf(i, row)
		if !ok {
			continue
		}
		if first, twice := firstWith[id]; twice {
			b.refuseRow(i, IDField, "duplicate_id", "its id %q is that of item %d already", id, first+1)
			continue
		}
		firstWith[id] = i
		item := b.item(i, row, id)
		b.items = append(b.items, item)
		b.byID[id] = item
	}
}

// idOf gives the id of an item, which may be written as a whole number.
func (b *builder) idOf(i int, row *liquid.Map) (string, bool) {
	value, _ := row.Get(IDField)
	if number, ok := value.(int64); ok {
		value = fmt.Sprint(number)
	}
	id, ok := value.(string)
	switch {
	case value == nil || ok && id == "":
		b.refuseRow(i, "", "missing_field", "it has no %q, by which messages find it", IDField)
		return "", false
	case !ok || !IsName(id):
		b.refuseRow(i, IDField, "bad_id", "an id can have letters, digits, dashes and underscores, at most 250 of them; %.80q does not fit", fmt.Sprint(value))
		return "", false
	}
	return id, true
}

// item makes the item that messages get: typed values, without those that are nil.
func (b *builder) item(i int, row *liquid.Map, id string) *liquid.Map {
	item := &liquid.Map{}
	for field, value := range row.All() {
		if field == IDField {
			item.Set(field, id)
			continue
		}
		typed, problem := b.data.convert(value, b.types[field])
		switch {
		case problem != "":
			b.refuseRow(i, field, "wrong_type", "the field %s %s", field, problem)
		case runes(typed) > MaxValueRunes:
			b.refuseRow(i, field, "too_large", "the field %s has more than %d characters", field, MaxValueRunes)
		case typed != nil:
			item.Set(field, typed)
		}
	}
	return item
}

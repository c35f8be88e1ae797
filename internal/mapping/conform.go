package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"platen/internal/event"
	"platen/internal/fault"
)

// maxFields is how many fields a schema may have; a test holds the schemas to it.
const maxFields = 8

// maxItems is how many items a list of a schema may have. A longer one is refused
// and not cut: an order that is stored in part is worse than one in quarantine.
const maxItems = 1000

// conformer brings properties into the canonical form of a schema.
type conformer struct {
	warnings []Warning // the first MaxWarnings
	more     int       // how many there were besides
}

func (c *conformer) warn(at, kind, format string, args ...any) {
	if len(c.warnings) == MaxWarnings {
		c.more++
		return
	}
	c.warnings = append(c.warnings, Warning{Pointer: at, Kind: kind, Message: fmt.Sprintf(format, args...)})
}

// object appends an object with these members to dst, in their order. Canonical
// properties take their canonical form where they stand, or at the end when the
// sender used another name; every other member is kept as it was sent.
func (c *conformer) object(dst []byte, members []member, s *schema, at string) ([]byte, error) {
	var values [maxFields][]byte
	if err := c.values(values[:len(s.fields)], members, s, at); err != nil {
		return nil, err
	}
	var written [maxFields]bool
	dst = append(dst, '{')
	for _, m := range members {
		claim, known := s.byName[string(m.name)]
		if !known || claim.rank > 0 {
			dst = appendMember(dst, m.key, m.value)
			continue
		}
		if written[claim.field] {
			continue // a key sent twice: the last value stands where the first one stood
		}
		written[claim.field] = true
		value := values[claim.field]
		if value == nil {
			value = c.blank(&s.fields[claim.field], m, at)
		}
		dst = appendMember(dst, m.key, value)
	}
	for i := range s.fields {
		if values[i] != nil && !written[i] {
			dst = appendMember(dst, strconv.AppendQuote(nil, s.fields[i].name), values[i])
		}
	}
	return append(dst, '}'), nil
}

// blank is what stands in the place of a canonical property without a value. A
// reader of numbers must not meet the "" that a template leaves.
func (c *conformer) blank(f *field, m member, at string) []byte {
	if f.kind == numberValue && string(m.value) == `""` {
		c.warn(pointer(at, f.name), "empty_number", "%s is an empty string; it was stored as null", f.name)
		return []byte("null")
	}
	return m.value
}

// values finds and converts the value of each field; nil where there is none.
func (c *conformer) values(values [][]byte, members []member, s *schema, at string) error {
	sources := sourcesOf(members, s)
	for i := range s.fields {
		f := &s.fields[i]
		from := sources[i]
		if !from.found && f.standIn != "" {
			if from = sources[s.position(f.standIn)]; from.found {
				c.warn(pointer(at, f.name), f.name+"_from_"+f.standIn, "%s has no %s; its %s %s was taken",
					s.subject(), f.name, f.standIn, clip(members[from.member].value))
			}
		}
		if !from.found {
			if err := c.absent(f, s, at); err != nil {
				return err
			}
			continue
		}
		m := members[from.member]
		value, err := c.convert(f, m.value, place{at, m.name})
		if err != nil {
			return err
		}
		values[i] = value
	}
	return nil
}

// source is the member that fills a field, by its index.
type source struct {
	member int
	rank   int
	found  bool
}

// sourcesOf finds for each field the member with the best name, of equal names the
// last, that is not blank.
func sourcesOf(members []member, s *schema) (sources [maxFields]source) {
	for i := range members {
		claim, known := s.byName[string(members[i].name)]
		if !known || isBlank(members[i].value) {
			continue
		}
		if held := sources[claim.field]; !held.found || claim.rank <= held.rank {
			sources[claim.field] = source{member: i, rank: claim.rank, found: true}
		}
	}
	return sources
}

func (c *conformer) absent(f *field, s *schema, at string) error {
	switch f.need {
	case required:
		also := ""
		if len(f.aliases) > 0 {
			also = ", also read from " + strings.Join(f.aliases, ", ")
		}
		return fault.Refused("missing_field", "%s needs %q (expected in %s%s)", s.subject(), f.name, at, also).In(pointer(at, f.name))
	case wanted:
		c.warn(pointer(at, f.name), "missing_"+f.name, "%s has no %s", s.subject(), f.name)
	}
	return nil
}

// subject names the schema in a message.
func (s *schema) subject() string {
	if s.event != "" {
		return s.event
	}
	return "a " + s.title
}

// convert gives the canonical form of a value, which is the value itself wherever
// the sender was right already.
func (c *conformer) convert(f *field, raw []byte, at place) ([]byte, error) {
	switch f.kind {
	case idValue, textValue:
		return text(f, raw, at)
	case numberValue:
		return c.number(f, raw, at)
	default:
		return c.list(f, raw, at.pointer())
	}
}

func text(f *field, raw []byte, at place) ([]byte, error) {
	switch {
	case raw[0] == '"':
		return raw, nil
	case isNumber(raw):
		id, err := event.ParseID(raw)
		if err != nil {
			return nil, fault.From(err).In(at.pointer())
		}
		return strconv.AppendQuote(nil, id), nil
	default:
		return nil, wrongType(f, "a string", raw, at)
	}
}

func (c *conformer) number(f *field, raw []byte, at place) ([]byte, error) {
	if isNumber(raw) {
		return finite(f, raw, at)
	}
	if raw[0] != '"' {
		return nil, wrongType(f, "a number", raw, at)
	}
	said := strings.TrimSpace(textOf(raw))
	if number := []byte(said); len(said) > 0 && isNumber(number) && json.Valid(number) {
		return finite(f, number, at)
	}
	a, ok := parseAmount(said)
	if !ok {
		return nil, fault.Refused("bad_number", "%s is %s, which is not a number; send it as in 1.99", f.name, clip(raw)).In(at.pointer())
	}
	if a.currency {
		c.warn(at.pointer(), "currency_stripped", "%s %s was read as %s; send the number alone and the currency apart", f.name, clip(raw), a.number)
	} else if a.regroup {
		c.warn(at.pointer(), "number_format", "%s %s was read as %s; send it as a JSON number", f.name, clip(raw), a.number)
	}
	return []byte(a.number), nil
}

// finite refuses numbers that no reader could hold, as 1e999.
func finite(f *field, raw []byte, at place) ([]byte, error) {
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil {
		return nil, fault.Refused("bad_number", "%s is %s, which is beyond any number we can hold", f.name, clip(raw)).In(at.pointer())
	}
	return raw, nil
}

// list gives the canonical form of an array of objects. A lone object is an array
// of one, and a bare string or number is the id of an item.
func (c *conformer) list(f *field, raw []byte, at string) ([]byte, error) {
	var buf [8][]byte
	items, isArray := elements(buf[:0], raw)
	if !isArray {
		items = append(buf[:0], raw)
	}
	if len(items) > maxItems {
		return nil, fault.Refused("too_many_items", "%s has %d items, at most %d are taken; send several events", f.name, len(items), maxItems).In(at)
	}
	out := append(make([]byte, 0, len(raw)+16), '[')
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = c.item(out, f, item, pointerAt(at, i)); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func (c *conformer) item(out []byte, f *field, raw []byte, at string) ([]byte, error) {
	var buf [8]member
	members := buf[:0]
	switch {
	case raw[0] == '{':
		members, _ = split(members, raw)
	case raw[0] == '"' || isNumber(raw):
		members = append(members, member{key: []byte(`"id"`), name: []byte("id"), value: raw})
	default:
		return nil, wrongType(f, "an array of objects", raw, place{parent: at})
	}
	return c.object(out, members, f.items, at)
}

func wrongType(f *field, expected string, raw []byte, at place) error {
	return fault.Refused("wrong_type", "%s is %s where %s was expected", f.name, clip(raw), expected).In(at.pointer())
}

// place is where a value stands: a pointer that is written out only for mistakes.
type place struct {
	parent string
	name   []byte // nil: parent itself
}

func (p place) pointer() string {
	if p.name == nil {
		return p.parent
	}
	return pointer(p.parent, string(p.name))
}

func isNumber(raw []byte) bool {
	return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9'
}

// clip cuts a sender's value to a length that fits a message.
func clip[T ~string | ~[]byte](value T) string {
	const most = 60
	if len(value) <= most {
		return string(value)
	}
	return strings.ToValidUTF8(string(value[:most]), "") + "…"
}

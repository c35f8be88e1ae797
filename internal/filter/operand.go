package filter

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Source says where an operand's value is found.
type Source string

// The sources, named as the keys of a condition in a document.
const (
	Field     Source = "field"     // an identifier or a standard field of the profile
	Attribute Source = "attribute" // a custom attribute
	Property  Source = "property"  // a property of the event at hand
)

// identifierFields are the fields that are identifiers; all others are attributes.
var identifierFields = []string{"user_id", "anonymous_id"}

// standardFields are the attributes that every profile may have, under the names
// of shared/spec/engage.md section 4.1.
var standardFields = []string{
	"country", "dob", "email", "email_subscribe", "first_name", "gender",
	"home_city", "language", "last_name", "phone", "push_subscribe", "time_zone",
}

// Fields gives the names that the source Field knows, sorted.
func Fields() []string {
	names := slices.Concat(identifierFields, standardFields)
	slices.Sort(names)
	return names
}

// Operand names the value that is compared.
type Operand struct {
	Source Source
	Text   string // as written, "meta.color" or "songs[].album"

	path []step
}

// step goes one level down: into a member of an object, into one element of an
// array (from 0), or into each of its elements.
type step struct {
	key   string
	index int
	kind  stepKind
}

type stepKind uint8

const (
	member stepKind = iota
	element
	each
)

// maxSteps bounds a path; deeper properties are not kept.
const maxSteps = 64

// ParseOperand reads the name of a value: a field's name, or a path through
// attributes or properties. A path separates its keys by dots, takes an element
// of an array with [0] and any element with []; keys that hold a dot or a bracket
// stand in double quotes. The error is a *fault.Error.
func ParseOperand(source Source, text string) (Operand, error) {
	if source == Field {
		if !slices.Contains(identifierFields, text) && !slices.Contains(standardFields, text) {
			return Operand{}, refused("there is no field %q; for a custom attribute write attribute: %s", text, text)
		}
		return Operand{Source: source, Text: text, path: []step{{key: text}}}, nil
	}
	p := pathParser{text: text}
	path, err := p.parse()
	if err != nil {
		return Operand{}, err
	}
	return Operand{Source: source, Text: text, path: path}, nil
}

type pathParser struct {
	text string
	at   int
}

func (p *pathParser) parse() ([]step, error) {
	var path []step
	for {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		path = append(path, step{key: key})
		for p.next('[') {
			s, err := p.bracket()
			if err != nil {
				return nil, err
			}
			path = append(path, s)
		}
		if len(path) > maxSteps {
			return nil, refused("the path %.40q… is deeper than %d levels", p.text, maxSteps)
		}
		if p.at == len(p.text) {
			return path, nil
		}
		if !p.next('.') {
			return nil, p.wrong("expected a dot or a bracket")
		}
	}
}

func (p *pathParser) key() (string, error) {
	if p.next('"') {
		end := strings.IndexByte(p.text[p.at:], '"')
		if end < 0 {
			return "", p.wrong("the quote is not closed")
		}
		key := p.text[p.at : p.at+end]
		p.at += end + 1
		return key, nil
	}
	end := strings.IndexAny(p.text[p.at:], `.[]"`)
	if end < 0 {
		end = len(p.text) - p.at
	}
	key := p.text[p.at : p.at+end]
	if key == "" || strings.TrimFunc(key, unicode.IsSpace) != key {
		return "", p.wrong("expected a name")
	}
	p.at += end
	return key, nil
}

// bracket reads what follows an opening bracket.
func (p *pathParser) bracket() (step, error) {
	end := strings.IndexByte(p.text[p.at:], ']')
	if end < 0 {
		return step{}, p.wrong("the bracket is not closed")
	}
	inside := p.text[p.at : p.at+end]
	if inside == "" {
		p.at++
		return step{kind: each}, nil
	}
	index, err := strconv.ParseUint(inside, 10, 31)
	if err != nil {
		return step{}, p.wrong("expected [] for any element or [0] for the first")
	}
	p.at += end + 1
	return step{kind: element, index: int(index)}, nil
}

func (p *pathParser) next(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *pathParser) wrong(what string) error {
	return refused("the path %q cannot be read at character %d: %s", p.text, len([]rune(p.text[:p.at]))+1, what)
}

// reach collects the values that a path leads to. A member that is missing leads
// to nil, an empty array of elements to nothing.
func reach(v any, path []step, found []any) []any {
	if len(path) == 0 {
		return append(found, v)
	}
	s, rest := path[0], path[1:]
	if s.kind == member {
		object, _ := v.(map[string]any)
		return reach(object[s.key], rest, found)
	}
	array, _ := v.([]any)
	if s.kind == element {
		if s.index >= len(array) {
			return reach(nil, rest, found)
		}
		return reach(array[s.index], rest, found)
	}
	for _, item := range array {
		found = reach(item, rest, found)
	}
	return found
}

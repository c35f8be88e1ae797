package profile

import (
	"math"
	"slices"
	"unicode/utf8"

	"platen/internal/fault"
)

// The bounds of the attributes of one part and of one profile, removed ones
// counted. They keep what is read and written with every event small.
const (
	// MaxAttributes is as many as a person could still look through.
	MaxAttributes = 1000
	// MaxAttributeBytes is of names and of all values kept.
	MaxAttributeBytes = 256 << 10
	// MaxAttributeName is the length of a name in characters (spec/engage.md 4.1).
	MaxAttributeName = 255
)

// settle gives the settings of a call with their changes made, before anything is
// written, and refuses those that the part they are written to, or its profile,
// has no room for. The part is the one that the call names, nil for none.
func (b *Book) settle(c Call, named *Part) ([]Setting, error) {
	if len(c.Set) == 0 {
		return nil, nil
	}
	part, root := named, b.ownerAt(named, c.At)
	switch {
	case named == nil:
		part, root = &Part{}, &Part{}
	case !named.Anonymous():
		part = root
	}
	set := made(c.Set, root.Facts().Attributes)
	if err := part.Own.Attributes.mayTake(set, c.At, part.Anonymous()); err != nil {
		return nil, err
	}
	if len(root.Members) > 0 {
		return set, root.Total.Attributes.mayTake(set, c.At, false)
	}
	return set, nil
}

// made gives settings with the values that their changes make of those that are
// held. One that leaves its value as it is is left out.
func made(set []Setting, held Attributes) []Setting {
	if !slices.ContainsFunc(set, func(s Setting) bool { return s.Change != nil }) {
		return set
	}
	done := make([]Setting, 0, len(set))
	for _, s := range set {
		if s.Change != nil {
			current, _ := held.Get(s.Name)
			value, ok := s.Change(current)
			if !ok {
				continue
			}
			s.Value = value
		}
		done = append(done, s)
	}
	return done
}

// mayTake refuses settings that would make more of the attributes than the bounds
// allow; what makes them smaller is always taken. Of an anonymous id earlier
// values stay beside the new ones.
func (a Attributes) mayTake(set []Setting, at int64, anonymous bool) error {
	count, grown := len(a), 0
	for _, s := range set {
		if len(a[s.Name]) == 0 {
			if n := utf8.RuneCountInString(s.Name); n > MaxAttributeName {
				return fault.Refused("attribute_name_too_long", "the name %.40q… of an attribute has %d characters, at most %d are taken", s.Name, n, MaxAttributeName)
			}
			count++
			grown += len(s.Name)
		}
		grown += a.growth(s, at, anonymous)
	}
	if count > MaxAttributes && count > len(a) {
		return fault.Refused("too_many_attributes", "the profile would have more than %d attributes; what is different with every event belongs into its properties", MaxAttributes)
	}
	if size := a.size() + grown; size > MaxAttributeBytes && grown > 0 {
		return fault.Refused("attributes_too_large", "the attributes of the profile would take %d bytes, at most %d are kept; remove some, or send what belongs to one event as its properties", size, MaxAttributeBytes)
	}
	return nil
}

// growth is by how many bytes a setting makes the values larger, at most.
func (a Attributes) growth(s Setting, at int64, anonymous bool) int {
	if s.Change != nil {
		at = math.MaxInt64 // see Book.set
	}
	last, known := a.last(s.Name)
	switch {
	case slices.Contains(a[s.Name], Version{At: at, Value: s.Value}):
		return 0 // the call came before
	case !known || anonymous || at == last.At:
		return len(s.Value)
	case at < last.At:
		return 0
	default:
		return len(s.Value) - len(last.Value)
	}
}

// size is how many bytes the names and all values take.
func (a Attributes) size() int {
	size := 0
	for name, versions := range a {
		size += len(name)
		for _, v := range versions {
			size += len(v.Value)
		}
	}
	return size
}

// mayJoin refuses to bring the attributes of a part to a profile that has no room
// for them.
func mayJoin(root, part *Part) error {
	size := root.Facts().Attributes.size()
	for name, versions := range part.Own.Attributes {
		size += len(name) + len(versions[len(versions)-1].Value)
	}
	if size <= MaxAttributeBytes {
		return nil
	}
	return fault.Refused("attributes_too_large", "the attributes of the two would take %d bytes together, at most %d are kept of one profile; remove some first", size, MaxAttributeBytes)
}

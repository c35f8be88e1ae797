package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// MaxVersions is how many values an anonymous part keeps of one attribute. A
// shared device needs more than the last: which of them is a person's follows
// from claims that may arrive later. It is more than MaxClaimants, so that the
// last of each claimant stays.
const MaxVersions = 24

// Version is a value an attribute was set to, and when.
type Version struct {
	At    int64  // unix microseconds
	Value string // compact JSON; "null" removes the attribute
}

// inherited is the time of a value that came with a merged profile: before all
// others, as it only fills a gap.
const inherited = math.MinInt64

// Attributes are the values set on a part, oldest first for each name. The last
// version is the one that holds.
type Attributes map[string][]Version

// Set records a value. Of two with one time the greater in canonical JSON holds.
// At most keep versions stay.
func (a Attributes) Set(name string, v Version, keep int) {
	versions := a[name]
	i, found := slices.BinarySearchFunc(versions, v, compareVersions)
	if found || i == 0 && len(versions) >= keep {
		return
	}
	versions = slices.Insert(slices.Clone(versions), i, v)
	if len(versions) > keep {
		versions = versions[len(versions)-keep:]
	}
	a[name] = versions
}

// Get gives the value that holds, as JSON; ok is false when it was never set or
// removed.
func (a Attributes) Get(name string) (value string, ok bool) {
	v, ok := a.last(name)
	if !ok || v.Value == "null" {
		return "", false
	}
	return v.Value, true
}

// Text gives a string attribute, "" when it is not set or no string.
func (a Attributes) Text(name string) string {
	value, _ := a.Get(name)
	return textOf(value)
}

// Names gives the names of all attributes that hold a value, sorted.
func (a Attributes) Names() []string {
	names := make([]string, 0, len(a))
	for name := range a {
		if _, ok := a.Get(name); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// JSON is the object of all values that hold, names sorted.
func (a Attributes) JSON() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range a.Names() {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(name) // a string always marshals
		b.Write(key)
		b.WriteByte(':')
		value, _ := a.Get(name)
		b.WriteString(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// Fold takes over the values of others that are newer than its own.
func (a Attributes) Fold(other Attributes) {
	for name, versions := range other {
		for _, v := range versions {
			a.Set(name, v, 1)
		}
	}
}

func (a Attributes) last(name string) (Version, bool) {
	versions := a[name]
	if len(versions) == 0 {
		return Version{}, false
	}
	return versions[len(versions)-1], true
}

func (a Attributes) clone() Attributes {
	c := make(Attributes, len(a))
	for name, versions := range a {
		c[name] = versions // versions are never written in place
	}
	return c
}

// textOf reads a JSON string, "" when the value is anything else.
func textOf(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && !strings.Contains(value, `\`) {
		return value[1 : n-1] // nothing to decode, as in every e-mail
	}
	var s string
	if json.Unmarshal([]byte(value), &s) != nil {
		return ""
	}
	return s
}

// quote writes a JSON string.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

func compareVersions(a, b Version) int {
	if c := cmp.Compare(a.At, b.At); c != 0 {
		return c
	}
	if a.Value == b.Value {
		return 0
	}
	return cmp.Or(strings.Compare(canonical(a.Value), canonical(b.Value)), strings.Compare(a.Value, b.Value))
}

// canonical is a JSON text with sorted keys, so that two spellings of one value
// compare as equal.
func canonical(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}

package liquid

import (
	"maps"
	"slices"
	"strconv"
)

// TagDoc describes a tag of the language.
type TagDoc struct {
	Name    string
	End     string // name of the tag that closes it; "" when it has no body
	Syntax  string // how it is written
	Doc     string // one line
	Example string
	Output  string // what Example prints
	Braze   bool   // only in the Braze dialect
	Shopify bool   // only in the Shopify dialect
}

// FilterDoc describes a filter.
type FilterDoc struct {
	Name    string
	Min     int      // number of arguments at the least,
	Max     int      // and at most
	Named   []string // arguments given by name
	Doc     string   // one line
	Example string
	Output  string // what Example prints
	Braze   bool   // only in the Braze dialect
}

// A tag is how one kind of tag is read.
type tag struct {
	TagDoc
	parse func(*parser, piece) (Node, error)
}

// A filter is how a filter is carried out.
type filter struct {
	FilterDoc
	apply applyFunc
}

// An applyFunc carries a filter out. in is any value; args are the arguments
// given, as many as Min and Max allow, and after them one for each name in Named
// (nil when not given). They are valid during the call only.
type applyFunc func(s *Scope, in any, args []any) (any, error)

// newFilter makes a filter of both dialects.
func newFilter(name string, least, most int, doc, example, output string, apply applyFunc) *filter {
	return &filter{FilterDoc{Name: name, Min: least, Max: most, Doc: doc, Example: example, Output: output}, apply}
}

// brazeFilter makes a filter of the Braze dialect.
func brazeFilter(name string, least, most int, doc, example, output string, apply applyFunc) *filter {
	f := newFilter(name, least, most, doc, example, output, apply)
	f.Braze = true
	return f
}

// named adds arguments that are given by name.
func (f *filter) named(names ...string) *filter {
	f.Named = names
	return f
}

// The registries are filled by init, as parsing a tag needs the registry itself.
var (
	tags    = map[string]*tag{}
	filters = map[string]*filter{}
)

func registerTags(list ...*tag) {
	for _, t := range list {
		tags[t.Name] = t
	}
}

func registerFilters(list ...*filter) {
	for _, f := range list {
		filters[f.Name] = f
	}
}

// in reports whether a dialect has the tag.
func (t *tag) in(d Dialect) bool { return d == Braze && !t.Shopify || d == Shopify && !t.Braze }

// in reports whether a dialect has the filter.
func (f *filter) in(d Dialect) bool { return d == Braze || !f.Braze }

// misuse says what is wrong with the number or the names of a call's arguments,
// or "".
func (f *filter) misuse(call *FilterCall) string {
	if n := len(call.Args); n < f.Min || n > f.Max {
		expected := strconv.Itoa(f.Min)
		if f.Max != f.Min {
			expected += " to " + strconv.Itoa(f.Max)
		}
		if f.Max == 1 {
			return "filter " + f.Name + " takes " + expected + " argument, not " + strconv.Itoa(n)
		}
		return "filter " + f.Name + " takes " + expected + " arguments, not " + strconv.Itoa(n)
	}
	for _, arg := range call.Named {
		if !slices.Contains(f.Named, arg.Name) {
			return "filter " + f.Name + " has no argument " + strconv.Quote(arg.Name)
		}
	}
	return ""
}

// Tags lists the tags of both dialects by name.
func Tags() []TagDoc {
	docs := make([]TagDoc, 0, len(tags))
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		docs = append(docs, tags[name].TagDoc)
	}
	return docs
}

// Filters lists the filters of both dialects by name.
func Filters() []FilterDoc {
	docs := make([]FilterDoc, 0, len(filters))
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		docs = append(docs, filters[name].FilterDoc)
	}
	return docs
}

// filterNames lists the names of the filters of a dialect.
func filterNames(d Dialect) []string {
	var names []string
	for name, f := range filters {
		if f.in(d) {
			names = append(names, name)
		}
	}
	return names
}

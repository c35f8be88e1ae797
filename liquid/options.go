package liquid

// Dialect selects the variant of the language.
type Dialect uint8

const (
	// Shopify is the language of Shopify's Liquid, version 5.
	Shopify Dialect = iota
	// Braze adds to it: `${…}` variables, `{{ }}` inside tags, HTML comments
	// removed before anything else, `== blank` for whitespace, and tags and
	// filters of its own. Partials (include, render) and doc are not part of it.
	Braze
)

// Syntax says what happens to a template that is not quite right.
type Syntax uint8

const (
	// Strict refuses everything that the grammar does not know.
	Strict Syntax = iota
	// Lax skips what it cannot read inside an expression and lets values pass
	// unknown filters unchanged, as Ruby's lax mode does.
	Lax
)

// Errors says where an error of a render goes.
type Errors uint8

const (
	// Raise ends the render at the first error.
	Raise Errors = iota
	// Inline prints the error into the output and goes on. Limits and
	// abort_message end the render in this mode too.
	Inline
)

// Options decide how a template is read and rendered. The zero value is the
// Shopify dialect, strict, raising, with the default limits.
type Options struct {
	Dialect Dialect
	Syntax  Syntax
	Errors  Errors
	Limits  Limits
}

// Limits bound what one render may cost. A zero field means its default; the
// limit that is hit is an [Error] of [KindLimit] at the node that hit it.
type Limits struct {
	// Steps is the number of nodes, loop rounds, filter calls and (for work
	// that grows with its input) elements or 256-byte pieces of text; a question
	// to a [Fetcher], [Catalogs] or [Codes] counts 1,000. Default 1,000,000.
	Steps int
	// Output is the greatest size of the result, and of any capture, in bytes.
	// Default 4 MiB.
	Output int
	// Built is the sum of the bytes that filters and captures may build and that
	// may come from outside during one render; an item of a list counts 16 for
	// each time it is copied.
	// Default 16 MiB.
	Built int
	// Nesting is how deep blocks may lie in each other, and brackets within an
	// expression. It is checked by the parser. Default 100.
	Nesting int
	// Includes is how deep partials may call partials. Default 16.
	Includes int
}

// withDefaults fills the fields that were left zero.
func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Steps, 1_000_000},
		{&l.Output, 4 << 20},
		{&l.Built, 16 << 20},
		{&l.Nesting, 100},
		{&l.Includes, 16},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

package liquid

import (
	"strconv"
	"strings"
)

// An Expr is an expression within a tag or an output. The concrete types are
// *Literal, *Variable, *Range, *Filtered, *Braced, *Snippet, *Compare and *Logic.
type Expr interface {
	Pos() Pos
	End() Pos
	// String prints the expression as source, in a canonical form: parsed
	// again, it gives an equal expression.
	String() string

	eval(*Scope) (any, error)
}

// Literal is a constant.
type Literal struct {
	Span
	// Value is nil, a bool, an int64, a *big.Int, a float64, a string, or one of
	// [Empty] and [Blank].
	Value any
	// Source is the literal as written, quotes included.
	Source string
}

// Variable is a path to a value, as `a.b[0]`, `custom_attribute.${zip code}` or
// `${user_id}`.
type Variable struct {
	Span
	// Steps lead to the value; the first is looked up among the variables. A
	// variable `${x}` has the two steps [ProfileVariables] and x, the second of
	// them with Dollar set.
	Steps []Step
}

// ProfileVariables is the name under which the variables of the Braze dialect
// that have no namespace are looked up: `{{${user_id}}}` is the member user_id
// of Input.Vars["${}"].
const ProfileVariables = "${}"

// Step is one step of a [Variable].
type Step struct {
	Span
	// Name is the member's name, unless Index is set. With Dollar it is what
	// stands between `${` and `}`.
	Name string
	// Index is the expression in brackets; nil for a plain name and for a
	// string in brackets.
	Index Expr
	// Dollar marks `${…}`.
	Dollar bool
	// Path is what a Dollar name with dots or indexes in it means when there is
	// no member with that whole name: `${cart_items[0]}`.
	Path []Step

	bracket bool // written ['name']
}

// Range is `(from..to)`, both ends included.
type Range struct {
	Span
	From, To Expr
}

// Filtered is a value with filters applied from left to right.
type Filtered struct {
	Span
	Base    Expr
	Filters []*FilterCall
}

// FilterCall is one filter of a [Filtered]. Its span begins at the filter's
// name.
type FilterCall struct {
	Span
	Name  string
	Args  []Expr
	Named []NamedArg

	filter *filter // nil: unknown, which lax syntax lets pass
}

// NamedArg is an argument given by name, as `allow_false: true`.
type NamedArg struct {
	Name  string
	Value Expr
}

// Braced is `{{ … }}` within a tag or another output (Braze): just the value of
// what is inside.
type Braced struct {
	Span
	Inner Expr
}

// Snippet is `content_blocks.${name}` (Braze): the text that a template called by
// that name prints, with the variables of the template that uses it.
type Snippet struct {
	Span
	Name     string
	NameSpan Span // of `${name}`
}

// Compare is a comparison of two values.
type Compare struct {
	Span
	Op          string // == != < > <= >= contains
	Left, Right Expr
}

// Logic joins conditions. `a and b or c` is `a and (b or c)`: Liquid groups from
// the right.
type Logic struct {
	Span
	Op          string // and, or
	Left, Right Expr
}

func (e *Literal) String() string { return e.Source }

func (e *Variable) String() string {
	var b strings.Builder
	for i := range e.Steps {
		e.Steps[i].print(&b, i == 0)
	}
	return b.String()
}

func (s *Step) print(b *strings.Builder, first bool) {
	if first && s.Name == ProfileVariables && s.Index == nil {
		return
	}
	switch {
	case s.Index != nil:
		b.WriteString("[" + s.Index.String() + "]")
		return
	case s.bracket:
		b.WriteString("[" + quote(s.Name) + "]")
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	if s.Dollar {
		b.WriteString("${" + s.Name + "}")
	} else {
		b.WriteString(s.Name)
	}
}

func (e *Range) String() string { return "(" + e.From.String() + ".." + e.To.String() + ")" }

func (e *Filtered) String() string {
	parts := make([]string, 0, len(e.Filters)+1)
	parts = append(parts, e.Base.String())
	for _, f := range e.Filters {
		parts = append(parts, f.String())
	}
	return strings.Join(parts, " | ")
}

// String prints the filter with its arguments as source.
func (f *FilterCall) String() string {
	args := make([]string, 0, len(f.Args)+len(f.Named))
	for _, a := range f.Args {
		args = append(args, a.String())
	}
	for _, a := range f.Named {
		args = append(args, a.Name+": "+a.Value.String())
	}
	if len(args) == 0 {
		return f.Name
	}
	return f.Name + ": " + strings.Join(args, ", ")
}

func (e *Braced) String() string { return "{{" + e.Inner.String() + "}}" }

func (e *Snippet) String() string { return contentBlocks + ".${" + e.Name + "}" }

func (e *Compare) String() string { return e.Left.String() + " " + e.Op + " " + e.Right.String() }

func (e *Logic) String() string { return e.Left.String() + " " + e.Op + " " + e.Right.String() }

// quote writes a string as a literal. Liquid has no escapes, so a text that
// holds both kinds of quotes cannot be written as one; none is ever parsed.
func quote(s string) string {
	if strings.Contains(s, "'") {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

// Variables calls visit for every variable in the expression, outermost first,
// those within brackets and filter arguments included.
func Variables(e Expr, visit func(*Variable)) {
	walkExpr(e, func(e Expr) {
		if v, ok := e.(*Variable); ok {
			visit(v)
		}
	})
}

// Snippets calls visit for every snippet in the expression, those within
// brackets and filter arguments included.
func Snippets(e Expr, visit func(*Snippet)) {
	walkExpr(e, func(e Expr) {
		if s, ok := e.(*Snippet); ok {
			visit(s)
		}
	})
}

// walkExpr calls visit for an expression and all expressions in it, outermost
// first.
func walkExpr(e Expr, visit func(Expr)) {
	visit(e)
	switch e := e.(type) {
	case *Variable:
		for _, s := range e.Steps {
			if s.Index != nil {
				walkExpr(s.Index, visit)
			}
		}
	case *Range:
		walkExpr(e.From, visit)
		walkExpr(e.To, visit)
	case *Filtered:
		walkExpr(e.Base, visit)
		for _, f := range e.Filters {
			for _, a := range f.Args {
				walkExpr(a, visit)
			}
			for _, a := range f.Named {
				walkExpr(a.Value, visit)
			}
		}
	case *Braced:
		walkExpr(e.Inner, visit)
	case *Compare:
		walkExpr(e.Left, visit)
		walkExpr(e.Right, visit)
	case *Logic:
		walkExpr(e.Left, visit)
		walkExpr(e.Right, visit)
	}
}

// dollarPath splits the inside of a `${…}` that holds dots or indexes, as
// `address.city` or `cart_items[0]`. It returns nil when there are none, or when
// they do not read as a path (the text is then only a name).
func dollarPath(name string, at Span) []Step {
	if !strings.ContainsAny(name, ".[") {
		return nil
	}
	var path []Step
	rest := name
	for rest != "" {
		if rest[0] == '[' {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil
			}
			step, ok := bracketStep(strings.TrimSpace(rest[1:end]), at)
			if !ok {
				return nil
			}
			path = append(path, step)
			rest = rest[end+1:]
			continue
		}
		if len(path) > 0 {
			if rest[0] != '.' {
				return nil
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil
		}
		path = append(path, Step{Span: at, Name: strings.TrimSpace(rest[:end])})
		rest = rest[end:]
	}
	return path
}

// bracketStep reads an index within `${…}`: an integer or a quoted name.
func bracketStep(index string, at Span) (Step, bool) {
	if n, err := strconv.ParseInt(index, 10, 64); err == nil {
		return Step{Span: at, Index: &Literal{at, n, index}}, true
	}
	if len(index) >= 2 && (index[0] == '\'' || index[0] == '"') && index[len(index)-1] == index[0] {
		return Step{Span: at, Name: index[1 : len(index)-1], bracket: true}, true
	}
	return Step{}, false
}

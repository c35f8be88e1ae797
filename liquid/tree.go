package liquid

// A Node is a part of a template's tree. The concrete types are *Block, *Text,
// *Output, *Assign, *Capture, *If, *Case, *For, *TableRow, *Cycle, *Counter,
// *IfChanged, *Interrupt, *Comment, *Partial and *Abort, and in the Braze dialect
// *ConnectedContent, *CatalogItems, *CatalogSelection, *MessageExtras and
// *Promotion. A tree is shared between renders: it must not be changed.
type Node interface {
	// Pos returns where the node begins; for a tag, at its `{%`.
	Pos() Pos
	// End returns where it ends; for a block tag, after its end tag.
	End() Pos

	// render carries the node out.
	render(*Scope) error
	// blank reports whether the node can never print anything but white space.
	blank() bool
}

// Block is a list of nodes: the whole template, the body of a tag, or a
// `liquid` tag. Its span reaches from the first byte of the body to the last.
type Block struct {
	Span
	Nodes []Node
}

// Text is literal text, exactly as it is sent. Its span covers exactly the bytes
// of the source that it came from: white space that a `-` or a blank body
// trimmed is in no Text, and text with a removed HTML comment within it is two.
type Text struct {
	Span
	Text string
	Raw  bool // from a raw tag
	// Escaped says that the source has JSON escapes for some of it, in the headers
	// of a connected_content tag.
	Escaped bool
}

// Output is `{{ … }}` or an echo tag.
type Output struct {
	Span
	Value Expr // nil when there is nothing to print
	Echo  bool
}

// Assign is the assign tag.
type Assign struct {
	Span
	Name  string
	Value Expr
}

// Capture is the capture tag.
type Capture struct {
	Span
	Name string
	Body *Block
}

// If is the if tag, or the unless tag, with all its branches in order. The first
// branch whose condition holds is rendered.
type If struct {
	Span
	Branches []*Branch
}

// Branch is one alternative of an [If].
type Branch struct {
	Span        // the tag that opens the branch
	Cond   Expr // nil: else, holds always
	Negate bool // the condition of an unless: the branch is taken when Cond is false
	Body   *Block
}

// Case is the case tag. Every when is tried in order and its body is rendered
// once for each of its values that equals the subject; an else is rendered when
// nothing before it was.
type Case struct {
	Span
	Subject Expr
	Whens   []*When
}

// When is one alternative of a [Case].
type When struct {
	Span          // the tag that opens the alternative
	Values []Expr // nil: else
	Body   *Block
}

// For is the for tag.
type For struct {
	Span
	Loop
	Reversed bool
	Body     *Block
	Else     *Block // rendered when there is nothing to loop over; may be nil
}

// TableRow is the tablerow tag.
type TableRow struct {
	Span
	Loop
	Cols Expr // number of columns; nil: all in one row
	Body *Block
}

// Loop is what for and tablerow have in common.
type Loop struct {
	Var      string
	Over     Expr
	Limit    Expr // nil: none
	Offset   Expr // nil: none
	Continue bool // offset: continue

	name string // what the loop is called in forloop.name and for Continue
}

// Cycle is the cycle tag.
type Cycle struct {
	Span
	Group  Expr // nil: the values themselves are the group
	Values []Expr

	key string // identifies the unnamed group
}

// Counter is the increment or the decrement tag.
type Counter struct {
	Span
	Name      string
	Decrement bool
}

// IfChanged is the ifchanged tag.
type IfChanged struct {
	Span
	Body *Block
}

// Interrupt is the break or the continue tag.
type Interrupt struct {
	Span
	Continue bool
}

// Comment is a comment tag, an inline comment or a doc tag.
type Comment struct {
	Span
	Text string // the source between the tags, or after the `#`
}

// Partial is the include or the render tag.
type Partial struct {
	Span
	Isolated bool   // render: the partial sees only its arguments
	Name     Expr   // a string literal in a render tag
	With     Expr   // nil: none
	Each     bool   // `for`: once for each item of With
	As       string // name that With is bound to; "": the partial's name
	Args     []NamedArg
}

// Abort is the abort_message tag: the render ends with an [Error] of
// [KindAbort].
type Abort struct {
	Span
	Message string
}

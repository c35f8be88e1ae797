package liquid

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A parser turns one source into a tree.
type parser struct {
	opts  *Options
	text  string // the source, without what the dialect removes first
	loc   *locator
	lex   *lexer
	depth int // of blocks and brackets around the place being read; the template itself is 0

	fetched bool // the source came from outside, for :rerender (see rerender.go)
}

func newParser(source string, opts *Options) *parser {
	p := &parser{opts: opts, text: source, depth: -1}
	var seams []seam
	if opts.Dialect == Braze {
		p.text, seams = removeComments(source)
	}
	p.loc = newLocator(source, seams)
	p.lex = &lexer{p: p, end: len(p.text)}
	return p
}

// template reads the whole source.
func (p *parser) template() (*Block, error) {
	root, end, err := p.block()
	if err != nil {
		return nil, err
	}
	if end.kind == pieceTag {
		return nil, p.strayTag(end)
	}
	return root, nil
}

// block reads nodes up to one of the tags named in ends, which is returned, or
// up to the end of the text.
func (p *parser) block(ends ...string) (*Block, piece, error) {
	if err := p.enter(p.lex.at, p.lex.at); err != nil {
		return nil, piece{}, err
	}
	defer p.leave()
	b := &Block{}
	from := p.lex.at
	for {
		pc, err := p.lex.next()
		if err != nil {
			return nil, piece{}, err
		}
		switch {
		case pc.kind == pieceEnd, pc.kind == pieceTag && (slices.Contains(ends, pc.name) || tags[pc.name] == nil && isEndTag(pc.name)):
			b.Span = p.loc.span(from, pc.from)
			return b, pc, nil
		case pc.kind == pieceText:
			nodes, err := p.plainText(pc.from, pc.to)
			if err != nil {
				return nil, piece{}, err
			}
			b.Nodes = append(b.Nodes, nodes...)
			continue
		}
		n, err := p.node(pc)
		if err != nil {
			return nil, piece{}, err
		}
		b.Nodes = append(b.Nodes, n)
	}
}

// isEndTag reports whether a tag can only close or divide a block.
func isEndTag(name string) bool {
	switch name {
	case "else", "elsif", "when":
		return true
	}
	def := tags[strings.TrimPrefix(name, "end")]
	return def != nil && def.End == name
}

// body reads the body of the block tag that pc opens, up to one of ends, and
// fails when there is something else.
func (p *parser) body(pc piece, ends ...string) (*Block, piece, error) {
	b, end, err := p.block(ends...)
	if err != nil {
		return nil, piece{}, err
	}
	if !slices.Contains(ends, end.name) {
		if end.kind == pieceEnd {
			return nil, piece{}, p.errorAt(pc.from, pc.to, "this %s is never closed: expected %s", pc.name, tags[pc.name].End)
		}
		return nil, piece{}, p.errorAt(end.from, end.to, "unexpected %s inside the %s of line %d: expected %s",
			end.name, pc.name, p.loc.start(pc.from).Line, strings.Join(ends, ", "))
	}
	return b, end, nil
}

// node reads the output or the tag that pc begins.
func (p *parser) node(pc piece) (Node, error) {
	if pc.kind == pieceOutput {
		value, err := p.outputValue(pc)
		if err != nil {
			return nil, err
		}
		return &Output{Span: p.loc.span(pc.from, pc.to), Value: value}, nil
	}
	def := tags[pc.name]
	if def == nil || !def.in(p.opts.Dialect) {
		return nil, p.unknownTag(pc)
	}
	if p.fetched && def.Braze {
		return nil, p.errorAt(pc.from, pc.to, "%s is not possible in %s", pc.name, fromOutside)
	}
	return def.parse(p, pc)
}

func (p *parser) unknownTag(pc piece) error {
	names := make([]string, 0, len(tags))
	for name, def := range tags {
		if def.in(p.opts.Dialect) {
			names = append(names, name)
		}
	}
	return p.errorAt(pc.nameAt, pc.nameAt+len(pc.name), "unknown tag %q%s", pc.name, suggestion(pc.name, names))
}

// strayTag reports a tag that closes or divides a block outside of any.
func (p *parser) strayTag(pc piece) error {
	return p.errorAt(pc.from, pc.to, "unexpected %s: there is no block that it could belong to", pc.name)
}

// texts makes nodes of a run of text: one for each stretch of the source.
func (p *parser) texts(from, to int, raw bool) []Node {
	var nodes []Node
	seams := p.loc.seams
	next := sort.Search(len(seams), func(i int) bool { return seams[i].at > from })
	for from < to {
		end := to
		if next < len(seams) {
			end = min(to, seams[next].at)
			next++
		}
		if from < end {
			nodes = append(nodes, &Text{Span: p.loc.span(from, end), Text: p.text[from:end], Raw: raw})
		}
		from = end
	}
	return nodes
}

// spanTo is the span of a block tag, from the tag that opens it to its end tag.
func (p *parser) spanTo(pc, end piece) Span { return p.loc.span(pc.from, end.to) }

// enter goes one level deeper into blocks or brackets.
func (p *parser) enter(from, to int) error {
	p.depth++
	if p.depth <= p.opts.Limits.Nesting {
		return nil
	}
	err := p.errorAt(from, to, "nested more than %d deep", p.opts.Limits.Nesting)
	err.Kind = KindLimit
	return err
}

func (p *parser) leave() { p.depth-- }

// errorAt makes a syntax error for a range of the parsed text.
func (p *parser) errorAt(from, to int, format string, args ...any) *Error {
	return p.errorIn(p.loc.span(from, to), format, args...)
}

// errorIn makes a syntax error for a range of the source.
func (p *parser) errorIn(span Span, format string, args ...any) *Error {
	return &Error{
		Kind:    KindSyntax,
		Message: fmt.Sprintf(format, args...),
		Pos:     span.Start,
		Text:    excerpt(p.loc.source[span.Start.Offset:span.Stop.Offset]),
	}
}

// suggestion names the word that was probably meant, if one is near.
func suggestion(word string, known []string) string {
	best, distance := "", min(max(2, len(word)/3)+1, len(word))
	slices.Sort(known)
	for _, k := range known {
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts the letters to insert, delete or change to get from a to
// b. Names that differ in length too much to matter are not compared.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

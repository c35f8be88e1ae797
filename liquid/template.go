package liquid

import "context"

// Template is a parsed template. It never changes, so that any number of
// goroutines may render it at the same time.
type Template struct {
	opts   Options
	source string
	root   *Block
}

// Parse reads a template. Every error is an *[Error] of [KindSyntax], or of
// [KindLimit] when blocks are nested too deep.
func Parse(source string, opts Options) (*Template, error) {
	opts.Limits = opts.Limits.withDefaults()
	t := &Template{opts: opts, source: source}
	root, err := newParser(source, &t.opts).template()
	if err != nil {
		return nil, err
	}
	t.root = root
	return t, nil
}

// Root returns the tree of the template, which must not be changed.
func (t *Template) Root() *Block { return t.root }

// Source returns the text that was parsed.
func (t *Template) Source() string { return t.source }

// Options returns the options given to Parse, with the limits that hold.
func (t *Template) Options() Options { return t.opts }

// Render renders the template. Every error is an *[Error]; the text is "" then.
func (t *Template) Render(ctx context.Context, in Input) (string, error) {
	s := ended.Get().(*Scope)
	s.begin(ctx, t, in)
	defer s.end()
	if err := t.root.render(s); err != nil {
		return "", err
	}
	return string(s.out), nil
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"platen/internal/fault"
	"platen/liquid"
)

type liquidCommand struct {
	Eval   liquidEvalCommand   `cmd:"" help:"Render a template given here, or one for each line of standard input."`
	Render liquidRenderCommand `cmd:"" help:"Render a template from a file."`
	Lint   liquidLintCommand   `cmd:"" help:"Tell whether a template is right, and what it reads."`
}

// liquidFlags say how a template is rendered, and on what.
type liquidFlags struct {
	Data     string `help:"What the template reads: a JSON object, or the file that holds it." env:"-" placeholder:"FILE|JSON"`
	Dialect  string `help:"braze or shopify." enum:"braze,shopify" default:"braze"`
	Lax      bool   `help:"Skip what cannot be read and let unknown filters pass, as Ruby's lax mode does."`
	Inline   bool   `help:"Print errors into the output and go on."`
	Now      string `help:"The time that 'now' means, as 2026-01-31T09:00:00Z (default: the clock's, in UTC)." env:"-" placeholder:"TIME"`
	Partials string `help:"Directory of partials (in Braze's dialect: snippets), each in NAME.liquid." type:"path" placeholder:"DIR"`
	Format   string `help:"text or json." enum:"text,json" default:"text"`
}

const dataHelp = `
In Shopify's dialect the members of --data are the variables. In Braze's they are
the namespaces (custom_attribute, event_properties, campaign, …), and "profile"
holds the variables without one, as user_id for ${user_id}:

  {"profile": {"user_id": "u1", "time_zone": "Europe/Berlin"},
   "custom_attribute": {"zip code": "10001"},
   "event_properties": {"title": "Lamp"}}

Four more members answer what Braze's tags ask for from outside; nothing is ever
called:

  "catalogs": {"games": [{"id": "7", "title": "Chess"}]}, or with selections
      {"games": {"items": […], "selections": {"new": ["7"]}}}
  "content_blocks": {"footer": "Yours, {{ ${first_name} }}"}
  "connected_content": {"https://example.com/a": {"status": 200, "body": {"a": 1}}}
  "promotion": {"spring": "CODE-1"}`

type liquidEvalCommand struct {
	Template *string `arg:"" optional:"" help:"The template, or - to read it from standard input; without it, each line there is a template with its data." placeholder:"TEMPLATE"`
	liquidFlags
}

// Help is the detailed help.
func (liquidEvalCommand) Help() string {
	return strings.TrimSpace(dataHelp + `

Without TEMPLATE each line of standard input is {"template", "data", "partials",
"strict"}, the last two optional, and is answered with a line {"output"} or
{"error": {"message", "line", "column"}}.`)
}

// Run fails when the template does. Of lines only those fail it that are no
// request.
func (c *liquidEvalCommand) Run(ctx context.Context, s streams) error {
	if c.Template == nil {
		return c.lines(ctx, s)
	}
	name, source := "template", *c.Template
	if source == "-" {
		var err error
		if name, source, err = readText("-", s.in); err != nil {
			return err
		}
	}
	return c.render(ctx, s, name, source)
}

type liquidRenderCommand struct {
	File string `arg:"" help:"The file, or -." placeholder:"FILE"`
	liquidFlags
}

// Help is the detailed help.
func (liquidRenderCommand) Help() string { return strings.TrimSpace(dataHelp) }

// Run fails when the template does.
func (c *liquidRenderCommand) Run(ctx context.Context, s streams) error {
	name, source, err := readText(c.File, s.in)
	if err != nil {
		return err
	}
	return c.render(ctx, s, name, source)
}

// render renders one template and prints what came of it.
func (c *liquidFlags) render(ctx context.Context, s streams, name, source string) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	world, err := c.world(s.in)
	if err != nil {
		return err
	}
	world.now = now
	if c.Partials != "" {
		if err := world.addDirectory(c.Partials); err != nil {
			return err
		}
		defer world.files.Close()
	}
	answer, failure := world.render(ctx, source)
	switch {
	case failure != nil && c.Format == "text":
		fmt.Fprintln(s.err, explain(name, source, failure))
	case c.Format == "json":
		if err := printJSON(s.out, answer); err != nil {
			return err
		}
	default:
		if _, err := io.WriteString(s.out, *answer.Output); err != nil {
			return err
		}
		for _, e := range answer.Extras {
			fmt.Fprintf(s.err, "message extra %s: %s\n", e[0], e[1])
		}
	}
	if failure != nil {
		return errSaid
	}
	return nil
}

func (c *liquidFlags) options() liquid.Options {
	opts := liquid.Options{Dialect: liquid.Braze}
	if c.Dialect == "shopify" {
		opts.Dialect = liquid.Shopify
	}
	if c.Lax {
		opts.Syntax = liquid.Lax
	}
	if c.Inline {
		opts.Errors = liquid.Inline
	}
	return opts
}

func (c *liquidFlags) now() (time.Time, error) {
	if c.Now == "" {
		return time.Now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, c.Now)
	if err != nil {
		return t, fault.New(fault.Invalid, "bad_time", "--now %q is no time such as 2026-01-31T09:00:00Z", c.Now)
	}
	return t, nil
}

// world reads what the template is rendered on.
func (c *liquidFlags) world(stdin io.Reader) (*world, error) {
	text := strings.TrimSpace(c.Data)
	if text == "" {
		return newWorld([]byte("{}"), c.options())
	}
	name := "--data"
	if text[0] != '{' {
		var err error
		if name, text, err = readText(c.Data, stdin); err != nil {
			return nil, err
		}
	}
	w, err := newWorld([]byte(text), c.options())
	if err != nil {
		return nil, fault.New(fault.Invalid, "bad_data", "%s %s", name, err)
	}
	return w, nil
}

// evalRequest is one line of standard input.
type evalRequest struct {
	Template *string           `json:"template"`
	Data     json.RawMessage   `json:"data"`
	Partials map[string]string `json:"partials"`
	Strict   *bool             `json:"strict"` // absent: as the flags say
}

// evalAnswer is what came of one template.
type evalAnswer struct {
	Output *string     `json:"output,omitempty"`
	Error  *evalError  `json:"error,omitempty"`
	Extras [][2]string `json:"message_extras,omitempty"`
}

type evalError struct {
	Kind    string `json:"kind"` // of liquid.Kind
	Message string `json:"message"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Text    string `json:"text,omitempty"`    // what is wrong, as it stands in the source
	Partial string `json:"partial,omitempty"` // that it stands in
}

// lines answers each line of standard input.
func (c *liquidEvalCommand) lines(ctx context.Context, s streams) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	if c.Data != "" || c.Partials != "" {
		return fault.New(fault.Invalid, "no_template", "without a template each line brings its own data and partials; leave --data and --partials out, or give a template")
	}
	in := bufio.NewScanner(s.in)
	in.Buffer(nil, maxText)
	answers := json.NewEncoder(s.out)
	answers.SetEscapeHTML(false)
	refused := 0
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		answer, err := c.line(ctx, in.Bytes(), now)
		if err != nil {
			refused++
			fmt.Fprintf(s.err, "platen: line %d of standard input %s\n", n, err)
			answer = evalAnswer{Error: &evalError{Kind: "request", Message: "this line " + err.Error()}}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return fault.New(fault.TooLarge, "too_large", "a line of standard input is longer than %d MiB", maxText>>20)
	}
	if refused > 0 {
		return errSaid
	}
	return in.Err()
}

// line renders what one line asks for. Its errors say what is wrong with the
// line, as "is no JSON".
func (c *liquidEvalCommand) line(ctx context.Context, text []byte, now time.Time) (evalAnswer, error) {
	var r evalRequest
	if json.Unmarshal(text, &r) != nil || r.Template == nil {
		return evalAnswer{}, errors.New(`is no JSON object such as {"template": "Hi {{ name }}", "data": {"name": "Ada"}}`)
	}
	opts := c.options()
	if r.Strict != nil {
		opts.Syntax = liquid.Lax
		if *r.Strict {
			opts.Syntax = liquid.Strict
		}
	}
	if len(r.Data) == 0 {
		r.Data = json.RawMessage("{}")
	}
	w, err := newWorld(r.Data, opts)
	if err != nil {
		return evalAnswer{}, fmt.Errorf("has data that %w", err)
	}
	w.now = now
	for name, source := range r.Partials {
		w.partials[name] = source
	}
	answer, _ := w.render(ctx, *r.Template)
	return answer, nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"platen/internal/fault"
	"platen/internal/manage"
	"platen/internal/payload"
)

type campaignCommand struct {
	Lint campaignLintCommand `cmd:"" help:"Tell what a webhook body would really send, and repair it."`
	Test campaignTestCommand `cmd:"" help:"Render a campaign's request for one person, and send it once when asked."`
}

type campaignLintCommand struct {
	File   string `arg:"" help:"A file with the Liquid body of a webhook, or -." placeholder:"FILE"`
	Fix    bool   `help:"Repair the file (of standard input: write the repaired text)."`
	Format string `help:"text or json." enum:"text,json" default:"text"`
}

// lintOutput is the output of --format json.
type lintOutput struct {
	File string `json:"file"`
	payload.Report
	Applied []payload.Finding `json:"applied,omitempty"`
	Fixed   string            `json:"fixed,omitempty"`
}

// Run fails when findings remain, so that a script can rely on it.
func (c *campaignLintCommand) Run(s streams) error {
	source, err := c.read(s.in)
	if err != nil {
		return err
	}
	out := lintOutput{File: c.File}
	if c.Fix {
		out.Fixed, out.Applied, out.Report, err = payload.Fix(source, payload.Options{})
		if err == nil {
			err = c.write(out.Fixed, s.out)
		}
	} else {
		out.Report, err = payload.Lint(source, payload.Options{})
	}
	if err != nil {
		return err
	}
	if err := c.print(out, s); err != nil {
		return err
	}
	if len(out.Findings) > 0 {
		return errSaid
	}
	return nil
}

func (c *campaignLintCommand) read(stdin io.Reader) (string, error) {
	if c.File == "-" {
		b, err := io.ReadAll(stdin)
		return string(b), err
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return "", fault.New(fault.NotFound, "file_unreadable", "%v", err)
	}
	return string(b), nil
}

// write keeps the repaired text. In JSON output it is part of the output.
func (c *campaignLintCommand) write(fixed string, stdout io.Writer) error {
	switch {
	case c.File != "-":
		return os.WriteFile(c.File, []byte(fixed), 0o644)
	case c.Format == "text":
		_, err := io.WriteString(stdout, fixed)
		return err
	}
	return nil
}

func (c *campaignLintCommand) print(out lintOutput, s streams) error {
	if c.Format == "json" {
		e := json.NewEncoder(s.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	w := s.out
	if c.Fix && c.File == "-" {
		w = s.err // standard output holds the repaired text
	}
	if c.Fix {
		fmt.Fprint(w, payload.Report{Findings: out.Applied}.Text(c.File))
		fmt.Fprintf(w, "%d repaired, %d left\n", len(out.Applied), len(out.Findings))
	}
	fmt.Fprint(w, out.Report.Text(c.File))
	return nil
}

type campaignTestCommand struct {
	target
	Name       string `arg:"" help:"The campaign." placeholder:"NAME"`
	As         string `required:"" help:"The person: a user id." placeholder:"USER"`
	Workspace  string `help:"The campaign's workspace." default:"engage"`
	Variant    string `help:"A variant by name (default: the first)."`
	Properties string `help:"Properties of the triggering event as JSON (default: of the latest such event)." placeholder:"JSON"`
	Send       bool   `help:"Send it, once. It counts nowhere."`
	Format     string `help:"text or json." enum:"text,json" default:"text"`
}

func (c *campaignTestCommand) Run(ctx context.Context, s streams) (err error) {
	body := manage.Trial{As: c.As, Variant: c.Variant, Send: c.Send}
	if c.Properties != "" {
		if !json.Valid([]byte(c.Properties)) {
			return fault.New(fault.Invalid, "malformed_json", "--properties is no JSON object")
		}
		body.Properties = json.RawMessage(c.Properties)
	}
	api, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	var tried manage.Tried
	path := "/api/v1/workspaces/" + url.PathEscape(c.Workspace) + "/campaigns/" + url.PathEscape(c.Name) + "/test"
	if err := api.into(ctx, http.MethodPost, path, nil, body, &tried); err != nil {
		return err
	}
	if c.Format == "json" {
		e := json.NewEncoder(s.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(tried)
	}
	fmt.Fprintf(s.out, "%s %s\n", tried.Request.Method, tried.Request.URL)
	for _, h := range tried.Request.Headers {
		fmt.Fprintf(s.out, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(s.out, "\n%s\n", tried.Request.Body)
	if a := tried.Attempt; a != nil {
		fmt.Fprintf(s.out, "\n→ %d %s %s(%.0f ms)\n%s\n", a.Status, http.StatusText(a.Status), a.Message, a.Millis, a.Response)
	}
	return nil
}

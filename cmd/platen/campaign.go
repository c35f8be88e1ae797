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
	"strings"

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
	} else {
		out.Report, err = payload.Lint(source, payload.Options{})
	}
	if err != nil && len(out.Findings) == 0 { // a template that does not parse is a finding
		return err
	}
	if c.Fix {
		if err := c.write(source, out.Fixed, s.out); err != nil {
			return err
		}
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
		return "", unreadable(c.File, err)
	}
	return string(b), nil
}

// write keeps the repaired text. In JSON output it is part of the output.
func (c *campaignLintCommand) write(source, fixed string, stdout io.Writer) error {
	switch {
	case c.File == "-" && c.Format == "text":
		_, err := io.WriteString(stdout, fixed)
		return err
	case c.File == "-" || fixed == source:
		return nil
	}
	if err := os.WriteFile(c.File, []byte(fixed), 0o644); err != nil {
		return unwritable(c.File, err)
	}
	return nil
}

func (c *campaignLintCommand) print(out lintOutput, s streams) error {
	if c.Format == "json" {
		return printJSON(s.out, out)
	}
	w, name := s.out, c.File
	if c.File == "-" {
		name = "standard input"
		if c.Fix {
			w = s.err // standard output holds the repaired text
		}
	}
	if c.Fix {
		fmt.Fprint(w, payload.Report{Findings: out.Applied}.Text(name))
		fmt.Fprintf(w, "%d repaired, %d left\n", len(out.Applied), len(out.Findings))
	}
	fmt.Fprint(w, out.Report.Text(name))
	return nil
}

type campaignTestCommand struct {
	target
	Name       string `arg:"" help:"The campaign." placeholder:"NAME"`
	As         string `required:"" help:"The person: a user id." placeholder:"USER"`
	Workspace  string `help:"The campaign's workspace." default:"engage"`
	Variant    string `help:"A variant by name (default: the first)." placeholder:"NAME"`
	Properties string `help:"Properties of the triggering event as JSON (default: of the latest such event)." placeholder:"JSON"`
	Send       bool   `help:"Send it, once. It counts nowhere."`
	Format     string `help:"text or json." enum:"text,json" default:"text"`
}

// Run fails when a request that was sent got no good answer.
func (c *campaignTestCommand) Run(ctx context.Context, s streams) (err error) {
	body, err := c.trial()
	if err != nil {
		return err
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
		err = printJSON(s.out, tried)
	} else {
		printTried(s.out, tried)
	}
	if a := tried.Attempt; err == nil && a != nil && (a.Status < 200 || a.Status > 299) {
		return fault.New(fault.Invalid, "not_delivered", "the request was not accepted: %s", a.Message)
	}
	return err
}

func (c *campaignTestCommand) trial() (manage.Trial, error) {
	t := manage.Trial{As: c.As, Variant: c.Variant, Send: c.Send}
	switch {
	case c.Name == "":
		return t, fault.New(fault.Invalid, "no_campaign", "name the campaign")
	case c.As == "":
		return t, fault.New(fault.Invalid, "missing_identity", "--as is empty; give it a user id")
	case c.Properties == "":
		return t, nil
	}
	t.Properties = json.RawMessage(strings.TrimSpace(c.Properties))
	var object map[string]json.RawMessage
	if json.Unmarshal(t.Properties, &object) != nil || object == nil {
		return t, fault.New(fault.Invalid, "malformed_json", `--properties is no JSON object such as {"id": "7"}`)
	}
	return t, nil
}

func printTried(w io.Writer, t manage.Tried) {
	fmt.Fprintf(w, "%s %s\n", t.Request.Method, t.Request.URL)
	for _, h := range t.Request.Headers {
		fmt.Fprintf(w, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(w, "\n%s\n", t.Request.Body)
	if a := t.Attempt; a != nil {
		fmt.Fprintf(w, "\n→ %s (%.0f ms)\n", a.Message, a.Millis)
		if a.Response != "" {
			fmt.Fprintln(w, a.Response)
		}
	}
}

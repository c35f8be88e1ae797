package main

import (
	"errors"
	"fmt"
	"strings"

	"platen/internal/fault"
	"platen/internal/payload"
	"platen/liquid"
)

type liquidLintCommand struct {
	File    string `arg:"" help:"The file, or -." placeholder:"FILE"`
	As      string `help:"What its text must be: text (anything), json, url, header or form." enum:"text,json,url,header,form" default:"text"`
	Header  string `help:"Name of the header, for --as header." placeholder:"NAME"`
	Fix     bool   `help:"Repair the file (of standard input: write the repaired text)."`
	Dialect string `help:"braze or shopify." enum:"braze,shopify" default:"braze"`
	Format  string `help:"text or json." enum:"text,json" default:"text"`
}

// liquidLint is the output of --format json.
type liquidLint struct {
	lintOutput
	Reads []lintRead `json:"reads"`
}

// lintRead is something that a template asks for from outside.
type lintRead struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"` // variable, catalog, selection, promotion, snippet, connected_content or credential
	Name   string `json:"name"`
}

// Run fails when findings remain.
func (c *liquidLintCommand) Run(s streams) error {
	name, source, err := readText(c.File, s.in)
	if err != nil {
		return err
	}
	if c.Dialect == "shopify" && c.As != "text" {
		return fault.New(fault.Invalid, "bad_dialect", "--as %s is for Braze's dialect, which campaigns are written in", c.As)
	}
	out := liquidLint{lintOutput: lintOutput{File: c.File}, Reads: []lintRead{}}
	checked := source
	if err := c.lint(source, &out.lintOutput); err != nil {
		return err
	}
	if c.Fix {
		checked = out.Fixed
		if err := c.asCampaigns().write(source, out.Fixed, s.out); err != nil {
			return err
		}
	}
	if t, err := liquid.Parse(checked, c.options()); err == nil {
		out.Reads = readsOf(t)
	}
	if err := c.print(name, out, s); err != nil {
		return err
	}
	if len(out.Findings) > 0 {
		return errSaid
	}
	return nil
}

func (c *liquidLintCommand) options() liquid.Options {
	return (&liquidFlags{Dialect: c.Dialect}).options()
}

// lint fills in the findings. A template that does not parse is one.
func (c *liquidLintCommand) lint(source string, out *lintOutput) error {
	if c.Dialect == "shopify" {
		out.Fixed, out.Report = source, c.parses(source)
		return nil
	}
	return lintText(source, payload.Options{As: payload.Language(c.As), Header: c.Header}, c.Fix, out)
}

// parses reports what keeps a template from being parsed.
func (c *liquidLintCommand) parses(source string) payload.Report {
	report := payload.Report{Findings: []payload.Finding{}}
	var wrong *liquid.Error
	if _, err := liquid.Parse(source, c.options()); errors.As(err, &wrong) {
		report.Findings = append(report.Findings, payload.Finding{
			Rule: payload.BrokenLiquid, Severity: payload.Error, Line: wrong.Pos.Line, Column: wrong.Pos.Column,
			Message: "this is not Liquid: " + wrong.Message,
		})
	}
	return report
}

func (c *liquidLintCommand) print(name string, out liquidLint, s streams) error {
	if c.Format == "json" {
		return printJSON(s.out, out)
	}
	if err := c.asCampaigns().print(name, out.lintOutput, s); err != nil {
		return err
	}
	w := s.out
	if c.Fix && c.File == "-" {
		w = s.err // standard output holds the repaired text
	}
	for _, r := range out.Reads {
		fmt.Fprintf(w, "%s:%d:%d: reads %s %s\n", name, r.Line, r.Column, strings.ReplaceAll(r.What, "_", " "), r.Name)
	}
	return nil
}

// asCampaigns is the linter of campaigns, which writes and prints in the same way.
func (c *liquidLintCommand) asCampaigns() *campaignLintCommand {
	return &campaignLintCommand{File: c.File, Fix: c.Fix, Format: c.Format}
}

// readsOf lists what a template asks for: its variables, then everything else.
func readsOf(t *liquid.Template) []lintRead {
	reads := []lintRead{}
	add := func(at liquid.Span, what, name string) {
		reads = append(reads, lintRead{at.Start.Line, at.Start.Column, what, name})
	}
	for _, r := range t.Reads() {
		add(r.Span, "variable", variableName(r, t.Options().Dialect))
	}
	uses := t.Uses()
	for _, u := range uses.Catalogs {
		add(u.Span, "catalog", u.Name)
	}
	for _, u := range uses.Selections {
		add(u.Span, "selection", u.Catalog.Name+" "+u.Name)
	}
	for _, u := range uses.Promotions {
		add(u.Span, "promotion", u.Name)
	}
	for _, u := range uses.Snippets {
		add(u.Span, "snippet", u.Name)
	}
	for _, u := range uses.Calls {
		add(u.Span, "connected_content", u.Method+" "+u.URL)
	}
	for _, u := range uses.Credentials {
		add(u.Span, "credential", u.Name)
	}
	return reads
}

// variableName writes a variable as the template of the dialect would.
func variableName(r liquid.Read, dialect liquid.Dialect) string {
	switch {
	case r.Namespace == "":
		return "(computed)"
	case r.Namespace == liquid.ProfileVariables && r.Name == "":
		return "${…}"
	case r.Namespace == liquid.ProfileVariables:
		return "${" + r.Name + "}"
	case r.Name == "":
		return r.Namespace
	case dialect == liquid.Braze:
		return r.Namespace + ".${" + r.Name + "}"
	}
	return r.Namespace + "." + r.Name
}

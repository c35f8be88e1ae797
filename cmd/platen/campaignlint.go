package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"platen/internal/fault"
	"platen/internal/payload"
)

type campaignLintCommand struct {
	File   string `arg:"" help:"A file with the Liquid body of a webhook or with documents of campaigns, or -." placeholder:"FILE"`
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
	name, source, err := readText(c.File, s.in)
	if err != nil {
		return err
	}
	out := lintOutput{File: c.File}
	if documents := strings.TrimPrefix(source, "\ufeff"); holdsDocuments(documents) {
		source = documents // a byte order mark would shift the first line
		err = c.lintDocuments(name, source, &out)
	} else {
		err = lintText(source, payload.Options{}, c.Fix, &out)
	}
	if err != nil {
		return err
	}
	if c.Fix {
		if err := c.write(source, out.Fixed, s.out); err != nil {
			return err
		}
	}
	if err := c.print(name, out, s); err != nil {
		return err
	}
	if len(out.Findings) > 0 {
		return errSaid
	}
	return nil
}

// lintText lints or repairs one text. A template that does not parse is a finding.
func lintText(source string, opts payload.Options, fix bool, out *lintOutput) (err error) {
	if fix {
		out.Fixed, out.Applied, out.Report, err = payload.Fix(source, opts)
	} else {
		out.Report, err = payload.Lint(source, opts)
	}
	if len(out.Findings) > 0 {
		return nil
	}
	return err
}

// lintDocuments lints all texts of the campaigns in a file of documents.
func (c *campaignLintCommand) lintDocuments(name, source string, out *lintOutput) error {
	file, err := readRequests(name, source)
	if err != nil {
		return err
	}
	if len(file.texts) == 0 {
		return fault.New(fault.NotFound, "no_campaign", "there is no kind: Campaign in %s", name)
	}
	out.Report.Findings = []payload.Finding{}
	fixed := make([]string, len(file.texts))
	for i, t := range file.texts {
		var part lintOutput
		if err := lintText(t.node.Value, t.opts, c.Fix, &part); err != nil {
			return err
		}
		fixed[i] = part.Fixed
		out.Findings = append(out.Findings, file.placed(t, part.Findings)...)
		out.Applied = append(out.Applied, file.placed(t, part.Applied)...)
		for _, n := range part.Notes {
			n.Part = t.part
			n.Line, n.Column, _ = file.lines.Place(t.node, n.Line, n.Column)
			out.Notes = append(out.Notes, n)
		}
	}
	if c.Fix {
		out.Fixed, err = file.rewritten(fixed)
	}
	return err
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

func (c *campaignLintCommand) print(name string, out lintOutput, s streams) error {
	if c.Format == "json" {
		return printJSON(s.out, out)
	}
	w := s.out
	if c.Fix {
		if c.File == "-" {
			w = s.err // standard output holds the repaired text
		}
		fmt.Fprint(w, payload.Report{Findings: out.Applied}.Text(name))
		fmt.Fprintf(w, "%d repaired, %d left\n", len(out.Applied), len(out.Findings))
	}
	fmt.Fprint(w, out.Report.Text(name))
	return nil
}

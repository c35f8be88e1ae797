// Package payload finds out what a webhook's Liquid texts would really send.
//
// A template that renders without an error may still send something that is not
// JSON: a comment that Liquid does not know, a comma that is there on one branch
// only, a title with a quote in it. Lint walks every way through the template
// (branches, loops, captured and assigned text), holding the text that would be
// sent as a sequence of pieces: literal bytes that know where in the source they
// come from, and holes for what only the customer's data can tell. A tolerant
// JSON scanner reads along on each way and reports defects at the place in the
// source that they come from, with a repair. Fix applies the repairs.
//
// URLs, forms and the values of headers are read in the same way, each by a reader
// of its own (see Language): there the question is what characters an output may
// print, and what they would do in its place.
//
// Ways that have come to the same point (the same place in the JSON text, the
// same variables as far as they are read later) are joined again, so the work
// does not double with every if. What could not be followed is said in a note
// and not guessed.
package payload

import (
	"errors"

	"platen/internal/fault"
	"platen/liquid"
)

// Unit is what a numeric member counts.
type Unit string

const (
	// Plain is a number without a unit that matters here.
	Plain Unit = "number"
	// Milliseconds since 1970, as the collector's expected payloads have it.
	Milliseconds Unit = "milliseconds"
)

// DefaultNumeric returns the names of members that a receiver of behavioural
// events reads as numbers (spec/collector-and-content.md, section 3).
func DefaultNumeric() map[string]Unit {
	return map[string]Unit{
		"timestamp": Milliseconds,
		"price":     Plain,
		"revenue":   Plain,
		"quantity":  Plain,
		"total":     Plain,
	}
}

// Options decide what a lint expects.
type Options struct {
	// Numeric names the members, at any depth, whose value must be a number.
	// nil: DefaultNumeric.
	Numeric map[string]Unit
	// As is what the text must be; "": JSON.
	As Language
	// Header is the name of the header whose value is linted as Header.
	Header string
	// Snippets gives the snippets that content_blocks.${…} names, compiled in the
	// Braze dialect, and whether there is one of that name. A nil snippet is there
	// without its text being known; with a nil Snippets all are.
	Snippets func(name string) (snippet *liquid.Template, ok bool)
}

// Lint says which defects the texts have that a template of the Braze dialect can
// send, JSON if the options name no other language, with the repairs that were
// seen to help. The error is a *fault.Error and is there only when the Liquid does
// not parse; the report then holds that as its one finding.
func Lint(source string, opts Options) (Report, error) {
	report, _, err := lint(source, opts)
	if err != nil || len(report.Findings) == 0 {
		return report, err
	}
	r := repairer{source: source, report: report, opts: opts, lints: maxLints, work: maxWork}
	r.prove()
	return r.report, nil
}

// lint also returns the work that was done, of maxWork at most.
func lint(source string, opts Options) (report Report, work int, err error) {
	if opts.Numeric == nil {
		opts.Numeric = DefaultNumeric()
	}
	found := newCollector(source)
	template, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		report, err = found.unparsed(err)
		return report, 0, err
	}
	w := newWalker(template, opts, found)
	w.run()
	return found.report(), maxWork - w.work, nil
}

// unparsed reports a template that the engine refuses.
func (c *collector) unparsed(err error) (Report, error) {
	var syntax *liquid.Error
	if !errors.As(err, &syntax) {
		return Report{}, fault.From(err)
	}
	c.add(finding{rule: BrokenLiquid, severity: Error, at: syntax.Pos.Offset, message: "this is not Liquid: " + syntax.Message}, nil)
	place := fault.New(fault.Invalid, "liquid_syntax", "the template is not Liquid: %s", syntax.Message)
	return c.report(), place.At(syntax.Pos.Line, syntax.Pos.Column).Because(err)
}

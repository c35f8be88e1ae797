package payload

import "slices"

// The bounds of one Fix: lints, and the work that they may take together.
const (
	maxLints   = 200
	maxFixWork = 4 * maxWork
	maxProofs  = 20 // repairs of one report that are tried alone before they are shown
)

// Fix repairs what Lint finds in a template, as far as that can be done without
// asking. It returns the repaired template, the findings that it repaired (with
// their places in the source as it was at that step) and what is left for a
// person to decide. A repair that does not make the report shorter is not kept,
// so the result never lints worse than the source. A template of something else
// than JSON is not changed (see NotJSON). The error is that of Lint; fixed is the
// source then.
func Fix(source string, opts Options) (fixed string, applied []Finding, rest Report, err error) {
	rest, err = Lint(source, opts)
	if err != nil || slices.ContainsFunc(rest.Findings, func(f Finding) bool { return f.Rule == NotJSON }) {
		return source, nil, rest, err
	}
	r := repairer{source: source, report: rest, opts: opts, lints: maxLints, work: maxFixWork}
	for r.all() || r.single() {
	}
	return r.source, r.applied, r.report, nil
}

// A repairer holds a template that gets better step by step.
type repairer struct {
	source  string
	report  Report
	opts    Options
	applied []Finding
	lints   int // left
	work    int // left
}

// all tries every repair at once, which is right nearly always.
func (r *repairer) all() bool { return r.try(r.together()) }

// together are the repairs that can be made at once, and their findings.
func (r *repairer) together() (edits []Edit, findings []Finding) {
	for _, f := range r.report.Findings {
		if len(f.Edits) > 0 && compatible(edits, f.Edits) {
			edits = tidy(append(edits, f.Edits...))
			findings = append(findings, f)
		}
	}
	return edits, findings
}

// lint looks at another state of the template, as long as the bounds allow it.
func (r *repairer) lint(source string) (report Report, ok bool) {
	if r.lints == 0 || r.work <= 0 {
		return Report{}, false
	}
	report, work, err := lint(source, r.opts)
	r.lints, r.work = r.lints-1, r.work-work
	return report, err == nil
}

// single tries one repair after the other, up to the first that helps.
func (r *repairer) single() bool {
	for _, f := range r.report.Findings {
		if r.try(f.Edits, []Finding{f}) {
			return true
		}
	}
	return false
}

// try keeps edits if the report gets better by them.
func (r *repairer) try(edits []Edit, findings []Finding) bool {
	if len(edits) == 0 {
		return false
	}
	source := apply(r.source, edits)
	report, ok := r.lint(source)
	if !ok || !better(report, r.report) {
		return false
	}
	r.source, r.report = source, report
	r.applied = append(r.applied, findings...)
	r.prove()
	return true
}

// better reports whether a has fewer findings than b, or less bad ones. Every
// repair that is kept brings the numbers down, so repairing comes to an end.
func better(a, b Report) bool {
	errorsA, errorsB := a.errors(), b.errors()
	return errorsA < errorsB || errorsA == errorsB && len(a.Findings) < len(b.Findings)
}

func (r Report) errors() int {
	n := r.further
	for _, f := range r.Findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}

// compatible reports whether no edit of one list overlaps one of the other. The
// same edit in both is no conflict, nor are insertions next to each other.
func compatible(edits, further []Edit) bool {
	for _, a := range edits {
		if slices.ContainsFunc(further, func(b Edit) bool { return a != b && a.Start < b.End && b.Start < a.End }) {
			return false
		}
	}
	return true
}

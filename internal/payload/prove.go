package payload

import (
	"slices"
	"strings"
)

// prove drops the repairs from a report that do not help. A comma that some ways
// need and others do not is such a case: no rule tells whether the edits for it
// get all of them right, but another lint does.
//
// A repair helps if its finding is gone when all repairs are made at once and
// nothing new comes up, or if the report gets better by it alone.
func (r *repairer) prove() {
	edits, _ := r.together()
	if len(edits) == 0 {
		return
	}
	again, ok := r.lint(apply(r.source, edits))
	left := remains{again.Findings, edits}
	known := 0
	for _, f := range r.report.Findings {
		if left.holds(f) {
			known++
		}
	}
	nothingNew := ok && len(again.Findings)+again.further <= known
	tries, enough := maxProofs, r.work-maxWork
	for i := range r.report.Findings {
		f := &r.report.Findings[i]
		if len(f.Edits) == 0 || nothingNew && !left.holds(*f) {
			continue
		}
		if tries--; tries < 0 || r.work < enough || !r.helps(f.Edits) {
			f.withdraw()
		}
	}
}

// helps reports whether the report gets better by edits alone.
func (r *repairer) helps(edits []Edit) bool {
	report, ok := r.lint(apply(r.source, edits))
	return ok && better(report, r.report)
}

// withdraw takes the repair off a finding. What is wrong with a comma then needs
// other words, as deleting it or adding one is no way out.
func (f *Finding) withdraw() {
	f.Edits, f.Before, f.After = nil, "", ""
	switch f.Rule {
	case TrailingComma, ExtraComma, MissingComma:
		problem, _, _ := strings.Cut(f.Message, ";")
		f.Message = problem + "; " + alwaysRight
	}
}

// remains are the findings of a template after edits were made in it.
type remains struct {
	findings []Finding
	edits    []Edit
}

// holds reports whether a finding from before the edits is among them.
func (left remains) holds(f Finding) bool {
	at := moved(f.offset, left.edits)
	return slices.ContainsFunc(left.findings, func(g Finding) bool {
		return g.Rule == f.Rule && at.from <= g.offset && g.offset <= at.to
	})
}

// moved is where something that stood at an offset may stand after edits: within
// the text of one that touches it, or as much further on as those before it grew.
func moved(offset int, edits []Edit) extent {
	e := extent{offset, offset}
	for _, edit := range edits {
		grown := len(edit.Text) - (edit.End - edit.Start)
		switch {
		case edit.End < offset:
			e.from, e.to = e.from+grown, e.to+grown
		case edit.Start <= offset:
			e.to += max(grown, 0)
		}
	}
	return e
}

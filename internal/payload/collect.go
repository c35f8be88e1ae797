package payload

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A finding is a Finding before the report is put together.
type finding struct {
	rule     Rule
	severity Severity
	at       int // offset in the source
	message  string
	edits    []Edit
	facts    facts // that hold on every path that found it
}

// A collector gathers what the paths find: each defect once, however many paths
// meet it.
type collector struct {
	source string
	lines  []int // offsets at which lines begin
	parts  []extent
	loops  []extent

	// within is set while a snippet is walked: what is found there is told where
	// the template uses the snippet.
	within *snippetUse

	found   map[place]*finding
	further map[place]bool // beyond maxFindings
	notes   []Note
	commas  map[int]*commaUse
}

// A place identifies a defect.
type place struct {
	rule Rule
	at   int
}

// A commaUse is what the paths together know of one comma.
type commaUse struct {
	followers []int // where the items begin that it stands in front of
	closing   int   // the bracket that it stands in front of, on other paths
	extra     bool  // it follows another comma or an opening bracket, on other paths
}

func newCollector(source string) *collector {
	c := &collector{source: source, lines: []int{0}, found: map[place]*finding{}, further: map[place]bool{}, commas: map[int]*commaUse{}}
	for i := 0; i < len(source); i++ {
		if source[i] == '\n' {
			c.lines = append(c.lines, i+1)
		}
	}
	return c
}

// add notes a finding of a path with these facts.
func (c *collector) add(f finding, decided facts) {
	if c.within != nil {
		f.at, f.edits, f.message = c.within.at, nil, c.within.told(f.message)
	}
	key := place{f.rule, f.at}
	if known := c.found[key]; known != nil {
		known.facts = known.facts.both(decided)
		return
	}
	if len(c.found) == maxFindings {
		c.further[key] = true
		c.noteOnce(f.at, "there are more than "+strconv.Itoa(maxFindings)+" defects; the others are not listed")
		return
	}
	f.facts = decided
	c.found[key] = &f
}

// note says what could not be checked, once for each place.
func (c *collector) note(offset int, message string) {
	if c.within != nil {
		offset, message = c.within.at, c.within.told(message)
	}
	line, column := c.position(offset)
	n := Note{Line: line, Column: column, Message: message}
	if len(c.notes) < maxFindings && !slices.Contains(c.notes, n) {
		c.notes = append(c.notes, n)
	}
}

// noteOnce says something at the first place where it is so.
func (c *collector) noteOnce(offset int, message string) {
	if !slices.ContainsFunc(c.notes, func(n Note) bool { return strings.HasSuffix(n.Message, message) }) {
		c.note(offset, message)
	}
}

func (c *collector) use(comma mark) *commaUse {
	u := c.commas[comma.at]
	if u == nil {
		u = &commaUse{}
		c.commas[comma.at] = u
	}
	return u
}

// followed notes that an item follows a comma.
func (c *collector) followed(comma mark, item int) {
	if u := c.use(comma); !slices.Contains(u.followers, item) {
		u.followers = append(u.followers, item)
	}
}

// trailing notes that a closing bracket follows a comma.
func (c *collector) trailing(p *path, comma, closing mark, bracket byte) {
	c.use(comma).closing = closing.at
	p.report(finding{rule: TrailingComma, severity: Error, at: comma.at,
		message: "this comma stands in front of " + string(bracket) + " with nothing in between"})
}

// extra notes a comma with nothing in front of it.
func (c *collector) extra(p *path, comma mark) {
	c.use(comma).extra = true
	p.report(finding{rule: ExtraComma, severity: Error, at: comma.at,
		message: "there is nothing in front of this comma"})
}

// report puts the findings in order and gives them their repairs.
func (c *collector) report() Report {
	r := Report{Findings: make([]Finding, 0, len(c.found)), Notes: c.notes, further: len(c.further)}
	for _, f := range c.found {
		if f.rule == TrailingComma || f.rule == ExtraComma {
			f.edits = c.commaEdits(f.at)
			f.message += "; " + c.commaAdvice(f)
		}
		r.Findings = append(r.Findings, c.finished(f))
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.Rule, b.Rule))
	})
	slices.SortFunc(r.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r
}

func (c *collector) finished(f *finding) Finding {
	out := Finding{Rule: f.rule, Severity: f.severity, Message: f.message, Edits: tidy(f.edits), offset: f.at}
	out.Line, out.Column = c.position(f.at)
	if len(out.Edits) > 0 {
		out.Before, out.After = c.excerpt(out.Edits)
	}
	var when []string
	for _, decided := range f.facts {
		if !slices.Contains(when, decided.phrase) {
			when = append(when, decided.phrase)
		}
	}
	out.Path = strings.Join(when, " and ")
	return out
}

// position turns an offset into a line and a column in characters.
func (c *collector) position(offset int) (line, column int) {
	line = sort.SearchInts(c.lines, offset+1)
	return line, utf8.RuneCountInString(c.source[c.lines[line-1]:offset]) + 1
}

// line returns the extent of the line that an offset lies in, without its end.
func (c *collector) line(offset int) extent {
	n := sort.SearchInts(c.lines, offset+1)
	e := extent{c.lines[n-1], len(c.source)}
	if n < len(c.lines) {
		e.to = c.lines[n] - 1
	}
	if e.to > e.from && c.source[e.to-1] == '\r' {
		e.to--
	}
	return e
}

// indent returns the width of the white space that the line of an offset begins
// with, and whether the offset is the first place behind it.
func (c *collector) indent(offset int) (width int, first bool) {
	l := c.line(min(offset, len(c.source)))
	text := c.source[l.from:l.to]
	width = len(text) - len(strings.TrimLeft(text, " \t"))
	return width, l.from+width == offset
}

// excerpt shows the first line that edits touch, before and after them.
func (c *collector) excerpt(edits []Edit) (before, after string) {
	l := c.line(edits[0].Start)
	var here []Edit
	for _, e := range edits {
		if e.Start <= l.to {
			here = append(here, e)
			l.to = max(l.to, e.End)
		}
	}
	before = c.source[l.from:l.to]
	for i := range here {
		here[i].Start, here[i].End = here[i].Start-l.from, here[i].End-l.from
	}
	return onLine(before), onLine(apply(before, here))
}

// onLine cuts an excerpt to what fits on a line of a terminal.
func onLine(text string) string {
	const most = 160
	text = strings.ReplaceAll(strings.Trim(text, spaces), "\n", "⏎")
	count := 0
	for i := range text {
		if count == most {
			return text[:i] + "…"
		}
		count++
	}
	return text
}

package filter

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (a And) matches(s *Subject) bool {
	for _, e := range a {
		if !e.matches(s) {
			return false
		}
	}
	return true
}

func (o Or) matches(s *Subject) bool {
	return slices.ContainsFunc(o, func(e Expr) bool { return e.matches(s) })
}

func (n Not) matches(s *Subject) bool { return !n.Expr.matches(s) }

func (d Did) matches(s *Subject) bool {
	last, ok := d.last(s)
	return ok && (d.Within == 0 || !last.Before(s.Now.Add(-d.Within)))
}

func (d Did) last(s *Subject) (time.Time, bool) {
	if s.Facts == nil {
		return time.Time{}, false
	}
	count := s.Facts.Summary.Of(d.Event)
	return time.UnixMicro(count.Last), count.Total > 0
}

func (c *Compare) matches(s *Subject) bool {
	operator := operators[c.Op]
	holds := func(v any) bool { return operator.test(c, v) }
	values := s.values(c.Operand)
	if operator.negative {
		return !slices.ContainsFunc(values, func(v any) bool { return !holds(v) })
	}
	return slices.ContainsFunc(values, holds)
}

// blank treats an empty text as no value, except for an event's property: one
// that was sent empty was sent (shared/spec/engage.md section 5.1).
func (c *Compare) blank(v any) bool {
	return v == nil || v == "" && c.Operand.Source != Property
}

func (c *Compare) isListed(v any) bool {
	text, ok := v.(string)
	return ok && slices.Contains(c.Texts, text)
}

func (c *Compare) containsListed(v any) bool {
	text, ok := v.(string)
	return ok && slices.ContainsFunc(c.Texts, func(part string) bool { return strings.Contains(text, part) })
}

func (c *Compare) matchesPattern(v any) bool {
	text, ok := v.(string)
	return ok && c.pattern.MatchString(text)
}

func (c *Compare) hasTextBesidePattern(v any) bool {
	text, ok := v.(string)
	return ok && !c.pattern.MatchString(text)
}

// numberOr gives a number to compare with: missing for no value at all, and
// not-a-number, which equals and orders with nothing, for any other type.
func numberOr(v any, missing float64) float64 {
	switch v := v.(type) {
	case nil:
		return missing
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return math.NaN()
		}
		return f
	}
	return math.NaN()
}

func (a And) whyNot(s *Subject) string {
	for _, e := range a {
		if !e.matches(s) {
			return e.whyNot(s)
		}
	}
	return ""
}

func (a And) seen(s *Subject) string { return seenAll(a, s) }

func (o Or) whyNot(s *Subject) string {
	if len(o) == 0 {
		return "it is one of no conditions"
	}
	return list(o, " and ", func(e Expr) string { return e.whyNot(s) })
}

func (o Or) seen(s *Subject) string { return seenAll(o, s) }

func seenAll(group []Expr, s *Subject) string {
	return list(group, " and ", func(e Expr) string { return e.seen(s) })
}

func (n Not) whyNot(s *Subject) string { return n.Expr.seen(s) + ", which is excluded" }

func (n Not) seen(s *Subject) string { return n.Expr.seen(s) }

func (d Did) whyNot(s *Subject) string {
	if _, ok := d.last(s); !ok {
		return d.seen(s)
	}
	return fmt.Sprintf("%s, more than %s ago", d.seen(s), d.Within)
}

func (d Did) seen(s *Subject) string {
	last, ok := d.last(s)
	if !ok {
		return d.Event + " never happened"
	}
	return d.Event + " last happened at " + moment(last)
}

func (c *Compare) whyNot(s *Subject) string {
	return c.seen(s) + "; it must " + c.Op.sentence(c)
}

func (c *Compare) seen(s *Subject) string {
	values := s.values(c.Operand)
	return c.Operand.Text + " is " + list(values, ", ", show)
}

// sentence is the rest of a sentence that begins with "it must".
func (op Op) sentence(c *Compare) string {
	words := operators[op].words
	switch op.Takes() {
	case OneNumber:
		return words + " " + strconv.FormatFloat(c.Number, 'f', -1, 64)
	case SomeTexts, OnePattern:
		return words + " " + list(c.Texts, ", ", func(t string) string { return show(t) })
	}
	return words
}

// maxListed bounds what a reason lists; reasons are lines, not reports.
const maxListed = 5

func list[T any](items []T, separator string, text func(T) string) string {
	parts := make([]string, 0, maxListed+1)
	for i, item := range items {
		if i == maxListed {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, text(item))
	}
	return strings.Join(parts, separator)
}

// show is a value as people see it, cut where it is long.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "blank"
	case string:
		return fmt.Sprintf("%.60q", v)
	}
	text, _ := json.Marshal(v) // what was decoded from JSON marshals
	if r := []rune(string(text)); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(text)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

package block

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"platen/internal/event"
	"platen/internal/filter"
	"platen/internal/profile"
)

// Reason is a machine word that says why the fallback is shown. Scripts may rely
// on it.
type Reason string

// The reasons that follow from the rules.
const (
	UnknownPerson Reason = "unknown_person"  // no profile has the identifier
	NoRuleMatched Reason = "no_rule_matched" // no rule's condition held
	NoItems       Reason = "no_items"        // what matched found nothing to show
)

// NoRule is the index of the rule where the fallback is shown.
const NoRule = -1

// Choice is what a block shows to one person, and why.
type Choice struct {
	Rule   int    // index in Show of the rule that was taken, or NoRule
	Items  []Item // what the rule found, newest first; none for the fallback
	Reason Reason // why the fallback is shown, "" where a rule was taken
	Rules  []RuleReport
}

// RuleReport tells what became of one rule.
type RuleReport struct {
	Matched bool          `json:"matched"` // its condition holds
	Taken   bool          `json:"taken"`
	Why     string        `json:"why"`              // one line for people
	Events  []EventReport `json:"events,omitempty"` // those its query looked at, newest first
}

// EventReport tells what became of one event that a query looked at.
type EventReport struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Used bool      `json:"used"`
	Why  string    `json:"why,omitempty"` // why it was not used
}

// Wanted picks the events that the rules look at from those a profile's summary
// remembers. Choose needs no others.
func (b *Block) Wanted(s *profile.Summary) []event.ID {
	var ids []event.ID
	for _, ref := range s.Recent {
		if slices.ContainsFunc(b.Show, func(r Rule) bool { return r.Items.looksAt(ref.Name) }) {
			ids = append(ids, ref.ID)
		}
	}
	return ids
}

func (q Query) looksAt(name string) bool {
	return name == q.Event || name == q.Exclude.Event
}

// Choose takes the first rule whose condition holds and whose query finds
// something. The profile is nil for an unknown person; events are those of
// Wanted, in any order.
func (b *Block) Choose(p *profile.Profile, events []event.Event, now time.Time) Choice {
	c := Choice{Rule: NoRule}
	if p == nil {
		c.Reason = UnknownPerson
		return c
	}
	subject := &filter.Subject{Identifiers: p.Identifiers(), Facts: p.Root.Facts(), Now: now}
	items := newestFirst(events)
	matched := false
	for i, rule := range b.Show {
		if c.Rule != NoRule {
			c.Rules = append(c.Rules, RuleReport{Why: fmt.Sprintf("rule %d came first", c.Rule+1)})
			continue
		}
		found, report := rule.look(subject, items)
		matched = matched || report.Matched
		if len(found) > 0 {
			c.Rule, c.Items, report.Taken = i, found, true
		}
		c.Rules = append(c.Rules, report)
	}
	switch {
	case c.Rule != NoRule:
	case matched:
		c.Reason = NoItems
	default:
		c.Reason = NoRuleMatched
	}
	return c
}

// newestFirst orders by the events' own times; of two at once the later accepted
// comes first.
func newestFirst(events []event.Event) []Item {
	items := make([]Item, len(events))
	for i, e := range events {
		items[i] = NewItem(e)
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(b.Event.At.Compare(a.Event.At), cmp.Compare(b.Event.ID, a.Event.ID))
	})
	return items
}

// look gives the items that a rule shows, none when its condition does not hold.
func (r Rule) look(subject *filter.Subject, items []Item) ([]Item, RuleReport) {
	if why := filter.WhyNot(r.When, subject); why != "" {
		return nil, RuleReport{Why: why}
	}
	report := RuleReport{Matched: true, Why: "its condition holds"}
	if r.When == nil {
		report.Why = "it has no condition"
	}
	found, events := r.Items.find(items)
	report.Events = events
	if len(found) == 0 {
		report.Why += ", but no " + r.Items.Event + " is left to show"
	}
	return found, report
}

// find picks items, which come newest first, and tells about each that has the
// query's event name.
func (q Query) find(items []Item) ([]Item, []EventReport) {
	s := selection{Query: q, shown: map[string]bool{}, done: map[string]Item{}}
	var reports []EventReport
	for _, item := range items {
		if item.Event.Name == q.Event {
			why := s.refuse(item)
			if why == "" {
				s.found = append(s.found, item)
			}
			e := item.Event
			reports = append(reports, EventReport{ID: e.ID.String(), Name: e.Name, At: e.At, Used: why == "", Why: why})
		}
		if item.Event.Name == q.Exclude.Event {
			for _, id := range item.about() {
				s.done[id] = item
			}
		}
	}
	return s.found, reports
}

// selection is what a query has seen so far.
type selection struct {
	Query
	found []Item
	shown map[string]bool // by the property that Distinct names
	done  map[string]Item // the event that excludes a product, by the product's id
}

// refuse says why an item is left out, "" when it is shown.
func (s *selection) refuse(item Item) string {
	for _, id := range item.about() {
		if by, excluded := s.done[id]; excluded {
			return fmt.Sprintf("a later %s was about %s", by.Event.Name, id)
		}
	}
	if len(s.found) == s.Limit {
		return fmt.Sprintf("the rule shows at most %d", s.Limit)
	}
	if s.Distinct == "" {
		return ""
	}
	value := item.Text(s.Distinct)
	switch {
	case value == "":
		return fmt.Sprintf("it has no %s to tell it from others", s.Distinct)
	case s.shown[value]:
		return fmt.Sprintf("a newer one has the same %s", s.Distinct)
	}
	s.shown[value] = true
	return ""
}

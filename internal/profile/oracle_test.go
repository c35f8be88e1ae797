package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// person is what a test compares of one profile: by name a user, or an anonymous
// id that nobody claimed.
type person struct {
	identifiers []string
	events      []int // numbers of the calls
	attributes  map[string]string
	summary     string
}

// expectation is what a set of calls makes of everybody, before the summaries of
// stale parts are rebuilt and after.
type expectation struct{ atOnce, rebuilt string }

// expected says what the rules make of a set of calls, without the code under
// test: rule 3 for whose something is, rule 8 for attributes.
func (s sequence) expected() expectation {
	persons := map[string]*person{}
	get := func(name string) *person {
		if persons[name] == nil {
			persons[name] = &person{identifiers: []string{name}, attributes: map[string]string{}}
		}
		return persons[name]
	}
	set := map[string]Call{} // by person and attribute: the call that holds
	for i, c := range s {
		owner := s.owner(c)
		p := get(owner)
		if c.Claim && !slices.Contains(p.identifiers, c.Who.AnonymousID) {
			p.identifiers = append(p.identifiers, c.Who.AnonymousID)
		}
		if c.Event != nil {
			p.events = append(p.events, i)
		}
		for _, change := range c.Set {
			key := owner + " " + change.Name
			if last, ok := set[key]; !ok || cmp.Or(cmp.Compare(c.At, last.At), cmp.Compare(change.Value, last.Set[0].Value)) > 0 {
				set[key] = c
				p.attributes[change.Name] = change.Value
			}
		}
	}
	for _, p := range persons {
		maps.DeleteFunc(p.attributes, func(_, value string) bool { return value == "null" })
		p.summary = s.summaryOf(p.events)
	}
	return expectation{describe(persons, false), describe(persons, true)}
}

// owner is the person a call belongs to (rules 1 to 3).
func (s sequence) owner(c Call) string {
	if c.Who.UserID != "" {
		return c.Who.UserID
	}
	var first, last *Call
	later := func(a, b *Call) bool {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Who.UserID, b.Who.UserID)) > 0
	}
	for i := range s {
		claim := &s[i]
		if !claim.Claim || claim.Who.AnonymousID != c.Who.AnonymousID {
			continue
		}
		if first == nil || later(first, claim) {
			first = claim
		}
		if claim.At <= c.At && (last == nil || later(claim, last)) {
			last = claim
		}
	}
	switch {
	case first == nil:
		return c.Who.AnonymousID
	case last == nil:
		return first.Who.UserID
	}
	return last.Who.UserID
}

// summaryOf counts events plainly: the totals, and each of the 30 days up to the
// last on which the event happened.
func (s sequence) summaryOf(numbers []int) string {
	byName := map[string][]int64{}
	var recent []Ref
	for _, i := range numbers {
		c := s[i]
		byName[c.Event.Name] = append(byName[c.Event.Name], c.At)
		if c.Event.Content {
			recent = append(recent, Ref{At: c.At, Name: c.Event.Name})
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		times := byName[name]
		slices.Sort(times)
		first, last := times[0], times[len(times)-1]
		perDay := map[int64]int{}
		for _, at := range times {
			if at/day > last/day-30 {
				perDay[at/day]++
			}
		}
		describeCount(&b, name, int64(len(times)), first, last)
		for d := range int64(30) {
			describeDay(&b, last/day-d, perDay[last/day-d])
		}
	}
	describeRecent(&b, recent)
	return b.String()
}

// everybody reads all persons of a world.
func (w *world) everybody() map[string]*person {
	b := NewBook(w.newID) // holds each part once
	parts := w.all()
	for _, p := range parts {
		b.PutPart(p)
	}
	w.checkLookups(parts)
	persons := map[string]*person{}
	for k, id := range w.ids {
		root := b.Part(id)
		if k.Kind == AnonymousID && len(root.Claims) > 0 {
			continue // it is shown by its claimants
		}
		profile := &Profile{Root: root}
		for _, member := range root.Members {
			profile.Members = append(profile.Members, b.Part(member))
		}
		persons[k.Value] = w.person(profile)
	}
	for _, address := range testEmails {
		w.findByEmail(b, address, persons)
	}
	return persons
}

func (w *world) person(profile *Profile) *person {
	p := &person{attributes: map[string]string{}}
	for _, i := range profile.Identifiers() {
		p.identifiers = append(p.identifiers, i.Value)
	}
	for _, e := range w.timeline(profile) {
		p.events = append(p.events, e.call)
	}
	facts := profile.Root.Facts()
	for _, name := range facts.Attributes.Names() {
		p.attributes[name], _ = facts.Attributes.Get(name)
	}
	p.summary = describeSummary(&facts.Summary)
	return p
}

// findByEmail notes on everybody who is found by an e-mail and has it not, or the
// other way round.
func (w *world) findByEmail(b *Book, address string, persons map[string]*person) {
	var found []*Part
	k := Key{testWorkspace, Identifier{Email, address}}
	w.fill(b, func() { found = b.Lookup(k) })
	for name, p := range persons {
		finds := slices.ContainsFunc(found, func(root *Part) bool { return root.Identifiers[0].Value == name })
		if has := p.attributes["email"] == quote(address); has != finds {
			p.attributes["(found by "+address+")"] = fmt.Sprint(finds)
		}
	}
}

func describeSummary(s *Summary) string {
	var b strings.Builder
	for _, c := range s.Counts {
		describeCount(&b, c.Name, c.Total, c.First, c.Last)
		for i, n := range c.Days {
			describeDay(&b, int64(c.Day)-int64(i), int(n))
		}
	}
	describeRecent(&b, slices.Clone(s.Recent))
	return b.String()
}

func describeCount(b *strings.Builder, name string, total, first, last int64) {
	fmt.Fprintf(b, " %s×%d from %d to %d, by day", name, total, first-epoch, last-epoch)
}

func describeDay(b *strings.Builder, day int64, count int) {
	if count > 0 {
		fmt.Fprintf(b, " %d:%d", day-epoch/(24*3600*second), count)
	}
}

func describeRecent(b *strings.Builder, recent []Ref) {
	slices.SortFunc(recent, func(x, y Ref) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Name, y.Name)) })
	b.WriteString("; recent")
	for _, r := range recent {
		fmt.Fprintf(b, " %s@%d", r.Name, r.At-epoch)
	}
}

// describe writes persons, one a line, sorted.
func describe(persons map[string]*person, summaries bool) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(persons)) {
		p := persons[name]
		slices.Sort(p.identifiers)
		slices.Sort(p.events)
		fmt.Fprintf(&b, "  %s: %v, events %v, %v", name, p.identifiers, p.events, p.attributes)
		if summaries {
			b.WriteString(p.summary)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

package profile

import (
	"slices"

	"platen/internal/event"
)

// Profile is a root with all its members, as it is read.
type Profile struct {
	Root    *Part
	Members []*Part
}

// Identifiers are all names of the profile, the root's own first. An anonymous
// id that several users claimed is named by each of them.
func (p *Profile) Identifiers() []Identifier {
	all := append([]Identifier(nil), p.Root.Identifiers...)
	for _, m := range p.Members {
		all = append(all, m.Identifiers...)
	}
	return all
}

// UserID is the profile's external id, "" while it has none.
func (p *Profile) UserID() string { return p.Root.Identifier(UserID) }

// users are the external ids of the profile: its own and those merged into it.
func (p *Profile) users() []string {
	var users []string
	for _, i := range p.Identifiers() {
		if i.Kind == UserID {
			users = append(users, i.Value)
		}
	}
	return users
}

// Spans are the stretches of time, part by part, that make the profile's timeline.
func (p *Profile) Spans() []Span {
	var spans []Span
	if len(p.Root.Claims) == 0 { // else it shows through its claimants
		spans = append(spans, Always(p.Root.ID))
	}
	users := p.users()
	for _, m := range p.Members {
		if m.Anonymous() {
			spans = append(spans, m.SpansOf(func(u string) bool { return slices.Contains(users, u) })...)
		} else {
			spans = append(spans, Always(m.ID))
		}
	}
	return spans
}

// facts folds a root and its members: claimed parts bring what their claimants
// did, merged parts bring their events and only the attributes that are lacking.
func (p *Profile) facts() Facts {
	total := p.Root.Own.clone()
	users := p.users()
	for _, m := range p.Members {
		for _, user := range m.Claimants() {
			if slices.Contains(users, user) {
				total.fold(Facts{Attributes: m.attributesOf(user), Summary: *m.share(user)})
			}
		}
	}
	for _, m := range p.Members {
		if !m.Anonymous() {
			total.inherit(m.Own)
		}
	}
	return total
}

// All gives the ids of the parts that make a profile, the root first.
func (p *Part) All() []event.ID { return append([]event.ID{p.ID}, p.Members...) }

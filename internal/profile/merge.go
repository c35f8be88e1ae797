package profile

import (
	"fmt"
	"slices"

	"platen/internal/event"
	"platen/internal/fault"
)

// Naming gives a profile that has no user id one, as /users/identify does.
type Naming struct {
	Workspace int64
	UserID    string
	Subject   Who   // whom to name: an alias, an e-mail or a phone
	Received  int64 // unix microseconds
	// Prioritization chooses among profiles that share the subject's e-mail or
	// phone; when it leaves more than one, nothing is done. Without it the choice
	// is that of a Call.
	Prioritization []Priority
}

// TouchNaming asks the book for everything that Name will read.
func (b *Book) TouchNaming(n Naming) {
	subject, target := b.subject(n), b.userRoot(n.Workspace, n.UserID)
	if subject != nil && subject.Identifier(Alias) != "" {
		b.touchMembers(target) // for sharedLabel
	}
}

// subject is the root of the profile to be named, nil for none.
func (b *Book) subject(n Naming) *Part {
	i := n.Subject.strongest()
	if _, looked := attributeOf(i.Kind); looked && len(n.Prioritization) > 0 {
		roots := prioritized(b.Lookup(Key{n.Workspace, i}), n.Prioritization)
		if len(roots) != 1 {
			return nil
		}
		return roots[0]
	}
	return b.ownerAt(b.named(n.Workspace, n.Subject), n.Received)
}

// Name gives the subject the user id: on the subject itself when the user id is
// new, else by merging the subject into the profile that has it. A subject known
// by an anonymous id only is claimed. Two profiles that both have a user id are
// never merged here (rule 4). It says whether anything was done; a refusal is a
// *fault.Error and changes nothing but that it may block an anonymous id.
func (b *Book) Name(n Naming) (done bool, err error) {
	if err := (Identifier{UserID, n.UserID}).Check(); err != nil {
		return false, err
	}
	subject, target := b.subject(n), b.userRoot(n.Workspace, n.UserID)
	if subject == nil || subject == target {
		return false, nil
	}
	if err := b.mayName(subject, target, n); err != nil {
		return false, err
	}
	switch {
	case subject.Anonymous():
		if target == nil {
			target = b.create(n.Workspace, n.Received, Identifier{UserID, n.UserID})
		}
		b.claim(subject, target, n.claim(), n.Received)
		b.touch(target, n.Received)
	case target == nil:
		b.name(subject, Identifier{UserID, n.UserID})
		b.touch(subject, n.Received)
		b.record(Record{Workspace: n.Workspace, Part: subject.ID, Into: subject.ID, At: n.Received, Kind: Identified,
			Detail: fmt.Sprintf("the profile got the external id %q", n.UserID)})
	default:
		b.merge(subject, target, n.Received)
	}
	return true, nil
}

func (n *Naming) claim() Claim { return Claim{At: n.Received, User: n.UserID} }

// mayName refuses to name what has a user id, and what the target, nil when it
// is new, cannot take.
func (b *Book) mayName(subject, target *Part, n Naming) error {
	if known := subject.Identifier(UserID); known != "" {
		return fault.New(fault.Conflict, "already_identified",
			"this profile already has the external_id %q; two known users are merged only by /users/merge", known)
	}
	if subject.Anonymous() {
		return b.mayClaim(subject, target, n.claim(), n.Received)
	}
	if target == nil {
		return nil
	}
	if target.names() >= MaxIdentifiers {
		return tooManyIdentifiers(n.UserID)
	}
	if label, taken := b.sharedLabel(subject, target); taken {
		return fault.New(fault.Conflict, "alias_label_taken",
			"user %q already has an alias with the label %q, so the two profiles are not merged", n.UserID, label)
	}
	return nil
}

// sharedLabel finds a label under which both profiles have an alias; such two are
// not merged (spec/engage.md 4.2).
func (b *Book) sharedLabel(subject, target *Part) (label string, shared bool) {
	for _, s := range subject.Identifiers {
		if s.Kind != Alias {
			continue
		}
		label, _ := AliasParts(s.Value)
		for _, id := range target.All() {
			if b.Part(id).hasLabel(label) {
				return label, true
			}
		}
	}
	return "", false
}

func (p *Part) hasLabel(label string) bool {
	return slices.ContainsFunc(p.Identifiers, func(i Identifier) bool {
		has, _ := AliasParts(i.Value)
		return i.Kind == Alias && has == label
	})
}

// merge makes a profile without members part of another. Its events stay where
// they are.
func (b *Book) merge(from, into *Part, received int64) {
	b.join(into, from)
	into.Total.inherit(from.Own)
	from.Owner = into.ID
	b.touch(from, received)
	b.touch(into, received)
	b.record(Record{Workspace: into.Workspace, Part: from.ID, Into: into.ID, At: received, Kind: Merged,
		Detail: fmt.Sprintf("merged into the profile of user %q", into.Identifier(UserID))})
}

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

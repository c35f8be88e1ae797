package profile

import (
	"fmt"
	"slices"

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
	if err := b.mayLookUp(n.Workspace, n.Subject); err != nil {
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
	return mayJoin(target, subject)
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

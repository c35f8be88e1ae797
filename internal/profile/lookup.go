package profile

import (
	"cmp"
	"math"
	"slices"

	"platen/internal/event"
	"platen/internal/fault"
)

// lookupKind is the namespace in which an attribute can be looked up.
func lookupKind(attribute string) (Kind, bool) {
	switch attribute {
	case "email":
		return Email, true
	case "phone":
		return Phone, true
	}
	return 0, false
}

// attributeOf is the attribute of such a namespace.
func attributeOf(kind Kind) (name string, ok bool) {
	switch kind {
	case Email:
		return "email", true
	case Phone:
		return "phone", true
	}
	return "", false
}

// named is the part that the strongest identifier of who names, nil for none.
// Of an e-mail or a phone it is the root of a profile.
func (b *Book) named(workspace int64, w Who) *Part {
	k := Key{workspace, w.strongest()}
	switch k.Kind {
	case BrazeID:
		return b.byBrazeID(k)
	case Email, Phone:
		return latest(b.Lookup(k))
	}
	return b.Find(k)
}

func (b *Book) byBrazeID(k Key) *Part {
	id, ok := PartOfBrazeID(k.Value)
	if !ok {
		return nil
	}
	if p := b.Part(id); p != nil && p.Workspace == k.Workspace {
		return p
	}
	return nil
}

// MaxSharers is how many parts may share an e-mail or a phone that is looked up:
// each is read at every look-up, and one that more share names no one person.
const MaxSharers = 100

// mayLookUp refuses to look for a person by an e-mail or a phone that more than
// MaxSharers parts have.
func (b *Book) mayLookUp(workspace int64, who Who) error {
	k := Key{workspace, who.strongest()}
	if !crowded(b.looks[k]) {
		return nil
	}
	return fault.Refused("too_many_profiles",
		"more than %d profiles share this %s, so it names no one person; name the profile by its user_id (external_id)", MaxSharers, k.Kind)
}

// crowded says whether more parts share an e-mail or phone than are looked up.
func crowded(sharers []event.ID) bool { return len(sharers) > MaxSharers }

// Lookup gives the roots of the profiles that have an e-mail or a phone, none
// when more than MaxSharers parts have it.
func (b *Book) Lookup(k Key) []*Part {
	k.Value = NormalLookup(k.Kind, k.Value)
	ids, known := b.looks[k]
	if !known {
		b.missingKeys[k] = struct{}{}
	}
	if !known || crowded(ids) {
		return nil
	}
	var roots []*Part
	for _, id := range ids {
		for _, root := range b.rootsOf(b.Part(id)) {
			if root.has(k.Identifier) && !slices.Contains(roots, root) {
				roots = append(roots, root)
			}
		}
	}
	return roots
}

// rootsOf are the profiles that a part belongs to: a claimed one to each of its
// claimants.
func (b *Book) rootsOf(p *Part) []*Part {
	if p == nil {
		return nil
	}
	var roots []*Part
	if len(p.Claims) == 0 {
		roots = append(roots, b.Root(p))
	}
	for _, user := range p.Claimants() {
		roots = append(roots, b.userRoot(p.Workspace, user))
	}
	return slices.DeleteFunc(roots, func(root *Part) bool { return root == nil })
}

// has says whether an e-mail or phone is the profile's now.
func (p *Part) has(i Identifier) bool {
	name, _ := attributeOf(i.Kind)
	return NormalLookup(i.Kind, p.Facts().Attributes.Text(name)) == i.Value
}

// latest chooses among the profiles that share an e-mail or phone: the one most
// recently updated that has a user id, else the one most recently updated
// (spec/engage.md 4.1). Of two updated at once it is the later made.
func latest(roots []*Part) *Part {
	roots = prioritized(roots, []Priority{PreferIdentified, PreferRecent})
	if len(roots) == 0 {
		return nil
	}
	return slices.MaxFunc(roots, func(a, b *Part) int { return cmp.Compare(a.ID, b.ID) })
}

// Priority is one wish in the choice among profiles that share an e-mail or
// phone, as the REST API writes it (spec/engage.md 4.2).
type Priority string

// The priorities. A wish that no profile meets excludes none.
const (
	PreferIdentified   Priority = "identified"   // has a user id
	PreferUnidentified Priority = "unidentified" // has none
	PreferRecent       Priority = "most_recently_updated"
	PreferOld          Priority = "least_recently_updated"
)

// rank is greatest for the profiles that meet the wish best.
func (w Priority) rank(root *Part) int64 {
	identified := root.Identifier(UserID) != ""
	switch {
	case w == PreferIdentified && identified, w == PreferUnidentified && !identified:
		return 1
	case w == PreferRecent:
		return root.Updated
	case w == PreferOld:
		return -root.Updated
	}
	return 0
}

// prioritized are the profiles left by the wishes, each applied to what the ones
// before it left.
func prioritized(roots []*Part, wishes []Priority) []*Part {
	for _, w := range wishes {
		best := int64(math.MinInt64)
		for _, root := range roots {
			best = max(best, w.rank(root))
		}
		roots = slices.DeleteFunc(roots, func(root *Part) bool { return w.rank(root) != best })
	}
	return roots
}

// lookupsOf are the identifiers by which the part is found through an attribute:
// one for each value it remembers, as it is open which will hold.
func (p *Part) lookupsOf(attribute string) []Identifier {
	kind, looked := lookupKind(attribute)
	if !looked {
		return nil
	}
	var found []Identifier
	for _, v := range p.Own.Attributes[attribute] {
		i := Identifier{kind, NormalLookup(kind, textOf(v.Value))}
		if i.Value != "" && !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	return found
}

// updateLookups writes the difference between the look-ups of a part before and
// after a change.
func (b *Book) updateLookups(p *Part, before, after []Identifier) {
	for _, i := range before {
		if !slices.Contains(after, i) {
			b.changeLookup(LookupRow{Key: Key{p.Workspace, i}, Part: p.ID, Remove: true})
		}
	}
	for _, i := range after {
		if !slices.Contains(before, i) {
			b.changeLookup(LookupRow{Key: Key{p.Workspace, i}, Part: p.ID})
		}
	}
}

func (b *Book) changeLookup(row LookupRow) {
	b.changes.Lookups = append(b.changes.Lookups, row)
	if ids, known := b.looks[row.Key]; known {
		b.looks[row.Key] = row.applied(ids)
	}
}

// applied are the parts of a key after the change; parts is written to. Of a
// crowded key not all are known, so it stays crowded while the book lives.
func (r LookupRow) applied(parts []event.ID) []event.ID {
	if crowded(parts) {
		return parts
	}
	parts = slices.DeleteFunc(parts, func(id event.ID) bool { return id == r.Part })
	if !r.Remove {
		parts = append(parts, r.Part)
	}
	return parts
}

package profile

import (
	"platen/internal/fault"
)

// Who names a person in one call. UserID goes before AnonymousID; the others are
// used by the REST API, one at a time, in the order of the fields.
type Who struct {
	UserID      string
	AnonymousID string
	Alias       string // as AliasOf writes it
	BrazeID     string
	Email       string
	Phone       string
}

// Call is one accepted statement about a person.
type Call struct {
	Workspace int64
	Who       Who
	At        int64 // unix microseconds: the sender's time, or the receipt
	Received  int64 // unix microseconds
	Claim     bool  // AnonymousID is UserID; both are needed
	Event     *Happening
	Set       []Setting
	// ExistingOnly refuses to make a new profile.
	ExistingOnly bool
}

// Setting sets one attribute: plainly to Value, or to what Change makes of the
// value that holds.
type Setting struct {
	Name  string
	Value string // compact JSON; "null" removes
	// Change works in the order of acceptance and not of the senders' times, on
	// the value from before the call; ok is false when nothing is to be changed.
	Change func(current string) (value string, ok bool)
}

// Placed says where a call was written.
type Placed struct {
	Part    *Part // where its event lies
	Root    *Part // whose profile it belongs to now
	Created bool  // the profile is new
}

// Check refuses identifiers that stand for nobody, before anything is loaded.
func (w Who) Check() error {
	named := false
	for _, i := range [...]Identifier{{UserID, w.UserID}, {AnonymousID, w.AnonymousID}, {Alias, w.Alias},
		{BrazeID, w.BrazeID}, {Email, w.Email}, {Phone, w.Phone}} {
		if i.Value == "" {
			continue
		}
		if err := i.Check(); err != nil {
			return err
		}
		named = true
	}
	if !named {
		return fault.Refused("missing_identity", "the call names nobody: it needs a user_id or an anonymous_id")
	}
	return nil
}

// strongest is the identifier that decides; its Value is "" when who names nobody.
func (w Who) strongest() Identifier {
	switch {
	case w.UserID != "":
		return Identifier{UserID, w.UserID}
	case w.AnonymousID != "":
		return Identifier{AnonymousID, w.AnonymousID}
	case w.Alias != "":
		return Identifier{Alias, w.Alias}
	case w.BrazeID != "":
		return Identifier{BrazeID, w.BrazeID}
	case w.Email != "":
		return Identifier{Email, NormalLookup(Email, w.Email)}
	}
	return Identifier{Phone, NormalLookup(Phone, w.Phone)}
}

// Touch asks the book for everything that Apply will read. The call may be
// applied when the book is complete afterwards.
//
// Several calls may be touched first and applied then, one after the other. A
// late claim on an anonymous id that an earlier one of them claimed is then left
// to Rebuild; when each is touched again right before it is applied, it is not.
func (b *Book) Touch(c Call) {
	b.Whose(c)
	if !c.Claim {
		return
	}
	if a := b.claimed(c); a != nil {
		b.touchClaim(a, c.claim())
	}
}

// Whose gives the profile a call belongs to, nil when there is none yet.
func (b *Book) Whose(c Call) *Part {
	return b.ownerAt(b.named(c.Workspace, c.Who), c.At)
}

// ownerAt is the profile to which something written under a part at a time
// belongs, nil for a nil part.
func (b *Book) ownerAt(p *Part, micros int64) *Part {
	if p == nil {
		return nil
	}
	if user := p.OwnerAt(micros); user != "" {
		return b.userRoot(p.Workspace, user)
	}
	return b.Root(p)
}

func (b *Book) userRoot(workspace int64, user string) *Part {
	return b.Root(b.Find(Key{workspace, Identifier{UserID, user}}))
}

// Apply writes a call into the book, which must be complete for it (see Touch).
// A refusal is a *fault.Error; all it may leave in the book is that the
// anonymous id it spoke of is blocked.
func (b *Book) Apply(c Call) (Placed, error) {
	part := b.named(c.Workspace, c.Who)
	if err := b.mayApply(c, part); err != nil {
		return Placed{}, err
	}
	settings, err := b.settle(c, part)
	if err != nil {
		return Placed{}, err
	}
	created := part == nil
	if created {
		part = b.createFor(c)
	}
	if c.Claim {
		b.applyClaim(c, b.Root(part))
	}
	root := b.ownerAt(part, c.At)
	if !part.Anonymous() {
		part = root // what was merged does not grow any more
	}
	for _, s := range settings {
		b.set(part, root, s, c)
	}
	if c.Event != nil {
		b.count(part, root, c)
	}
	b.touch(root, c.Received)
	return Placed{Part: part, Root: root, Created: created}, nil
}

// mayApply refuses a call that names too many profiles, or none where it must, and
// what rule 5 refuses. The part is the one the call names, nil for none.
func (b *Book) mayApply(c Call, part *Part) error {
	if err := b.mayLookUp(c.Workspace, c.Who); err != nil {
		return err
	}
	switch {
	case part == nil && (c.ExistingOnly || c.Who.strongest().Kind == BrazeID):
		return fault.New(fault.NotFound, "unknown_profile", "no profile has this identifier, and the call may not make one")
	case part != nil && part.Blocked:
		return blocked(part)
	case !c.Claim:
		return nil
	case c.Who.UserID == "" || c.Who.AnonymousID == "":
		return fault.Refused("missing_identity", "the call says who an anonymous_id is: it needs a user_id and an anonymous_id")
	}
	return b.mayClaim(b.claimed(c), b.Root(part), c.claim(), c.Received)
}

// createFor makes the profile that a call names first.
func (b *Book) createFor(c Call) *Part {
	i := c.Who.strongest()
	attribute, looked := attributeOf(i.Kind)
	if !looked {
		return b.create(c.Workspace, c.Received, i)
	}
	value := c.Who.Email
	if i.Kind == Phone {
		value = c.Who.Phone
	}
	p := b.create(c.Workspace, c.Received)
	b.set(p, p, Setting{Name: attribute, Value: quote(value)}, c)
	return p
}

// count adds the call's event to the summaries it belongs to.
func (b *Book) count(part, root *Part, c Call) {
	h := *c.Event
	h.At = c.At
	part.Own.Summary.Add(h)
	if len(part.Shares) > 0 {
		part.share(part.OwnerAt(c.At)).Add(h)
	}
	if len(root.Members) > 0 {
		root.Total.Summary.Add(h)
	}
	b.touch(part, c.Received)
}

// set gives an attribute its value, which a change has made already (see settle),
// on the part and on the profile it belongs to.
func (b *Book) set(part, root *Part, s Setting, c Call) {
	v := Version{At: c.At, Value: s.Value}
	if s.Change != nil {
		if last, ok := root.Facts().Attributes.last(s.Name); ok {
			v.At = max(v.At, last.At+1)
		}
		part = root // a later time under a shared anonymous id could be another's
	}
	before := part.lookupsOf(s.Name)
	part.setOwn(s.Name, v)
	b.updateLookups(part, before, part.lookupsOf(s.Name))
	if len(root.Members) > 0 {
		root.Total.Attributes.Set(s.Name, v, 1)
	}
	b.touch(part, c.Received)
}

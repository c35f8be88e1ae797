package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
)

// The bounds of the claims kept of one anonymous id. Programs that identify at
// every page repeat themselves: from repeatedClaims on, a claim between two of
// the same user is forgotten. It would matter only to a claim by another user
// that arrives later and is older. Beyond MaxClaims that do not repeat, claims by
// another user are refused.
const (
	MaxClaims      = 1000
	repeatedClaims = 64
)

func (c *Call) claim() Claim {
	return Claim{At: min(c.At, c.Received), User: c.Who.UserID}
}

// claimed is the anonymous part that a claim speaks of, nil when there is none yet.
func (b *Book) claimed(c Call) *Part {
	return b.Find(Key{c.Workspace, Identifier{AnonymousID, c.Who.AnonymousID}})
}

// touchClaim asks for what a late claim changes: the totals of the two users
// between whom it moves history.
func (b *Book) touchClaim(a *Part, c Claim) {
	t := a.taken(c)
	if t.from == "" {
		return
	}
	loser, winner := b.userRoot(a.Workspace, t.from), b.userRoot(a.Workspace, t.to)
	if t.late(a) {
		b.touchMembers(loser)
		b.touchMembers(winner)
	}
}

func (b *Book) touchMembers(root *Part) {
	if root == nil {
		return
	}
	for _, id := range root.Members {
		b.Part(id)
	}
}

// mayClaim holds the caps of rule 5 and of attributes. The anonymous part and the
// root of the user are nil when they do not exist yet.
func (b *Book) mayClaim(a, root *Part, c Claim, received int64) error {
	if a != nil {
		if err := b.mayShare(a, c, received); err != nil {
			return err
		}
	}
	isMember := root != nil && a != nil && slices.Contains(root.Members, a.ID)
	switch {
	case root == nil || isMember:
		return nil
	case root.names() >= MaxIdentifiers:
		return tooManyIdentifiers(c.User)
	case a != nil:
		return mayJoin(root, a)
	}
	return nil
}

// mayShare refuses one claimant or one claim too many, and blocks the id for the
// former.
func (b *Book) mayShare(a *Part, c Claim, received int64) error {
	users := a.Claimants()
	switch {
	case a.Blocked:
		return blocked(a)
	case len(users) >= MaxClaimants && !slices.Contains(users, c.User):
		b.block(a, c, received)
		return blocked(a)
	case len(a.Claims) >= MaxClaims && a.taken(c).from != c.User && !slices.Contains(a.Claims, c):
		return fault.Refused("too_many_claims", "anonymous_id %.70q changed hands %d times, the most that are kept", a.Identifier(AnonymousID), MaxClaims)
	}
	return nil
}

func (b *Book) block(a *Part, c Claim, received int64) {
	a.Blocked = true
	b.touch(a, received)
	b.record(Record{Workspace: a.Workspace, Part: a.ID, At: c.At, Kind: BlockedID,
		Detail: fmt.Sprintf("anonymous id %q was claimed by more than %d users, at last by %q", a.Identifier(AnonymousID), MaxClaimants, c.User)})
}

func blocked(a *Part) error {
	return fault.Refused("blocked_id", "anonymous_id %.70q is blocked: more than %d users claimed it, so it names no one person",
		a.Identifier(AnonymousID), MaxClaimants)
}

func tooManyIdentifiers(user string) error {
	return fault.Refused("too_many_identifiers", "user_id %q already has %d identifiers, the most a profile may hold", user, MaxIdentifiers)
}

// applyClaim makes the anonymous id of a call its user's.
func (b *Book) applyClaim(c Call, root *Part) {
	a := b.claimed(c)
	if a == nil {
		a = b.create(c.Workspace, c.Received, Identifier{AnonymousID, c.Who.AnonymousID})
	}
	b.claim(a, root, c.claim(), c.Received)
}

// claim records that an anonymous part is of the user whose root is given. The
// first claim brings all of it; a further one gives an empty share, unless it is
// late.
func (b *Book) claim(a, root *Part, c Claim, received int64) {
	i, known := slices.BinarySearchFunc(a.Claims, c, compareClaims)
	if known {
		return
	}
	t := a.taken(c)
	late := t.late(a)
	before := a.Claimants()
	a.Claims = slices.Insert(a.Claims, i, c)
	a.forgetRepeats()
	b.touch(a, received)
	b.join(root, a)
	switch {
	case len(before) == 0:
		root.Total.fold(a.Own)
	case !slices.Contains(before, c.User):
		if len(before) == 1 {
			a.addShare(before[0], a.Own.Summary.clone())
		}
		a.addShare(c.User, Summary{})
	}
	if !slices.Contains(before, c.User) {
		b.record(Record{Workspace: a.Workspace, Part: a.ID, Into: root.ID, At: c.At, Kind: Claimed,
			Detail: fmt.Sprintf("anonymous id %q is user %q", a.Identifier(AnonymousID), c.User)})
	}
	if late {
		a.Stale = true
		b.record(Record{Workspace: a.Workspace, Part: a.ID, Into: root.ID, At: c.At, Kind: Moved,
			Detail: fmt.Sprintf("a late claim gives what anonymous id %q did %s to user %q instead of %q",
				a.Identifier(AnonymousID), t, t.to, t.from)})
		b.refold(a.Workspace, t.from)
		b.refold(a.Workspace, t.to)
	}
}

// stretch is the time that a new claim takes from one user, "" for nobody, and
// gives to another: from start until before end, both unix microseconds.
type stretch struct {
	from, to   string
	start, end int64
}

// taken is what a claim that is not in the part yet would take.
func (p *Part) taken(c Claim) stretch {
	t := stretch{to: c.User, start: math.MinInt64, end: math.MaxInt64}
	i, _ := slices.BinarySearchFunc(p.Claims, c, compareClaims)
	if i > 0 {
		t.start = c.At
	}
	if i < len(p.Claims) {
		t.end = p.Claims[i].At
	}
	if len(p.Claims) > 0 {
		t.from = p.Claims[max(i-1, 0)].User
	}
	return t
}

// late says whether something that is already written may change hands.
func (t stretch) late(p *Part) bool {
	return t.from != "" && t.from != t.to && t.start < t.end && p.Own.within(t.start, t.end)
}

// String is the stretch of time in words.
func (t stretch) String() string {
	text := func(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }
	switch {
	case t.start == math.MinInt64:
		return "before " + text(t.end)
	case t.end == math.MaxInt64:
		return "from " + text(t.start) + " on"
	}
	return "from " + text(t.start) + " until " + text(t.end)
}

func (p *Part) forgetRepeats() {
	if len(p.Claims) < repeatedClaims {
		return
	}
	kept := p.Claims[:1]
	for i, c := range p.Claims[1:] {
		next := i + 2
		between := next < len(p.Claims) && kept[len(kept)-1].User == c.User && p.Claims[next].User == c.User
		if !between {
			kept = append(kept, c)
		}
	}
	p.Claims = kept
}

func compareClaims(a, b Claim) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.User, b.User))
}

// join makes a part a member of a profile.
func (b *Book) join(root, member *Part) {
	if slices.Contains(root.Members, member.ID) {
		return
	}
	if len(root.Members) == 0 {
		root.Total = root.Own.clone()
	}
	root.Members = append(root.Members, member.ID)
	b.change(root)
}

// refold makes the total of a user's profile anew, as far as its members are in
// the book.
func (b *Book) refold(workspace int64, user string) {
	root := b.userRoot(workspace, user)
	p := Profile{Root: root}
	for _, id := range root.Members {
		m := b.parts[id]
		if m == nil {
			return
		}
		p.Members = append(p.Members, m)
	}
	root.Total = p.facts()
	b.change(root)
}

// TouchRebuild asks for everything that Rebuild will read.
func (b *Book) TouchRebuild(part event.ID) {
	a := b.Part(part)
	if a == nil {
		return
	}
	for _, user := range a.Claimants() {
		b.touchMembers(b.userRoot(a.Workspace, user))
	}
}

// Rebuild divides the summary of a stale part anew between its claimants. The
// events are all that are stored of the part; those that retention has removed
// stay counted for the part alone. The book must be complete for it (see
// TouchRebuild).
func (b *Book) Rebuild(a *Part, events func(yield func(Happening) bool), received int64) {
	a.Stale, a.Shares = false, nil
	users := a.Claimants()
	if len(users) > 1 {
		for _, user := range users {
			a.addShare(user, Summary{})
		}
		for h := range events {
			a.share(a.OwnerAt(h.At)).Add(h)
		}
	}
	b.touch(a, received)
	for _, user := range users {
		b.refold(a.Workspace, user)
	}
}

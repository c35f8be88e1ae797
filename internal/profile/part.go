package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"platen/internal/event"
)

// Part is what was written under one identifier. It is the root of a profile,
// or a member of one or more: a part of an anonymous id belongs, span of time by
// span of time, to the users that claimed it; a merged part belongs to its Owner.
type Part struct {
	ID        event.ID
	Workspace int64
	Created   int64 // unix microseconds of the receipt that made it
	Updated   int64 // unix microseconds of the last receipt that wrote to it
	// LastEvent is the event stored last under this part. Stores keep it, so that
	// they find a part's events without an index.
	LastEvent event.ID

	Identifiers []Identifier
	// Claims on the anonymous id of this part, sorted by (At, User).
	Claims []Claim
	// Blocked is set when more than MaxClaimants users claimed it.
	Blocked bool
	// Stale says that a late claim moved history between claimants and Shares
	// are still as they were before it; Rebuild mends that.
	Stale bool

	Owner   event.ID   // the root it was merged into, 0 for none
	Members []event.ID // of a root: the parts that belong to the profile, oldest first

	Own Facts // what was written here
	// Shares divide Own.Summary between the claimants, sorted by user. Empty
	// while there are fewer than two.
	Shares []Share
	// Total is Own folded with what the members bring; unused while there are none.
	Total Facts
}

// Claim is a timed statement that an anonymous id is a user.
type Claim struct {
	At   int64 // unix microseconds
	User string
}

// Share is what one claimant did under a shared anonymous id.
type Share struct {
	User    string
	Summary Summary
}

// Facts are what is known of a person without reading events.
type Facts struct {
	Attributes Attributes
	Summary    Summary
}

// fold adds what was done and set elsewhere by the same person.
func (f *Facts) fold(other Facts) {
	f.Attributes.Fold(other.Attributes)
	f.Summary.Fold(other.Summary)
}

// inherit adds what a merged profile did and those of its attributes that are
// lacking. Whatever is set for the person itself, at any time, goes before them.
func (f *Facts) inherit(merged Facts) {
	for name := range merged.Attributes {
		if value, ok := merged.Attributes.Get(name); ok && len(f.Attributes[name]) == 0 {
			f.Attributes[name] = []Version{{At: inherited, Value: value}}
		}
	}
	f.Summary.Fold(merged.Summary)
}

// within says whether something may have been done or set from start until
// before end, both unix microseconds.
func (f *Facts) within(start, end int64) bool {
	for _, versions := range f.Attributes {
		if slices.ContainsFunc(versions, func(v Version) bool { return start <= v.At && v.At < end }) {
			return true
		}
	}
	first, last, any := f.Summary.Bounds()
	return any && first < end && last >= start
}

func (f *Facts) clone() Facts {
	return Facts{Attributes: f.Attributes.clone(), Summary: f.Summary.clone()}
}

// Facts gives what is known of the profile rooted here, its members included.
func (p *Part) Facts() *Facts {
	if len(p.Members) > 0 {
		return &p.Total
	}
	return &p.Own
}

// Identifier gives the first identifier of a namespace, "" when there is none.
func (p *Part) Identifier(kind Kind) string {
	for _, i := range p.Identifiers {
		if i.Kind == kind {
			return i.Value
		}
	}
	return ""
}

// names is how many identifiers the profile rooted here holds, for rule 5.
func (p *Part) names() int { return len(p.Identifiers) + len(p.Members) }

// Anonymous says whether the part is of an anonymous id.
func (p *Part) Anonymous() bool { return p.Identifier(AnonymousID) != "" }

// OwnerAt is the user to whom an event of this part at a time belongs, "" when
// nobody claimed it: the user of the last claim at or before that time, before
// all claims the first claimant.
func (p *Part) OwnerAt(micros int64) string {
	if len(p.Claims) == 0 {
		return ""
	}
	return p.Claims[max(p.claimAt(micros), 0)].User
}

// claimAt is the index of the last claim at or before a time, -1 for none.
func (p *Part) claimAt(micros int64) int {
	i, _ := slices.BinarySearchFunc(p.Claims, micros, func(c Claim, t int64) int {
		if c.At <= t {
			return -1
		}
		return 1
	})
	return i - 1
}

// Claimants are the distinct users that claimed the part, sorted.
func (p *Part) Claimants() []string {
	users := make([]string, 0, 2)
	for _, c := range p.Claims {
		if i, ok := slices.BinarySearch(users, c.User); !ok {
			users = slices.Insert(users, i, c.User)
		}
	}
	return users
}

// Span is a stretch of time in a part, From inclusive, To exclusive, both unix
// microseconds.
type Span struct {
	Part     event.ID
	From, To int64
}

// Always is the span of everything written under a part.
func Always(part event.ID) Span {
	return Span{Part: part, From: math.MinInt64, To: math.MaxInt64}
}

// SpansOf gives the stretches of this part's time that belong to any of users.
func (p *Part) SpansOf(users func(string) bool) []Span {
	var spans []Span
	from := int64(math.MinInt64)
	for i, c := range p.Claims {
		to := int64(math.MaxInt64)
		if i+1 < len(p.Claims) {
			to = p.Claims[i+1].At
		}
		if users(c.User) && to > from {
			if n := len(spans); n > 0 && spans[n-1].To == from {
				spans[n-1].To = to
			} else {
				spans = append(spans, Span{Part: p.ID, From: from, To: to})
			}
		}
		from = to
	}
	return spans
}

// share is the summary of what one user did under this part.
func (p *Part) share(user string) *Summary {
	if len(p.Shares) == 0 {
		return &p.Own.Summary
	}
	if i, ok := p.findShare(user); ok {
		return &p.Shares[i].Summary
	}
	return &Summary{}
}

func (p *Part) findShare(user string) (int, bool) {
	return slices.BinarySearchFunc(p.Shares, user, func(s Share, u string) int { return cmp.Compare(s.User, u) })
}

// addShare gives a user that has no share yet one.
func (p *Part) addShare(user string, s Summary) {
	i, _ := p.findShare(user)
	p.Shares = slices.Insert(p.Shares, i, Share{User: user, Summary: s})
}

// attributesOf are the values that one user set under this part.
func (p *Part) attributesOf(user string) Attributes {
	set := Attributes{}
	for name, versions := range p.Own.Attributes {
		for _, v := range versions {
			if p.OwnerAt(v.At) == user {
				set.Set(name, v, 1)
			}
		}
	}
	return set
}

// setOwn records a value among those written here. Of an anonymous id it keeps
// the earlier ones too: whose they are may change with the next claim.
func (p *Part) setOwn(name string, v Version) {
	if !p.Anonymous() {
		p.Own.Attributes.Set(name, v, 1)
		return
	}
	p.Own.Attributes.Set(name, v, MaxVersions+1)
	if versions := p.Own.Attributes[name]; len(versions) > MaxVersions {
		i := p.replaced(versions)
		p.Own.Attributes[name] = slices.Delete(slices.Clone(versions), i, i+1)
	}
}

// replaced is the index of the oldest version that its user has set anew since.
// There is one, as there are more versions than users.
func (p *Part) replaced(versions []Version) int {
	for i, v := range versions {
		user := p.OwnerAt(v.At)
		if slices.ContainsFunc(versions[i+1:], func(later Version) bool { return p.OwnerAt(later.At) == user }) {
			return i
		}
	}
	return 0
}

// BrazeIDOf is the 24-digit hexadecimal id under which the REST API shows a part.
func BrazeIDOf(id event.ID) string { return fmt.Sprintf("%024x", uint64(id)) }

// PartOfBrazeID reads what BrazeIDOf wrote; ok is false for anything else.
func PartOfBrazeID(s string) (event.ID, bool) {
	if len(s) != 24 {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 16, 63)
	return event.ID(v), err == nil && v > 0
}

package campaign

import (
	"encoding/binary"
	"hash/fnv"

	"platen/internal/event"
	"platen/internal/filter"
)

// Matches says whether an event sets the campaign off. The subject is the profile
// as it was before the event, with the event's properties.
func (t *Trigger) Matches(eventName string, s *filter.Subject) bool {
	return t.Event == eventName && filter.Matches(t.Where, s)
}

// WhyNot says in one line why an event does not set the campaign off, "" when it
// does.
func (t *Trigger) WhyNot(eventName string, s *filter.Subject) string {
	if t.Event != eventName {
		return "the trigger is the event " + t.Event + ", not " + eventName
	}
	return filter.WhyNot(t.Where, s)
}

// Admits says whether the profile is in the campaign's audience, and otherwise
// why not: a reason and one line for people.
func (c *Campaign) Admits(s *filter.Subject) (ok bool, reason Reason, detail string) {
	if filter.Matches(c.Audience, s) {
		return true, "", ""
	}
	return false, NotInAudience, filter.WhyNot(c.Audience, s)
}

// VariantOf finds a variant by its id, nil when there is none.
func (c *Campaign) VariantOf(id string) *Variant {
	for i := range c.Variants {
		if c.Variants[i].ID == id {
			return &c.Variants[i]
		}
	}
	return nil
}

// Choose gives the variant for a profile, nil for the control group. The choice
// is pseudo-random and stable: a hash of profile and campaign, modulo 100, falls
// into the slices of the variants in their order, the control group last
// (shared/spec/engage.md section 5.5).
func (c *Campaign) Choose(profile event.ID) *Variant {
	slot := c.slot(profile)
	for i := range c.Variants {
		if slot -= c.Variants[i].Percent; slot < 0 {
			return &c.Variants[i]
		}
	}
	return nil
}

// slot is a number from 0 to 99.
func (c *Campaign) slot(profile event.ID) int {
	h := fnv.New64a()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(profile))
	h.Write(b[:])
	h.Write([]byte(c.ID))
	return int(mix(h.Sum64()) % 100)
}

// mix spreads a hash whose low bits follow the input too closely: ids that were
// given one after another differ in few bits. The constants are those of the
// finalizer of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}

package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// Source is one collector endpoint, /behavioral/{Key}. Its mappings are compiled
// by the registry of documents, which keeps them beside it.
type Source struct {
	Workspace int64
	Name      string
	Key       string // unique on the server
	Username  string
	Password  Digest
	Policies  Policies
}

// Authenticate checks Basic credentials in a time that does not depend on how
// much of them is right.
func (s *Source) Authenticate(username, password string) bool {
	want, got := sha256.Sum256([]byte(s.Username)), sha256.Sum256([]byte(username))
	nameOK := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	passwordOK := s.Password.Verify(password)
	return nameOK && passwordOK
}

// Policies are the choices of a source where senders differ.
type Policies struct {
	// MaxAge is how old an event may be when it arrives; 0 admits any age.
	MaxAge time.Duration
	JSON   JSONPolicy
	Links  LinkPolicy
	// DedupeContent is how long an event with the same content and the same own
	// time counts as a duplicate; 0 is off.
	DedupeContent time.Duration
}

// DefaultPolicies are what holds for a source that says nothing.
func DefaultPolicies() Policies {
	return Policies{MaxAge: 30 * 24 * time.Hour, JSON: StrictJSON, Links: LinkByIdentify}
}

// JSONPolicy says how bodies that are not quite JSON are read.
type JSONPolicy string

// The JSON policies.
const (
	StrictJSON  JSONPolicy = "strict"  // RFC 8259 or a 400
	LenientJSON JSONPolicy = "lenient" // comment lines dropped, commas mended, with warnings
)

// LinkPolicy says which calls join an anonymous id to a user.
type LinkPolicy string

// The link policies.
const (
	LinkByIdentify LinkPolicy = "identify" // only an identify with both ids
	LinkByTrack    LinkPolicy = "track"    // a track with both ids as well
)

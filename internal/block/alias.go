package block

import "regexp"

var (
	publicID = regexp.MustCompile(`^[0-9a-f]{16}$`)
	alias    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
)

// IsPublicID says whether a text has the form of a public id: 16 hex digits in
// lower case, as in the addresses of shared/spec/collector-and-content.md section 6.
func IsPublicID(text string) bool { return publicID.MatchString(text) }

// IsAlias says whether a block of this name can be addressed by it: it fits into
// a URL as it stands and cannot be taken for a public id.
func IsAlias(name string) bool { return alias.MatchString(name) && !IsPublicID(name) }

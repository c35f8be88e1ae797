// Package profile decides who did it: identifiers, timed claims, attributes and
// the bounded summary, as pure functions over the parts of a Book. It reads and
// writes nothing itself.
//
// A person is stored as parts. A part is what was written under one identifier
// that was new when it arrived: its events lie under the part's id and never
// move. A profile is a root part (of a user id, an alias, an e-mail) and the
// members that were claimed for it or merged into it. Whose an event of an
// anonymous part is follows from the part's claims and the event's time alone,
// so the order in which calls arrive does not matter.
package profile

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"platen/internal/fault"
)

// Kind is the namespace of an identifier.
type Kind uint8

// The namespaces, as they are stored. Email and Phone are not identifiers: they
// are attributes that can be looked up and may belong to several profiles.
const (
	UserID      Kind = 1
	AnonymousID Kind = 2
	Alias       Kind = 3
	BrazeID     Kind = 4
	Email       Kind = 5
	Phone       Kind = 6
)

// String is the namespace as the API names it.
func (k Kind) String() string {
	switch k {
	case UserID:
		return "user_id"
	case AnonymousID:
		return "anonymous_id"
	case Alias:
		return "user_alias"
	case BrazeID:
		return "braze_id"
	case Email:
		return "email"
	case Phone:
		return "phone"
	}
	return "unknown"
}

// Identifier is one name of a profile within a workspace.
type Identifier struct {
	Kind  Kind
	Value string
}

// AliasOf is the identifier of an alias, unique by label and name together. A
// NUL divides the two; Check refuses one in the name, and a label that holds one
// gives such a name.
func AliasOf(label, name string) Identifier {
	return Identifier{Kind: Alias, Value: label + "\x00" + name}
}

// AliasParts gives the label and the name of an alias's value.
func AliasParts(value string) (label, name string) {
	label, name, _ = strings.Cut(value, "\x00")
	return label, name
}

// NormalLookup is the form in which an e-mail address or a phone number is
// looked up: trimmed, the e-mail in lower case.
func NormalLookup(kind Kind, value string) string {
	value = strings.TrimSpace(value)
	if kind == Email {
		return strings.ToLower(value)
	}
	return value
}

// The limits of the identity rules. What lies beyond is refused with a reason.
const (
	MaxClaimants   = 20   // users that may claim one anonymous id
	MaxIdentifiers = 1000 // identifiers of one profile
	MaxValueBytes  = 512  // of one identifier
)

// mergeTag finds what a mail tool leaves behind when it did not fill in a value.
var mergeTag = regexp.MustCompile(`\{\{|\{%|\$\{|%%[^%]+%%|\*\|[^|]*\|\*`)

// hollow are values that say "nobody", as the languages of the senders write
// them. Their usual hashes say the same: md5 of a missing e-mail would otherwise
// be one giant person.
var hollow = hollowValues()

func hollowValues() map[string]bool {
	plain := []string{
		"", "null", "Null", "undefined", "Undefined", "0", "nil", "None", "NaN", "[object Object]",
		"{{${email_address}}}", "{{${user_id}}}", "{{email}}", "{{user_id}}",
		"%%email%%", "%%emailaddr%%", "%%email_key%%", "%%_subscriberkey%%", "*|EMAIL|*", "*|UNIQID|*",
	}
	values := make(map[string]bool, 10*len(plain))
	for _, p := range plain {
		values[strings.ToLower(p)] = true
		for _, s := range []string{p, strings.ToLower(p), strings.ToUpper(p)} {
			m, s1, s2 := md5.Sum([]byte(s)), sha1.Sum([]byte(s)), sha256.Sum256([]byte(s))
			values[hex.EncodeToString(m[:])] = true
			values[hex.EncodeToString(s1[:])] = true
			values[hex.EncodeToString(s2[:])] = true
		}
	}
	return values
}

// Check refuses a value that cannot name one person: empty, null, undefined, 0,
// an unrendered merge tag, or the hex hash of any of these (rule 5). Of an alias
// it is the name that must name somebody.
func (i Identifier) Check() error {
	v := i.Value
	if i.Kind == Alias {
		label, name := AliasParts(v)
		if strings.TrimSpace(label) == "" || strings.TrimSpace(name) == "" {
			return fault.Refused("bad_identifier", "an alias needs a label and a name, both not empty")
		}
		v = name
	}
	switch v := strings.TrimSpace(v); {
	case v == "":
		return fault.Refused("bad_identifier", "%s is empty: leave the key out when the sender does not know it", i.Kind)
	case len(i.Value) > MaxValueBytes:
		return fault.Refused("bad_identifier", "%s is %d bytes long, at most %d are kept", i.Kind, len(i.Value), MaxValueBytes)
	case strings.IndexByte(v, 0) >= 0:
		return fault.Refused("bad_identifier", "%s holds a NUL character, which no name has", i.Kind)
	case strings.ContainsAny(v, "{%|") && mergeTag.MatchString(v):
		return fault.Refused("bad_identifier", "%s holds an unrendered merge tag (%.40q): the sender did not fill in the person's value", i.Kind, v)
	case hollow[strings.ToLower(v)]:
		return fault.Refused("bad_identifier", "%s is %.70q, which stands for nobody (an empty value or its hash): one person would gather everyone's events", i.Kind, v)
	}
	return nil
}

package engage

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/profile"
)

// whoReaders read the identifiers of an object, the deciding one first.
var whoReaders = []func(object, *profile.Who) error{readExternalID, readAlias, readBrazeID, readEmail, readPhone}

// readWho finds the one identifier that says whom an object is about. Weaker ones
// beside it are none: an email next to an external_id is an attribute.
func readWho(o object) (who profile.Who, err error) {
	for _, read := range whoReaders {
		if err := read(o, &who); err != nil {
			return profile.Who{}, err
		}
		if who != (profile.Who{}) {
			return who, nil
		}
	}
	return profile.Who{}, errNobody
}

func readExternalID(o object, who *profile.Who) error {
	id, err := event.ParseID(o["external_id"]) // integers are taken, as by the original
	if err != nil {
		return notValid("external_id", "cannot be read: %s", fault.From(err).Message)
	}
	who.UserID = id
	return checked("external_id", profile.Identifier{Kind: profile.UserID, Value: id})
}

func readAlias(o object, who *profile.Who) error {
	if !o.sent("user_alias") {
		return nil
	}
	alias, _ := objectOf(o["user_alias"])
	name, errName := event.ParseID(alias["alias_name"])
	label, errLabel := event.ParseID(alias["alias_label"])
	if errName != nil || errLabel != nil || name == "" || label == "" {
		return notValid("user_alias", "is an object with an alias_name and an alias_label")
	}
	i := profile.AliasOf(label, name)
	who.Alias = i.Value
	return checked("user_alias", i)
}

func readBrazeID(o object, who *profile.Who) error {
	if !o.sent("braze_id") {
		return nil
	}
	id, ok := textIn(o["braze_id"])
	if !ok {
		return notValid("braze_id", "is a string")
	}
	who.BrazeID = id
	return checked("braze_id", profile.Identifier{Kind: profile.BrazeID, Value: id})
}

func readEmail(o object, who *profile.Who) error {
	if !o.sent("email") {
		return nil
	}
	address, err := emailIn(o)
	if err != nil {
		return err
	}
	who.Email = address
	return checked("email", profile.Identifier{Kind: profile.Email, Value: address})
}

func readPhone(o object, who *profile.Who) error {
	if !o.sent("phone") {
		return nil
	}
	number, err := phoneIn(o)
	if err != nil {
		return err
	}
	who.Phone = number
	return checked("phone", profile.Identifier{Kind: profile.Phone, Value: number})
}

// checked holds rule 5 for an identifier that was sent.
func checked(field string, i profile.Identifier) error {
	if i.Value == "" {
		return nil
	}
	if err := i.Check(); err != nil {
		return badIdentifier(i.Kind, field, err)
	}
	return nil
}

// emailIn reads the e-mail address of an object, without spaces around it.
func emailIn(o object) (string, error) {
	text, ok := textIn(o["email"])
	address := strings.TrimSpace(text)
	if !ok || !isEmail(address) {
		return "", errEmail
	}
	return address, nil
}

// isEmail takes what mail systems take: one address without a name, at most 254
// bytes (RFC 5321), of a domain with a dot in it.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 {
		return false
	}
	domain := s[strings.LastIndexByte(s, '@')+1:]
	labels := strings.Split(domain, ".")
	return len(labels) > 1 && !slices.Contains(labels, "")
}

// phoneIn reads the phone number of an object, without spaces around it. Any
// form with a digit in it is taken.
func phoneIn(o object) (string, error) {
	text, ok := textIn(o["phone"])
	number := strings.TrimSpace(text)
	if !ok || !strings.ContainsFunc(number, unicode.IsDigit) || tooLong(number) {
		return "", notValid("phone", "is a string with a phone number")
	}
	return number, nil
}

package engage

import (
	"errors"
	"fmt"
	"strings"

	"platen/internal/fault"
	"platen/internal/profile"
)

// refusal is a fault with the words in which the original refuses the same, as
// its clients know them (spec 4.1). The fault says more; it goes to quarantine.
type refusal struct {
	text  string
	fault *fault.Error
}

func (r *refusal) Error() string { return r.fault.Error() }

// Unwrap gives the fault.
func (r *refusal) Unwrap() error { return r.fault }

// textOf is what an answer says of an object that was refused.
func textOf(err error) string {
	if r := new(refusal); errors.As(err, &r) {
		return r.text
	}
	return fault.From(err).Safe()
}

// missing refuses an object that lacks a required field.
func missing(field string) error {
	return &refusal{
		text:  fmt.Sprintf("'%s' is required", field),
		fault: fault.Refused("missing_field", "%s is missing", field).In(pointer(field)),
	}
}

// notValid refuses the value of a field; the rest says what it should be.
func notValid(field, format string, args ...any) error {
	return &refusal{
		text:  fmt.Sprintf("'%s' is not valid", field),
		fault: fault.Refused("bad_field", "%s %s", field, fmt.Sprintf(format, args...)).In(pointer(field)),
	}
}

// badProperties refuses the properties of an event or a purchase.
func badProperties(format string, args ...any) error {
	return &refusal{
		text:  "Invalid 'properties' field",
		fault: fault.Refused("bad_properties", format, args...).In("/properties"),
	}
}

var errEmail = &refusal{
	text:  "The value provided for the 'email' field is not a valid email.",
	fault: fault.Refused("bad_email", "email is not an e-mail address").In("/email"),
}

// badIdentifier refuses an identifier that stands for nobody. Only of external
// ids is it known what the original says.
func badIdentifier(kind profile.Kind, field string, err error) error {
	f := fault.From(err).In(pointer(field))
	if kind != profile.UserID {
		return f
	}
	return &refusal{text: "provided external_id is blacklisted and disallowed", fault: f}
}

var errNobody = &refusal{
	text: "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required",
	fault: fault.Refused("missing_identity",
		"the object names nobody: it needs an external_id, a user_alias, a braze_id, an email or a phone"),
}

// pointer is the JSON pointer (RFC 6901) to a field of the refused object.
func pointer(field string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(field)
}

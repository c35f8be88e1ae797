package content

import (
	"context"
	"errors"
	"fmt"

	"platen/internal/block"
)

// Reasons for which the fallback is shown, beside those of package block.
const (
	NoPerson       block.Reason = "no_person"       // the address has no mi_u
	UnusablePerson block.Reason = "unusable_person" // mi_u is a merge tag that was not filled in, or stands for nobody
	NoSuchItem     block.Reason = "no_such_item"    // the rule found fewer items than the address asks for
	TooSlow        block.Reason = "too_slow"        // the Deadline passed
	StoreFailed    block.Reason = "store_failed"
	LiquidFailed   block.Reason = "liquid_failed" // the Liquid of the block's link
	DrawingFailed  block.Reason = "drawing_failed"
)

// Reasons for which a click does not lead where it was meant to, beside those
// for which the fallback is shown.
const (
	NoLink         block.Reason = "no_link"          // the block has none, or it is empty for this person
	BadLink        block.Reason = "bad_link"         // it is no http or https address
	LinkNotAllowed block.Reason = "link_not_allowed" // its host is not among the workspace's link domains
)

// failure is why something personal cannot be given.
type failure struct {
	reason block.Reason
	detail string // one line for people
	cause  error  // what went wrong on our side, for the log; nil where nothing did

	decision *decision // how far it was decided; nil while the person is not known
}

func (f *failure) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %v", f.detail, f.cause)
	}
	return f.detail
}

func (f *failure) Unwrap() error { return f.cause }

// mayBeKnown says whether the person may have a profile, as far as the failure
// tells.
func (f *failure) mayBeKnown(person string) bool {
	switch f.reason {
	case NoPerson, UnusablePerson, block.UnknownPerson:
		return false
	}
	return checkPerson(person) == nil // it may have failed before it was checked
}

// failed finds the failure in an error. What ended because time was up is too
// slow, whoever noticed it first.
func failed(err error) *failure {
	var f *failure
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &failure{reason: TooSlow, detail: "it was not done in time", cause: err}
	case errors.As(err, &f):
		return f
	}
	return &failure{reason: DrawingFailed, detail: "the picture could not be drawn; the log has the details", cause: err}
}

func storeFailure(err error) error {
	return &failure{reason: StoreFailed, detail: "the store could not be read; the log has the details", cause: err}
}

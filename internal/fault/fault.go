// Package fault holds the one error type that may reach a person.
//
// A fault carries a code that is mapped to HTTP once, a reason that scripts may
// rely on, a message that is safe to show, and the place of the mistake. Every
// other error is internal: its text goes to the log and never into an answer.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Code is the class of a fault.
type Code string

// The codes of the design, each with one HTTP status.
const (
	Invalid      Code = "invalid"      // 400; 422 where the fault has Unprocessable set
	NotFound     Code = "not_found"    // 404
	Conflict     Code = "conflict"     // 409
	Unauthorized Code = "unauthorized" // 401
	Forbidden    Code = "forbidden"    // 403
	TooLarge     Code = "too_large"    // 413
	RateLimited  Code = "rate_limited" // 429
	Unavailable  Code = "unavailable"  // 503
	Internal     Code = "internal"     // 500
)

// Error is a fault. The zero values of all fields but Code and Message mean
// "not known".
type Error struct {
	Code    Code
	Reason  string // stable machine word, as "too_old" or "unmapped"
	Message string // safe to show to whoever sent the request

	Pointer string // JSON pointer (RFC 6901) to the offending value
	Line    int    // 1-based line in the offending text
	Column  int    // 1-based column in characters

	// Unprocessable marks input that was read well but cannot be accepted as
	// it stands: 422 instead of 400.
	Unprocessable bool
	// RetryAfter is how long to wait before the same request may succeed.
	RetryAfter time.Duration

	cause error
}

// New makes a fault. The arguments are formatted into the message, so they must
// be safe to show.
func New(code Code, reason, format string, args ...any) *Error {
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Refused makes a fault for input that was understood and is not accepted (422).
func Refused(reason, format string, args ...any) *Error {
	e := New(Invalid, reason, format, args...)
	e.Unprocessable = true
	return e
}

// Because attaches an internal cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// At attaches a line and a column, both counted from 1.
func (e *Error) At(line, column int) *Error {
	c := *e
	c.Line, c.Column = line, column
	return &c
}

// In attaches a JSON pointer.
func (e *Error) In(pointer string) *Error {
	c := *e
	c.Pointer = pointer
	return &c
}

// Error gives the safe message with its place, and the cause for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Safe() + ": " + e.cause.Error()
	}
	return e.Safe()
}

// Safe is the message with its place, fit to be shown.
func (e *Error) Safe() string {
	var b strings.Builder
	b.WriteString(e.Message)
	switch {
	case e.Line > 0:
		fmt.Fprintf(&b, " (line %d, column %d)", e.Line, e.Column)
	case e.Pointer != "":
		fmt.Fprintf(&b, " (at %s)", e.Pointer)
	}
	return b.String()
}

// Unwrap gives the internal cause.
func (e *Error) Unwrap() error { return e.cause }

// From finds the fault in err. An error that holds none becomes an Internal
// fault with a message that tells nothing; nil stays nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Reason: "internal", Message: "something went wrong on our side; the log has the details", cause: err}
}

// CodeOf is the code of err, Internal for an error that is no fault and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// ReasonOf is the machine word of err, "" for nil.
func ReasonOf(err error) string {
	if err == nil {
		return ""
	}
	return From(err).Reason
}

// Status is the HTTP status of a fault.
func (e *Error) Status() int {
	switch e.Code {
	case Invalid:
		if e.Unprocessable {
			return http.StatusUnprocessableEntity
		}
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case Unauthorized:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case RateLimited:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

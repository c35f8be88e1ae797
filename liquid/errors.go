package liquid

import (
	"strconv"
	"unicode/utf8"
)

// Kind is the class of an [Error].
type Kind uint8

const (
	// KindSyntax is found when a template is parsed.
	KindSyntax Kind = iota + 1
	// KindRender is a template that reads well and cannot be carried out on the
	// data given, as a division by zero.
	KindRender
	// KindLimit says that one of [Limits] was hit, or that the context ended;
	// Unwrap then gives the context's error.
	KindLimit
	// KindAbort is an abort_message tag. Message is the text to log.
	KindAbort
	// KindOutside says that a [Fetcher], [Catalogs], [Codes] or [Partials] failed;
	// Unwrap gives its error.
	KindOutside
)

// String returns the name of the kind in lower case.
func (k Kind) String() string {
	return [...]string{"unknown", "syntax", "render", "limit", "abort", "outside"}[k]
}

// Error is the only type of error that this package returns for a template.
type Error struct {
	Kind    Kind
	Message string // what is wrong and what was expected, without the place
	Pos     Pos    // where, in the source given to Parse
	Text    string // the offending source text, cut to 80 bytes
	// Partial names the partial, the snippet or the text from outside that holds
	// Pos; it is "" for the template itself.
	Partial string

	cause error
}

// Error gives place and message, as `line 3, column 5: unknown tag "fro"`.
func (e *Error) Error() string {
	if e.Pos.Line == 0 {
		return e.Message
	}
	place := "line " + strconv.Itoa(e.Pos.Line) + ", column " + strconv.Itoa(e.Pos.Column) + ": "
	if e.Partial != "" {
		place = e.Partial + ", " + place
	}
	return place + e.Message
}

// Unwrap returns the error that caused this one, or nil: the context's error, or
// what something outside returned.
func (e *Error) Unwrap() error { return e.cause }

// excerpt cuts offending text to what fits into a message.
func excerpt(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// failure is an error that does not know its place yet: filters and value
// conversions return it, and the expression that called them adds the place.
type failure struct {
	kind    Kind
	message string
	cause   error
}

func (f *failure) Error() string { return f.message }

func failed(message string) error { return &failure{kind: KindRender, message: message} }

// outside is the failure of something that [Input] gave.
func outside(what string, err error) error {
	return &failure{KindOutside, what + ": " + err.Error(), err}
}

func exceeded(message string) error { return &failure{kind: KindLimit, message: message} }

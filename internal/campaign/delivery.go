package campaign

import (
	"slices"
	"time"

	"platen/internal/event"
	"platen/internal/outbound"
	"platen/internal/personalize"
)

// State is how far a delivery is.
type State string

// The states of a delivery. The last three are final.
const (
	Queued    State = "queued"    // waits for its due time, for the first or for another attempt
	Delivered State = "delivered" // the receiver answered 2xx
	Failed    State = "failed"    // it was tried and will not be tried again
	NotSent   State = "not_sent"  // it was never tried; Reason says why
)

// Delivery is one message for one profile, or the row that says why there is none.
type Delivery struct {
	ID        event.ID
	Workspace int64
	Campaign  string
	Variant   string // "" in the control group and where none was chosen
	Profile   event.ID
	Event     event.ID // the event that triggered it

	State    State
	Reason   Reason // why it was not sent or failed
	Detail   string // one line for people beside the reason
	Due      time.Time
	Created  time.Time
	Finished time.Time // zero while it is queued
	Attempts int
	PutBack  int // how often it could not be rendered yet, for want of connected content

	Host    string   // of the request, as workspace.HostOf writes it
	Request *Request // nil until it was rendered

	Extras map[string]string // of message_extras, for people; nil for none
	// Calls are those of connected content that had no usable answer, the latest
	// MaxCalls.
	Calls []personalize.Call
}

// MaxCalls is how many calls of connected content are kept with a delivery
// (shared/spec/engage.md section 1.6).
const MaxCalls = 20

// AddCalls keeps calls of connected content, as long as they are among the latest.
func (d *Delivery) AddCalls(calls []personalize.Call) {
	d.Calls = append(slices.Clip(d.Calls), calls...)
	d.Calls = d.Calls[max(0, len(d.Calls)-MaxCalls):]
}

// WebhookID is the id under which every attempt of this delivery is sent, so that
// a receiver can recognise a retry.
func (d *Delivery) WebhookID() string { return "dlv_" + d.ID.String() }

// Request is a rendered webhook as it is stored and sent, without credentials.
type Request struct {
	Method     string
	URL        string
	Header     [][2]string // in the order of the definition
	Body       []byte
	Credential string // name of the credential that is added when it is sent
}

// ShownHeader is the header as people may see it. The definition of a webhook may
// hold an API key as the text of a header.
func (r *Request) ShownHeader() [][2]string {
	shown := slices.Clone(r.Header)
	for i, line := range shown {
		shown[i][1] = outbound.Redact(line[0], line[1])
	}
	return shown
}

// Attempt is one try of a delivery over HTTP.
type Attempt struct {
	Delivery   event.ID
	Number     int // from 1
	At         time.Time
	Duration   time.Duration
	Status     int    // 0 when there was no answer
	Error      Reason // why there was no answer, or no whole one
	Message    string // one line for people
	Response   []byte // the first MaxResponse bytes of the answer's body; nothing of a private one
	RemoteAddr string
}

// MaxResponse is how many bytes of an answer are kept with an attempt.
const MaxResponse = 4 << 10

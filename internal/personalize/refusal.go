package personalize

// Reason is a machine word that says why a message is not sent.
type Reason string

// The reasons that lie outside of the text, with the names of Braze's abort types
// where one fits (shared/spec/engage.md section 1.7).
const (
	CredentialGone     Reason = "credential_does_not_exist"
	CredentialHost     Reason = "credential_host_mismatch" // the rendered URL leaves the credential's host
	PromotionGone      Reason = "promotion_list_does_not_exist"
	PromotionExpired   Reason = "promotion_list_expired"
	PromotionExhausted Reason = "promotion_exhausted" // every code is given
	TooManyCalls       Reason = "too_many_connected_content_calls"
	ExhaustedContent   Reason = "exhausted_cc_retries" // connected content with :retry was not to be had
)

// Refusal is the error of a tag for which the message must not be sent.
type Refusal struct {
	Reason Reason
	Detail string // one line for people
}

// Error gives reason and detail.
func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Detail }

// Unavailable is the error of a call with :retry that had no usable answer: the
// message is to be rendered again later.
type Unavailable struct {
	Detail     string // one line for people
	Status     int    // 0 when there was no answer
	Cause      error  // of internal/outbound; nil where there was an answer
	RetryAfter string // the header of that name, "" for none
}

// Error gives the detail.
func (u *Unavailable) Error() string { return u.Detail }

// Unwrap gives the cause.
func (u *Unavailable) Unwrap() error { return u.Cause }

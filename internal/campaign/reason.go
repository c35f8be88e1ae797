package campaign

import "platen/internal/personalize"

// Reason is a machine word that says why a delivery was not sent, why an attempt
// had no answer, or why it was given up. Scripts may rely on it.
type Reason string

// Reasons for which nothing is sent, with the names of Braze's abort types where
// one fits (shared/spec/engage.md section 1.7).
const (
	CampaignDisabled   Reason = "campaign_disabled"       // it was stopped or archived before the send
	CampaignGone       Reason = "campaign_does_not_exist" // it was removed before the send
	VariantGone        Reason = "message_variation_does_not_exist"
	NotInAudience      Reason = "user_not_in_segment"
	LiquidAbort        Reason = "liquid_abort_message"
	TemplateParseError Reason = "template_parse_error"
	ControlGroup       Reason = "control_group"
	RenderError        Reason = "render_error" // the template failed on this person's data
	ProfileGone        Reason = "profile_does_not_exist"
	EventGone          Reason = "event_does_not_exist" // it was removed before the message was rendered
)

// Reasons for which nothing is sent that tags of the text give.
const (
	CredentialGone     = Reason(personalize.CredentialGone)
	CredentialHost     = Reason(personalize.CredentialHost)
	PromotionGone      = Reason(personalize.PromotionGone)
	PromotionExpired   = Reason(personalize.PromotionExpired)
	PromotionExhausted = Reason(personalize.PromotionExhausted)
	TooManyCalls       = Reason(personalize.TooManyCalls)
	ExhaustedContent   = Reason(personalize.ExhaustedContent)
)

// ContentUnavailable is the reason why a message waits to be rendered again:
// connected content with :retry was not to be had.
const ContentUnavailable Reason = "connected_content_unavailable"

// Reasons for which there is no answer. The first four are Braze's abort types.
const (
	HTTPTimeout     Reason = "http_timeout"
	SSLError        Reason = "ssl_error"
	MissingHostname Reason = "missing_hostname"
	BlockedURL      Reason = "blocked_webhook_url" // the address or the scheme is closed, or the URL holds credentials
	DNSError        Reason = "dns_error"
	ConnectError    Reason = "connect_error"
	ProtocolError   Reason = "protocol_error"  // what came back was no HTTP, or broke off
	BadRequest      Reason = "bad_request"     // method or headers cannot be sent
	ReplyTooLarge   Reason = "reply_too_large" // there was one, with a head that was too long to read
	InternalError   Reason = "internal_error"  // the program itself failed; its log says where
)

// Reasons for which a delivery is given up after an answer.
const (
	InvalidStatus    Reason = "invalid_http_status" // an answer that is not tried again
	ExhaustedRetries Reason = "exhausted_retries"
)

package ingest

import (
	"slices"

	"platen/internal/event"
	"platen/internal/fault"
)

// Quarantined is what was refused, with the reason.
type Quarantined struct {
	ID        event.ID
	Workspace int64
	Source    string
	Received  int64 // unix microseconds
	Event     string
	Reason    string // machine word
	Message   string
	Pointer   string
	Raw       []byte // the sender's text, at most MaxQuarantineBytes
}

// MaxQuarantineBytes bounds the text kept of one refused event.
const MaxQuarantineBytes = 64 << 10

// quarantined keeps a sender's text with why it was refused.
func quarantined(why *fault.Error, raw []byte) Quarantined {
	return Quarantined{Reason: why.Reason, Message: why.Safe(), Pointer: why.Pointer,
		Raw: slices.Clone(raw[:min(len(raw), MaxQuarantineBytes)])}
}

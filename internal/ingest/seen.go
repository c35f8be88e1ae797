package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"io"

	"platen/internal/event"
)

// SeenKey is the hash by which a duplicate is recognised: of the workspace, of
// where the id came from, and of the id itself.
type SeenKey [16]byte

// SeenRow keeps a key with the event that was stored for it.
type SeenRow struct {
	Key   SeenKey
	Event event.ID
}

// SeenBy says which of a request's ids a key was made from; ids of different
// origin never meet.
type SeenBy byte

// The origins, strongest first.
const (
	ByIdempotencyKey SeenBy = 'i' // the Idempotency-Key header and the event's index
	ByWebhookID      SeenBy = 'w' // the webhook-id header and the event's index
	ByMessageID      SeenBy = 'm' // messageId or event_id of the body
	ByContent        SeenBy = 'c' // the whole body, where the source's policy says so
	// ByRefusal is for items that a handler refused: the id is one of the others
	// with the refused text behind it, so that the mended text is no duplicate.
	ByRefusal SeenBy = 'r'
)

// NewSeenKey makes the key of one event. scope is the source's key or, for the
// REST API, the path; index is the event's place in its request (0 for ids that
// name one event).
func NewSeenKey(workspace int64, scope string, by SeenBy, id string, index int) SeenKey {
	h := sha256.New()
	var head [25]byte
	binary.BigEndian.PutUint64(head[0:], uint64(workspace))
	binary.BigEndian.PutUint64(head[8:], uint64(index))
	binary.BigEndian.PutUint64(head[16:], uint64(len(scope)))
	head[24] = byte(by)
	h.Write(head[:])
	io.WriteString(h, scope)
	io.WriteString(h, id)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return SeenKey(sum[:16])
}

// Package ingest is the one write path: every event, claim and attribute goes
// through a Writer, which gathers what is waiting into one durable transaction
// and answers after it. Refused events are kept in quarantine by the same
// transaction.
package ingest

import (
	"context"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/profile"
)

// Store keeps what a decision changes.
type Store interface {
	// Commit loads and locks the rows of keys into a Snapshot, calls decide and
	// writes the changes it returns in one transaction, which is on disk when
	// Commit returns nil. When decide asks for more keys nothing is written:
	// they are loaded too and decide is called again. decide must be pure.
	//
	// An error that wraps a *DurabilityError means that the store can no longer
	// promise anything; the process must stop acknowledging. Any other error
	// means that nothing was written.
	Commit(ctx context.Context, keys Keys, decide func(*Snapshot) (Changes, Keys)) error
}

// Keys name rows to load.
type Keys struct {
	Identifiers []profile.Key
	Parts       []event.ID // one that is not stored is put as a part with nothing but its id
	Seen        []SeenKey
	Since       []Since
}

// Empty says whether nothing is asked for.
func (k Keys) Empty() bool {
	return len(k.Identifiers)+len(k.Parts)+len(k.Seen)+len(k.Since) == 0
}

// Since names the events written under a part after the one with the id After
// that count in summaries.
type Since struct {
	Part, After event.ID
}

// Snapshot is what a decision knows of the store: whatever was asked for so far.
type Snapshot struct {
	Book *profile.Book
	// Seen holds each key asked for, with the event that was stored for it; 0 is
	// a key that was never seen.
	Seen map[SeenKey]event.ID
	// Since holds what was asked for, in no particular order.
	Since map[Since][]profile.Happening
}

// NewSnapshot makes an empty snapshot; stores begin each transaction with one.
func NewSnapshot(ids *event.IDs) *Snapshot {
	return &Snapshot{
		Book:  profile.NewBook(ids.Next),
		Seen:  map[SeenKey]event.ID{},
		Since: map[Since][]profile.Happening{},
	}
}

// Changes are the rows of one transaction.
type Changes struct {
	profile.Changes
	Events      []*event.Event // ids ascending
	Hits        []campaign.Hit
	Seen        []SeenRow // events ascending
	Quarantined []Quarantined
	Photos      []Photo
}

// Photo is a picture that an event shows and a block may want to draw. It is
// fetched when the event arrives, never when a message is opened.
type Photo struct {
	Workspace int64
	URL       string
	Shown     int64 // unix microseconds of the receipt
}

// PhotoAgain is how long after it failed a photo is fetched again when another
// event shows it.
const PhotoAgain = time.Hour

// DurabilityError says that a commit may not have reached the disk: a failed
// sync, a full disk, a damaged file. A sync is never tried again.
type DurabilityError struct{ Err error }

func (e *DurabilityError) Error() string {
	return "the store can no longer keep what it accepts: " + e.Err.Error()
}

// Unwrap gives the store's own error.
func (e *DurabilityError) Unwrap() error { return e.Err }

// Package asset fetches the photos that events show, scales them and keeps them,
// so that no open ever waits for another server.
package asset

import "time"

// Photo is one picture of a workspace, named by its URL.
type Photo struct {
	Workspace int64
	URL       string
	State     State
	Next      time.Time // when to fetch it, while it is queued
	Fetched   time.Time // when it was fetched or given up
	Attempts  int
	Error     string // why it was not fetched, for people
	Picture   []byte // an encoded picture, scaled down; nil unless Ready
}

// State is how far a photo is.
type State string

// The states of a photo.
const (
	Queued State = "queued"
	Ready  State = "ready"
	Failed State = "failed"
)

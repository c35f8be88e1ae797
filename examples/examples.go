// Package examples holds the documents and trigger events that the demo plays,
// as files that a person can read and apply.
package examples

import "embed"

// MovableInk is the integration of an engage and a content workspace: documents
// in movable-ink/*.yaml, trigger events in movable-ink/triggers.
//
//go:embed movable-ink
var MovableInk embed.FS

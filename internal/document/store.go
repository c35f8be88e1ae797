package document

import (
	"context"
	"errors"
	"time"
)

// Stored is one document as the store keeps it. (Workspace, Kind, ID) names it.
type Stored struct {
	Workspace int64 // of a document of kind Workspace: its own number
	Kind      Kind
	ID        string // stable over renames where the kind has one, else the name
	Name      string
	Version   int    // from 1, one more at each change
	Body      []byte // the document as export writes it: YAML without any secret
	Secret    []byte // sealed or hashed, opaque; nil where the kind has none
	Updated   time.Time
}

// Store keeps documents.
type Store interface {
	// Documents gives the latest version of every document, in any order, and
	// the revision of the whole, which grows with every put; 0 is an empty store.
	Documents(ctx context.Context) (docs []Stored, revision int64, err error)
	// PutDocuments writes new versions in one transaction and gives the revision
	// after it. When the revision is no longer expect it writes nothing; the
	// error is then ErrChanged. Earlier versions are kept.
	PutDocuments(ctx context.Context, expect int64, changed []Stored) (revision int64, err error)
}

// ErrChanged says that somebody else put documents since they were read.
var ErrChanged = errors.New("the documents were changed meanwhile")

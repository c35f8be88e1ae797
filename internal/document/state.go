package document

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// identity names a document through all its versions.
type identity struct {
	kind      Kind
	workspace int64
	id        string
}

// entry is a stored document, or one that is about to be.
type entry struct {
	stored Stored
	doc    *document
}

// state is all documents at one revision.
type state struct {
	revision int64
	entries  map[identity]*entry
}

func loadState(ctx context.Context, store Store) (*state, error) {
	stored, revision, err := store.Documents(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	s := &state{revision: revision, entries: make(map[identity]*entry, len(stored))}
	for _, d := range stored {
		doc, err := decodeStored(d)
		if err != nil {
			return nil, err
		}
		s.entries[d.identity()] = &entry{d, doc}
	}
	return s, nil
}

func (d Stored) identity() identity { return identity{d.Kind, d.Workspace, d.ID} }

// decodeStored reads what encode wrote. Its errors mean that the store was changed
// by hand, or that an earlier version of the program accepted what this refuses.
func decodeStored(d Stored) (*document, error) {
	name := fmt.Sprintf("stored %s %q, version %d", d.Kind, d.Name, d.Version)
	r := newReader(File{Name: name, Data: d.Body}) // of any size: the form that is stored may be longer than what was given
	docs := r.documents()
	switch err := r.problems.orNil(); {
	case err != nil:
		return nil, fmt.Errorf("read a stored document: %w", err)
	case len(docs) != 1:
		return nil, fmt.Errorf("%s holds %d documents", name, len(docs))
	}
	return docs[0], nil
}

// place is where a document begins, as file:line.
func (d *document) place() string { return fmt.Sprintf("%s:%d", d.in.file, d.root.Line) }

// at is the node at a JSON pointer, or the document itself when that is absent.
func (d *document) at(pointer string) *yaml.Node {
	if n := nodeAt(d.root, pointer); n != nil {
		return n
	}
	return d.root
}

// refuse reports a mistake at a JSON pointer.
func (d *document) refuse(pointer, reason, format string, args ...any) {
	d.in.refuse(d.at(pointer), reason, format, args...)
}

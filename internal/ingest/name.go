package ingest

import "platen/internal/profile"

// Name gives profiles without an external id one, as /users/identify does.
type Name struct {
	Namings []profile.Naming
	// Outcomes has one entry for each naming when Submit has returned nil.
	Outcomes []NameOutcome
}

// NameOutcome is what became of one naming.
type NameOutcome struct {
	Done    bool  // a profile was named or merged
	Refused error // a *fault.Error, nil when it was not refused
}

func (n *Name) size() int { return itemBytes * len(n.Namings) }

func (n *Name) touch(tx *transaction) {
	for _, naming := range n.Namings {
		tx.Book.TouchNaming(naming)
	}
}

func (n *Name) apply(tx *transaction) {
	n.Outcomes = make([]NameOutcome, len(n.Namings))
	for i, naming := range n.Namings {
		done, err := tx.Book.Name(naming)
		n.Outcomes[i] = NameOutcome{Done: done, Refused: err}
	}
}

package ingest

import (
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/profile"
)

// Name gives profiles without an external id one, as /users/identify does. Each
// naming is done or refused on its own; Outcomes has one entry for each when
// Submit has returned nil.
type Name struct {
	Source   string // kept with what is refused
	Items    []NameItem
	Outcomes []NameOutcome
}

// NameItem is one naming of a request.
type NameItem struct {
	profile.Naming
	// Raw is the sender's own text, kept when the naming is refused.
	Raw []byte
	// Refused is set for a naming that a handler refused already.
	Refused *fault.Error
}

// NameOutcome is what became of one naming.
type NameOutcome struct {
	Done bool // a profile was named or merged
	// Refused is why not, nil when it was not refused; Quarantine is then the row
	// that keeps it.
	Refused    *fault.Error
	Quarantine event.ID
}

func (n *Name) size() int {
	size := itemBytes * len(n.Items)
	for i := range n.Items {
		size += len(n.Items[i].Raw)
	}
	return size
}

func (n *Name) touch(tx *transaction) {
	for i := range n.Items {
		if n.Items[i].Refused == nil {
			tx.Book.TouchNaming(n.Items[i].Naming)
		}
	}
}

func (n *Name) apply(tx *transaction) {
	n.Outcomes = make([]NameOutcome, len(n.Items))
	for i := range n.Items {
		n.Outcomes[i] = n.name(tx, &n.Items[i])
	}
}

func (n *Name) name(tx *transaction, i *NameItem) NameOutcome {
	if i.Refused != nil {
		return n.refuse(tx, i, i.Refused)
	}
	done, err := tx.Book.Name(i.Naming)
	if err != nil {
		return n.refuse(tx, i, fault.From(err))
	}
	return NameOutcome{Done: done}
}

func (n *Name) refuse(tx *transaction, i *NameItem, why *fault.Error) NameOutcome {
	q := quarantined(why, i.Raw)
	q.Workspace, q.Source, q.Received = i.Workspace, n.Source, i.Received
	return NameOutcome{Refused: why, Quarantine: tx.refuse(q)}
}

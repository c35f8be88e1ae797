package ingest

import (
	"platen/internal/event"
	"platen/internal/profile"
)

// Command is one decision that waits to be committed with others: an *Accept, a
// *Name, or what Repair does.
type Command interface {
	// size is roughly the memory it holds, in bytes.
	size() int
	// touch asks the transaction for everything that apply will read.
	touch(tx *transaction)
	// apply decides. It is called once for each attempt to commit, when
	// everything touched is there, and must not fail half-way: a refusal is an
	// outcome of the command.
	apply(tx *transaction)
}

// transaction is a decision in the making.
type transaction struct {
	*Snapshot
	writer  *Writer
	changes Changes

	// What was touched and is not loaded yet.
	missingSeen  map[SeenKey]struct{}
	missingSince map[Since]struct{}
}

func newTransaction(w *Writer, s *Snapshot) *transaction {
	return &transaction{Snapshot: s, writer: w,
		missingSeen: map[SeenKey]struct{}{}, missingSince: map[Since]struct{}{}}
}

// missing is everything that was touched and is not loaded.
func (tx *transaction) missing() Keys {
	var k Keys
	if !tx.Book.Complete() {
		k.Identifiers, k.Parts = tx.Book.Missing()
	}
	for key := range tx.missingSeen {
		k.Seen = append(k.Seen, key)
	}
	for s := range tx.missingSince {
		k.Since = append(k.Since, s)
	}
	return k
}

func (tx *transaction) forget() {
	tx.Book.Forget()
	clear(tx.missingSeen)
	clear(tx.missingSince)
}

// seen gives the event stored for a key, 0 for none, and asks for the key while
// it has not been loaded.
func (tx *transaction) seen(k SeenKey) event.ID {
	id, known := tx.Seen[k]
	if !known {
		tx.missingSeen[k] = struct{}{}
	}
	return id
}

// remember keeps a key with what was stored for it.
func (tx *transaction) remember(k SeenKey, id event.ID) {
	tx.Seen[k] = id
	tx.changes.Seen = append(tx.changes.Seen, SeenRow{Key: k, Event: id})
}

// since gives the events written under a part lately, and asks for them while
// they have not been loaded.
func (tx *transaction) since(s Since) []profile.Happening {
	events, known := tx.Since[s]
	if !known {
		tx.missingSince[s] = struct{}{}
	}
	return events
}

// written gives the events that earlier commands of this transaction write under a
// part: no store knows them yet.
func (tx *transaction) written(part event.ID) []profile.Happening {
	var list []profile.Happening
	for _, e := range tx.changes.Events {
		if e.Part == part && e.Kind != event.Identify {
			list = append(list, profile.Happening{ID: e.ID, Name: e.Name, At: e.At.UnixMicro(), Content: true})
		}
	}
	return list
}

func (tx *transaction) refuse(q Quarantined) event.ID {
	q.ID = tx.writer.ids.Next()
	tx.changes.Quarantined = append(tx.changes.Quarantined, q)
	return q.ID
}

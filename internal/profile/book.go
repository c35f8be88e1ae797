package profile

import (
	"slices"

	"platen/internal/event"
)

// Key finds parts by one identifier, or by an e-mail or phone attribute, of a workspace.
type Key struct {
	Workspace int64
	Identifier
}

// Book is the excerpt of a store on which a decision works: the parts that were
// asked for and what is changed in them. What it does not hold yet it notes as
// missing, so that the store can load it and ask again. It is not safe for use
// by several goroutines.
type Book struct {
	newID func() event.ID

	parts map[event.ID]*Part
	ids   map[Key]event.ID   // 0: known not to exist
	looks map[Key][]event.ID // by e-mail or phone

	missingKeys  map[Key]struct{}
	missingParts map[event.ID]struct{}

	changes Changes
	changed map[event.ID]bool
}

// Changes are the rows that a decision writes.
type Changes struct {
	Parts       []*Part         // new or changed
	Identifiers []IdentifierRow // new
	Lookups     []LookupRow     // to be added and removed in this order
	Records     []Record        // what happened to identities, and why
}

// IdentifierRow says that an identifier names a part.
type IdentifierRow struct {
	Key
	Part event.ID
}

// LookupRow says that a part has, or no longer has, an e-mail or phone.
type LookupRow struct {
	Key
	Part   event.ID
	Remove bool
}

// Record is one entry of the identity log.
type Record struct {
	Workspace int64
	Part      event.ID // what it happened to
	Into      event.ID // the root it was claimed for or merged into
	At        int64    // unix microseconds of the statement
	Kind      RecordKind
	Detail    string // one line for people
}

// RecordKind is a kind of identity record.
type RecordKind string

// The kinds of identity records.
const (
	Claimed    RecordKind = "claimed"    // an anonymous id was claimed by a user
	Moved      RecordKind = "moved"      // a late claim moved history between users
	BlockedID  RecordKind = "blocked"    // too many users claimed an anonymous id
	Identified RecordKind = "identified" // a profile without external id got one
	Merged     RecordKind = "merged"     // a profile was merged into another
)

// NewBook makes an empty book. New parts get their ids from newID.
func NewBook(newID func() event.ID) *Book {
	return &Book{
		newID:        newID,
		parts:        map[event.ID]*Part{},
		ids:          map[Key]event.ID{},
		looks:        map[Key][]event.ID{},
		missingKeys:  map[Key]struct{}{},
		missingParts: map[event.ID]struct{}{},
		changed:      map[event.ID]bool{},
	}
}

// PutPart adds a stored part. The book owns it from now on. A part that was
// missing and is not stored is put with nothing but its ID: senders may guess a
// braze_id.
func (b *Book) PutPart(p *Part) {
	if _, ok := b.parts[p.ID]; !ok {
		b.parts[p.ID] = p
	}
	delete(b.missingParts, p.ID)
}

// PutKey adds what the store knows of a key: the parts it names, none when it is
// unknown. Identifiers name at most one. Of an e-mail or phone MaxSharers+1 are
// enough, and the parts themselves are not asked for then. A BrazeID is no key: it
// is asked for as a part.
func (b *Book) PutKey(k Key, parts ...event.ID) {
	delete(b.missingKeys, k)
	if _, looked := attributeOf(k.Kind); looked {
		b.putLookup(k, parts)
		return
	}
	if _, ok := b.ids[k]; ok {
		return
	}
	var id event.ID
	if len(parts) > 0 {
		id = parts[0]
	}
	b.ids[k] = id
}

// putLookup adds what the store knows of an e-mail or phone, with the changes
// that are not written yet.
func (b *Book) putLookup(k Key, parts []event.ID) {
	if _, ok := b.looks[k]; ok {
		return
	}
	ids := slices.Clone(parts)
	for _, row := range b.changes.Lookups {
		if row.Key == k {
			ids = row.applied(ids)
		}
	}
	b.looks[k] = ids
}

// Missing gives what was asked for and is not in the book.
func (b *Book) Missing() (keys []Key, parts []event.ID) {
	for k := range b.missingKeys {
		keys = append(keys, k)
	}
	for id := range b.missingParts {
		parts = append(parts, id)
	}
	return keys, parts
}

// Complete says whether everything that was asked for is in the book.
func (b *Book) Complete() bool { return len(b.missingKeys)+len(b.missingParts) == 0 }

// Forget drops the notes of what is missing.
func (b *Book) Forget() {
	clear(b.missingKeys)
	clear(b.missingParts)
}

// Changes gives the rows to write.
func (b *Book) Changes() Changes { return b.changes }

// Part gives a part, nil when it is not in the book (it is then noted as missing).
func (b *Book) Part(id event.ID) *Part {
	p := b.parts[id]
	if p == nil && id != 0 {
		b.missingParts[id] = struct{}{}
	}
	return p
}

// Find gives the part an identifier names, nil when there is none or it is not
// in the book yet.
func (b *Book) Find(k Key) *Part {
	id, ok := b.ids[k]
	if !ok {
		b.missingKeys[k] = struct{}{}
		return nil
	}
	return b.Part(id)
}

// Root follows a part to the profile it was merged into, nil when a part on the
// way is not in the book yet.
func (b *Book) Root(p *Part) *Part {
	for p != nil && p.Owner != 0 {
		p = b.Part(p.Owner)
	}
	return p
}

// create makes a new part with one identifier, or with none.
func (b *Book) create(workspace, received int64, identifiers ...Identifier) *Part {
	p := &Part{ID: b.newID(), Workspace: workspace, Created: received}
	p.Own.Attributes = Attributes{}
	b.parts[p.ID] = p
	for _, i := range identifiers {
		b.name(p, i)
	}
	b.touch(p, received)
	return p
}

// name gives a part an identifier.
func (b *Book) name(p *Part, i Identifier) {
	p.Identifiers = append(p.Identifiers, i)
	k := Key{Workspace: p.Workspace, Identifier: i}
	b.ids[k] = p.ID
	b.changes.Identifiers = append(b.changes.Identifiers, IdentifierRow{Key: k, Part: p.ID})
}

// touch marks a part as written to by a receipt.
func (b *Book) touch(p *Part, received int64) {
	p.Updated = max(p.Updated, received)
	b.change(p)
}

// change marks a part as one to write.
func (b *Book) change(p *Part) {
	if !b.changed[p.ID] {
		b.changed[p.ID] = true
		b.changes.Parts = append(b.changes.Parts, p)
	}
}

func (b *Book) record(r Record) { b.changes.Records = append(b.changes.Records, r) }

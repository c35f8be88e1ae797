package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/profile"
)

// loadCached puts what was asked for into the book of a transaction, from the
// cache where it can.
func (s *Store) loadCached(v *view, keys []profile.Key, parts []event.ID, b *profile.Book) error {
	for _, k := range keys {
		if id, ok := s.parts.names.get(k); ok {
			if err := s.putCached(v, id, b); err != nil {
				return err
			}
			b.PutKey(k, id)
			continue
		}
		if err := v.putKey(k, b); err != nil {
			return err
		}
		if k.Kind == profile.UserID || k.Kind == profile.AnonymousID {
			if p := b.Find(k); p != nil {
				s.parts.put(p)
				s.parts.names.put(k, p.ID)
			}
		}
	}
	for _, id := range parts {
		if err := s.putCached(v, id, b); err != nil {
			return err
		}
	}
	return nil
}

// putCached puts one part into a book, from the cache where it can.
func (s *Store) putCached(v *view, id event.ID, b *profile.Book) error {
	if p := s.parts.part(id); p != nil {
		b.PutPart(p)
		return nil
	}
	return v.putPart(id, b)
}

// loadParts puts what was asked for into a book.
func (v *view) loadParts(keys []profile.Key, parts []event.ID, b *profile.Book) error {
	for _, k := range keys {
		if err := v.putKey(k, b); err != nil {
			return err
		}
	}
	for _, id := range parts {
		if err := v.putPart(id, b); err != nil {
			return err
		}
	}
	return nil
}

// putPart puts one part into a book.
func (v *view) putPart(id event.ID, b *profile.Book) error {
	p, err := v.loadPart(id)
	if err != nil {
		return err
	}
	if p == nil {
		p = &profile.Part{ID: id} // nobody: whoever asked had guessed a braze_id
	}
	b.PutPart(p)
	return nil
}

const byIdentifier = "SELECT part FROM identifiers WHERE workspace = ? AND kind = ? AND value = ?"

// byLookup finds one part more than a book makes use of, to tell that there are more.
var byLookup = fmt.Sprintf("SELECT part FROM lookups WHERE workspace = ? AND kind = ? AND value = ? LIMIT %d", profile.MaxSharers+1)

// putKey puts a key and the parts that it names into the book.
func (v *view) putKey(k profile.Key, b *profile.Book) error {
	text := byIdentifier
	if k.Kind == profile.Email || k.Kind == profile.Phone {
		text = byLookup
	}
	var ids []event.ID
	err := query(v.c, text, func(row *sqlite.Stmt) error {
		ids = append(ids, event.ID(row.ColumnInt64(0)))
		return nil
	}, k.Workspace, int64(k.Kind), k.Value)
	if err != nil {
		return fmt.Errorf("load a profile by %s: %w", k.Kind, err)
	}
	b.PutKey(k, ids...)
	if len(ids) > profile.MaxSharers {
		return nil // the book looks at none of them
	}
	for _, id := range ids {
		p, err := v.loadPart(id)
		if err == nil && p == nil {
			err = fmt.Errorf("the part %v is missing", id)
		}
		if err != nil {
			return fmt.Errorf("load a profile by %s: %w", k.Kind, err)
		}
		b.PutPart(p)
	}
	return nil
}

// loadPart gives a part, nil when there is none.
func (v *view) loadPart(id event.ID) (*profile.Part, error) {
	stored, err := v.part(id)
	if stored == nil || err != nil {
		return nil, err
	}
	return stored.unmarshal()
}

// putIdentity stores what leads to parts, and what happened to them.
func putIdentity(c *sqlite.Conn, ch profile.Changes) error {
	for _, i := range ch.Identifiers {
		err := query(c, "INSERT INTO identifiers (workspace, kind, value, part) VALUES (?, ?, ?, ?)",
			nil, i.Workspace, int64(i.Kind), i.Value, i.Part)
		if err != nil {
			return err
		}
	}
	for _, l := range ch.Lookups {
		text := "INSERT OR IGNORE INTO lookups (workspace, kind, value, part) VALUES (?, ?, ?, ?)"
		if l.Remove {
			text = "DELETE FROM lookups WHERE workspace = ? AND kind = ? AND value = ? AND part = ?"
		}
		if err := query(c, text, nil, l.Workspace, int64(l.Kind), l.Value, l.Part); err != nil {
			return err
		}
	}
	for _, r := range ch.Records {
		err := query(c, "INSERT INTO identity_log (workspace, part, into_part, at, kind, detail) VALUES (?, ?, ?, ?, ?, ?)",
			nil, r.Workspace, r.Part, r.Into, r.At, string(r.Kind), r.Detail)
		if err != nil {
			return err
		}
	}
	return nil
}

package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/profile"
)

// loadCached puts what was asked for into the book of a transaction, from the
// cache where it can.
func (s *Store) loadCached(c *sqlite.Conn, keys []profile.Key, parts []event.ID, b *profile.Book) error {
	for _, k := range keys {
		if p := s.parts.named(k); p != nil {
			b.PutPart(p)
			b.PutKey(k, p.ID)
			continue
		}
		if err := loadParts(c, []profile.Key{k}, nil, b); err != nil {
			return err
		}
		if k.Kind == profile.UserID || k.Kind == profile.AnonymousID {
			if p := b.Find(k); p != nil {
				s.parts.put(p)
				s.parts.name(k, p.ID)
			}
		}
	}
	for _, id := range parts {
		if p := s.parts.part(id); p != nil {
			b.PutPart(p)
			continue
		}
		if err := loadParts(c, nil, []event.ID{id}, b); err != nil {
			return err
		}
	}
	return nil
}

// loadParts puts what was asked for into a book.
func loadParts(c *sqlite.Conn, keys []profile.Key, parts []event.ID, b *profile.Book) error {
	for _, k := range keys {
		if err := loadKey(c, k, b); err != nil {
			return fmt.Errorf("load a profile by %s: %w", k.Kind, err)
		}
	}
	for _, id := range parts {
		p, err := loadPart(c, id)
		if err != nil {
			return err
		}
		if p == nil {
			p = &profile.Part{ID: id} // nobody: whoever asked had guessed a braze_id
		}
		b.PutPart(p)
	}
	return nil
}

// loadKey puts the parts that a key names into the book, and the key itself.
func loadKey(c *sqlite.Conn, k profile.Key, b *profile.Book) error {
	if k.Kind == profile.Email || k.Kind == profile.Phone {
		return loadNamed(c, partsByLookup, k, b)
	}
	return loadNamed(c, partsByIdentifier, k, b)
}

const (
	partColumns       = "p.id, p.workspace, p.owner, p.created, p.updated, p.last_event, p.data"
	partsByIdentifier = "SELECT " + partColumns + " FROM identifiers k JOIN parts p ON p.id = k.part WHERE k.workspace = ? AND k.kind = ? AND k.value = ?"
	partsByLookup     = "SELECT " + partColumns + " FROM lookups k JOIN parts p ON p.id = k.part WHERE k.workspace = ? AND k.kind = ? AND k.value = ?"
	partByID          = "SELECT " + partColumns + " FROM parts p WHERE p.id = ?"
)

func loadNamed(c *sqlite.Conn, text string, k profile.Key, b *profile.Book) error {
	var ids []event.ID
	err := query(c, text, func(row *sqlite.Stmt) error {
		p, err := scanPart(row)
		if err != nil {
			return err
		}
		ids = append(ids, p.ID)
		b.PutPart(p)
		return nil
	}, k.Workspace, int64(k.Kind), k.Value)
	if err == nil {
		b.PutKey(k, ids...)
	}
	return err
}

func loadPart(c *sqlite.Conn, id event.ID) (p *profile.Part, err error) {
	err = query(c, partByID, func(row *sqlite.Stmt) (err error) {
		p, err = scanPart(row)
		return err
	}, id)
	if err != nil {
		return nil, fmt.Errorf("load a part: %w", err)
	}
	return p, nil
}

func scanPart(row *sqlite.Stmt) (*profile.Part, error) {
	p := &profile.Part{
		ID: event.ID(row.ColumnInt64(0)), Workspace: row.ColumnInt64(1), Owner: event.ID(row.ColumnInt64(2)),
		Created: row.ColumnInt64(3), Updated: row.ColumnInt64(4), LastEvent: event.ID(row.ColumnInt64(5)),
	}
	return p, profile.UnmarshalPart(blob(row, 6), p)
}

func putParts(c *sqlite.Conn, ch profile.Changes) error {
	for _, p := range ch.Parts {
		err := query(c, `INSERT INTO parts (id, workspace, owner, created, updated, stale, last_event, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, updated = excluded.updated, stale = excluded.stale,
				last_event = excluded.last_event, data = excluded.data`,
			nil, p.ID, p.Workspace, p.Owner, p.Created, p.Updated, p.Stale, p.LastEvent, profile.MarshalPart(p))
		if err != nil {
			return err
		}
	}
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

package sqlite

import (
	"context"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// Profile gives the profile that a key names: of an anonymous id, the profile of
// the user it belongs to at a time (unix microseconds). Nil when there is none.
func (s *Store) Profile(ctx context.Context, workspace int64, who profile.Who, at int64) (found *profile.Profile, err error) {
	call := profile.Call{Workspace: workspace, Who: who, At: at}
	err = s.readBook(ctx, func(b *profile.Book) {
		b.Touch(call)
		if root := b.Whose(call); root != nil && root.Workspace == workspace {
			found = gather(b, root)
		} else {
			found = nil
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read a profile: %w", err)
	}
	return found, nil
}

// ProfileByID gives the profile rooted at, or merged from, a part; nil when there
// is none.
func (s *Store) ProfileByID(ctx context.Context, id event.ID) (found *profile.Profile, err error) {
	err = s.readBook(ctx, func(b *profile.Book) {
		found = nil
		if root := b.Root(b.Part(id)); root != nil && root.Workspace != 0 {
			found = gather(b, root)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read a profile: %w", err)
	}
	return found, nil
}

func gather(b *profile.Book, root *profile.Part) *profile.Profile {
	p := &profile.Profile{Root: root}
	for _, id := range root.Members {
		if m := b.Part(id); m != nil {
			p.Members = append(p.Members, m)
		}
	}
	return p
}

// readBook calls look until the book holds everything it asked for.
func (s *Store) readBook(ctx context.Context, look func(*profile.Book)) error {
	return s.readView(ctx, func(v *view) error {
		book := profile.NewBook(nil) // nothing is made in it
		for {
			look(book)
			if book.Complete() {
				return nil
			}
			keys, parts := book.Missing()
			if err := v.loadParts(keys, parts, book); err != nil {
				return err
			}
		}
	})
}

// StaleParts implements ingest.RepairStore.
func (s *Store) StaleParts(ctx context.Context, limit int) (parts []*profile.Part, err error) {
	err = s.readView(ctx, func(v *view) error {
		parts = nil
		ids := s.recent.staleIDs()
		err := query(v.c, "SELECT id FROM parts WHERE stale = 1", func(row *sqlite.Stmt) error {
			ids = append(ids, event.ID(row.ColumnInt64(0)))
			return nil
		})
		if err != nil {
			return err
		}
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			stored, err := v.part(id)
			if err != nil {
				return err
			}
			if stored == nil || !stored.stale {
				continue // it was mended since, or is not in this snapshot
			}
			p, err := stored.unmarshal()
			if err != nil {
				return err
			}
			if parts = append(parts, p); len(parts) == limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read stale parts: %w", err)
	}
	return parts, nil
}

// IdentityLog gives what happened to the identity of a profile, oldest first.
func (s *Store) IdentityLog(ctx context.Context, root event.ID) (records []profile.Record, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, `SELECT workspace, part, into_part, at, kind, detail FROM identity_log
			WHERE part = ?1 OR into_part = ?1 ORDER BY id`, func(row *sqlite.Stmt) error {
			records = append(records, profile.Record{
				Workspace: row.ColumnInt64(0), Part: event.ID(row.ColumnInt64(1)), Into: event.ID(row.ColumnInt64(2)),
				At: row.ColumnInt64(3), Kind: profile.RecordKind(row.ColumnText(4)), Detail: row.ColumnText(5),
			})
			return nil
		}, root)
	})
	if err != nil {
		return nil, fmt.Errorf("read the identity log: %w", err)
	}
	return records, nil
}

// Quarantined gives the newest refused events of a workspace, at most limit.
func (s *Store) Quarantined(ctx context.Context, workspace int64, limit int) (rows []ingest.Quarantined, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, `SELECT id, workspace, source, received, event, reason, message, pointer, raw FROM quarantine
			WHERE workspace = ? ORDER BY id DESC LIMIT ?`, func(row *sqlite.Stmt) error {
			rows = append(rows, ingest.Quarantined{
				ID: event.ID(row.ColumnInt64(0)), Workspace: row.ColumnInt64(1), Source: row.ColumnText(2), Received: row.ColumnInt64(3),
				Event: row.ColumnText(4), Reason: row.ColumnText(5), Message: row.ColumnText(6), Pointer: row.ColumnText(7), Raw: blob(row, 8),
			})
			return nil
		}, workspace, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %w", err)
	}
	return rows, nil
}

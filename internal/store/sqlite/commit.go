package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// Commit implements ingest.Store.
func (s *Store) Commit(ctx context.Context, keys ingest.Keys, decide func(*ingest.Snapshot) (ingest.Changes, ingest.Keys)) error {
	s.write.Lock()
	defer s.write.Unlock()
	events, seen := s.events.snapshot(), s.seen.snapshot()
	err := s.updateLocked(func(c *sqlite.Conn) error {
		snapshot := ingest.NewSnapshot(s.ids)
		if err := s.load(c, keys, snapshot); err != nil {
			return err
		}
		for {
			changes, more := decide(snapshot)
			if more.Empty() {
				return s.put(c, changes)
			}
			if err := s.load(c, more, snapshot); err != nil {
				return err
			}
		}
	})
	if err != nil {
		s.events.list, s.seen.list = events, seen
	}
	return err
}

func (s *Store) load(c *sqlite.Conn, keys ingest.Keys, snapshot *ingest.Snapshot) error {
	for _, k := range keys.Identifiers {
		if err := loadKey(c, k, snapshot.Book); err != nil {
			return fmt.Errorf("load a profile by %s: %w", k.Kind, err)
		}
	}
	for _, id := range keys.Parts {
		p, err := loadPart(c, id)
		if err != nil {
			return err
		}
		if p == nil {
			// A part id comes from another row of the store or from a sender who
			// guessed a braze_id; an empty part answers the second.
			p = &profile.Part{ID: id}
		}
		snapshot.Book.PutPart(p)
	}
	for _, k := range keys.Seen {
		id, err := s.seen.find(c, k)
		if err != nil {
			return fmt.Errorf("look up an id seen before: %w", err)
		}
		snapshot.Seen[k] = id
	}
	for _, k := range keys.Since {
		var list []profile.Happening
		err := partHappenings(c, s.events.list, k.Part, k.After, func(h profile.Happening) error {
			list = append(list, h)
			return nil
		})
		if err != nil {
			return err
		}
		snapshot.Since[k] = list
	}
	return nil
}

const partColumns = "p.id, p.workspace, p.owner, p.created, p.updated, p.data"

// loadKey puts the parts that a key names into the book, and the key itself.
func loadKey(c *sqlite.Conn, k profile.Key, b *profile.Book) error {
	from := "identifiers"
	if k.Kind == profile.Email || k.Kind == profile.Phone {
		from = "lookups"
	}
	var ids []event.ID
	err := query(c, "SELECT "+partColumns+" FROM "+from+" k JOIN parts p ON p.id = k.part WHERE k.workspace = ? AND k.kind = ? AND k.value = ?",
		func(row *sqlite.Stmt) error {
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
	err = query(c, "SELECT "+partColumns+" FROM parts p WHERE p.id = ?", func(row *sqlite.Stmt) (err error) {
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
		Created: row.ColumnInt64(3), Updated: row.ColumnInt64(4),
	}
	return p, profile.UnmarshalPart(blob(row, 5), p)
}

func (s *Store) put(c *sqlite.Conn, ch ingest.Changes) error {
	if err := putParts(c, ch.Changes); err != nil {
		return fmt.Errorf("store profiles: %w", err)
	}
	if err := s.putEvents(c, ch.Events); err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	if err := s.seen.insert(c, ch.Seen); err != nil {
		return fmt.Errorf("store ids seen: %w", err)
	}
	if err := putHits(c, ch.Hits); err != nil {
		return fmt.Errorf("store trigger hits: %w", err)
	}
	if err := putQuarantined(c, ch.Quarantined); err != nil {
		return fmt.Errorf("store refused events: %w", err)
	}
	for _, p := range ch.Photos {
		err := query(c, "INSERT OR IGNORE INTO photos (workspace, url, state, queued, fetched, attempts, error) VALUES (?, ?, 'queued', 0, 0, 0, '')",
			nil, p.Workspace, p.URL)
		if err != nil {
			return fmt.Errorf("store photos to fetch: %w", err)
		}
	}
	return nil
}

func putParts(c *sqlite.Conn, ch profile.Changes) error {
	for _, p := range ch.Parts {
		err := query(c, `INSERT INTO parts (id, workspace, owner, created, updated, stale, data) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, updated = excluded.updated, stale = excluded.stale, data = excluded.data`,
			nil, p.ID, p.Workspace, p.Owner, p.Created, p.Updated, p.Stale, profile.MarshalPart(p))
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

func putHits(c *sqlite.Conn, hits []campaign.Hit) error {
	for _, h := range hits {
		err := query(c, "INSERT INTO hits (id, workspace, campaign, event, profile, refused) VALUES (?, ?, ?, ?, ?, ?)",
			nil, h.ID, h.Workspace, h.Campaign, h.Event, h.Profile, h.Refused)
		if err != nil {
			return err
		}
	}
	return nil
}

func putQuarantined(c *sqlite.Conn, rows []ingest.Quarantined) error {
	for _, q := range rows {
		err := query(c, `INSERT INTO quarantine (id, workspace, source, received, event, reason, message, pointer, raw)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			nil, q.ID, q.Workspace, q.Source, q.Received, q.Event, q.Reason, q.Message, q.Pointer, q.Raw)
		if err != nil {
			return err
		}
	}
	return nil
}

package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/campaign"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// Commit implements ingest.Store.
func (s *Store) Commit(_ context.Context, keys ingest.Keys, decide func(*ingest.Snapshot) (ingest.Changes, ingest.Keys)) error {
	return s.update(func(c *sqlite.Conn) error {
		snapshot := ingest.NewSnapshot(s.ids)
		for more := keys; ; {
			if err := s.load(s.writing(), more, snapshot); err != nil {
				return err
			}
			var changes ingest.Changes
			if changes, more = decide(snapshot); more.Empty() {
				return s.put(c, changes)
			}
		}
	})
}

func (s *Store) load(v *view, keys ingest.Keys, snapshot *ingest.Snapshot) error {
	if err := s.loadCached(v, keys.Identifiers, keys.Parts, snapshot.Book); err != nil {
		return err
	}
	for _, k := range keys.Seen {
		id, err := s.tables.seen.find(v.c, k)
		if err != nil {
			return err
		}
		snapshot.Seen[k] = id
	}
	for _, k := range keys.Since {
		snapshot.Since[k] = nil
		err := partHappenings(v, k.Part, k.After, func(h profile.Happening) error {
			snapshot.Since[k] = append(snapshot.Since[k], h)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) put(c *sqlite.Conn, ch ingest.Changes) error {
	others, err := s.putEvents(c, ch.Events, ch.Parts)
	if err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	for _, p := range ch.Parts {
		others = append(others, marshal(p)) // putEvents has set its LastEvent
		s.parts.put(p)                      // a roll-back empties the cache
	}
	if err := s.recent.insert(c, others); err != nil {
		return fmt.Errorf("store profiles: %w", err)
	}
	if err := putIdentity(c, ch.Changes); err != nil {
		return fmt.Errorf("store identifiers: %w", err)
	}
	if err := s.tables.seen.insert(c, ch.Seen); err != nil {
		return fmt.Errorf("store ids seen: %w", err)
	}
	if err := putHits(c, ch.Hits); err != nil {
		return fmt.Errorf("store trigger hits: %w", err)
	}
	if err := putQuarantined(c, ch.Quarantined); err != nil {
		return fmt.Errorf("store refused events: %w", err)
	}
	for _, p := range ch.Photos {
		err := query(c, `INSERT INTO photos (workspace, url, state, queued, fetched, attempts, error) VALUES (?, ?, 'queued', ?, 0, 0, '')
			ON CONFLICT (workspace, url) DO UPDATE SET state = 'queued', queued = excluded.queued, attempts = 0 WHERE state = 'failed' AND fetched < ?`,
			nil, p.Workspace, p.URL, p.Shown, p.Shown-ingest.PhotoAgain.Microseconds())
		if err != nil {
			return fmt.Errorf("store photos to fetch: %w", err)
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

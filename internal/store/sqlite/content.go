package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/asset"
	"platen/internal/engagement"
)

// QueuedPhotos gives photos that wait to be fetched by now, at most limit.
func (s *Store) QueuedPhotos(ctx context.Context, now time.Time, limit int) (photos []asset.Photo, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT workspace, url, attempts FROM photos WHERE state = 'queued' AND queued <= ? ORDER BY queued LIMIT ?",
			func(row *sqlite.Stmt) error {
				photos = append(photos, asset.Photo{Workspace: row.ColumnInt64(0), URL: row.ColumnText(1), State: asset.Queued, Attempts: row.ColumnInt(2)})
				return nil
			}, now, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read photos to fetch: %w", err)
	}
	return photos, nil
}

// SavePhoto keeps what became of fetching a photo.
func (s *Store) SavePhoto(ctx context.Context, p asset.Photo) error {
	err := s.update(func(c *sqlite.Conn) error {
		return query(c, `UPDATE photos SET state = ?, queued = ?, fetched = ?, attempts = ?, error = ?, picture = ? WHERE workspace = ? AND url = ?`,
			nil, string(p.State), p.Next, p.Fetched, p.Attempts, p.Error, p.Picture, p.Workspace, p.URL)
	})
	if err != nil {
		return fmt.Errorf("store a photo: %w", err)
	}
	return nil
}

// Photo gives a photo of a workspace by its URL; ok is false when no event ever
// showed it.
func (s *Store) Photo(ctx context.Context, workspace int64, url string) (p asset.Photo, ok bool, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT state, fetched, attempts, error, picture FROM photos WHERE workspace = ? AND url = ?",
			func(row *sqlite.Stmt) error {
				p = asset.Photo{Workspace: workspace, URL: url, State: asset.State(row.ColumnText(0)),
					Fetched: at(row.ColumnInt64(1)), Attempts: row.ColumnInt(2), Error: row.ColumnText(3), Picture: blob(row, 4)}
				ok = true
				return nil
			}, workspace, url)
	})
	if err != nil {
		return p, false, fmt.Errorf("read a photo: %w", err)
	}
	return p, ok, nil
}

// Shown gives what a person was last shown by a block under the same parameters;
// ok is false when nothing was.
func (s *Store) Shown(ctx context.Context, block, person, params string) (shown engagement.Shown, ok bool, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT at, links FROM shown WHERE block = ? AND person = ? AND params = ?", func(row *sqlite.Stmt) error {
			shown = engagement.Shown{Block: block, Person: person, Params: params, At: at(row.ColumnInt64(0))}
			ok = true
			return json.Unmarshal(blob(row, 1), &shown.Links)
		}, block, person, params)
	})
	if err != nil {
		return shown, false, fmt.Errorf("read what was shown: %w", err)
	}
	return shown, ok, nil
}

// Record keeps opens and clicks, a batch in one transaction.
func (s *Store) Record(ctx context.Context, b engagement.Batch) error {
	err := s.update(func(c *sqlite.Conn) error {
		for _, i := range b.Impressions {
			err := query(c, "INSERT INTO impressions (id, workspace, block, person, at, rule, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
				nil, i.ID, i.Workspace, i.Block, i.Person, i.At, i.Rule, i.Reason)
			if err != nil {
				return err
			}
		}
		for _, k := range b.Clicks {
			err := query(c, "INSERT INTO clicks (id, workspace, block, person, at, destination, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
				nil, k.ID, k.Workspace, k.Block, k.Person, k.At, k.Destination, k.Reason)
			if err != nil {
				return err
			}
		}
		for _, shown := range b.Shown {
			links, err := json.Marshal(shown.Links)
			if err != nil {
				return err
			}
			err = query(c, `INSERT INTO shown (block, person, params, at, links) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (block, person, params) DO UPDATE SET at = excluded.at, links = excluded.links WHERE excluded.at >= shown.at`,
				nil, shown.Block, shown.Person, shown.Params, shown.At, links)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store opens and clicks: %w", err)
	}
	return nil
}

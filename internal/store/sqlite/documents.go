package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/document"
)

// Documents implements document.Store.
func (s *Store) Documents(ctx context.Context) (docs []document.Stored, revision int64, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) (err error) {
		if revision, err = documentRevision(c); err != nil {
			return err
		}
		return query(c, `SELECT workspace, kind, id, name, max(version), body, secret, updated
			FROM documents GROUP BY workspace, kind, id`, func(row *sqlite.Stmt) error {
			docs = append(docs, document.Stored{
				Workspace: row.ColumnInt64(0), Kind: document.Kind(row.ColumnText(1)), ID: row.ColumnText(2), Name: row.ColumnText(3),
				Version: row.ColumnInt(4), Body: blob(row, 5), Secret: blob(row, 6), Updated: at(row.ColumnInt64(7)),
			})
			return nil
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read the documents: %w", err)
	}
	return docs, revision, nil
}

// PutDocuments implements document.Store.
func (s *Store) PutDocuments(ctx context.Context, expect int64, changed []document.Stored) (revision int64, err error) {
	err = s.update(func(c *sqlite.Conn) (err error) {
		if revision, err = documentRevision(c); err != nil {
			return err
		}
		if revision != expect {
			return document.ErrChanged
		}
		for _, d := range changed {
			err := query(c, `INSERT INTO documents (workspace, kind, id, name, version, body, secret, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				nil, d.Workspace, string(d.Kind), d.ID, d.Name, d.Version, d.Body, d.Secret, d.Updated)
			if err != nil {
				return err
			}
		}
		revision++
		return query(c, `INSERT INTO meta (key, value) VALUES ('document_revision', ?1)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, nil, fmt.Sprint(revision))
	})
	if err != nil && !errors.Is(err, document.ErrChanged) {
		return 0, fmt.Errorf("store documents: %w", err)
	}
	return revision, err
}

func documentRevision(c *sqlite.Conn) (revision int64, err error) {
	err = query(c, "SELECT value FROM meta WHERE key = 'document_revision'", func(row *sqlite.Stmt) error {
		revision = row.ColumnInt64(0)
		return nil
	})
	return revision, err
}

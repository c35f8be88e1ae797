package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// Meta gives a value that is kept about the data as a whole, "" when there is none.
func (s *Store) Meta(ctx context.Context, key string) (value string, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT value FROM meta WHERE key = ?", func(row *sqlite.Stmt) error {
			value = row.ColumnText(0)
			return nil
		}, key)
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return value, nil
}

// PutMeta keeps such a value.
func (s *Store) PutMeta(key, value string) error {
	err := s.update(func(c *sqlite.Conn) error {
		return query(c, `INSERT INTO meta (key, value) VALUES (?, ?)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, nil, key, value)
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // database/sql driver for the migrations; the same engine

	"platen/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the newest version that the program knows.
func migrate(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the data: %w", err)
	}
	if current > target {
		return fault.New(fault.Conflict, "data_is_newer",
			"the data in %s has version %d and this program knows versions up to %d; use the newer program", filepath.Dir(path), current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the data: %w", err)
	}
	return nil
}

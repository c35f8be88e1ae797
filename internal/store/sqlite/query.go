package sqlite

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
)

// query runs a statement, which is prepared once for each connection, and calls
// row for each row of its result (row may be nil).
func query(c *sqlite.Conn, text string, row func(*sqlite.Stmt) error, args ...any) error {
	stmt, err := c.Prepare(text)
	if err != nil {
		return err
	}
	bind(stmt, args)
	defer stmt.Reset()
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		if row == nil {
			continue
		}
		if err := row(stmt); err != nil {
			return err
		}
	}
}

func bind(stmt *sqlite.Stmt, args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case int64:
			stmt.BindInt64(i+1, v)
		case event.ID:
			stmt.BindInt64(i+1, int64(v))
		case int:
			stmt.BindInt64(i+1, int64(v))
		case bool:
			stmt.BindBool(i+1, v)
		case string:
			stmt.BindText(i+1, v)
		case time.Time:
			stmt.BindInt64(i+1, micros(v))
		case []byte:
			if v == nil {
				stmt.BindNull(i + 1)
			} else {
				stmt.BindBytes(i+1, v)
			}
		default:
			panic(fmt.Sprintf("sqlite: cannot bind a %T", arg))
		}
	}
}

// blob copies a column; nil for NULL.
func blob(row *sqlite.Stmt, col int) []byte {
	if row.ColumnIsNull(col) {
		return nil
	}
	b := make([]byte, row.ColumnLen(col))
	row.ColumnBytes(col, b)
	return b
}

// micros and at turn times into columns and back; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func at(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"platen/internal/event"
)

// codeList is a promotion list by its name.
type codeList struct {
	workspace int64
	name      string
}

// spentLists are the promotion lists of which every code was found to be given,
// each with the codes it then had: these need not be looked through again. A list
// that was applied anew is another slice.
type spentLists map[codeList]spentCodes

// spentCodes tells slices apart by where they lie.
type spentCodes struct {
	first *string
	count int
}

// ReserveCode implements personalize.CodeStore. What comes after the cursor of a
// list is looked through first, as all before it is given, unless codes were put
// in between; so each code is passed once as long as there are more.
func (s *Store) ReserveCode(_ context.Context, workspace int64, list string, message event.ID, codes []string) (code string, ok bool, err error) {
	of := codeList{workspace, list}
	err = s.update(func(c *sqlite.Conn) (err error) {
		code, ok, err = codeGiven(c, of, message)
		if err != nil || ok || len(codes) == 0 {
			return err
		}
		these := spentCodes{&codes[0], len(codes)}
		if s.spent[of] == these {
			return nil
		}
		i, err := freeCode(c, of, codes)
		switch {
		case err != nil:
			return err
		case i < 0:
			s.spent[of] = these
			return nil
		}
		code, ok = codes[i], true
		return giveCode(c, of, message, code, i)
	})
	if err != nil {
		return "", false, fmt.Errorf("reserve a code: %w", err)
	}
	return code, ok, nil
}

// codeGiven finds the code that a message has.
func codeGiven(c *sqlite.Conn, of codeList, message event.ID) (code string, ok bool, err error) {
	err = query(c, "SELECT code FROM codes WHERE message = ? AND workspace = ? AND list = ?", func(row *sqlite.Stmt) error {
		code, ok = row.ColumnText(0), true
		return nil
	}, message, of.workspace, of.name)
	return code, ok, err
}

// freeCode finds a code that is not given, from the cursor on and then from the
// start. It gives the index, -1 for none.
func freeCode(c *sqlite.Conn, of codeList, codes []string) (int, error) {
	next := 0
	err := query(c, "SELECT next FROM code_cursors WHERE workspace = ? AND list = ?", func(row *sqlite.Stmt) error {
		next = row.ColumnInt(0)
		return nil
	}, of.workspace, of.name)
	if err != nil {
		return -1, err
	}
	for i := range codes {
		at := (next + i) % len(codes)
		given := false
		err := query(c, "SELECT 1 FROM codes WHERE workspace = ? AND list = ? AND code = ?", func(*sqlite.Stmt) error {
			given = true
			return nil
		}, of.workspace, of.name, codes[at])
		if err != nil || !given {
			return at, err
		}
	}
	return -1, nil
}

// giveCode keeps that a code, the one with this index, belongs to a message.
func giveCode(c *sqlite.Conn, of codeList, message event.ID, code string, index int) error {
	err := query(c, "INSERT INTO codes (workspace, list, code, message) VALUES (?, ?, ?, ?)", nil, of.workspace, of.name, code, message)
	if err != nil {
		return err
	}
	return query(c, `INSERT INTO code_cursors (workspace, list, next) VALUES (?, ?, ?)
		ON CONFLICT (workspace, list) DO UPDATE SET next = excluded.next`, nil, of.workspace, of.name, index+1)
}

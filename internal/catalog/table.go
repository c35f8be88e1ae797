package catalog

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"platen/internal/fault"
	"platen/liquid"
)

// Table is the data of a catalog as it was read: rows of values by field.
type Table struct {
	rows []*liquid.Map
	// texts says that all values are texts whose types are still to be found, as
	// in CSV.
	texts bool
	// place finds the line and column, both from 1 and the column in characters,
	// of a value in the text that was read; of the row for the field "". It is nil
	// when there was no text.
	place func(row int, field string) (line, column int)
}

// NewTable makes a table of rows whose values are those of liquid.FromJSON.
func NewTable(rows []*liquid.Map) *Table { return &Table{rows: rows} }

// byteOrderMark begins the files of some spreadsheets.
const byteOrderMark = "\ufeff"

func withoutMark(text string) string { return strings.TrimPrefix(text, byteOrderMark) }

// ReadCSV reads rows below a line with the names of the fields. Empty cells have no
// value. The error is a *fault.Error with its place in the text.
func ReadCSV(text string) (*Table, error) {
	if err := checkBytes(text); err != nil {
		return nil, err
	}
	text = withoutMark(text)
	r := csv.NewReader(strings.NewReader(text))
	header, err := r.Read()
	if err != nil {
		return nil, csvFault(text, err)
	}
	if err := checkHeader(text, header, r); err != nil {
		return nil, err
	}
	t := &Table{texts: true}
	var places [][2]int32 // of all cells, row by row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvFault(text, err)
		}
		if len(t.rows) == MaxItems {
			line, _ := r.FieldPos(0)
			return nil, fault.Refused("too_many", "the catalog has more than %d items, which are kept in this version", MaxItems).At(line, 1)
		}
		row := &liquid.Map{}
		for i, cell := range record {
			line, column := r.FieldPos(i)
			places = append(places, [2]int32{int32(line), int32(column)})
			if cell != "" {
				row.Set(header[i], cell)
			}
		}
		t.rows = append(t.rows, row)
	}
	t.place = func(row int, field string) (int, int) {
		at := places[row*len(header)+max(0, slices.Index(header, field))]
		return int(at[0]), runeColumn(text, int(at[0]), int(at[1]))
	}
	return t, nil
}

func checkHeader(text string, header []string, r *csv.Reader) error {
	if len(header) > MaxFields {
		return fault.Refused("too_many", "the catalog has %d fields; at most %d are kept", len(header), MaxFields).At(1, 1)
	}
	for i, field := range header {
		line, column := r.FieldPos(i)
		column = runeColumn(text, line, column)
		switch {
		case !IsName(field):
			return fault.Refused("bad_name", "%.80q is no name of a field: it can have letters, digits, dashes and underscores, at most 250", field).At(line, column)
		case slices.Contains(header[:i], field):
			return fault.Refused("duplicate_name", "there are two fields with the name %q", field).At(line, column)
		}
	}
	if !slices.Contains(header, IDField) {
		return fault.Refused("missing_field", "the first line names the fields, and one of them must be %q", IDField).At(1, 1)
	}
	return nil
}

// csvFault words an error of the reader of CSV.
func csvFault(text string, err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return fault.Refused("bad_csv", "there is no line with the names of the fields").At(1, 1)
	case !errors.As(err, &p):
		return err
	}
	message := "this is not CSV"
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		message = "this row has another number of cells than the first line"
	case errors.Is(err, csv.ErrQuote):
		message = `a cell that begins with a quote ends with the next one; within a cell it is written twice`
	case errors.Is(err, csv.ErrBareQuote):
		message = `a cell with a quote in it stands in quotes, and the one in it is written twice`
	}
	return fault.Refused("bad_csv", "%s", message).At(p.Line, runeColumn(text, p.Line, p.Column))
}

// ReadJSON reads an array of objects, or objects one after the other, as in JSON
// lines. The error is a *fault.Error with its place in the text.
func ReadJSON(text string) (*Table, error) {
	if err := checkBytes(text); err != nil {
		return nil, err
	}
	text = withoutMark(text)
	if strings.TrimSpace(text) == "" {
		return nil, fault.Refused("bad_json", "there is no JSON here; a catalog without items is []").At(1, 1)
	}
	d := json.NewDecoder(strings.NewReader(text))
	isArray := strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "[")
	if isArray {
		if err := jsonFault(text, 0); err != nil {
			return nil, err
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	t := &Table{}
	var offsets []int // of all rows
	for d.More() {
		before := int(d.InputOffset())
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, cmp.Or(jsonFault(text, before), err)
		}
		offset := int(d.InputOffset()) - len(raw)
		row, f := jsonRow(raw)
		if len(t.rows) == MaxItems {
			f = fault.Refused("too_many", "the catalog has more than %d items, which are kept in this version", MaxItems)
		}
		if f != nil {
			return nil, f.At(lineAndColumn(text, offset))
		}
		t.rows, offsets = append(t.rows, row), append(offsets, offset)
	}
	if rest := text[d.InputOffset():]; !isArray && strings.TrimSpace(rest) != "" {
		return nil, jsonFault(text, int(d.InputOffset()))
	}
	t.place = func(row int, _ string) (int, int) { return lineAndColumn(text, offsets[row]) }
	return t, nil
}

func jsonRow(raw json.RawMessage) (*liquid.Map, *fault.Error) {
	if !bytes.HasPrefix(raw, []byte("{")) {
		return nil, fault.Refused("wrong_type", "an item must be a JSON object")
	}
	value, err := liquid.FromJSON(raw)
	if err != nil {
		return nil, fault.Refused("bad_json", "this item is nested too deep")
	}
	return value.(*liquid.Map), nil
}

// jsonFault tells where the first value from an offset on is no JSON, or, from the
// beginning on, what follows it. It is nil when all is well.
func jsonFault(text string, offset int) error {
	var all json.RawMessage
	err := json.Unmarshal([]byte(text[offset:]), &all)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	offset += int(syntax.Offset)
	if offset < len(text) || !strings.HasPrefix(syntax.Error(), "unexpected end") {
		offset--
	}
	line, column := lineAndColumn(text, offset)
	return fault.Refused("bad_json", "this is not JSON: %s", syntax).At(line, column)
}

func checkBytes(text string) error {
	if len(text) > MaxBytes {
		return fault.Refused("too_large", "the data has %d bytes; at most %d are kept in this version", len(text), MaxBytes).At(1, 1)
	}
	return nil
}

// lineAndColumn finds the place of a byte of a text.
func lineAndColumn(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// runeColumn turns a column in bytes into one in characters.
func runeColumn(text string, line, column int) int {
	for range line - 1 {
		_, text, _ = strings.Cut(text, "\n")
	}
	return utf8.RuneCountInString(text[:min(max(column-1, 0), len(text))]) + 1
}

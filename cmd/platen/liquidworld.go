package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"platen/internal/fault"
	"platen/liquid"
)

// maxText bounds every text that the commands read which work on templates, in bytes.
const maxText = 16 << 20

// readText reads a file, or standard input for "-", and gives what to call it.
func readText(file string, stdin io.Reader) (name, text string, err error) {
	name, from := "standard input", stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return file, "", unreadable(file, err)
		}
		defer f.Close()
		name, from = file, f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if err != nil {
		return name, "", unreadable(name, err)
	}
	if len(b) > maxText {
		return name, "", fault.New(fault.TooLarge, "too_large", "%s is larger than %d MiB", name, maxText>>20)
	}
	if !utf8.Valid(b) {
		return name, "", fault.New(fault.Invalid, "not_utf8", "%s is not in UTF-8: save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)", name)
	}
	return name, string(b), nil
}

// A world is all that one template is rendered on. It serves what Braze's tags
// ask for from outside from its data, and calls nobody.
type world struct {
	vars     map[string]any
	now      time.Time
	opts     liquid.Options
	partials map[string]string // sources by name
	files    *os.Root          // further partials; nil for none
	parsed   map[string]*liquid.Template

	catalogs map[string]catalogData
	replies  map[string]replyData // of connected_content, by URL
	codes    map[string]string    // of promotion, by list
}

type catalogData struct {
	items      []any
	byID       map[string]any
	selections map[string][]string // ids
}

type replyData struct {
	status int             // 0: 200
	body   json.RawMessage // a string is sent as text, anything else as JSON; nil for none
}

// newWorld reads the data of a template. Its errors say what is wrong with it, as
// "is no JSON object".
func newWorld(data []byte, opts liquid.Options) (*world, error) {
	value, err := liquid.FromJSON(data)
	members, ok := value.(*liquid.Map)
	if err != nil || !ok {
		return nil, errors.New(`is no JSON object such as {"name": "Ada"}`)
	}
	w := &world{vars: map[string]any{}, opts: opts, partials: map[string]string{}, parsed: map[string]*liquid.Template{}}
	for name, value := range members.All() {
		w.vars[name] = value
	}
	if opts.Dialect != liquid.Braze {
		return w, nil
	}
	if profile, ok := w.vars["profile"]; ok {
		w.vars[liquid.ProfileVariables] = profile
		delete(w.vars, "profile")
	}
	return w, w.readOutside(data)
}

// readOutside takes the members that are not variables of Braze's dialect.
func (w *world) readOutside(data []byte) error {
	var members, catalogs map[string]json.RawMessage
	var replies map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"catalogs": &catalogs, "content_blocks": &w.partials, "connected_content": &replies, "promotion": &w.codes,
	} {
		if err := readMember(members, name, into); err != nil {
			return err
		}
		delete(w.vars, name)
	}
	return errors.Join(w.readCatalogs(catalogs), w.readReplies(replies))
}

// readMember reads a member by its exact name, where the fields of a struct would
// be matched without regard to case. One that is not there is left as it was.
func readMember(of map[string]json.RawMessage, name string, into any) error {
	text, ok := of[name]
	if !ok {
		return nil
	}
	err := json.Unmarshal(text, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("holds a %s in %q where that is not possible (see --help)", wrong.Value, name)
	}
	return err
}

func (w *world) readCatalogs(texts map[string]json.RawMessage) error {
	if texts == nil {
		return nil
	}
	w.catalogs = make(map[string]catalogData, len(texts))
	for name, text := range texts {
		c, err := readCatalog(text)
		if err != nil {
			return fmt.Errorf("holds a catalog %q that %w", name, err)
		}
		w.catalogs[name] = c
	}
	return nil
}

func (w *world) readReplies(replies map[string]map[string]json.RawMessage) error {
	if replies == nil {
		return nil
	}
	w.replies = make(map[string]replyData, len(replies))
	for url, members := range replies {
		reply := replyData{body: members["body"]}
		if err := readMember(members, "status", &reply.status); err != nil {
			return err
		}
		w.replies[url] = reply
	}
	return nil
}

// readCatalog reads a list of items, or an object of items and selections.
func readCatalog(text json.RawMessage) (catalogData, error) {
	items, selections := text, map[string][]string(nil)
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		var members map[string]json.RawMessage
		if json.Unmarshal(text, &members) != nil || readMember(members, "selections", &selections) != nil {
			return catalogData{}, errors.New(`is neither a list of items nor {"items": […], "selections": {"name": ["id"]}}`)
		}
		items = members["items"]
	}
	return newCatalogData(items, selections)
}

func newCatalogData(text json.RawMessage, selections map[string][]string) (catalogData, error) {
	value, err := liquid.FromJSON(text)
	items, ok := value.([]any)
	if err != nil || !ok {
		return catalogData{}, errors.New("has no list of items")
	}
	c := catalogData{items: items, byID: make(map[string]any, len(items)), selections: selections}
	for _, item := range items {
		fields, ok := item.(*liquid.Map)
		if !ok {
			return c, errors.New("has an item that is no object")
		}
		id, ok := fields.Get("id")
		if !ok {
			return c, errors.New("has an item without an id")
		}
		c.byID[fmt.Sprint(id)] = item
	}
	return c, nil
}

// addDirectory adds the templates of a directory to the partials.
func (w *world) addDirectory(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	w.files = root
	return nil
}

// render parses and renders a template. The answer holds the failure, too.
func (w *world) render(ctx context.Context, source string) (answer evalAnswer, failure *liquid.Error) {
	var output string
	template, err := liquid.Parse(source, w.opts)
	if err == nil {
		in := liquid.Input{Vars: w.vars, Now: w.now, Partials: w, Extra: func(key, value string) {
			answer.Extras = append(answer.Extras, [2]string{key, value})
		}}
		if w.catalogs != nil {
			in.Catalogs = w
		}
		if w.replies != nil {
			in.Fetcher = w
		}
		if w.codes != nil {
			in.Codes = w
		}
		output, err = template.Render(ctx, in)
	}
	if errors.As(err, &failure) {
		return evalAnswer{Error: &evalError{
			Kind: failure.Kind.String(), Message: failure.Message, Line: failure.Pos.Line, Column: failure.Pos.Column,
			Text: failure.Text, Partial: failure.Partial,
		}}, failure
	}
	answer.Output = &output
	return answer, nil
}

// Partial finds a partial among those given, then in the directory.
func (w *world) Partial(_ context.Context, name string) (*liquid.Template, error) {
	if t, ok := w.parsed[name]; ok {
		return t, nil
	}
	source, ok := w.partials[name]
	if !ok {
		text, err := w.file(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		source = text
	}
	t, err := liquid.Parse(source, w.opts)
	if err != nil {
		return nil, err
	}
	w.parsed[name] = t
	return t, nil
}

// file reads NAME.liquid from the directory of partials, and never from outside
// of it.
func (w *world) file(name string) (string, error) {
	if w.files == nil {
		return "", fs.ErrNotExist
	}
	f, err := w.files.Open(name + ".liquid")
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, text, err := readText("-", f)
	return text, err
}

// CatalogItems finds items in the data.
func (w *world) CatalogItems(_ context.Context, catalog string, ids []string) ([]any, bool, error) {
	c, found := w.catalogs[catalog]
	items := []any{}
	for _, id := range ids {
		if item, ok := c.byID[id]; ok {
			items = append(items, item)
		}
	}
	return items, found, nil
}

// CatalogSelection finds a selection in the data.
func (w *world) CatalogSelection(ctx context.Context, catalog, selection string) ([]any, bool, error) {
	ids, found := w.catalogs[catalog].selections[selection]
	if !found {
		return nil, false, nil
	}
	return w.CatalogItems(ctx, catalog, ids)
}

// Fetch answers from the data.
func (w *world) Fetch(_ context.Context, r liquid.FetchRequest) (liquid.FetchResponse, error) {
	reply, ok := w.replies[r.URL]
	if !ok {
		return liquid.FetchResponse{}, fmt.Errorf(`"connected_content" of the data has no reply for %s %s`, r.Method, r.URL)
	}
	answer := liquid.FetchResponse{Status: cmp.Or(reply.status, http.StatusOK)}
	if answer.Status < 200 || answer.Status > 299 {
		return answer, nil
	}
	var text string
	if json.Unmarshal(reply.body, &text) == nil {
		answer.Body = []byte(text)
	} else {
		answer.Body = reply.body
	}
	return answer, nil
}

// Code finds a code in the data.
func (w *world) Code(_ context.Context, list string) (string, error) {
	code, ok := w.codes[list]
	if !ok {
		return "", fmt.Errorf(`"promotion" of the data has no code of the list %q`, list)
	}
	return code, nil
}

// explain tells for a person what is wrong with a template, with the line in
// question and a mark below it, as
//
//	body.liquid:1:8: unknown filter "upcas"; did you mean "upcase"?
//	  {{ a | upcas }}
//	         ^^^^^
func explain(name, source string, e *liquid.Error) string {
	message := e.Message
	if e.Kind == liquid.KindAbort {
		message = "the message is not sent: " + message
	}
	if e.Pos.Line == 0 {
		return name + ": " + message
	}
	if e.Partial != "" { // whose source is not at hand
		return fmt.Sprintf("%s: in %s:%d:%d: %s\n  %s", name, e.Partial, e.Pos.Line, e.Pos.Column, message, firstLine(e.Text))
	}
	return fmt.Sprintf("%s:%d:%d: %s\n%s", name, e.Pos.Line, e.Pos.Column, message, marked(source, e))
}

// marked shows the line of an error with a mark below the offending text.
func marked(source string, e *liquid.Error) string {
	const around = 60 // characters shown before the mark, and behind it
	start := strings.LastIndexByte(source[:e.Pos.Offset], '\n') + 1
	before, rest := []rune(source[start:e.Pos.Offset]), []rune(firstLine(source[e.Pos.Offset:]))
	if len(before) > around {
		before = append([]rune("…"), before[len(before)-around:]...)
	}
	width := max(1, min(len([]rune(firstLine(e.Text))), len(rest)))
	if shown := max(width, around); len(rest) > shown {
		rest = append(rest[:shown:shown], '…')
	}
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(before))
	return "  " + string(before) + string(rest) + "\n  " + indent + strings.Repeat("^", width)
}

// firstLine is what stands before the first line break.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r")
}

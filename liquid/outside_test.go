package liquid

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// errDown is what a fakeOutside answers for URLs and names that begin with "down".
var errDown = errors.New("the store is down")

// fakeOutside answers what templates ask from outside, and keeps what they asked.
type fakeOutside struct {
	answers    map[string]FetchResponse // by URL
	catalogs   map[string][]any         // items with an id, by catalog
	selections map[[2]string][]any      // by catalog and name
	codes      map[string]string        // by list

	mu       sync.Mutex
	requests []FetchRequest
	extras   [][2]string
}

func (f *fakeOutside) Fetch(_ context.Context, r FetchRequest) (FetchResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if strings.Contains(r.URL, "down") {
		return FetchResponse{}, errDown
	}
	return f.answers[r.URL], nil
}

func (f *fakeOutside) CatalogItems(_ context.Context, catalog string, ids []string) ([]any, bool, error) {
	if catalog == "down" {
		return nil, false, errDown
	}
	all, found := f.catalogs[catalog]
	var items []any
	for _, id := range ids {
		at := slices.IndexFunc(all, func(item any) bool {
			known, _ := member(item, "id")
			return known == id
		})
		if at >= 0 {
			items = append(items, all[at])
		}
	}
	return items, found, nil
}

func (f *fakeOutside) CatalogSelection(_ context.Context, catalog, selection string) ([]any, bool, error) {
	if catalog == "down" {
		return nil, false, errDown
	}
	items, found := f.selections[[2]string{catalog, selection}]
	return items, found, nil
}

func (f *fakeOutside) Code(_ context.Context, list string) (string, error) {
	code, ok := f.codes[list]
	if !ok {
		return "", errDown
	}
	return code, nil
}

// newOutside has a weather service, a catalog of games and a list of codes.
func newOutside(t testing.TB) *fakeOutside {
	games, _ := fromJSON(t, `[
		{"id":"1234","title":"Chess","text":"For {{${first_name}}}","players":2},
		{"id":"5678","title":"Go","text":"plain","players":2}]`).([]any)
	ok := func(body string) FetchResponse { return FetchResponse{Status: 200, Body: []byte(body)} }
	return &fakeOutside{
		answers: map[string]FetchResponse{
			"https://example.com/weather?city=New%20York": ok(`{"sky":"clear","degrees":21.50}`),
			"https://example.com/list":                    ok(`[1,2]`),
			"https://example.com/text":                    ok("Hi <b>{{ ${first_name} }}</b>"),
			"https://example.com/bare":                    ok("Hi ${first_name}, ${ custom_attribute } $5 {$} ${}"),
			"https://example.com/empty":                   {Status: 204},
			"https://example.com/404":                     {Status: 404, Body: []byte(`{"a":1}`)},
			"https://example.com/500":                     {Status: 500, Body: []byte("oops")},
			"https://example.com/latin":                   {Status: 200, Body: []byte("caf\xe9")},
		},
		catalogs:   map[string][]any{"games": games, "empty": {}},
		selections: map[[2]string][]any{{"games", "for_two"}: games},
		codes:      map[string]string{"spring": "SPRING-1"},
	}
}

// outsideInput gives a template what f has, and the variables and snippets of
// the tests.
func outsideInput(t testing.TB, f *fakeOutside) Input {
	partials := PartialMap{}
	for name, source := range map[string]string{
		"greeting":   "Hello {{ who | default: 'you' }}",
		"footer 1/ü": "{{content_blocks.${greeting}}} {% assign seen = 'yes' %}.",
		"third":      "3",
		"second":     "2{{content_blocks.${third}}}",
		"first":      "1{{content_blocks.${second}}}",
		"self":       "x{{content_blocks.${self}}}",
		"broken":     "a\n {{ 1 | divided_by: 0 }}",
		"stop":       "{% break %}",
		"abort":      "{% abort_message('enough') %}",
	} {
		tpl, err := Parse(source, Options{Dialect: Braze})
		if err != nil {
			t.Fatal(err)
		}
		partials[name] = tpl
	}
	return Input{
		Now: seedNow, Partials: partials, Fetcher: f, Catalogs: f, Codes: f,
		Extra: func(key, value string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.extras = append(f.extras, [2]string{key, value})
		},
		Vars: map[string]any{
			ProfileVariables:   fromJSON(t, `{"first_name":"Jon","user_id":"u1"}`),
			"custom_attribute": fromJSON(t, `{"city":"New York","fav":"5678","lines":"a\r\nX-Evil: 1","quote":"say \"hi\"","amp":"a&b=c"}`),
		},
	}
}

// renderOutside renders a template with all of newOutside.
func renderOutside(t testing.TB, source string) (string, *fakeOutside, error) {
	t.Helper()
	f := newOutside(t)
	got, err := renderBraze(t, source, outsideInput(t, f))
	return got, f, err
}

// wantError checks the kind and the place of an error and a part of its message.
func wantError(t *testing.T, err error, kind Kind, at Pos, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error with %q", err, message)
	}
	if e.Kind != kind || e.Pos.Line != at.Line || e.Pos.Column != at.Column || !strings.Contains(e.Error(), message) {
		t.Errorf("got %s error: %v\nwant %s at %d:%d with %q", e.Kind, e, kind, at.Line, at.Column, message)
	}
}

// exampleInput is what the examples of tags and filters are rendered with.
func exampleInput(t testing.TB, partials PartialMap) Input {
	in := outsideInput(t, newOutside(t))
	maps.Copy(in.Partials.(PartialMap), partials)
	in.Vars = nil
	return in
}

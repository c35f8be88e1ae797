package liquid

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func init() {
	registerTags(
		&tag{TagDoc{Name: "connected_content", Braze: true,
			Syntax: "connected_content URL :save name :method post :body text :content_type type :headers {json} " +
				":basic_auth name :auth_credentials name :cache_max_age seconds :no_cache :retry :rerender",
			Doc: "Calls a URL. JSON of the answer goes to the variable of :save (connected without it); other text is printed; " +
				"an answer of another status than 2xx gives nothing.",
			Example: `{% connected_content https://example.com/weather?city={{ 'New York' | url_param_escape }} :save w %}{{ w.sky }}, {{ w.__http_status_code__ }}`,
			Output:  "clear, 200"}, parseConnectedContent},
	)
}

// The bounds of :cache_max_age (spec/engage.md, 2.5).
const (
	minCacheAge = 300 * time.Second
	maxCacheAge = 14400 * time.Second
)

// A contentReader reads a connected_content tag.
type contentReader struct {
	*words
	node  *ConnectedContent
	given map[string]word // the options that were read, and where
}

// contentOptions are the options of connected_content and how each is read.
var contentOptions = map[string]func(*contentReader, word) error{
	":save":             (*contentReader).save,
	":method":           (*contentReader).method,
	":body":             (*contentReader).body,
	":content_type":     (*contentReader).contentType,
	":headers":          (*contentReader).allHeaders,
	":basic_auth":       (*contentReader).credential,
	":auth_credentials": (*contentReader).credential,
	":cache_max_age":    (*contentReader).cacheAge,
	":no_cache":         func(r *contentReader, _ word) error { r.node.NoCache = true; return nil },
	":retry":            func(r *contentReader, _ word) error { r.node.Retry = true; return nil },
	":rerender":         func(r *contentReader, _ word) error { r.node.Rerender = true; return nil },
}

func parseConnectedContent(p *parser, pc piece) (Node, error) {
	r := &contentReader{
		words: p.words(pc),
		node:  &ConnectedContent{Span: p.loc.span(pc.from, pc.to), Method: http.MethodGet},
		given: map[string]word{},
	}
	if err := r.url(); err != nil {
		return nil, err
	}
	for r.more() {
		if err := r.option(); err != nil {
			return nil, err
		}
	}
	return r.node, r.contradiction()
}

func (r *contentReader) url() error {
	const expected = "a URL that begins with https:// or http://"
	w, err := r.next(expected)
	if err != nil {
		return err
	}
	if w.quoted {
		return r.errorAt(w, "the URL stands without quotes")
	}
	text := r.text(w)
	known := strings.HasPrefix(text, "{{") || hasPrefixFold(text, "https://") || hasPrefixFold(text, "http://")
	if !known {
		return r.errorAt(w, "expected %s", expected)
	}
	r.node.URL, err = r.p.phrase(w)
	return err
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// option reads one option with its value.
func (r *contentReader) option() error {
	w, err := r.next("an option")
	if err != nil {
		return err
	}
	name := r.text(w)
	read := contentOptions[name]
	if read == nil || w.quoted {
		if _, ok := r.given[":body"]; ok && !strings.HasPrefix(name, ":") {
			return r.errorAt(w, "unexpected %s: a :body has no white space; capture longer text first and write :body {{name}}", excerpt(name))
		}
		return r.unknownOption("connected_content", w, slices.Sorted(maps.Keys(contentOptions)))
	}
	if _, twice := r.given[name]; twice {
		return r.errorAt(w, "%s stands here twice", name)
	}
	r.given[name] = w
	return read(r, w)
}

// contradiction reports options that cannot go together.
func (r *contentReader) contradiction() error {
	_, basic := r.given[":basic_auth"]
	if second, both := r.given[":auth_credentials"]; basic && both {
		return r.errorAt(second, "a call has one credential: remove :auth_credentials or :basic_auth")
	}
	_, aged := r.given[":cache_max_age"]
	if second, both := r.given[":no_cache"]; aged && both {
		return r.errorAt(second, ":no_cache contradicts :cache_max_age: remove one of them")
	}
	if body, ok := r.given[":body"]; ok && r.node.Method == http.MethodGet {
		return r.errorAt(body, "a :body is sent with :method post only")
	}
	return nil
}

func (r *contentReader) save(option word) error {
	const expected = "the name of a variable"
	w, err := r.fixedValue(option, expected)
	if err != nil {
		return err
	}
	if nameLength(w.text) != len(w.text) {
		return r.errorAt(w.word, "this cannot be %s: expected letters, digits, _ and -", expected)
	}
	r.node.Save = w.text
	return nil
}

// A fixedWord is a word without Liquid, and its text.
type fixedWord struct {
	word
	text string
}

// fixedValue reads the value of an option that holds no Liquid.
func (r *contentReader) fixedValue(option word, expected string) (fixedWord, error) {
	w, err := r.value(option, expected)
	if err != nil {
		return fixedWord{}, err
	}
	text, err := r.fixed(w, expected)
	return fixedWord{w, text}, err
}

func (r *contentReader) method(option word) error {
	w, err := r.fixedValue(option, "get or post")
	if err != nil {
		return err
	}
	switch r.node.Method = strings.ToUpper(w.text); r.node.Method {
	case http.MethodGet, http.MethodPost:
		return nil
	}
	return r.errorAt(w.word, "unknown method %q: expected get or post", excerpt(w.text))
}

func (r *contentReader) body(option word) error {
	w, err := r.value(option, "the text to send, without white space")
	if err != nil {
		return err
	}
	r.node.Body, err = r.p.phrase(w)
	return err
}

func (r *contentReader) contentType(option word) error {
	const expected = "a type as application/json"
	w, err := r.fixedValue(option, expected)
	if err != nil {
		return err
	}
	kind, sub, found := strings.Cut(w.text, "/")
	sub, parameters, _ := strings.Cut(sub, ";")
	if !found || !isHeaderName(kind) || !isHeaderName(sub) || !isHeaderText(parameters) {
		return r.errorAt(w.word, "unknown content type %q: expected %s", excerpt(w.text), expected)
	}
	r.node.ContentType = w.text
	return nil
}

func (r *contentReader) allHeaders(option word) (err error) {
	r.node.Headers, err = r.headers(option)
	return err
}

func (r *contentReader) credential(option word) error {
	w, err := r.fixedValue(option, "the name of a credential")
	r.node.Credential, r.node.CredentialSpan = w.text, r.p.loc.span(w.from, w.to)
	return err
}

func (r *contentReader) cacheAge(option word) error {
	w, err := r.fixedValue(option, "a number of seconds")
	if err != nil {
		return err
	}
	seconds, err := strconv.Atoi(w.text)
	age := time.Duration(seconds) * time.Second
	if err != nil || seconds > int(maxCacheAge/time.Second) || age < minCacheAge {
		return r.errorAt(w.word, "%s cannot be the age: expected %d to %d seconds",
			excerpt(w.text), minCacheAge/time.Second, maxCacheAge/time.Second)
	}
	r.node.CacheFor = age
	return nil
}

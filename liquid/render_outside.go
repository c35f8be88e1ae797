package liquid

import (
	"encoding/json"
	"net/url"
	"strings"
)

// askCost is what a question to something outside takes from the steps.
const askCost = 1000

// maxURL is the number of bytes that a URL may have.
const maxURL = 8 << 10

// maxSnippets is how deep snippets are rendered in snippets: one that a message
// uses, and one that this one uses. What is deeper prints nothing.
const maxSnippets = 2

// written renders a part of a tag, as a URL, to text.
func (s *Scope) written(b *Block) (string, error) {
	from := len(s.out)
	for _, n := range b.Nodes {
		err := s.work(1)
		if err == nil {
			err = n.render(s)
		}
		if err != nil {
			s.out = s.out[:from]
			return "", s.placed(err, n)
		}
	}
	return s.captured(from)
}

func (n *ConnectedContent) render(s *Scope) error {
	if s.in.Fetcher == nil {
		return failed("connected_content is not possible here")
	}
	request, err := n.request(s)
	if err != nil {
		return err
	}
	if err := s.work(askCost); err != nil {
		return err
	}
	response, err := s.in.Fetcher.Fetch(s.ctx, request)
	if err != nil {
		return outside("connected_content failed", err)
	}
	return n.take(s, response)
}

// request is the call as the tag asks for it.
func (n *ConnectedContent) request(s *Scope) (FetchRequest, error) {
	r := FetchRequest{
		Method: n.Method, ContentType: n.ContentType, Credential: n.Credential,
		CacheFor: n.CacheFor, NoCache: n.NoCache, Retry: n.Retry,
	}
	var err error
	if r.URL, err = n.address(s); err != nil {
		return r, err
	}
	if r.Header, err = n.header(s); err != nil {
		return r, err
	}
	if n.Body != nil {
		if r.Body, err = n.body(s); err != nil {
			return r, s.placed(err, n.Body)
		}
	}
	return r, nil
}

func (n *ConnectedContent) address(s *Scope) (string, error) {
	address, err := s.written(n.URL)
	if err != nil {
		return "", err
	}
	if address = trimSpace(address); len(address) > maxURL {
		return "", s.placed(exceeded("the URL of connected_content is longer than 8 KiB"), n.URL)
	}
	return address, nil
}

func (n *ConnectedContent) header(s *Scope) ([][2]string, error) {
	var list [][2]string
	for _, h := range n.Headers {
		value, err := s.written(h.Value)
		if err != nil {
			return nil, err
		}
		if value = trimSpace(value); !isHeaderText(value) {
			return nil, s.placed(failed("a header has one line: line breaks and control characters are not possible in it"), h.Value)
		}
		list = append(list, [2]string{h.Name, value})
	}
	return list, nil
}

// body is the text to send. Of a call whose content is JSON, a form becomes an
// object of texts.
func (n *ConnectedContent) body(s *Scope) (string, error) {
	text, err := s.written(n.Body)
	if err != nil {
		return "", err
	}
	if !isJSONType(n.ContentType) || !isForm(text) {
		return text, nil
	}
	fields := &Map{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		fields.Set(unescaped(name), unescaped(value))
	}
	out, err := s.appendJSON(nil, fields, 0)
	return string(out), err
}

// isJSONType reports whether a content type is JSON: application/json, or one
// whose name ends in +json (RFC 6839).
func isJSONType(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(trimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// isForm reports whether a text can only be a form.
func isForm(text string) bool {
	return strings.Contains(text, "=") && strings.IndexByte(`{["`, trimSpace(text)[0]) < 0
}

// unescaped decodes a part of a form. What is not escaped rightly stays.
func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// take gives the answer of the call to the template.
func (n *ConnectedContent) take(s *Scope, r FetchResponse) error {
	s.Set(n.Variable(), nil)
	if r.Status < 200 || r.Status > 299 {
		return nil
	}
	if err := s.build(len(r.Body)); err != nil {
		return err
	}
	if !json.Valid(r.Body) {
		text := strings.ToValidUTF8(string(r.Body), "\uFFFD")
		if n.Rerender {
			return s.rerender("the answer of connected_content", text)
		}
		return s.print(text)
	}
	value, err := s.answer(r.Body)
	if err != nil {
		return err
	}
	if m, ok := value.(*Map); ok {
		m.Set("__http_status_code__", int64(r.Status))
	}
	s.Set(n.Variable(), value)
	return s.workOn(n.Save)
}

// answer makes a value of valid JSON. What it may lay out in memory is counted
// before.
func (s *Scope) answer(text []byte) (any, error) {
	cost := jsonCost(text)
	if err := s.build(cost); err != nil {
		return nil, err
	}
	if err := s.work(cost / valueCost); err != nil {
		return nil, err
	}
	value, err := FromJSON(text)
	if err != nil {
		return nil, exceeded("the answer of connected_content is nested too deep")
	}
	return value, nil
}

func (n *CatalogItems) render(s *Scope) error {
	ids := make([]string, 0, len(n.IDs))
	for _, id := range n.IDs {
		text, err := s.written(id)
		if err != nil {
			return err
		}
		if text = trimSpace(text); text != "" {
			ids = append(ids, text)
		}
	}
	items, found, err := s.askCatalogs(func(c Catalogs) ([]any, bool, error) {
		return c.CatalogItems(s.ctx, n.Catalog, ids)
	})
	if err != nil {
		return err
	}
	if !found {
		return s.placed(failed("there is no catalog "+quote(n.Catalog)), n.CatalogSpan)
	}
	return s.setItems(n.Catalog, items, n.Rerender)
}

func (n *CatalogSelection) render(s *Scope) error {
	items, found, err := s.askCatalogs(func(c Catalogs) ([]any, bool, error) {
		return c.CatalogSelection(s.ctx, n.Catalog, n.Selection)
	})
	if err != nil {
		return err
	}
	if !found {
		return s.placed(failed("there is no catalog "+quote(n.Catalog)+" with a selection "+quote(n.Selection)), n.SelectionSpan)
	}
	return s.setItems(n.Catalog, items, n.Rerender)
}

// askCatalogs asks the catalogs for items.
func (s *Scope) askCatalogs(ask func(Catalogs) ([]any, bool, error)) (items []any, found bool, err error) {
	if s.in.Catalogs == nil {
		return nil, false, failed("catalogs are not possible here")
	}
	if err := s.work(askCost); err != nil {
		return nil, false, err
	}
	items, found, err = ask(s.in.Catalogs)
	if err != nil {
		return nil, false, outside("the catalog could not be read", err)
	}
	return items, found, s.buildList(int64(len(items)))
}

// setItems gives the items of a catalog to the template.
func (s *Scope) setItems(catalog string, items []any, rerender bool) error {
	if rerender {
		var err error
		if items, err = s.rerenderItems(catalog, items); err != nil {
			return err
		}
	}
	if items == nil {
		items = []any{}
	}
	s.Set(ItemsVariable, items)
	return nil
}

func (n *MessageExtras) render(s *Scope) error {
	key, err := s.written(n.Key)
	if err != nil {
		return err
	}
	value, err := s.written(n.Value)
	if err != nil {
		return err
	}
	if key = trimSpace(key); key == "" || s.in.Extra == nil || s.extras[key] {
		return nil // nothing to keep it under, or nobody to, or not the first
	}
	if s.extras == nil {
		s.extras = make(map[string]bool)
	}
	s.extras[key] = true
	s.in.Extra(key, value)
	return nil
}

func (n *Promotion) render(s *Scope) error {
	if s.in.Codes == nil {
		return failed("promotion codes are not possible here")
	}
	if err := s.work(askCost); err != nil {
		return err
	}
	code, err := s.in.Codes.Code(s.ctx, n.List)
	if err != nil {
		return outside("no code of the promotion list "+quote(n.List), err)
	}
	if err := s.build(len(code)); err != nil {
		return err
	}
	return s.print(code)
}

// eval renders the snippet with the variables of the place that uses it.
func (e *Snippet) eval(s *Scope) (any, error) {
	if s.snippets == maxSnippets {
		return nil, nil
	}
	c, err := s.findPartial("snippet", e.Name)
	if err != nil {
		return nil, s.placed(err, e)
	}
	s.snippets++
	defer func() { s.snippets-- }()
	from := len(s.out)
	if err := s.within(c, func() error { return c.template.root.render(s) }); err != nil {
		s.out = s.out[:from]
		return nil, err
	}
	return s.captured(from)
}

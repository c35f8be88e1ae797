package liquid

import "strings"

// Uses is what a template asks for from outside, apart from variables (see
// [Template.Reads]): every place, in order, also those that a render may not
// reach. What snippets use is not in it.
type Uses struct {
	Catalogs    []CatalogUse   // of catalog_items
	Selections  []SelectionUse // of catalog_selection_items
	Promotions  []Use          // lists, of promotion
	Snippets    []Use          // of content_blocks.${…}
	Calls       []CallUse      // of connected_content
	Credentials []Use          // of :basic_auth and :auth_credentials
}

// Use is a name that a template asks for, and where it stands.
type Use struct {
	Span
	Name string
}

// CatalogUse is a catalog and the ids that are literal.
type CatalogUse struct {
	Use
	IDs []Use
}

// SelectionUse is a selection of a catalog. Its span is that of the selection's
// name.
type SelectionUse struct {
	Use
	Catalog Use
}

// CallUse is a call over HTTP. Its span is that of the URL.
type CallUse struct {
	Span
	URL    string // as it stands in the source, Liquid included
	Host   string // with the port if there is one; "" when it is not all literal
	Method string // GET or POST
}

// Uses lists what the template asks for from outside.
func (t *Template) Uses() Uses {
	u := &Uses{}
	Walk(t.root, func(n Node) {
		u.addNode(n, t.source)
		for _, e := range Expressions(n) {
			Snippets(e, func(s *Snippet) {
				u.Snippets = append(u.Snippets, Use{s.NameSpan, s.Name})
			})
		}
	})
	return *u
}

// addNode adds what the tag itself asks for.
func (u *Uses) addNode(n Node, source string) {
	switch n := n.(type) {
	case *CatalogItems:
		use := CatalogUse{Use: Use{n.CatalogSpan, n.Catalog}}
		for _, id := range n.IDs {
			if text, whole := id.literal(); whole {
				use.IDs = append(use.IDs, Use{id.Span, text})
			}
		}
		u.Catalogs = append(u.Catalogs, use)
	case *CatalogSelection:
		u.Selections = append(u.Selections, SelectionUse{Use{n.SelectionSpan, n.Selection}, Use{n.CatalogSpan, n.Catalog}})
	case *Promotion:
		u.Promotions = append(u.Promotions, Use{n.ListSpan, n.List})
	case *ConnectedContent:
		u.Calls = append(u.Calls, CallUse{
			Span: n.URL.Span, URL: source[n.URL.Start.Offset:n.URL.Stop.Offset], Host: n.host(), Method: n.Method,
		})
		if n.Credential != "" {
			u.Credentials = append(u.Credentials, Use{n.CredentialSpan, n.Credential})
		}
	}
}

// literal is the text of a block up to the first Liquid in it, and whether that
// is all of it.
func (n *Block) literal() (text string, whole bool) {
	var b strings.Builder
	for _, child := range n.Nodes {
		t, ok := child.(*Text)
		if !ok {
			return b.String(), false
		}
		b.WriteString(t.Text)
	}
	return b.String(), true
}

// host is the host of the URL when all of it stands before any Liquid.
func (n *ConnectedContent) host() string {
	text, whole := n.URL.literal()
	_, rest, found := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if !found || end < 0 && !whole {
		return ""
	}
	if end >= 0 {
		rest = rest[:end]
	}
	return strings.ToLower(rest[strings.LastIndexByte(rest, '@')+1:])
}

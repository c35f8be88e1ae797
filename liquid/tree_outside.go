package liquid

import "time"

// The nodes of the Braze dialect that ask for something from outside. Texts in
// them that may hold `{{ … }}` are blocks of *Text and *Output; [Walk] visits
// them, though none of them prints to the output.

// ConnectedContent is the connected_content tag: a call over HTTP. What is JSON
// in its answer becomes the variable [ConnectedContent.Variable]; any other text
// is printed.
type ConnectedContent struct {
	Span
	URL         *Block
	Method      string   // GET or POST
	Headers     []Header // of :headers, in order
	ContentType string   // of :content_type; "" when not given
	Body        *Block   // of :body; nil when not given
	Save        string   // of :save; "" when not given
	// Credential is the name of a stored credential, from :basic_auth or
	// :auth_credentials; "" for none. CredentialSpan is that of the name.
	Credential     string
	CredentialSpan Span
	CacheFor       time.Duration // of :cache_max_age; 0 when not given
	NoCache        bool
	Retry          bool
	Rerender       bool // Liquid in a text answer is rendered
}

// DefaultSave is the variable of a [ConnectedContent] without :save.
const DefaultSave = "connected"

// Variable is the name of the variable that JSON answers are given to.
func (n *ConnectedContent) Variable() string {
	if n.Save == "" {
		return DefaultSave
	}
	return n.Save
}

// Header is one header of a [ConnectedContent]. Its span is that of name and
// value together, as they stand in the JSON.
type Header struct {
	Span
	Name  string
	Value *Block // a JSON text without its quotes and escapes, or a number
}

// ItemsVariable is the variable that [CatalogItems] and [CatalogSelection] set.
const ItemsVariable = "items"

// CatalogItems is the catalog_items tag: it sets `items` to the items of a
// catalog that have these ids.
type CatalogItems struct {
	Span
	Catalog     string
	CatalogSpan Span
	IDs         []*Block
	Rerender    bool // Liquid in the fields of the items is rendered
}

// CatalogSelection is the catalog_selection_items tag: it sets `items` to the
// items of a selection of a catalog.
type CatalogSelection struct {
	Span
	Catalog       string
	CatalogSpan   Span
	Selection     string
	SelectionSpan Span
	Rerender      bool // Liquid in the fields of the items is rendered
}

// MessageExtras is the message_extras tag: a pair that is kept with the message
// and not sent.
type MessageExtras struct {
	Span
	Key   *Block
	Value *Block
}

// Promotion is the promotion tag: it prints a code of a promotion list.
type Promotion struct {
	Span
	List     string
	ListSpan Span
}

package liquid

import (
	"context"
	"time"
)

// Fetcher carries out the calls of connected_content.
type Fetcher interface {
	// Fetch makes one call, or answers it from its cache. A call without a usable
	// answer is no error: the response then says so, and the template goes on. An
	// error ends the render as an [Error] of [KindOutside] that wraps it.
	Fetch(ctx context.Context, r FetchRequest) (FetchResponse, error)
}

// FetchRequest is one call of connected_content as the template asks for it.
type FetchRequest struct {
	URL         string
	Method      string        // GET or POST
	Header      [][2]string   // of :headers, in their order
	ContentType string        // of :content_type; "" for the default of the method
	Body        string        // of :body
	Credential  string        // of :basic_auth or :auth_credentials; "" for none
	CacheFor    time.Duration // of :cache_max_age; 0 for the default of the method
	NoCache     bool
	Retry       bool // a failed call is to be tried again, and the message not sent without it
}

// FetchResponse is what came back.
type FetchResponse struct {
	Status int    // 0: there was no answer
	Body   []byte // of a status of 200 to 299
}

// Catalogs finds the items of catalog_items and catalog_selection_items.
type Catalogs interface {
	// CatalogItems returns the items with these ids in their order; unknown ids are
	// left out. It reports whether there is such a catalog. An error ends the render
	// as an [Error] of [KindOutside] that wraps it.
	CatalogItems(ctx context.Context, catalog string, ids []string) (items []any, found bool, err error)
	// CatalogSelection returns the items of a selection. It reports whether there
	// is such a catalog and selection.
	CatalogSelection(ctx context.Context, catalog, selection string) (items []any, found bool, err error)
}

// Codes hands out the codes of promotion lists.
type Codes interface {
	// Code returns the code of a list for the message that is rendered: the same
	// however often it is asked. An error, also that no code is left, ends the
	// render as an [Error] of [KindOutside] that wraps it.
	Code(ctx context.Context, list string) (string, error)
}

package liquid

import (
	"context"
	"time"
)

// Input is what a render works on. It is only read.
type Input struct {
	// Vars are the variables by name. The values may be nil, bool, any integer
	// or float, json.Number, string, time.Time, []any, []string,
	// map[string]any, *Map and Object. Variables of the Braze dialect without a
	// namespace are members of Vars[ProfileVariables].
	Vars map[string]any
	// Now is the time that 'now' means, in the zone that times without one are
	// in. The engine never reads a clock.
	Now time.Time
	// Partials finds what include and render name, and in the Braze dialect the
	// snippets of `content_blocks.${…}`; nil: there are none.
	Partials Partials
	// Fetcher, Catalogs and Codes serve tags of the Braze dialect. A tag whose
	// server is nil fails.
	Fetcher  Fetcher
	Catalogs Catalogs
	Codes    Codes
	// Extra is told each pair of message_extras, in order; nil: they are dropped.
	Extra func(key, value string)
}

// Partials finds the templates that include, render and `content_blocks.${…}` name.
type Partials interface {
	// Partial returns the template of that name, or nil when there is none. Its
	// dialect and limits are those of the template that asks.
	Partial(ctx context.Context, name string) (*Template, error)
}

// PartialMap is a fixed set of partials by name.
type PartialMap map[string]*Template

// Partial returns the template of that name.
func (m PartialMap) Partial(_ context.Context, name string) (*Template, error) {
	return m[name], nil
}

// Package block holds the definitions of personal content: rules, the query that
// each makes over a profile's timeline, the layout, the link and the fallback.
package block

import (
	"platen/internal/filter"
	"platen/internal/render"
	"platen/liquid"
)

// Block is a definition. Once compiled it is never changed, so any number of
// goroutines may use it.
type Block struct {
	Workspace int64
	PublicID  string // 16 hex digits, unique on the server, stable over renames
	Name      string // also an alias of PublicID in URLs where IsAlias(Name)
	Show      []Rule // the first that matches and finds items is drawn
	Fallback  Fallback
	// Link is Liquid for the address that a click leads to, "" for none. It sees
	// the list items that the rule found.
	Link string

	link *liquid.Template
}

// Rule says when to show what.
type Rule struct {
	When   filter.Expr // on the profile; nil: always
	Items  Query
	Layout string // LayoutCards so far
}

// LayoutCards draws the items as cards beside each other.
const LayoutCards = "cards"

// Layouts gives the names of all layouts, sorted.
func Layouts() []string { return []string{LayoutCards} }

// Query picks events from a profile's timeline, newest first.
type Query struct {
	Event string
	// Distinct is the property by which events count as the same item; of each
	// the newest is taken. "" takes every event.
	Distinct string
	Exclude  Exclude
	Limit    int // 1 to MaxItems
}

// MaxItems is the most that one query may find: as many as one picture shows.
const MaxItems = render.MaxCardItems

// Exclude leaves out the items that a later event was about, as an order that
// contains the product. Event "" leaves out nothing.
type Exclude struct{ Event string }

// Fallback is what is drawn for an unknown person, or when no rule finds
// anything: a card with a title and a text, drawn once and held in memory. It is
// text and not a picture file, so that a document is complete in itself.
type Fallback struct{ Title, Text string }

// Package campaign says what is sent, to whom and when: the definition of a
// campaign, the matching of its trigger, the choice of the variant, the rendering
// of its webhook and the decision after each attempt, all as pure functions, and
// the types in which hits, deliveries and attempts are kept.
package campaign

import (
	"platen/internal/event"
	"platen/internal/filter"
)

// Campaign is a definition. Once compiled it is never changed, so any number of
// goroutines may use it.
type Campaign struct {
	ID        string // UUID; stable over renames
	Workspace int64
	Name      string
	State     CampaignState
	Trigger   Trigger
	Audience  filter.Expr // nil: everyone
	Variants  []Variant
	// ControlPercent of the people are never sent anything. Together with the
	// variants' percentages it makes 100.
	ControlPercent int
	Version        int // counts the changes of the definition, from 1
}

// CampaignState says whether a campaign sends.
type CampaignState string

// The states of a campaign.
const (
	Draft    CampaignState = "draft"
	Active   CampaignState = "active"
	Stopped  CampaignState = "stopped"
	Archived CampaignState = "archived"
)

// Trigger is the event that sets a campaign off.
type Trigger struct {
	Event string
	Where filter.Expr // conditions on the event's properties; nil: always
}

// MaxVariants is how many variants a campaign may have (shared/spec/engage.md
// section 1.1).
const MaxVariants = 8

// Variant is one of the messages between which a campaign chooses.
type Variant struct {
	ID      string // UUID; stable over renames
	Name    string
	Percent int
	Webhook Webhook
}

// Webhook is the request of a variant. URL, the values of the headers and the
// body are Liquid.
type Webhook struct {
	URL        string
	Method     string // POST, PUT, DELETE or GET
	Headers    []Header
	Credential string // name of a credential of the workspace; "" for none
	Body       string

	compiled *templates
}

// Header is one line of a request's head.
type Header struct{ Name, Value string }

// Hit is a stored event that matched a live campaign's trigger and waits to be
// planned.
type Hit struct {
	ID        event.ID
	Workspace int64
	Campaign  string
	Event     event.ID
	Profile   event.ID
	// Refused says why the audience, asked about the profile as it was before
	// the event, does not hold it; "" when it does. Such a hit becomes a row
	// that says so.
	Refused string
}

// Package personalize makes the one context in which Liquid is rendered, for
// messages and for pictures alike: what `${…}`, `custom_attribute.${…}`,
// `event_properties.${…}` and `campaign.${…}` mean (shared/spec/engage.md
// section 2.1), and what connected content, catalogs, snippets and promotion codes
// give (section 2.5). Whatever is not known is nil, which renders as nothing.
package personalize

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"platen/internal/event"
	"platen/internal/profile"
	"platen/liquid"
)

// Context is what a text is rendered for.
type Context struct {
	Profile  *profile.Profile
	Event    *event.Event // the event that gave rise to it, nil for none
	Campaign Campaign     // the zero value outside of campaigns
	Now      time.Time    // what 'now' means
	Library  *Library     // the workspace's catalogs and snippets; nil: there are none
	Message  *Message     // what is asked from outside; nil: not possible here
}

// Campaign names the message that is being made.
type Campaign struct {
	ID, Name               string
	VariantID, VariantName string
	Dispatch               string // 32 hexadecimal digits, or UnsentDispatch
}

// UnsentDispatch is the dispatch id of a message that is only looked at
// (shared/spec/engage.md section 1.2).
const UnsentDispatch = "dispatch_id_for_unsent_campaign"

// Input is the context as the engine takes it. Values are decoded when they are
// read, so an Input is for one goroutine; it may be used for several templates.
// The profile and the event must not change meanwhile.
func (c Context) Input() liquid.Input {
	custom := &attributes{stored: c.Profile.Root.Facts().Attributes}
	vars := map[string]any{
		liquid.ProfileVariables: &person{profile: c.Profile, standard: renamed{custom, standardAttributes}},
		"custom_attribute":      custom,
		"subscribed_state":      &renamed{custom, subscriptionAttributes},
	}
	if c.Event != nil {
		vars["event_properties"] = &properties{stored: c.Event.Properties}
	}
	if c.Campaign != (Campaign{}) {
		vars["campaign"] = c.Campaign.variables()
	}
	// Times without a zone are printed in UTC, shared/spec/engage.md section 2.3.
	in := liquid.Input{Vars: vars, Now: c.Now.UTC()}
	if c.Library != nil {
		in.Catalogs, in.Partials = c.Library, c.Library
	}
	if c.Message != nil {
		in.Fetcher, in.Codes, in.Extra = c.Message, c.Message, c.Message.addExtra
	}
	return in
}

func (c Campaign) variables() map[string]any {
	return map[string]any{
		"api_id":         c.ID,
		"name":           c.Name,
		"message_api_id": c.VariantID,
		"message_name":   c.VariantName,
		"dispatch_id":    c.Dispatch,
	}
}

// standardAttributes are the variables that are attributes, with the names under
// which the REST API sets them (shared/spec/engage.md section 4.1).
var standardAttributes = map[string]string{
	"city":          "home_city",
	"country":       "country",
	"date_of_birth": "dob",
	"email_address": "email",
	"first_name":    "first_name",
	"gender":        "gender",
	"language":      "language",
	"last_name":     "last_name",
	"phone_number":  "phone",
	"time_zone":     "time_zone",
}

var subscriptionAttributes = map[string]string{"email_global": "email_subscribe"}

// person serves the variables without a namespace.
type person struct {
	profile  *profile.Profile
	standard renamed
}

// Get implements liquid.Object.
func (p *person) Get(name string) (any, bool) {
	switch name {
	case "user_id":
		id := p.profile.UserID()
		if id == "" {
			return nil, false // an empty text would be true in a condition
		}
		return id, true
	case "braze_id":
		return profile.BrazeIDOf(p.profile.Root.ID), true
	case "random_bucket_number":
		return randomBucket(p.profile.Root.ID), true
	}
	return p.standard.Get(name)
}

// randomBucket is a number from 0 to 9999 that stays with a profile
// (shared/spec/engage.md section 5.5).
func randomBucket(id event.ID) int {
	const buckets = 10_000
	sum := sha256.Sum256([]byte("random bucket " + id.String()))
	return int(binary.BigEndian.Uint64(sum[:]) % buckets)
}

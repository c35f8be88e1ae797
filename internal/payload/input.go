package payload

import "platen/liquid"

// namespaces are the variables that a render is given (spec/engage.md, section
// 2.1). Any other name prints nothing unless the template sets it.
var namespaces = map[string]bool{
	liquid.ProfileVariables: true, "api_trigger_properties": true, "app": true, "campaign": true, "canvas": true,
	"canvas_entry_properties": true, "card": true, "content_blocks": true, "context": true, "custom_attribute": true,
	"event_properties": true, "most_recently_used_device": true, "sms": true, "subscribed_state": true,
	"targeted_device": true, "whats_app": true,
}

// codes are profile attributes that hold a code which the system checks or makes
// itself, so that they need no escaping (spec/engage.md, section 2.1).
var codes = map[string]bool{
	"braze_id": true, "country": true, "date_of_birth": true, "gender": true, "language": true,
	"last_used_app_date": true, "most_recent_app_version": true, "most_recent_locale": true, "time_zone": true,
}

// dates are those of them that are times.
var dates = map[string]bool{"date_of_birth": true, "last_used_app_date": true}

// texts are profile attributes that are free text.
var texts = map[string]bool{
	"city": true, "email_address": true, "first_name": true, "last_name": true, "phone_number": true, "user_id": true,
}

// campaignCodes are members of `campaign.` that the system makes.
var campaignCodes = map[string]bool{"api_id": true, "dispatch_id": true, "message_api_id": true}

// lackingCode is what a code never holds: it is letters, digits and dashes, but
// for a time zone (Europe/Berlin), and for a time that is printed as it is.
func lackingCode(member string) charset {
	switch member {
	case "time_zone":
		return everything &^ slashes
	case "last_used_app_date", "most_recent_app_version":
		return lineBreaks
	}
	return everything
}

// input is what is known of a variable that the template does not set.
func input(e *liquid.Variable, name string) hole {
	h := hole{name: name, empty: true}
	if len(e.Steps) < 2 {
		return h
	}
	member := e.Steps[1].Name
	switch e.Steps[0].Name {
	case liquid.ProfileVariables:
		switch {
		case member == "random_bucket_number":
			h.shape, h.safety = number, plain
		case codes[member]:
			h.shape, h.safety, h.moment, h.lacks = word, plain, dates[member], lackingCode(member)
		case texts[member]:
			h.shape = word
		}
	case "campaign":
		h.shape = word
		if campaignCodes[member] {
			h.safety, h.empty, h.lacks = plain, false, everything
		}
	case "subscribed_state":
		h.shape, h.safety, h.lacks = word, plain, everything
	}
	return h
}

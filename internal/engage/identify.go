package engage

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/profile"
)

const identifyPath = "/users/identify"

// maxIdentified is how many profiles one request may identify, over all arrays.
const maxIdentified = 50

// identifyArrays are the arrays of /users/identify. Each reader reads the
// identifier that stands beside the external_id under the field's name.
var identifyArrays = []struct {
	name, field string
	read        func(object, *profile.Who) error
}{
	{"aliases_to_identify", "user_alias", readAlias},
	{"emails_to_identify", "email", readEmail},
	{"phone_numbers_to_identify", "phone", readPhone},
}

const noIdentifyData = "Valid data must be provided in the 'aliases_to_identify', 'emails_to_identify', or 'phone_numbers_to_identify' fields."

// naming is one object of the request.
type naming struct {
	ingest.NameItem
	array   string
	index   int
	refused error // by its reader or by the write path; nil else
}

// identify gives profiles known by an alias, an e-mail or a phone their external
// ids, each on its own.
func (h *Handler) identify(ctx context.Context, c call) (answer, error) {
	namings, err := readNamings(c)
	if err != nil {
		return answer{}, err
	}
	if len(namings) == 0 {
		return identified(nil), nil
	}
	command := ingest.Name{Source: source}
	for _, n := range namings {
		command.Items = append(command.Items, n.NameItem)
	}
	if err := h.writer.Submit(ctx, &command); err != nil {
		return answer{}, err
	}
	for i, o := range command.Outcomes {
		if namings[i].refused == nil && o.Refused != nil {
			namings[i].refused = o.Refused
		}
	}
	return identified(namings), nil
}

// identified tells what became of the namings. One that found nobody to name is
// processed, as by the original.
func identified(namings []naming) answer {
	a := answer{status: http.StatusCreated, Message: "success"}
	processed := 0
	for _, n := range namings {
		if n.refused == nil {
			processed++
			continue
		}
		a.Errors = append(a.Errors, problem{Type: textOf(n.refused), Array: n.array, Index: &n.index})
	}
	if processed == 0 {
		return answer{status: http.StatusBadRequest, Message: noIdentifyData, Errors: a.Errors}
	}
	a.Aliases = &processed
	return a
}

// readNamings takes the request apart. An error speaks of the whole request.
func readNamings(c call) (namings []naming, err error) {
	for _, array := range identifyArrays {
		list, err := arrayIn(c.body, array.name, maxIdentified)
		if err != nil {
			return nil, err
		}
		for index, raw := range list {
			n := naming{array: array.name, index: index}
			n.Workspace, n.Received, n.Raw = c.workspace, c.received.UnixMicro(), raw
			n.refused = n.read(raw, array.field, array.read)
			n.Refused = fault.From(n.refused)
			namings = append(namings, n)
		}
	}
	if len(namings) > maxIdentified {
		return nil, fault.New(fault.Invalid, "too_many",
			"Max Input Length Exceeded: the request identifies %d profiles, at most %d are taken in one request", len(namings), maxIdentified)
	}
	return namings, nil
}

func (n *naming) read(raw json.RawMessage, field string, subject func(object, *profile.Who) error) error {
	o, ok := objectOf(raw)
	if !ok {
		return fault.Refused("wrong_type", "each of '%s' must be an object", n.array)
	}
	var target profile.Who
	if err := readExternalID(o, &target); err != nil {
		return err
	}
	if target.UserID == "" {
		return missing("external_id")
	}
	n.UserID = target.UserID
	if err := subject(o, &n.Subject); err != nil {
		return err
	}
	if n.Subject == (profile.Who{}) {
		return missing(field)
	}
	return n.choose(o)
}

// choose reads whom to take when several profiles share the e-mail or phone. The
// original leaves open what holds without a prioritization; here it is a profile
// that the call can name, of several the one last heard of.
func (n *naming) choose(o object) error {
	n.Prioritization = []profile.Priority{profile.PreferUnidentified, profile.PreferRecent}
	if !o.sent("prioritization") {
		return nil
	}
	var wishes []profile.Priority
	if json.Unmarshal(o["prioritization"], &wishes) != nil || !consistent(wishes) {
		return notValid("prioritization",
			"is a list of identified or unidentified, and most_recently_updated or least_recently_updated")
	}
	if len(wishes) > 0 {
		n.Prioritization = wishes
	}
	return nil
}

// consistent says whether wishes are known and none contradicts or repeats another.
func consistent(wishes []profile.Priority) bool {
	pairs := [][]profile.Priority{
		{profile.PreferIdentified, profile.PreferUnidentified},
		{profile.PreferRecent, profile.PreferOld},
	}
	found := 0
	for _, pair := range pairs {
		n := 0
		for _, w := range wishes {
			if slices.Contains(pair, w) {
				n++
			}
		}
		if n > 1 {
			return false
		}
		found += n
	}
	return found == len(wishes)
}

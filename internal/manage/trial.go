package manage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"platen/internal/campaign"
	"platen/internal/delivery"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/personalize"
	"platen/internal/profile"
	"platen/internal/reply"
)

// Trial is the body of POST …/campaigns/{campaign}/test.
type Trial struct {
	As      string `json:"as"`                // user id
	Variant string `json:"variant,omitempty"` // name; "" is the first
	// Properties are those of the triggering event. Without them the latest
	// stored event of the trigger's name is used.
	Properties json.RawMessage `json:"properties,omitempty"`
	Send       bool            `json:"send,omitempty"` // call the receiver, once
}

// Tried is the answer.
type Tried struct {
	Request *Request `json:"request"`
	Attempt *Attempt `json:"attempt,omitempty"`
	// Event says which event was used: an id, "given" or "none".
	Event string `json:"event"`
	Outside
}

// TestWithin is the longest that a test may take: the calls of its connected
// content, the one attempt, which has the time of any other, and some time for the
// store and the answer. It is more than the server gives to write other answers.
const TestWithin = personalize.MaxWait + delivery.DefaultTimeout + 10*time.Second

func (h *Handler) testCampaign(w http.ResponseWriter, r *request) error {
	var body Trial
	if err := decode(w, r.Request, &body); err != nil {
		return err
	}
	trial, used, err := h.trial(r, body)
	if err != nil {
		return err
	}
	answer := Tried{Event: used}
	if !body.Send {
		tried, err := h.delivery.Preview(r.Context(), trial)
		if err != nil {
			return err
		}
		answer.add(tried)
		reply.JSON(w, http.StatusOK, answer)
		return nil
	}
	// Only a connection without deadlines refuses one.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(TestWithin))
	tried, attempt, err := h.delivery.TestSend(r.Context(), trial)
	if err != nil {
		return err
	}
	answer.add(tried)
	shown := showAttempt(attempt)
	answer.Attempt = &shown
	reply.JSON(w, http.StatusOK, answer)
	return nil
}

// add shows what a test was rendered to.
func (t *Tried) add(tried delivery.Tried) {
	t.Request, t.Outside = showRequest(tried.Request), showOutside(tried.Extras, tried.Calls)
}

// trial finds what a test is made of.
func (h *Handler) trial(r *request, body Trial) (t delivery.Trial, used string, err error) {
	name := r.PathValue("campaign")
	var ok bool
	if t.Campaign, ok = h.live().CampaignNamed(r.workspace.ID, name); !ok {
		return t, "", fault.New(fault.NotFound, "unknown_campaign", "the workspace %q has no campaign %q", r.workspace.Name, name)
	}
	if t.Variant = variantNamed(t.Campaign, body.Variant); t.Variant == nil {
		return t, "", fault.New(fault.NotFound, "unknown_variant", "the campaign has no variant %q", body.Variant)
	}
	if body.As == "" {
		return t, "", fault.New(fault.Invalid, "missing_identity", "say as whom: \"as\" names a user id").In("/as")
	}
	t.Profile, err = h.store.Profile(r.Context(), r.workspace.ID, profile.Who{UserID: body.As}, h.now().UnixMicro())
	if err != nil {
		return t, "", err
	}
	if t.Profile == nil {
		return t, "", fault.New(fault.NotFound, "unknown_profile", "nobody in the workspace %q has the user id %q", r.workspace.Name, body.As)
	}
	if t.Event, used, err = h.trialEvent(r, t, body.Properties); err != nil {
		return t, "", err
	}
	return t, used, nil
}

func variantNamed(c *campaign.Campaign, name string) *campaign.Variant {
	for i := range c.Variants {
		if name == "" || c.Variants[i].Name == name {
			return &c.Variants[i]
		}
	}
	return nil
}

// trialEvent is the event that a test pretends has happened.
func (h *Handler) trialEvent(r *request, t delivery.Trial, properties json.RawMessage) (*event.Event, string, error) {
	if properties != nil {
		if properties[0] != '{' {
			return nil, "", fault.New(fault.Invalid, "wrong_type", "the properties of an event are a JSON object").In("/properties")
		}
		return &event.Event{Kind: event.Track, Name: t.Campaign.Trigger.Event, At: h.now(), Properties: properties}, "given", nil
	}
	timeline, err := h.store.Timeline(r.Context(), t.Profile.Spans(), maxRows)
	if err != nil {
		return nil, "", fmt.Errorf("find an event to test with: %w", err)
	}
	for i := range timeline {
		if timeline[i].Name == t.Campaign.Trigger.Event {
			return &timeline[i], timeline[i].ID.String(), nil
		}
	}
	return nil, "none", nil
}

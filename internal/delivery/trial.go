package delivery

import (
	"context"
	"errors"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/personalize"
	"platen/internal/profile"
)

// Trial is a message that is made to be looked at: `platen campaign test` and
// the console's preview. The campaign need not be active.
type Trial struct {
	Campaign *campaign.Campaign
	Variant  *campaign.Variant
	Profile  *profile.Profile
	Event    *event.Event // nil: rendered without event properties
}

// Tried is what a trial was rendered to.
type Tried struct {
	Request *campaign.Request
	Extras  map[string]string  // of message_extras, nil for none
	Calls   []personalize.Call // of connected content that had no usable answer
}

// Preview renders a trial as of now. Connected content is really asked for, and a
// promotion code shown as personalize.UnsentCode. The error is a *fault.Error with
// the reason for which a delivery would not be sent.
func (s *Sender) Preview(ctx context.Context, t Trial) (Tried, error) {
	return s.renderTrial(ctx, t, 0)
}

// TestSend renders a trial and sends it once, under an id of its own. Nothing is
// stored but which promotion codes it took.
func (s *Sender) TestSend(ctx context.Context, t Trial) (Tried, *campaign.Attempt, error) {
	id := s.ids.Next()
	tried, err := s.renderTrial(ctx, t, id)
	if err != nil {
		return tried, nil, err
	}
	library := &personalize.Library{Definitions: s.definitions(), Workspace: t.Campaign.Workspace}
	credential, err := credentialFor(library, tried.Request)
	if err != nil {
		return tried, nil, shown(err)
	}
	answer, err := s.send(ctx, message{id: "test_" + id.String(), request: tried.Request, credential: credential, policy: library.Egress()})
	if err != nil {
		return tried, nil, err
	}
	a := answer.attempt
	a.Number = 1
	return tried, &a, nil
}

// renderTrial renders a trial; id is the one under which codes are reserved, 0 for
// none.
func (s *Sender) renderTrial(ctx context.Context, t Trial, id event.ID) (Tried, error) {
	message := s.outside(s.definitions(), t.Campaign.Workspace, id)
	r, err := renderVariant(ctx, t.Variant, personalize.Context{
		Profile: t.Profile, Event: t.Event, Now: s.now(),
		Campaign: names(t.Campaign, t.Variant, personalize.UnsentDispatch),
		Library:  message.Library, Message: message,
	})
	return Tried{Request: r, Extras: message.Extras, Calls: message.Failed}, shown(err)
}

// shown turns the reason for which nothing can be sent, or not now, into an error
// for people.
func shown(err error) error {
	var no *campaign.Unsendable
	if errors.As(err, &no) {
		return fault.Refused(string(no.Reason), "%s", oneLine(no.Detail))
	}
	var later *personalize.Unavailable
	if errors.As(err, &later) {
		return fault.Refused(string(campaign.ContentUnavailable), "%s", oneLine(later.Detail))
	}
	return err
}

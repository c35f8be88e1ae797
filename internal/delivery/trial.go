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

// Preview renders a trial as of now. The error is a *fault.Error with the reason
// for which a delivery would not be sent.
func (s *Sender) Preview(ctx context.Context, t Trial) (*campaign.Request, error) {
	r, err := renderVariant(ctx, t.Variant, personalize.Context{
		Profile: t.Profile, Event: t.Event, Now: s.now(),
		Campaign: names(t.Campaign, t.Variant, personalize.UnsentDispatch),
	})
	return r, shown(err)
}

// TestSend renders a trial and sends it once, under an id of its own. Nothing is
// stored.
func (s *Sender) TestSend(ctx context.Context, t Trial) (*campaign.Request, *campaign.Attempt, error) {
	r, err := s.Preview(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	defs := s.definitions()
	credential, err := credentialFor(defs, t.Campaign.Workspace, r)
	if err != nil {
		return r, nil, shown(err)
	}
	answer, err := s.send(ctx, message{
		id: "test_" + s.ids.Next().String(), request: r, credential: credential,
		policy: policyOf(defs, t.Campaign.Workspace),
	})
	if err != nil {
		return r, nil, err
	}
	a := answer.attempt
	a.Number = 1
	return r, &a, nil
}

// shown turns the reason for which nothing can be sent into an error for people.
func shown(err error) error {
	var no *campaign.Unsendable
	if errors.As(err, &no) {
		return fault.Refused(string(no.Reason), "%s", oneLine(no.Detail))
	}
	return err
}

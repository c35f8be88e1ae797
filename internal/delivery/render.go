package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/personalize"
)

// prepare renders a delivery, which is to be stored before it is tried. It gives
// the result of one that cannot be tried, or not yet, else nil.
func (s *Sender) prepare(ctx context.Context, d *campaign.Delivery) (*result, error) {
	request, err := s.render(ctx, d)
	var no *campaign.Unsendable
	var later *personalize.Unavailable
	switch {
	case errors.As(err, &no):
		return refuse(d, no, s.now()), nil
	case errors.As(err, &later):
		return putBack(d, later, s.now()), nil
	case err != nil && ctx.Err() != nil:
		return unchanged(d, s.now()), nil
	case err != nil:
		return nil, fmt.Errorf("render delivery %s: %w", d.ID, err)
	}
	d.Request, d.Host = request, request.Host()
	return nil, nil
}

// render makes the request of a delivery and notes what it asked for from outside.
// The error is an *campaign.Unsendable when there will never be one.
func (s *Sender) render(ctx context.Context, d *campaign.Delivery) (*campaign.Request, error) {
	defs := s.definitions()
	c, err := activeCampaign(defs, d.Campaign)
	if err != nil {
		return nil, err
	}
	v := c.VariantOf(d.Variant)
	if v == nil {
		return nil, &campaign.Unsendable{Reason: campaign.VariantGone, Detail: "the variant was removed from the campaign before it was sent"}
	}
	who, err := s.store.ProfileByID(ctx, d.Profile)
	if err != nil {
		return nil, err
	}
	if who == nil {
		return nil, &campaign.Unsendable{Reason: campaign.ProfileGone, Detail: "the profile was removed before the message was rendered"}
	}
	e, err := s.eventOf(ctx, d)
	if err != nil {
		return nil, err
	}
	var r *campaign.Request
	message := s.outside(defs, d.Workspace, d.ID)
	err = s.guarded(d, func() (err error) {
		r, err = renderVariant(ctx, v, personalize.Context{
			Profile: who, Event: e, Campaign: names(c, v, fmt.Sprintf("%032x", uint64(d.ID))),
			Now:     d.Due, // whenever it is rendered, it is the same
			Library: message.Library, Message: message,
		})
		return err
	})
	d.Extras = message.Extras
	d.AddCalls(message.Failed)
	if errors.Is(err, errPanicked) {
		return nil, &campaign.Unsendable{Reason: campaign.RenderError, Detail: "the program itself failed on it; the server's log says where"}
	}
	return r, err
}

// outside is what a message asks for from outside; id is the one under which codes
// are reserved, 0 for none.
func (s *Sender) outside(defs Definitions, workspaceID int64, id event.ID) *personalize.Message {
	return &personalize.Message{
		Library: &personalize.Library{Definitions: defs, Workspace: workspaceID},
		Content: s.content, Codes: s.store, ID: id, Now: s.now,
	}
}

// eventOf finds the event that triggered a delivery, nil when none did.
func (s *Sender) eventOf(ctx context.Context, d *campaign.Delivery) (*event.Event, error) {
	if d.Event == 0 {
		return nil, nil
	}
	stored, err := s.store.Events(ctx, []event.ID{d.Event})
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return nil, &campaign.Unsendable{Reason: campaign.EventGone, Detail: "the event was removed before the message was rendered"}
	}
	return &stored[0], nil
}

func renderVariant(ctx context.Context, v *campaign.Variant, c personalize.Context) (*campaign.Request, error) {
	r, err := v.Webhook.Render(ctx, c.Input())
	if err != nil {
		return nil, err
	}
	r.InferContentType()
	return r, nil
}

func names(c *campaign.Campaign, v *campaign.Variant, dispatch string) personalize.Campaign {
	return personalize.Campaign{ID: c.ID, Name: c.Name, VariantID: v.ID, VariantName: v.Name, Dispatch: dispatch}
}

// activeCampaign refuses what must not be sent any more.
func activeCampaign(defs Definitions, id string) (*campaign.Campaign, error) {
	c, ok := defs.Campaign(id)
	switch {
	case !ok:
		return nil, &campaign.Unsendable{Reason: campaign.CampaignGone, Detail: "the campaign was removed before the message was sent"}
	case c.State != campaign.Active:
		return nil, &campaign.Unsendable{Reason: campaign.CampaignDisabled, Detail: "the campaign is " + string(c.State)}
	}
	return c, nil
}

// refuse ends a delivery that cannot be sent.
func refuse(d *campaign.Delivery, why *campaign.Unsendable, now time.Time) *result {
	r := &result{Result: campaign.Result{Delivery: *d}}
	r.Delivery.State = campaign.NotSent
	if d.Attempts > 0 {
		r.Delivery.State = campaign.Failed
	}
	r.Delivery.Reason, r.Delivery.Detail, r.Delivery.Finished = why.Reason, oneLine(why.Detail), now
	return r
}

// putBack decides about a delivery that cannot be rendered for want of connected
// content.
func putBack(d *campaign.Delivery, why *personalize.Unavailable, now time.Time) *result {
	number := d.PutBack + 1
	next := campaign.NextRender(number, why, now, d.ID)
	if next.State != campaign.Queued {
		return refuse(d, &campaign.Unsendable{Reason: next.Reason,
			Detail: fmt.Sprintf("%s; this was the last of %d times", why.Detail, campaign.MaxAttempts)}, now)
	}
	r := &result{Result: campaign.Result{Delivery: *d, Next: next.At}}
	r.Delivery.PutBack, r.Delivery.Reason = number, next.Reason
	r.Delivery.Detail = oneLine(fmt.Sprintf("%s; this was time %d of %d, the next is at %s",
		why.Detail, number, campaign.MaxAttempts, next.At.UTC().Format(time.DateTime+" MST")))
	return r
}

// oneLine fits a text, which a template may have written, into a line.
func oneLine(text string) string {
	const most = 500
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

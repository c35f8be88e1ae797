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

// prepare renders what was not rendered before and stores it: an attempt is made
// only with a stored request. It gives the deliveries that can be tried, and the
// results of those that cannot.
func (s *Sender) prepare(ctx context.Context, leased []campaign.Delivery) (ready []campaign.Delivery, refused []campaign.Result, err error) {
	events, err := s.eventsOf(ctx, leased)
	if err != nil {
		return nil, nil, err
	}
	var rendered []campaign.Delivery
	for _, d := range leased {
		if d.Request != nil {
			ready = append(ready, d)
			continue
		}
		request, err := s.render(ctx, &d, events)
		var no *campaign.Unsendable
		switch {
		case errors.As(err, &no):
			refused = append(refused, refuse(d, no, s.now()))
		case err != nil:
			return nil, nil, fmt.Errorf("render delivery %s: %w", d.ID, err)
		default:
			d.Request, d.Host = request, request.Host()
			rendered = append(rendered, d)
		}
	}
	if len(rendered) == 0 {
		return ready, refused, nil
	}
	return append(ready, rendered...), refused, s.store.SaveRequests(ctx, rendered)
}

// eventsOf finds the events of deliveries that are still to be rendered.
func (s *Sender) eventsOf(ctx context.Context, leased []campaign.Delivery) (map[event.ID]*event.Event, error) {
	var ids []event.ID
	for i := range leased {
		if leased[i].Request == nil {
			ids = append(ids, leased[i].Event)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := s.store.Events(ctx, ids)
	events := make(map[event.ID]*event.Event, len(stored))
	for i := range stored {
		events[stored[i].ID] = &stored[i]
	}
	return events, err
}

// render makes the request of a delivery. The error is an *campaign.Unsendable
// when there will never be one.
func (s *Sender) render(ctx context.Context, d *campaign.Delivery, events map[event.ID]*event.Event) (*campaign.Request, error) {
	c, err := activeCampaign(s.definitions(), d.Campaign)
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
	e := events[d.Event]
	if e == nil && d.Event != 0 {
		return nil, &campaign.Unsendable{Reason: campaign.EventGone, Detail: "the event was removed before the message was rendered"}
	}
	return renderVariant(ctx, v, personalize.Context{
		Profile: who, Event: e, Campaign: names(c, v, fmt.Sprintf("%032x", uint64(d.ID))),
		Now: d.Due, // whenever it is rendered, it is the same
	})
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
func refuse(d campaign.Delivery, why *campaign.Unsendable, now time.Time) campaign.Result {
	d.State = campaign.NotSent
	if d.Attempts > 0 {
		d.State = campaign.Failed
	}
	d.Reason, d.Detail, d.Finished = why.Reason, oneLine(why.Detail), now
	return campaign.Result{Delivery: d}
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

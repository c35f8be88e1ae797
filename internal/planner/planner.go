// Package planner turns trigger hits into deliveries, or into rows that say why
// nothing is sent.
//
// A hit is written in the transaction of its event and removed in the one that
// writes its plan, so whatever happens in between it is planned exactly once.
package planner

import (
	"context"
	"fmt"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/profile"
)

// batch is how many hits are planned in one transaction.
const batch = 256

// pollEvery is how long hits wait at most whose writer could not wake this
// planner, as they were there when the process started or came from another one.
const pollEvery = time.Second

// Store keeps hits and what became of them.
type Store interface {
	// Hits gives the oldest hits that wait to be planned, at most limit.
	Hits(ctx context.Context, limit int) ([]campaign.Hit, error)
	// Plan writes the deliveries and removes their hits in one transaction. What
	// belongs to a hit that is gone already is not written.
	Plan(ctx context.Context, plans []campaign.Plan) error
	// ProfileByID gives the profile that a part belongs to, nil when there is none.
	ProfileByID(ctx context.Context, id event.ID) (*profile.Profile, error)
}

// Campaigns finds a campaign by its id.
type Campaigns func(id string) (*campaign.Campaign, bool)

// Planner plans hits. Wake may be called from any goroutine, the rest from one.
type Planner struct {
	store     Store
	campaigns Campaigns
	ids       *event.IDs
	now       func() time.Time
	planned   func()
	wake      chan struct{}
}

// New makes a planner. It calls planned whenever it has written deliveries.
func New(store Store, campaigns Campaigns, ids *event.IDs, now func() time.Time, planned func()) *Planner {
	return &Planner{
		store: store, campaigns: campaigns, ids: ids, now: now, planned: planned,
		wake: make(chan struct{}, 1),
	}
}

// Wake tells Run that there are hits. It never blocks.
func (p *Planner) Wake() {
	select {
	case p.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run plans hits until ctx ends, which is no error, or the store fails.
func (p *Planner) Run(ctx context.Context) error {
	for {
		worked, err := p.Step(ctx, p.now())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case worked:
			continue
		}
		select {
		case <-p.wake:
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// Step plans one batch of hits and says whether there were any.
func (p *Planner) Step(ctx context.Context, now time.Time) (worked bool, err error) {
	hits, err := p.store.Hits(ctx, batch)
	if err != nil || len(hits) == 0 {
		return false, err
	}
	plans := make([]campaign.Plan, len(hits))
	for i, hit := range hits {
		d, err := p.plan(ctx, hit, now)
		if err != nil {
			return false, fmt.Errorf("plan hit %s: %w", hit.ID, err)
		}
		plans[i] = campaign.Plan{Hit: hit.ID, Delivery: d}
	}
	if err := p.store.Plan(ctx, plans); err != nil {
		return false, err
	}
	p.planned()
	return true, nil
}

// plan decides what becomes of one hit.
func (p *Planner) plan(ctx context.Context, hit campaign.Hit, now time.Time) (campaign.Delivery, error) {
	d := campaign.Delivery{
		ID: p.ids.Next(), Workspace: hit.Workspace, Campaign: hit.Campaign,
		Profile: hit.Profile, Event: hit.Event,
		State: campaign.Queued, Due: now, Created: now,
	}
	c, ok := p.campaigns(hit.Campaign)
	switch {
	case !ok:
		return notSent(d, campaign.CampaignGone, "the campaign was removed after the event came in"), nil
	case c.State != campaign.Active:
		return notSent(d, campaign.CampaignDisabled, "the campaign is "+string(c.State)), nil
	case hit.Refused != "":
		return notSent(d, campaign.NotInAudience, hit.Refused), nil
	}
	who, err := p.store.ProfileByID(ctx, hit.Profile)
	if err != nil {
		return d, err
	}
	if who == nil {
		return notSent(d, campaign.ProfileGone, "the profile was removed after the event came in"), nil
	}
	d.Profile = who.Root.ID // it may have been merged since
	v := c.Choose(d.Profile)
	if v == nil {
		return notSent(d, campaign.ControlGroup, "the person is in the campaign's control group, which is sent nothing"), nil
	}
	d.Variant = v.ID
	d.Host, _ = v.Webhook.LiteralHost() // so that the row waits in its queue from the start
	return d, nil
}

func notSent(d campaign.Delivery, why campaign.Reason, detail string) campaign.Delivery {
	d.State, d.Reason, d.Detail, d.Finished = campaign.NotSent, why, detail, d.Created
	return d
}

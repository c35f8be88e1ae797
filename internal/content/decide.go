package content

import (
	"context"
	"fmt"
	"maps"

	"platen/internal/block"
	"platen/internal/fault"
	"platen/internal/personalize"
	"platen/internal/profile"
	"platen/internal/render"
	"platen/liquid"
)

// decision is what a person is shown, before anything is drawn.
type decision struct {
	person *profile.Profile
	choice block.Choice
	items  []block.Item // those shown: all that the rule found, or one of them
	links  []string     // one for each, "" where there is none
}

// decide finds the person and what the block shows to them. The error holds a
// *failure where something is the matter with the request or the data.
func (r *Renderer) decide(ctx context.Context, req Request, watch *watch) (*decision, error) {
	watch.begin("profile")
	person, err := r.person(ctx, req)
	if err != nil {
		return nil, err
	}
	watch.begin("events")
	events, err := r.store.Events(ctx, req.Block.Wanted(&person.Root.Facts().Summary))
	if err != nil {
		return nil, storeFailure(err)
	}
	watch.begin("choice")
	d := &decision{person: person, choice: req.Block.Choose(person, events, req.Now)}
	if err := d.pick(req.Item); err != nil {
		return nil, err
	}
	watch.begin("links")
	d.links, err = r.links(ctx, req, d)
	return d, err
}

// person finds the profile that a request is about.
func (r *Renderer) person(ctx context.Context, req Request) (*profile.Profile, error) {
	if req.Person == "" {
		return nil, &failure{reason: NoPerson, detail: "the address has no mi_u"}
	}
	if err := checkPerson(req.Person); err != nil {
		return nil, &failure{reason: UnusablePerson, detail: fault.From(err).Safe()}
	}
	p, err := r.store.Profile(ctx, req.Block.Workspace, profile.Who{UserID: req.Person}, req.Now.UnixMicro())
	if err != nil {
		return nil, storeFailure(err)
	}
	if p == nil {
		return nil, &failure{reason: block.UnknownPerson, detail: fmt.Sprintf("no profile has the user_id %q", req.Person)}
	}
	return p, nil
}

// checkPerson checks a mi_u as what it means in every workspace so far
// (workspace.OpenByUserID).
func checkPerson(person string) error {
	return profile.Identifier{Kind: profile.UserID, Value: person}.Check()
}

// pick chooses the items of the choice that are shown.
func (d *decision) pick(item int) error {
	found := d.choice.Items
	switch {
	case d.choice.Rule == block.NoRule:
		return d.nothing(d.choice.Reason, "no rule has something to show")
	case item == WholePicture:
		d.items = found[:min(len(found), render.MaxCardItems)]
	case item < 1:
		return d.nothing(NoSuchItem, "item is not a number from 1")
	case item > len(found):
		return d.nothing(NoSuchItem, fmt.Sprintf("item %d was asked for and %d were found", item, len(found)))
	default:
		d.items = found[item-1 : item]
	}
	return nil
}

// nothing is the failure to show something to a person who is known.
func (d *decision) nothing(reason block.Reason, detail string) error {
	return &failure{reason: reason, detail: detail, decision: d}
}

// links renders the block's link for each item shown. The Liquid of the first
// sees all items, so the link of a whole picture may name them all; that of a
// further one sees its own, as when the picture shows it alone.
func (r *Renderer) links(ctx context.Context, req Request, d *decision) ([]string, error) {
	base := personalize.Context{Profile: d.person, Now: req.Now, Library: r.library(req.Block)}.Input()
	all := make([]string, len(d.items))
	for i := range d.items {
		seen := d.items
		if i > 0 {
			seen = d.items[i : i+1]
		}
		link, err := req.Block.RenderLink(ctx, linkInput(base, seen, req))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, d.nothing(LiquidFailed, "the Liquid of the link failed: "+err.Error())
		}
		all[i] = link
	}
	return all, nil
}

// library gives the catalogs and snippets of a block's workspace.
func (r *Renderer) library(b *block.Block) *personalize.Library {
	return &personalize.Library{Definitions: r.registry.Current(), Workspace: b.Workspace}
}

// linkInput adds the items shown and the parameters of the address to what is
// known of the person.
func linkInput(base liquid.Input, items []block.Item, req Request) liquid.Input {
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = item.Value()
	}
	vars := map[string]any{"items": list, "params": req.variables()}
	maps.Copy(vars, base.Vars)
	base.Vars = vars
	return base
}

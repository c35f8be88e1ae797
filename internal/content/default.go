package content

import (
	"context"
	"sync"
	"time"

	"platen/internal/block"
	"platen/internal/personalize"
	"platen/liquid"
)

// defaultLink is where a click leads when nothing is shown: the block's link
// without items, as Liquid's default filter may give it. "" is nowhere. Where it
// cannot be rendered with the address's parameters before ctx ends, it is the one
// without them.
func (r *Renderer) defaultLink(ctx context.Context, req Request) string {
	if len(req.Params) > 0 {
		link, err := within(ctx, r, func(ctx context.Context) (string, error) {
			return renderDefault(ctx, req, r.library(req.Block))
		})
		if err == nil {
			return link
		}
	}
	return r.defaults.link(req.Block, req.Now, r.library(req.Block))
}

func renderDefault(ctx context.Context, req Request, library *personalize.Library) (string, error) {
	nobody := liquid.Input{Now: req.Now.UTC(), Catalogs: library, Partials: library}
	return req.Block.RenderLink(ctx, linkInput(nobody, nil, req))
}

// defaults holds the default links of all blocks as they are without parameters,
// which is the same for everybody.
type defaults struct {
	mu  sync.Mutex
	all map[string]*keptLink // by the block's public id
}

// keptLink is the default link of one version of a block. It is kept for a minute,
// as it may tell the time or what a catalog holds.
type keptLink struct {
	of     string // Block.Link
	minute time.Time
	render func() string
}

func newDefaults() *defaults { return &defaults{all: map[string]*keptLink{}} }

// link gives a block's default link, "" where it cannot be rendered. It is rendered
// once for all, whoever asked first, and with no limits but Liquid's.
func (d *defaults) link(b *block.Block, now time.Time, library *personalize.Library) string {
	minute := now.Truncate(time.Minute)
	d.mu.Lock()
	k := d.all[b.PublicID]
	if k == nil || k.of != b.Link || !k.minute.Equal(minute) {
		k = &keptLink{of: b.Link, minute: minute, render: sync.OnceValue(func() string {
			link, err := attempt(func() (string, error) {
				return renderDefault(context.Background(), Request{Block: b, Now: minute}, library)
			})
			if err != nil {
				return ""
			}
			return link
		})}
		d.all[b.PublicID] = k
	}
	d.mu.Unlock()
	return k.render()
}

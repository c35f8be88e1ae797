// Package content answers what mail clients and browsers ask for when a message
// is opened: the personal picture of a block, and the page that a click on it
// leads to (shared/spec/collector-and-content.md section 6).
//
// A picture is drawn from what is stored already, within a deadline. Whatever
// fails, there is a picture: the block's fallback, held in memory.
package content

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"platen/internal/asset"
	"platen/internal/block"
	"platen/internal/document"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/profile"
	"platen/internal/render"
)

const (
	// Deadline is how long a picture or a link takes at most
	// (shared/spec/collector-and-content.md section 6.1).
	Deadline = time.Second

	// pictureScale is the device pixels per CSS pixel of all pictures, for screens
	// of phones; the message gives the size in CSS pixels.
	pictureScale = 2

	// maxAtOnce is how many pictures are in the making at a time, each with about
	// 10 MB of pixels and buffers. More wait for their turn.
	maxAtOnce = 32

	// photoBytes bounds the decoded photos held in memory, some hundreds.
	photoBytes = 128 << 20
)

// Store is what pictures are made of.
type Store interface {
	asset.Reader
	// Profile gives the profile that a person belongs to at a time (unix
	// microseconds), nil when there is none.
	Profile(ctx context.Context, workspace int64, who profile.Who, at int64) (*profile.Profile, error)
	// Events gives stored events by their ids, in any order.
	Events(ctx context.Context, ids []event.ID) ([]event.Event, error)
}

// Renderer decides and draws what blocks show. It is safe for concurrent use.
type Renderer struct {
	store    Store
	registry *document.Registry
	recorder *engagement.Recorder
	now      func() time.Time
	log      *slog.Logger

	render *render.Renderer
	photos *asset.Photos
	stills *stills
	slots  chan struct{} // one for each picture in the making

	defaults *defaults
	deadline time.Duration // Deadline; tests on slow machines set another
}

// New makes a renderer with the embedded fonts. It reads what was shown from the
// recorder and writes nothing to it.
func New(store Store, registry *document.Registry, recorder *engagement.Recorder, now func() time.Time, log *slog.Logger) (*Renderer, error) {
	fonts, err := render.EmbeddedFonts()
	if err != nil {
		return nil, fmt.Errorf("load the fonts: %w", err)
	}
	r := &Renderer{
		store: store, registry: registry, recorder: recorder, now: now, log: log,
		render: render.New(fonts),
		photos: asset.NewPhotos(store, photoBytes),
		slots:  make(chan struct{}, maxAtOnce),

		defaults: newDefaults(),
		deadline: Deadline,
	}
	r.stills, err = newStills(r.render, log)
	return r, err
}

// Block finds a block by its public id or its alias.
func (r *Renderer) Block(publicIDOrAlias string) (*block.Block, bool) {
	return r.registry.Current().Block(publicIDOrAlias)
}

// Drawn is the picture that a person gets, and why.
type Drawn struct {
	Image  []byte // in the format that was asked for
	Rule   int    // index of the rule that was taken, or block.NoRule
	Reason block.Reason
	Links  []string // where a click on each item, or on the fallback, leads
	// Keep says that the person has a profile, or may have one that could not be
	// read: Links are to be kept for the click.
	Keep    bool
	Explain *Explain
}

// Draw gives the picture of a request, within Deadline. It always gives one:
// where nothing personal can be shown it is the block's fallback, with the reason.
func (r *Renderer) Draw(ctx context.Context, req Request) Drawn {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	watch := newWatch(r.now)
	drawn, err := within(ctx, r, func(ctx context.Context) (Drawn, error) {
		return r.draw(ctx, req, watch)
	})
	if err != nil {
		f := failed(err)
		if f.reason == TooSlow {
			f.detail += "; the time ran out at: " + watch.current()
		} else if f.cause != nil {
			r.log.Error("a fallback is shown", "block", req.Block.PublicID, "reason", f.reason, "error", err)
		}
		drawn = r.fallback(ctx, req, f)
	}
	drawn.Explain.Stages = watch.finish()
	return drawn
}

// fallback gives the block's fallback for a failure.
func (r *Renderer) fallback(ctx context.Context, req Request, f *failure) Drawn {
	s := r.stills.fallback(req.Block)
	e := newExplain(req)
	e.Rule, e.Fallback, e.Reason, e.Detail = block.NoRule, true, f.reason, f.detail
	e.Drawn, e.Width, e.Height = s.report, s.size.X, s.size.Y
	if f.decision != nil {
		e.decided(f.decision)
	}
	d := Drawn{Image: s.images[req.Format], Rule: e.Rule, Reason: f.reason, Keep: f.mayBeKnown(req.Person), Explain: e}
	if link := r.defaultLink(ctx, req); link != "" {
		d.Links = []string{link}
		e.DefaultLink = r.explainLink(req, link)
	}
	return d
}

// within runs work off the caller's goroutine, so that the caller goes on when
// ctx ends, whatever the work waits for. An abandoned work keeps its slot until it
// returns, so they cannot pile up.
func within[T any](ctx context.Context, r *Renderer, work func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := attempt(func() (T, error) { return work(ctx) })
		<-r.slots
		done <- result{value, err}
	}()
	select {
	case got := <-done:
		if got.err != nil && ctx.Err() != nil {
			return none, ctx.Err() // whatever it says failed by this
		}
		return got.value, got.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// attempt turns a panic into an error.
func attempt[T any](work func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return work()
}

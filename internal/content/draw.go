package content

import (
	"context"
	"image"

	"platen/internal/block"
	"platen/internal/render"
)

// draw gives the personal picture of a request.
func (r *Renderer) draw(ctx context.Context, req Request, watch *watch) (Drawn, error) {
	d, err := r.decide(ctx, req, watch)
	if err != nil {
		return Drawn{}, err
	}
	explain := newExplain(req)
	watch.begin("photos")
	cards, err := r.cards(ctx, req, d, explain)
	if err != nil {
		return Drawn{}, err
	}
	watch.begin("drawing")
	scene, err := r.render.CardsScene(render.Cards{Items: cards, Scale: pictureScale})
	if err != nil {
		return Drawn{}, err
	}
	picture, err := r.render.Draw(ctx, scene)
	if err != nil {
		return Drawn{}, err
	}
	watch.begin("encoding")
	file, err := encode(picture, req.Format)
	if err != nil {
		return Drawn{}, err
	}
	explain.Rule = d.choice.Rule
	explain.decided(d)
	explain.drawn(picture)
	return Drawn{Image: file, Rule: d.choice.Rule, Links: d.links, Keep: true, Explain: explain}, nil
}

// cards makes what is drawn of each item shown, and tells about each.
func (r *Renderer) cards(ctx context.Context, req Request, d *decision, explain *Explain) ([]render.CardItem, error) {
	side := pictureScale * render.PhotoSize(len(d.items))
	cards := make([]render.CardItem, len(d.items))
	for i, item := range d.items {
		card := cardOf(item)
		photo, report, err := r.photo(ctx, req.Block, item, side)
		if err != nil {
			return nil, err
		}
		card.Photo = photo
		cards[i] = card
		explain.Items = append(explain.Items, ItemReport{
			Event: item.Event.ID.String(), At: item.Event.At, ID: firstText(item, "id", "product_id", "sku"),
			Title: card.Title, Price: card.Price, Subtitle: card.Subtitle,
			Photo: report, Link: r.explainLink(req, d.links[i]),
		})
	}
	return cards, nil
}

// photo gives the photo of an item, nil where there is none to be had: a picture
// without it is better than the fallback.
func (r *Renderer) photo(ctx context.Context, b *block.Block, item block.Item, side int) (image.Image, *PhotoReport, error) {
	url := firstText(item, "image_url")
	if url == "" {
		return nil, nil, nil
	}
	photo, why, err := r.photos.Square(ctx, b.Workspace, url, side)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		why = "it could not be read; the log has the details"
		r.log.Error("a photo is left out of a picture", "block", b.PublicID, "photo", url, "error", err)
	}
	return photo, &PhotoReport{URL: url, Drawn: photo != nil, Why: why}, nil
}

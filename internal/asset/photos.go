package asset

import (
	"bytes"
	"context"
	"fmt"
	"image"

	"platen/internal/render"
)

// Reader finds stored photos.
type Reader interface {
	// Photo gives a photo of a workspace by its URL; ok is false when no event
	// ever showed it.
	Photo(ctx context.Context, workspace int64, url string) (p Photo, ok bool, err error)
}

// Photos gives photos ready to be drawn. It keeps those that were asked for in
// memory, and is safe for concurrent use.
type Photos struct {
	store Reader
	ready *pictures
}

// NewPhotos makes a Photos that keeps at most maxBytes of decoded pictures.
func NewPhotos(store Reader, maxBytes int) *Photos {
	return &Photos{store: store, ready: newPictures(maxBytes)}
}

// Square gives a photo of a workspace as a square with a side in pixels. Where
// there is none it gives nil, and in why the reason for people; the error is the
// store's. The picture must not be changed.
func (p *Photos) Square(ctx context.Context, workspace int64, url string, side int) (picture image.Image, why string, err error) {
	key := pictureKey{workspace, url, side}
	if img := p.ready.get(key); img != nil {
		return img, "", nil
	}
	photo, ok, err := p.store.Photo(ctx, workspace, url)
	switch {
	case err != nil:
		return nil, "", err
	case !ok:
		return nil, "no event brought this photo up", nil
	case photo.State == Queued && photo.Error != "":
		return nil, "not fetched yet: " + photo.Error + "; it is tried again", nil
	case photo.State == Queued:
		return nil, "not fetched yet", nil
	case photo.State == Failed:
		return nil, "not fetched: " + photo.Error, nil
	}
	kept, err := render.DecodePhoto(bytes.NewReader(photo.Picture), render.PhotoLimits{})
	if err != nil {
		return nil, "", fmt.Errorf("read the stored photo: %w", err)
	}
	scaled, err := render.Scale(kept, side, side, render.Cover)
	if err != nil {
		return nil, "", fmt.Errorf("scale the stored photo: %w", err)
	}
	img := toRGBA(scaled)
	p.ready.put(key, img)
	return img, "", nil
}

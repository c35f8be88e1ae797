package asset

import (
	"container/list"
	"image"
	"image/draw"
	"sync"
)

type pictureKey struct {
	workspace int64
	url       string
	side      int
}

// pictures is a cache of decoded pictures, bounded in bytes. What was used
// longest ago makes room.
type pictures struct {
	budget int // bytes

	mu    sync.Mutex
	used  int
	order *list.List // of *pictureEntry, used last in front
	found map[pictureKey]*list.Element
}

type pictureEntry struct {
	key pictureKey
	img *image.RGBA
}

// cost is the pixels and the entry around them.
func (e *pictureEntry) cost() int { return len(e.img.Pix) + len(e.key.url) + 256 }

func newPictures(budget int) *pictures {
	return &pictures{budget: budget, order: list.New(), found: map[pictureKey]*list.Element{}}
}

// get gives a picture, nil when it is not there.
func (c *pictures) get(key pictureKey) *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.found[key]
	if !ok {
		return nil
	}
	c.order.MoveToFront(at)
	return at.Value.(*pictureEntry).img
}

func (c *pictures) put(key pictureKey, img *image.RGBA) {
	e := &pictureEntry{key, img}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.found[key]; ok || e.cost() > c.budget {
		return
	}
	c.found[key] = c.order.PushFront(e)
	c.used += e.cost()
	for c.used > c.budget {
		last := c.order.Back()
		old := c.order.Remove(last).(*pictureEntry)
		delete(c.found, old.key)
		c.used -= old.cost()
	}
}

// toRGBA gives pixels that are drawn without conversion.
func toRGBA(img image.Image) *image.RGBA {
	if same, ok := img.(*image.RGBA); ok {
		return same
	}
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

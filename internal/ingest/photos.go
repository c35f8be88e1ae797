package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

const maxPhotos = 20

// photos finds the pictures of the products in an event's properties, at most
// maxPhotos.
func photos(properties json.RawMessage) []string {
	if !bytes.Contains(properties, []byte(`"image_url"`)) {
		return nil
	}
	var p struct {
		ImageURL string `json:"image_url"`
		Products []struct {
			ImageURL string `json:"image_url"`
		} `json:"products"`
	}
	_ = json.Unmarshal(properties, &p) // what has another type is passed over, the rest is read
	var urls []string
	add := func(u string) {
		u = strings.TrimSpace(u) // as by the content side, which asks for the picture
		if u != "" && len(urls) < maxPhotos && !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	add(p.ImageURL)
	for _, product := range p.Products {
		add(product.ImageURL)
	}
	return urls
}

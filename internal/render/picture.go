package render

import "image"

// Picture is a drawn scene.
type Picture struct {
	Pixels *image.RGBA
	Scale  int // device pixels per CSS pixel
	Report Report
}

// Report tells what a picture shows, for explain output: one entry for each text
// and image layer, in the order drawn.
type Report struct {
	Texts  []TextReport  `json:"texts"`
	Images []ImageReport `json:"images"`
}

// TextReport tells what became of one text layer.
type TextReport struct {
	Name    string   `json:"name"`
	Text    string   `json:"text"`              // as given
	Lines   []string `json:"lines"`             // as drawn, with the ellipsis
	Cut     bool     `json:"cut"`               // some of the text is not shown
	Missing string   `json:"missing,omitempty"` // characters no font has, drawn as boxes; sorted, each once
}

// ImageReport tells what became of one image layer.
type ImageReport struct {
	Name   string `json:"name"`
	Drawn  bool   `json:"drawn"`  // false without a source or without room
	Source [2]int `json:"source"` // width and height in pixels of the image as given to Draw
	Fit    string `json:"fit"`
	Area   Box    `json:"area"` // where it lies in the picture
}

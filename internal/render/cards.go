package render

import (
	"fmt"
	"image"
	"unicode"

	"platen/internal/fault"
)

// CardItem is one product of a card.
type CardItem struct {
	Title    string
	Price    string      // as it is to be read, with its currency
	Subtitle string      // a short line below the title, may be empty
	Photo    image.Image // nil draws a tile with the title's first letter
}

// Cards is the content of a picture that shows products.
type Cards struct {
	Header string // above the products, may be empty
	Items  []CardItem
	Button string // the label of each product's button; empty draws none
	Scale  int    // device pixels per CSS pixel, 1 or 2
	Theme  Theme  // the zero value is DefaultTheme
}

// MaxCardItems is how many products one picture shows at most.
const MaxCardItems = 10

// Measures of cards in CSS pixels. Distances are multiples of 4.
const (
	cardsWidth   = 600 // what e-mail clients show without scaling
	pageMargin   = 20
	cardPadding  = 24
	cardRadius   = 16
	photoRadius  = 12
	contentWidth = cardsWidth - 2*pageMargin - 2*cardPadding
	contentLeft  = pageMargin + cardPadding

	// cardTextRunes is how much of a text is looked at: far more than two
	// lines hold, and little enough for every scene.
	cardTextRunes = 1000
)

// cardStyle is how products look: one alone is larger than several in rows.
type cardStyle struct {
	photo                     float64 // side of the square
	gap                       float64 // between photo, text and button
	titleSize, titleLine      float64
	noteSize, noteLine        float64 // of the subtitle
	priceSize, priceLine      float64
	buttonWidth, buttonHeight float64
	buttonSize                float64 // of the label
	buttonBelow               bool    // below the price, or else beside the text
	betweenRows               float64
}

var (
	singleStyle = cardStyle{
		photo: 200, gap: 24, titleSize: 21, titleLine: 28, noteSize: 14, noteLine: 20, priceSize: 21, priceLine: 28,
		buttonWidth: 148, buttonHeight: 44, buttonSize: 15, buttonBelow: true,
	}
	rowStyle = cardStyle{
		photo: 112, gap: 20, titleSize: 16, titleLine: 22, noteSize: 13, noteLine: 20, priceSize: 17, priceLine: 24,
		buttonWidth: 124, buttonHeight: 40, buttonSize: 14, betweenRows: 20,
	}
)

// PhotoSize is the side, in CSS pixels, of the square in which a card of n
// products shows each photo. A photo scaled to it beforehand (Scale with Cover,
// times the scene's scale) is drawn without further work.
func PhotoSize(n int) int {
	return int(styleFor(n).photo)
}

func styleFor(n int) cardStyle {
	if n == 1 {
		return singleStyle
	}
	return rowStyle
}

// CardsScene lays out a picture of 1 to MaxCardItems products: 600 CSS pixels
// wide and as high as they need, at least 200. A product whose title reads from
// right to left is laid out from the right. The layers of the first product are
// named items[0].photo, items[0].title, items[0].subtitle, items[0].price and
// items[0].button; without a photo there is items[0].letter or items[0].bag.
func (r *Renderer) CardsScene(c Cards) (Scene, error) {
	if len(c.Items) < 1 || len(c.Items) > MaxCardItems {
		return Scene{}, fault.New(fault.Invalid, "cards_invalid", "a picture shows 1 to %d products, not %d", MaxCardItems, len(c.Items))
	}
	if c.Theme == (Theme{}) {
		c.Theme = DefaultTheme()
	}
	style := styleFor(len(c.Items))
	s := stack{renderer: r, box: Box{X: contentLeft, Y: pageMargin + cardPadding, W: contentWidth}}
	if c.Header != "" {
		header := Text{Name: "header", Text: shorten(c.Header), Size: 22, LineHeight: 30, Weight: Bold, Color: c.Theme.Ink, MaxLines: 2}
		if err := s.text(header); err != nil {
			return Scene{}, err
		}
		s.skip(16)
	}
	for i, item := range c.Items {
		if i > 0 {
			s.divider(fmt.Sprintf("divider %d", i), style.betweenRows, c.Theme)
		}
		b := itemBuilder{renderer: r, style: style, theme: c.Theme, prefix: fmt.Sprintf("items[%d].", i), button: c.Button}
		layers, height, err := b.build(item, s.box)
		if err != nil {
			return Scene{}, err
		}
		s.layers = append(s.layers, layers...)
		s.skip(height)
	}
	return framed(s, c.Scale, c.Theme), nil
}

// framed puts the layers of a stack on a card that is as high as the stack.
func framed(s stack, scale int, theme Theme) Scene {
	card := Box{X: pageMargin, Y: pageMargin, W: cardsWidth - 2*pageMargin, H: s.box.Y + cardPadding - pageMargin}
	layers := shadow(card, theme)
	layers = append(layers, Shape{Name: "card", Box: card, Radius: cardRadius, Fill: theme.Card, Border: Border{Width: 1, Color: theme.Line}})
	return Scene{
		Width: cardsWidth, Height: int(card.Y+card.H) + pageMargin, Scale: scale, Background: theme.Page,
		Layers: append(layers, s.layers...),
	}
}

// shadow is a soft edge below a card: frames from the largest and lightest to
// the smallest and darkest. They are opaque, as the page behind is known, which
// draws several times faster; and frames, as the card covers what is inside.
func shadow(card Box, theme Theme) []Layer {
	const (
		steps  = 8
		offset = 4 // downwards
		depth  = 0.06
	)
	var layers []Layer
	for i := range steps {
		grown := float64(steps - i)
		box := card.inset(-grown)
		box.Y += offset
		layers = append(layers, Shape{
			Name: "shadow", Box: box, Radius: cardRadius + grown,
			Border: Border{Width: grown + offset + 1, Color: mix(theme.Page, theme.Ink, depth*float64(i+1)/steps)},
		})
	}
	return layers
}

// stack places layers one below the other. The box is the room that is left;
// its height does not matter.
type stack struct {
	renderer *Renderer
	box      Box
	layers   []Layer
}

func (s *stack) skip(distance float64) { s.box.Y += distance }

// text adds a text at its height; an empty one adds nothing.
func (s *stack) text(t Text) error {
	if t.Text == "" {
		return nil
	}
	t.Box = Box{X: s.box.X, Y: s.box.Y, W: s.box.W}
	size, err := s.renderer.Measure(t)
	if err != nil {
		return err
	}
	t.Box.H = size.Height
	s.layers = append(s.layers, t)
	s.skip(size.Height)
	return nil
}

// divider adds a line with a distance above and below.
func (s *stack) divider(name string, distance float64, theme Theme) {
	s.skip(distance)
	s.layers = append(s.layers, Shape{Name: name, Box: Box{X: s.box.X, Y: s.box.Y, W: s.box.W, H: 1}, Fill: theme.Line})
	s.skip(1 + distance)
}

// itemBuilder makes the layers of one product.
type itemBuilder struct {
	renderer *Renderer
	style    cardStyle
	theme    Theme
	prefix   string // of the layers' names
	button   string
}

// build lays a product out at the top of a box and gives its height.
func (b itemBuilder) build(item CardItem, box Box) ([]Layer, float64, error) {
	title := shorten(item.Title)
	mirrored := firstStrong([]rune(title)) == RightToLeft
	st := b.style

	photo := Box{X: box.X, Y: box.Y, W: st.photo, H: st.photo}
	column := Box{X: box.X + st.photo + st.gap, Y: box.Y, W: box.W - st.photo - st.gap}
	button := Box{W: st.buttonWidth, H: st.buttonHeight}
	if b.button != "" && !st.buttonBelow {
		column.W -= st.buttonWidth + st.gap
		button.X = column.X + column.W + st.gap
		button.Y = box.Y + (st.photo-st.buttonHeight)/2
	}
	if mirrored {
		for _, part := range []*Box{&photo, &column, &button} {
			part.X = 2*box.X + box.W - part.X - part.W
		}
	}

	text := stack{renderer: b.renderer, box: column}
	if err := b.texts(&text, item, title, mirrored); err != nil {
		return nil, 0, err
	}
	if b.button != "" && st.buttonBelow {
		text.skip(16)
		button.X, button.Y = column.X, text.box.Y
		if mirrored {
			button.X += column.W - button.W
		}
		text.layers = append(text.layers, b.buttonLayers(button)...)
		text.skip(button.H)
	}
	used := text.box.Y - column.Y

	layers := b.photoLayers(item.Photo, title, photo)
	// The text stands in the middle beside the photo.
	layers = append(layers, Group{Name: b.prefix + "text", Y: max((st.photo-used)/2, 0), Layers: text.layers})
	if b.button != "" && !st.buttonBelow {
		layers = append(layers, b.buttonLayers(button)...)
	}
	return layers, max(st.photo, used), nil
}

func (b itemBuilder) texts(s *stack, item CardItem, title string, mirrored bool) error {
	align := AlignLeft
	if mirrored {
		align = AlignRight
	}
	for _, t := range []struct {
		above float64
		text  Text
	}{
		{0, Text{Name: "title", Text: title, Size: b.style.titleSize, LineHeight: b.style.titleLine, Weight: Bold, Color: b.theme.Ink, MaxLines: 2}},
		{4, Text{Name: "subtitle", Text: shorten(item.Subtitle), Size: b.style.noteSize, LineHeight: b.style.noteLine, Weight: Regular, Color: b.theme.Muted, MaxLines: 1}},
		{4, Text{Name: "price", Text: shorten(item.Price), Size: b.style.priceSize, LineHeight: b.style.priceLine, Weight: Bold, Color: b.theme.Accent, MaxLines: 1}},
	} {
		if t.text.Text == "" {
			continue
		}
		s.skip(t.above)
		t.text.Name = b.prefix + t.text.Name
		t.text.Align = align
		if err := s.text(t.text); err != nil {
			return err
		}
	}
	return nil
}

func (b itemBuilder) photoLayers(photo image.Image, title string, box Box) []Layer {
	if photo == nil {
		return b.placeholder(title, box)
	}
	return []Layer{
		Shape{Name: b.prefix + "tile", Box: box, Radius: photoRadius, Fill: b.theme.Card},
		Image{Name: b.prefix + "photo", Box: box, Source: photo, Fit: Cover, Radius: photoRadius},
		Shape{Name: b.prefix + "frame", Box: box, Radius: photoRadius, Border: Border{Width: 1, Color: withAlpha(b.theme.Ink, 24)}},
	}
}

// placeholder stands in for a photo: the title's first letter in a disc on a
// tinted tile, or a bag where the fonts have no letter of it.
func (b itemBuilder) placeholder(title string, box Box) []Layer {
	disc := box.inset(box.W * 0.16)
	layers := []Layer{
		Shape{Name: b.prefix + "tile", Box: box, Radius: photoRadius, Fill: b.theme.Tint},
		Shape{Name: b.prefix + "disc", Box: disc, Radius: box.W, Fill: b.theme.Card},
	}
	letter := firstLetter(title, b.renderer.fonts)
	if letter == "" {
		return append(layers, bag(b.prefix+"bag", box.inset(box.W*0.34), b.theme)...)
	}
	// The line box is centred, but a capital stands a little below its middle.
	const capitalDrop = 0.03 // em
	size := box.H * 0.44
	line := box
	line.Y -= size * capitalDrop
	return append(layers, Text{
		Name: b.prefix + "letter", Text: letter, Box: line,
		Size: size, LineHeight: box.H, Weight: Bold, Color: b.theme.Accent, Align: AlignCenter, MaxLines: 1,
	})
}

// bag is a shopping bag: its handle is a ring whose upper half is covered.
func bag(name string, box Box, theme Theme) []Layer {
	side := box.W / 2
	handle := Box{X: box.X + (box.W-side)/2, Y: box.Y + box.H*0.02, W: side, H: box.H / 2}
	return []Layer{
		Shape{Name: name, Box: box, Radius: box.W / 6, Fill: theme.Accent},
		Shape{Name: name + " handle", Box: handle, Radius: side / 2, Border: Border{Width: box.W / 15, Color: theme.OnAccent}},
		Shape{Name: name + " top", Box: Box{X: handle.X, Y: handle.Y, W: handle.W, H: handle.H / 2}, Fill: theme.Accent},
	}
}

func (b itemBuilder) buttonLayers(box Box) []Layer {
	return button(b.prefix+"button", shorten(b.button), box, b.style.buttonSize, b.theme)
}

// button is a pill with a label. The label's line is as high as the pill, which
// centres it.
func button(name, label string, box Box, size float64, theme Theme) []Layer {
	inner := box
	inner.X += 12
	inner.W -= 24
	return []Layer{
		Shape{Name: name + " shape", Box: box, Radius: box.H, Fill: theme.Accent},
		Text{Name: name, Text: label, Box: inner, Size: size, LineHeight: box.H, Weight: Bold, Color: theme.OnAccent, Align: AlignCenter, MaxLines: 1},
	}
}

// firstLetter is the first letter or digit of a title that the fonts have, as a
// capital, or "".
func firstLetter(title string, fonts *Fonts) string {
	for _, r := range title {
		r = unicode.ToUpper(r)
		if (unicode.IsLetter(r) || unicode.IsDigit(r)) && fonts.has(r) {
			return string(r)
		}
	}
	return ""
}

// shorten cuts a text to what a card looks at.
func shorten(s string) string {
	n := 0
	for i := range s {
		if n++; n > cardTextRunes {
			return s[:i] + ellipsis
		}
	}
	return s
}

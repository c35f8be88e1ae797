package render

// Fallback is the content of the picture that a block shows when there is
// nothing personal to show.
type Fallback struct {
	Headline string // as "Discover what's new"
	Text     string // a sentence or two below it, may be empty
	Button   string // empty draws none
	Scale    int    // device pixels per CSS pixel, 1 or 2
	Theme    Theme  // the zero value is DefaultTheme
}

// FallbackScene lays out a neutral picture in the style of the cards: the texts
// beside an arrangement of tiles, on the other side where the headline reads from
// right to left. It is 600 CSS pixels wide and at least 280 high. The layers are
// named headline, text and button.
func (r *Renderer) FallbackScene(f Fallback) (Scene, error) {
	if f.Theme == (Theme{}) {
		f.Theme = DefaultTheme()
	}
	const (
		tiles  = 192 // side of the square of tiles
		gap    = 32
		indent = 8 // of the texts, which are not framed as the tiles are
	)
	column := Box{X: contentLeft + indent, Y: pageMargin + cardPadding, W: contentWidth - tiles - gap - indent}
	tilesLeft, align := float64(contentLeft+contentWidth-tiles), AlignLeft
	if firstStrong([]rune(f.Headline)) == RightToLeft {
		column.X, tilesLeft, align = contentLeft+tiles+gap, contentLeft, AlignRight
	}

	text := stack{renderer: r, box: column}
	if err := text.text(Text{Name: "headline", Text: shorten(f.Headline), Size: 26, LineHeight: 34, Weight: Bold, Color: f.Theme.Ink, Align: align, MaxLines: 3}); err != nil {
		return Scene{}, err
	}
	if f.Text != "" {
		text.skip(8)
	}
	if err := text.text(Text{Name: "text", Text: shorten(f.Text), Size: 15, LineHeight: 22, Weight: Regular, Color: f.Theme.Muted, Align: align, MaxLines: 3}); err != nil {
		return Scene{}, err
	}
	if f.Button != "" {
		text.skip(20)
		box := Box{X: column.X, Y: text.box.Y, W: 148, H: 44}
		if align == AlignRight {
			box.X += column.W - box.W
		}
		text.layers = append(text.layers, button("button", shorten(f.Button), box, 15, f.Theme)...)
		text.skip(box.H)
	}
	used := text.box.Y - column.Y

	height := max(used, tiles)
	s := stack{renderer: r, box: Box{X: contentLeft, Y: column.Y + height, W: contentWidth}}
	s.layers = []Layer{
		Group{Name: "texts", Y: (height - used) / 2, Layers: text.layers},
		Group{Name: "tiles", X: tilesLeft, Y: column.Y + (height-tiles)/2, Layers: tileLayers(tiles, f.Theme)},
	}
	return framed(s, f.Scale, f.Theme), nil
}

// tileLayers is a square of four tiles that hint at things to discover.
func tileLayers(side float64, theme Theme) []Layer {
	const gap = 12
	cell := (side - gap) / 2
	at := func(column, row float64) Box {
		return Box{X: column * (cell + gap), Y: row * (cell + gap), W: cell, H: cell}
	}
	soft := withAlpha(theme.Accent, 96)
	layers := []Layer{
		// A tile with a disc.
		Shape{Name: "tile 1", Box: at(0, 0), Radius: photoRadius, Fill: theme.Tint},
		Shape{Name: "disc", Box: at(0, 0).inset(22), Radius: side, Fill: theme.Accent},
		// A ring.
		Shape{Name: "tile 2", Box: at(1, 0), Radius: photoRadius, Fill: theme.Accent},
		Shape{Name: "ring", Box: at(1, 0).inset(22), Radius: side, Border: Border{Width: 8, Color: theme.OnAccent}},
		Shape{Name: "tile 3", Box: at(0, 1), Radius: photoRadius, Fill: theme.Page},
		// Lines of a card.
		Shape{Name: "tile 4", Box: at(1, 1), Radius: photoRadius, Fill: theme.Tint},
		Shape{Name: "line 1", Box: Box{X: cell + gap + 18, Y: cell + gap + 22, W: 54, H: 22}, Radius: 6, Fill: theme.Card},
		Shape{Name: "line 2", Box: Box{X: cell + gap + 18, Y: cell + gap + 52, W: 54, H: 6}, Radius: 3, Fill: soft},
		Shape{Name: "line 3", Box: Box{X: cell + gap + 18, Y: cell + gap + 64, W: 32, H: 6}, Radius: 3, Fill: theme.Accent},
	}
	return append(layers, bag("bag", at(0, 1).inset(22), theme)...)
}

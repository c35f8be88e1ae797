package content

import (
	"time"

	"platen/internal/block"
	"platen/internal/profile"
	"platen/internal/render"
)

// Explain tells why a person got a picture: the rule that was taken and why
// others were not, the events and values used, what was drawn, and where a click
// leads.
type Explain struct {
	Block   string         `json:"block"` // public id
	Name    string         `json:"name"`
	Person  string         `json:"person"`
	Profile string         `json:"profile,omitempty"` // its braze_id
	Item    int            `json:"item,omitempty"`
	Params  map[string]any `json:"params,omitempty"`
	At      time.Time      `json:"at"`

	Fallback bool               `json:"fallback"`
	Reason   block.Reason       `json:"reason,omitempty"` // why the fallback
	Detail   string             `json:"detail,omitempty"`
	Rule     int                `json:"rule"` // index of the rule taken, -1 for none
	Rules    []block.RuleReport `json:"rules,omitempty"`

	Items       []ItemReport  `json:"items,omitempty"`
	DefaultLink *LinkReport   `json:"default_link,omitempty"` // of the fallback
	Drawn       render.Report `json:"drawn"`
	Width       int           `json:"width"` // of the picture, in device pixels
	Height      int           `json:"height"`
	Stages      []Stage       `json:"stages,omitempty"`
}

// ItemReport tells about one item shown.
type ItemReport struct {
	Event    string       `json:"event"`
	At       time.Time    `json:"at"`
	ID       string       `json:"id,omitempty"`
	Title    string       `json:"title"`
	Price    string       `json:"price,omitempty"`
	Subtitle string       `json:"subtitle,omitempty"`
	Photo    *PhotoReport `json:"photo,omitempty"` // absent where the event has none
	Link     *LinkReport  `json:"link,omitempty"`
}

// PhotoReport tells whether a photo was drawn.
type PhotoReport struct {
	URL   string `json:"url"`
	Drawn bool   `json:"drawn"`
	Why   string `json:"why,omitempty"` // why it was not
}

// LinkReport tells where a click leads.
type LinkReport struct {
	URL     string       `json:"url"`
	Allowed bool         `json:"allowed"`
	Reason  block.Reason `json:"reason,omitempty"` // why it is not followed
}

func newExplain(req Request) *Explain {
	return &Explain{
		Block: req.Block.PublicID, Name: req.Block.Name, Person: req.Person,
		Item: req.Item, Params: req.variables(), At: req.Now.UTC(),
	}
}

func (e *Explain) decided(d *decision) {
	e.Profile = profile.BrazeIDOf(d.person.Root.ID)
	e.Rules = d.choice.Rules
}

func (e *Explain) drawn(p *render.Picture) {
	size := p.Pixels.Rect.Size()
	e.Drawn, e.Width, e.Height = p.Report, size.X, size.Y
}

// explainLink tells about a link, nil where there is none.
func (r *Renderer) explainLink(req Request, link string) *LinkReport {
	if link == "" {
		return nil
	}
	_, reason := r.checked(req, link)
	return &LinkReport{URL: link, Allowed: reason == "", Reason: reason}
}

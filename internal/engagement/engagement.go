// Package engagement keeps what people saw and followed: impressions, clicks, and
// what each person was last shown, so that a link leads to what its picture
// showed. It writes in batches, off the path of the request.
package engagement

import (
	"time"

	"platen/internal/event"
)

// Impression is one answered image request. The Recorder gives it its ID and
// time.
type Impression struct {
	ID        event.ID
	Workspace int64
	Block     string // public id
	Person    string // mi_u as it was sent
	At        time.Time
	Rule      int    // index of the rule that matched, -1 for the fallback
	Reason    string // why the fallback was shown, "" otherwise
}

// Click is one followed link. The Recorder gives it its ID and time.
type Click struct {
	ID          event.ID
	Workspace   int64
	Block       string
	Person      string
	At          time.Time
	Destination string
	Reason      string // why it was not the wanted one, "" when it was
}

// Shown is what a person was last shown by a block under the same parameters.
// The Recorder gives it its time.
type Shown struct {
	Block  string
	Person string
	Params string // a hash of the parameters that image and link share
	At     time.Time
	Links  []string // one for each item shown, in order
}

// Batch is written in one transaction.
type Batch struct {
	Impressions []Impression
	Clicks      []Click
	Shown       []Shown
}

// bytes is how much the texts of a batch take.
func (b *Batch) bytes() (n int) {
	for i := range b.Impressions {
		n += b.Impressions[i].bytes()
	}
	for i := range b.Clicks {
		n += b.Clicks[i].bytes()
	}
	for i := range b.Shown {
		n += b.Shown[i].bytes()
	}
	return n
}

func (i *Impression) bytes() int { return len(i.Block) + len(i.Person) + len(i.Reason) }

func (c *Click) bytes() int {
	return len(c.Block) + len(c.Person) + len(c.Destination) + len(c.Reason)
}

func (s *Shown) bytes() int {
	n := len(s.Block) + len(s.Person) + len(s.Params)
	for _, link := range s.Links {
		n += len(link)
	}
	return n
}

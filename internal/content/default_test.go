package content

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"platen/internal/block"
)

const allPages = "https://www.example.com/all" // the default link of with-default

func TestTheDefaultLinkIsKept(t *testing.T) {
	s := newSite(t, nil)
	b, _ := s.Block("with-default")
	now := s.clock.now().Truncate(time.Minute).Add(5 * time.Second)
	link := func(b *block.Block, now time.Time) string { return s.defaults.link(b, now, s.library(b)) }
	if got := link(b, now); got != allPages {
		t.Fatalf("it is %q", got)
	}
	s.defaults.all[b.PublicID].render = func() string { return "kept" }
	same := *b // as after a reload of the documents
	if got := link(&same, now.Add(54*time.Second)); got != "kept" {
		t.Errorf("it is rendered again: %q", got)
	}
	changed := *b
	changed.Link += "#new"
	for name, got := range map[string]string{
		"a changed link":  link(&changed, now),
		"the next minute": link(b, now.Add(time.Minute)),
	} {
		if got != allPages {
			t.Errorf("%s: %q", name, got)
		}
	}

	clock := changed
	clock.Link = "{{ 'now' | date: '%H:%M:%S' }}"
	if err := clock.Compile(); err != nil {
		t.Fatal(err)
	}
	if got, want := link(&clock, now), now.Format("15:04")+":00"; got != want {
		t.Errorf("it tells the time as %q, want %q", got, want)
	}
}

// TestADefaultLinkIsRenderedInItsTurn has all slots taken, as when many pictures
// are in the making.
func TestADefaultLinkIsRenderedInItsTurn(t *testing.T) {
	s := newSite(t, nil)
	const link = "/p/rp/with-default/url?mi_u=nobody&variant=4"
	if got := s.clicks(link); got != allPages+"?v=4" {
		t.Errorf("with a free slot it leads to %q", got)
	}
	for range maxAtOnce {
		s.slots <- struct{}{}
	}
	s.deadline = time.Millisecond
	if got := s.clicks(link); got != allPages {
		t.Errorf("without it leads to %q", got)
	}
	if d := s.explains("/p/rp/with-default.png?mi_u=nobody&variant=4"); d.Reason != TooSlow || len(d.Links) != 1 || d.Links[0] != allPages {
		t.Errorf("the picture is shown because %q and leads to %q", d.Reason, d.Links)
	}
	// Who they are was not looked at.
	for person, keep := range map[string]bool{"nobody": true, "": false, "%7B%7Bid%7D%7D": false} {
		if d := s.explains("/p/rp/with-default.png?mi_u=" + person); d.Reason != TooSlow || d.Keep != keep {
			t.Errorf("what %q was shown because %q is kept: %v", person, d.Reason, d.Keep)
		}
	}
}

func TestAfterAFailureAClickLeadsToTheDefault(t *testing.T) {
	const picture, link = "/p/rp/with-default.png?mi_u=u1", "/p/rp/with-default/url?mi_u=u1"
	for name, fails := range map[string]func() error{
		"store failed": func() error { return errors.New("disk on fire") },
		"too slow":     func() error { return context.DeadlineExceeded },
		"panic":        func() error { panic("out of paint") },
	} {
		t.Run(name, func(t *testing.T) {
			store := &wrong{}
			s := newSite(t, func(real Store) Store { store.Store = real; return store })
			s.views("u1", lamp("first"))
			s.opens(picture)
			store.profile = fails
			s.opens(picture)
			s.opens("/p/rp/with-default.png?mi_u=%7B%7Bid%7D%7D")
			s.opens("/p/rp/with-default.png")
			store.profile = nil
			if got := s.clicks(link); got != allPages {
				t.Errorf("the fallback was shown and the click leads to %q", got)
			}
			s.opens("/p/rp/with-default.png?mi_u=nobody")
			if shown := s.flush().shown; len(shown) != 1 || shown[0].Person != "u1" {
				t.Errorf("kept are %+v", shown)
			}
		})
	}
}

func TestLongLinksAreNotKept(t *testing.T) {
	s := newSite(t, nil)
	fits := "https://www.example.com/"
	fits += strings.Repeat("x", maxLinkBytes-len(fits))
	s.views("u1", product{"id": "1", "title": "fits", "url": fits})
	s.views("u1", product{"id": "2", "title": "long", "url": fits + "x"})
	s.does("u2", "product_searched", product{"query": "lamp"}) // known, with nothing to show
	s.opens("/p/rp/recent.png?mi_u=u1")
	s.opens("/p/rp/with-default.png?mi_u=u2&variant=" + url.QueryEscape(fits))
	for _, shown := range s.flush().shown {
		switch {
		case shown.Person == "u1" && len(shown.Links) == 2 && shown.Links[0] == "" && shown.Links[1] == fits:
		case shown.Person == "u2" && len(shown.Links) == 1 && shown.Links[0] == "":
		default:
			t.Errorf("%s was shown %d links: %.50q", shown.Person, len(shown.Links), shown.Links)
		}
	}
	if n := len(s.written.shown); n != 2 {
		t.Errorf("%d were shown something", n)
	}
}

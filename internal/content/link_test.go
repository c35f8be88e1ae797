package content

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"platen/internal/block"
)

func pageOf(name string) string { return "https://www.example.com/" + name }

func lamp(name string) product { return product{"id": name, "title": name, "url": pageOf(name)} }

func TestAClickLeadsToWhatWasShown(t *testing.T) {
	s := newSite(t, nil)
	const picture, link = "/p/rp/recent.png?mi_u=u1", "/p/rp/recent/url?mi_u=u1"
	s.views("u1", lamp("first"))
	if got := s.clicks(link); got != pageOf("first") {
		t.Errorf("before any open it leads to %q", got)
	}
	s.opens(picture)
	s.views("u1", lamp("second"))
	if got := s.clicks(link); got != pageOf("first") {
		t.Errorf("after a newer event it leads to %q", got)
	}
	s.flush() // what was shown now comes from the store
	if got := s.clicks(link); got != pageOf("first") {
		t.Errorf("from the store it leads to %q", got)
	}
	if got := s.clicks(link + "&utm_source=mail&utm_campaign=x"); got != pageOf("first") {
		t.Errorf("with what a mail tool adds to links it leads to %q", got)
	}
	if got := s.clicks(link + "&k=v"); got != pageOf("second") {
		t.Errorf("under parameters that were not opened it leads to %q", got)
	}
	s.opens(picture)
	if got := s.clicks(link); got != pageOf("second") {
		t.Errorf("after the next open it leads to %q", got)
	}
	for _, c := range s.flush().clicks {
		if c.Reason != "" || c.Destination == "" || c.Person != "u1" || c.Workspace != 1 {
			t.Errorf("counted as %+v", c)
		}
	}
}

func TestALinkTakesCatalogsAndSnippets(t *testing.T) {
	s := newSite(t, nil)
	const link = "/p/rp/from-catalog/url?mi_u=u1"
	if got := s.clicks(link); got != pageOf("start") {
		t.Errorf("of nobody: %q", got)
	}
	s.views("u1", lamp("lamp"))
	if got := s.clicks(link); got != pageOf("lights/lamp") {
		t.Errorf("of who looked at a lamp: %q", got)
	}
}

func TestEachItemHasItsLink(t *testing.T) {
	s := newSite(t, nil)
	for _, name := range []string{"c", "b", "a"} {
		s.views("u1", lamp(name))
	}
	link := func(item int) string { return s.clicks(fmt.Sprintf("/p/rp/recent/url?mi_u=u1&item=%d", item)) }

	s.opens("/p/rp/recent.png?mi_u=u1&item=1")
	s.views("u1", lamp("new"))
	s.opens("/p/rp/recent.png?mi_u=u1&item=2")
	for item, want := range map[int]string{
		1: "a", // as when its picture was opened
		2: "a", // it moved on between the two opens
		3: "b", // was not opened, so what it is now
	} {
		if got := link(item); got != pageOf(want) {
			t.Errorf("item %d leads to %q, want %q", item, got, pageOf(want))
		}
	}

	s = newSite(t, nil)
	for _, name := range []string{"c", "b", "a"} {
		s.views("u1", lamp(name))
	}
	s.opens("/p/rp/recent.png?mi_u=u1")
	s.views("u1", lamp("new"))
	for item, want := range map[int]string{1: "a", 2: "b", 3: "c"} {
		if got := link(item); got != pageOf(want) {
			t.Errorf("item %d of the whole picture leads to %q, want %q", item, got, pageOf(want))
		}
	}
	if got := link(4); got != "" {
		t.Errorf("an item that is not there leads to %q", got)
	}
}

func TestOnlyTheWorkspacesPagesAreFollowed(t *testing.T) {
	s := newSite(t, nil)
	for i, c := range []struct {
		url, leads string
		reason     block.Reason
	}{
		{"https://www.example.com/käse?a=1&b=\"2\"", "https://www.example.com/k%C3%A4se?a=1&b=%222%22", ""},
		{"HTTPS://WWW.EXAMPLE.COM/x", "https://WWW.EXAMPLE.COM/x", ""},
		{"http://www.example.com:8080/x", "http://www.example.com:8080/x", ""},
		{"https://evil.example/x", "", LinkNotAllowed},
		{"https://www.example.com.evil.example/", "", LinkNotAllowed},
		{"https://evil.example/www.example.com", "", LinkNotAllowed},
		{"https://sub.www.example.com/", "", LinkNotAllowed},
		{"https://www.example.com@evil.example/", "", BadLink},
		{"https://me:secret@www.example.com/", "", BadLink},
		{`https://www.example.com\@evil.example/`, "", BadLink},
		{`https://evil.example\.www.example.com/`, "", BadLink},
		{"//evil.example/x", "", BadLink},
		{`/\evil.example`, "", BadLink},
		{"https:evil.example", "", BadLink},
		{"https:///evil.example", "", BadLink},
		{"javascript:alert(1)", "", BadLink},
		{"data:text/html,x", "", BadLink},
		{"https://www.example.com/\r\nSet-Cookie: a=b", "", BadLink},
		{"https://www.example.com/" + strings.Repeat("x", maxLinkBytes), "", BadLink},
		{"", "", NoLink},
	} {
		user := fmt.Sprint("u", i)
		s.views(user, product{"id": "p1", "title": "planted", "url": c.url})
		link, picture := "/p/rp/recent/url?mi_u="+user, "/p/rp/recent.png?mi_u="+user
		if got := s.clicks(link); got != c.leads {
			t.Errorf("%.60q leads to %q, want %q", c.url, got, c.leads)
		}
		s.opens(picture)
		if got := s.clicks(link); got != c.leads {
			t.Errorf("once it was shown, %.60q leads to %q, want %q", c.url, got, c.leads)
		}
		for _, click := range s.flush().clicks[2*i:] {
			if click.Reason != string(c.reason) || click.Destination != c.leads {
				t.Errorf("%.60q is counted as %+v", c.url, click)
			}
		}
	}
	s.views("u", product{"id": "p1", "title": "planted", "url": "https://evil.example/"})
	link := s.explains("/p/rp/recent.png?mi_u=u").Explain.Items[0].Link
	if link == nil || link.Allowed || link.Reason != LinkNotAllowed || link.URL != "https://evil.example/" {
		t.Errorf("a planted link is explained as %+v", link)
	}
}

func TestTheDefaultLink(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "planted", "url": "https://evil.example/"})
	s.views("u2", lamp("fine"))
	const all = "https://www.example.com/all"
	for query, want := range map[string]struct {
		leads  string
		reason block.Reason
	}{
		"?mi_u=u1":                   {all, LinkNotAllowed},
		"?mi_u=u2":                   {pageOf("fine"), ""},
		"?mi_u=u2&variant=4":         {pageOf("fine") + "?v=4", ""},
		"?mi_u=nobody&variant=x%20y": {all + "?v=x%20y", block.UnknownPerson},
		"?mi_u=%7B%7Bid%7D%7D":       {all, UnusablePerson},
		"":                           {all, NoPerson},
		"?mi_u=u2&item=9":            {all, NoSuchItem},
	} {
		if got := s.clicks("/p/rp/with-default/url" + query); got != want.leads {
			t.Errorf("%s leads to %q, want %q", query, got, want.leads)
		}
		if clicks := s.flush().clicks; clicks[len(clicks)-1].Reason != string(want.reason) {
			t.Errorf("%s is counted as %+v", query, clicks[len(clicks)-1])
		}
	}
	d := s.explains("/p/rp/with-default.png?mi_u=nobody")
	if link := d.Explain.DefaultLink; link == nil || link.URL != all || !link.Allowed {
		t.Errorf("the fallback's link is %+v", link)
	}
}

func TestTheFallbacksLinkIsKeptAsWell(t *testing.T) {
	s := newSite(t, nil)
	s.does("u1", "product_searched", product{"query": "lamp"}) // known, with nothing to show
	s.opens("/p/rp/with-default.png?mi_u=u1")
	s.opens("/p/rp/recent.png?mi_u=u1")
	s.views("u1", lamp("later"))
	if got := s.clicks("/p/rp/with-default/url?mi_u=u1"); got != "https://www.example.com/all" {
		t.Errorf("the fallback was shown, and the click leads to %q", got)
	}
	if got := s.clicks("/p/rp/recent/url?mi_u=u1"); got != pageOf("later") {
		t.Errorf("the fallback that was shown leads nowhere, and the click to %q", got)
	}
}

func TestALinkThatLeadsNowhereShowsAPage(t *testing.T) {
	s := newSite(t, nil)
	w := s.get("/p/rp/recent/url?mi_u=nobody")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Location") != "" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	if page := w.Body.String(); !strings.Contains(page, "New this week") || !strings.Contains(page, "our &lt;shop&gt;") {
		t.Errorf("the page is %s", page)
	}
	if w := s.get("/p/rp/recent/url?mi_u=u1&url=" + url.QueryEscape("https://evil.example/")); w.Code == http.StatusFound {
		t.Errorf("it redirects to %s", w.Header().Get("Location"))
	}
	if w := s.get("/p/rp/unknown/url?mi_u=u1"); w.Code != http.StatusNotFound {
		t.Errorf("the link of an unknown block: %d", w.Code)
	}
	if w := s.get("/p/rp/recent/url?mi_u=u1"); !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("the page may be kept: %v", w.Header())
	}
}

func TestABrokenLinkTemplateShowsTheFallback(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", lamp("fine"))
	d := s.explains("/p/rp/broken-link.png?mi_u=u1")
	if d.Reason != LiquidFailed || !strings.Contains(d.Explain.Detail, "line 1, column") || !d.Explain.Fallback {
		t.Errorf("%q, %q", d.Reason, d.Explain.Detail)
	}
	if got := s.clicks("/p/rp/broken-link/url?mi_u=u1"); got != "" {
		t.Errorf("it leads to %q", got)
	}
}

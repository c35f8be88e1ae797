package content

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"platen/internal/block"
)

func TestThePictureShowsTheProductJustViewed(t *testing.T) {
	s, photos := newSite(t, nil), photoServer(t)
	title := fmt.Sprintf("Espresso Machine No. %d", rand.IntN(1e6))
	price := fmt.Sprintf("%d.%d%d", rand.IntN(900), rand.IntN(10), 1+rand.IntN(9))
	hue := fmt.Sprintf("%02x%02x%02x", rand.IntN(256), rand.IntN(256), rand.IntN(256))
	s.views("u1", product{
		"id": "p1", "title": title, "price": json.Number(price), "currency": "USD", "brand": "Lumo",
		"url": "https://www.example.com/p1", "image_url": photos + "/" + hue + ".png",
	})
	s.fetchPhotos()

	file := s.opens("/p/rp/recent.png?mi_u=u1")
	drawn := s.explains("/p/rp/recent.png?mi_u=u1")
	if !bytes.Equal(file, drawn.Image) {
		t.Error("the handler answers another picture than Draw gives")
	}
	mustShow(t, drawn, title, "$"+price, "Lumo")
	e := drawn.Explain
	if e.Fallback || e.Rule != 0 || len(e.Items) != 1 || e.Items[0].Photo == nil || !e.Items[0].Photo.Drawn {
		t.Errorf("explained as %+v", e)
	}
	if link := e.Items[0].Link; link == nil || !link.Allowed || link.URL != "https://www.example.com/p1" {
		t.Errorf("its link is %+v", link)
	}
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 1200 || size.Y < 400 || size != image.Pt(e.Width, e.Height) {
		t.Errorf("the picture has %v pixels, told are %d×%d", size, e.Width, e.Height)
	}
	if !hasColour(img, hue) {
		t.Errorf("the photo's colour %s is not in the picture", hue)
	}
	if bytes.Equal(file, s.opens("/p/rp/recent.png?mi_u=nobody")) {
		t.Error("the picture is the fallback")
	}
	if by := s.opens("/p/rp/00000000000000aa.png?mi_u=u1"); !bytes.Equal(by, file) {
		t.Error("the block's public id and its name give different pictures")
	}
	writeForEyes(t, "one.png", file)
}

// hasColour looks for a square of about one colour, given as hexadecimal text.
func hasColour(img image.Image, hue string) bool {
	v, _ := strconv.ParseUint(hue, 16, 24)
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 6 } // the photo is kept as JPEG
	count := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			if near(c.R, uint8(v>>16)) && near(c.G, uint8(v>>8)) && near(c.B, uint8(v)) {
				count++
			}
		}
	}
	return count > 300*300
}

func TestHeaders(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "Lamp", "url": "https://www.example.com/p1"})
	for path, want := range map[string]struct{ mediaType, decodesAs string }{
		"/p/rp/recent.png?mi_u=u1":     {"image/png", "png"},
		"/p/rp/recent.jpg?mi_u=u1":     {"image/jpeg", "jpeg"},
		"/p/rp/recent.gif?mi_u=u1":     {"image/gif", "gif"},
		"/p/rp/recent.png?mi_u=nobody": {"image/png", "png"},
		"/p/rp/recent.jpg?mi_u=nobody": {"image/jpeg", "jpeg"},
		"/p/rp/recent.gif?mi_u=nobody": {"image/gif", "gif"},
		"/p/rp/unknown.png?mi_u=u1":    {"image/png", "png"},
		"/p/rp/unknown.jpg":            {"image/jpeg", "jpeg"},
		"/p/rp/unknown.gif":            {"image/gif", "gif"},
	} {
		w := s.get(path)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != want.mediaType || h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: %d, %v", path, w.Code, h)
		}
		img, format, err := image.Decode(w.Body)
		if err != nil || format != want.decodesAs {
			t.Errorf("%s is %s, %v", path, format, err)
		} else if unknown := strings.Contains(path, "unknown"); unknown != (img.Bounds() == image.Rect(0, 0, 1, 1)) {
			t.Errorf("%s is %v", path, img.Bounds())
		}
		if h.Get("Cache-Control") != "no-cache, no-store, must-revalidate, max-age=0" || h.Get("Pragma") != "no-cache" ||
			h.Get("Expires") != "0" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
		for _, name := range []string{"Set-Cookie", "Vary", "ETag", "Last-Modified"} {
			if h.Get(name) != "" {
				t.Errorf("%s has the header %s", path, name)
			}
		}
	}
	blank, _, _ := image.Decode(s.get("/p/rp/unknown.png").Body)
	if _, _, _, a := blank.At(0, 0).RGBA(); a != 0 {
		t.Error("the picture of an unknown block is to be seen")
	}
	for _, path := range []string{"/p/rp/recent", "/p/rp/recent.html", "/p/rp/recent.webp", "/p/rp/recent.png.exe"} {
		if w := s.get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestHeadDrawsAndCountsNothing(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "Lamp", "url": "https://www.example.com/p1"})
	w := s.ask(http.MethodHead, "/p/rp/recent.png?mi_u=u1")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || w.Body.Len() != 0 {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	w = s.ask(http.MethodHead, "/p/rp/recent/url?mi_u=u1")
	if w.Code != http.StatusFound || w.Header().Get("Location") != "https://www.example.com/p1" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	if l := s.flush(); len(l.impressions)+len(l.clicks) != 0 {
		t.Errorf("counted: %v, %v", l.impressions, l.clicks)
	}
}

func TestItemsAreShownWholeOrOneByOne(t *testing.T) {
	s, photos := newSite(t, nil), photoServer(t)
	for i, name := range []string{"Oldest", "Old", "New", "Newest"} {
		s.views("u1", product{
			"id": i, "title": name, "price": 10.5 * float64(i), "currency": "CHF",
			"url": "https://www.example.com/" + name, "image_url": fmt.Sprintf("%s/%02x80a0.png", photos, 60*i),
		})
	}
	s.does("u1", "order_completed", product{"id": "o1", "products": []product{{"id": "2"}}})
	s.fetchPhotos()

	whole := s.explains("/p/rp/recent.png?mi_u=u1")
	mustShow(t, whole, "Newest", "31.50 CHF", "Old", "10.50 CHF", "Oldest", "0 CHF")
	if slices.Contains(whole.texts(), "New") {
		t.Error("what was bought is shown")
	}
	writeForEyes(t, "three.png", whole.Image)
	for n, name := range []string{"Newest", "Old", "Oldest"} {
		d := s.explains(fmt.Sprintf("/p/rp/recent.png?mi_u=u1&item=%d", n+1))
		mustShow(t, d, name)
		if len(d.Explain.Items) != 1 || len(d.Links) != 1 || d.Links[0] != "https://www.example.com/"+name {
			t.Errorf("item %d: %+v", n+1, d.Explain)
		}
	}
	for _, item := range []string{"4", "0", "-1", "x", "99999999999999999999"} {
		d := s.explains("/p/rp/recent.png?mi_u=u1&item=" + item)
		if !d.Explain.Fallback || d.Reason != NoSuchItem || d.Rule != block.NoRule || !d.Keep || len(d.Explain.Rules) != 1 {
			t.Errorf("item %s: %+v", item, d.Explain)
		}
	}
}

func TestThePictureIsAFunctionOfItsInputs(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "Lamp", "price": 5, "url": "https://www.example.com/p1"})
	for _, format := range formats {
		path := "/p/rp/recent." + string(format) + "?mi_u=u1"
		first := s.opens(path)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if w := s.get(path); !bytes.Equal(first, w.Body.Bytes()) {
					t.Errorf("%s is another picture the next time", path)
				}
			})
		}
		wait.Wait()
	}
}

func TestWhoIsNotKnownSeesTheFallback(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "Lamp"})
	s.does("searcher", "product_searched", product{"query": "lamp"})
	s.does("buyer", "product_viewed", product{"id": "p1", "title": "Lamp"})
	s.does("buyer", "order_completed", product{"products": []product{{"id": "p1"}}})
	fallback := s.opens("/p/rp/recent.png")
	cases := []struct {
		query  string
		reason block.Reason
	}{
		{"", NoPerson},
		{"?mi_u=", NoPerson},
		{"?mi_u=nobody", block.UnknownPerson},
		{"?mi_u=%7B%7B%24%7Buser_id%7D%7D%7D", UnusablePerson},
		{"?mi_u=%25%25emailaddr%25%25", UnusablePerson},
		{"?mi_u=*%7CEMAIL%7C*", UnusablePerson},
		{"?mi_u=d41d8cd98f00b204e9800998ecf8427e", UnusablePerson}, // md5 of nothing
		{"?mi_u=" + strings.Repeat("x", 3000), UnusablePerson},
		{"?mi_u=%ff%fe", block.UnknownPerson},
		{"?mi_u=searcher", block.NoRuleMatched},
		{"?mi_u=buyer", block.NoItems},
		{"?mi_u=u1&item=2", NoSuchItem},
	}
	for _, c := range cases {
		if got := s.opens("/p/rp/recent.png" + c.query); !bytes.Equal(got, fallback) {
			t.Errorf("%s: not the fallback", c.query)
		}
		d := s.explains("/p/rp/recent.png" + c.query)
		if d.Reason != c.reason || !d.Explain.Fallback || d.Explain.Detail == "" || len(d.Explain.Stages) == 0 {
			t.Errorf("%s: %q, %+v", c.query, d.Reason, d.Explain)
		}
		mustShow(t, d, "New this week")
	}
	impressions := s.flush().impressions[1:]
	if len(impressions) != len(cases) {
		t.Fatalf("%d impressions for %d opens", len(impressions), len(cases))
	}
	for i, c := range cases {
		got := impressions[i]
		if got.Reason != string(c.reason) || got.Rule != block.NoRule || got.Block != "00000000000000aa" || len(got.Person) > 600 {
			t.Errorf("%s is counted as %+v", c.query, got)
		}
	}
	writeForEyes(t, "fallback.png", fallback)
}

func TestEventsTooLongAgoDoNotMatch(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", product{"id": "p1", "title": "Lamp"})
	s.clock.pass(31 * 24 * time.Hour)
	d := s.explains("/p/rp/recent.png?mi_u=u1")
	if d.Reason != block.NoRuleMatched || !strings.Contains(d.Explain.Rules[0].Why, "last happened at 2026-03-01") {
		t.Errorf("%q, %+v", d.Reason, d.Explain.Rules)
	}
}

func TestAPhotoThatIsMissingIsExplained(t *testing.T) {
	s, photos := newSite(t, nil), photoServer(t)
	s.views("u1", product{"id": "p1", "title": "Lamp", "image_url": photos + "/gone.png"})
	s.views("u1", product{"id": "p2", "title": "Table"})
	why := func() string {
		d := s.explains("/p/rp/recent.png?mi_u=u1")
		mustShow(t, d, "Lamp", "Table")
		if d.Explain.Items[0].Photo != nil || d.Explain.Items[1].Photo.Drawn {
			t.Errorf("explained as %+v", d.Explain.Items)
		}
		return d.Explain.Items[1].Photo.Why
	}
	if got := why(); got != "not fetched yet" {
		t.Errorf("before the fetch: %q", got)
	}
	s.fetchPhotos()
	if got := why(); got != "not fetched: the server answered 404 Not Found" {
		t.Errorf("after the fetch: %q", got)
	}
}

func TestManyOpensAtOnce(t *testing.T) {
	s := newSite(t, nil)
	for i := range 4 {
		s.views(fmt.Sprint("u", i), product{"id": "p", "title": fmt.Sprint("Lamp ", i), "url": "https://www.example.com/p"})
	}
	var wait sync.WaitGroup
	for i := range 24 {
		wait.Go(func() {
			user := fmt.Sprint("u", i%4)
			if w := s.get("/p/rp/recent.png?mi_u=" + user); w.Code != http.StatusOK {
				t.Errorf("%s: %d", user, w.Code)
			}
			if w := s.get("/p/rp/recent/url?mi_u=" + user); w.Code != http.StatusFound {
				t.Errorf("%s: %d", user, w.Code)
			}
		})
	}
	wait.Wait()
	if l := s.flush(); len(l.impressions) != 24 || len(l.clicks) != 24 {
		t.Errorf("%d impressions and %d clicks are counted", len(l.impressions), len(l.clicks))
	}
}

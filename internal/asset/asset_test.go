package asset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/document"
	"platen/internal/outbound"
	"platen/internal/workspace"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// shelf keeps photos in memory.
type shelf struct {
	mu     sync.Mutex
	photos map[string]Photo
	reads  int // of Photo
	err    error
}

func (s *shelf) QueuedPhotos(_ context.Context, now time.Time, limit int) (queued []Photo, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.photos {
		if p.State == Queued && !p.Next.After(now) {
			queued = append(queued, p)
		}
	}
	slices.SortFunc(queued, func(a, b Photo) int { return cmp.Or(a.Next.Compare(b.Next), cmp.Compare(a.URL, b.URL)) })
	return queued[:min(len(queued), limit)], s.err
}

func (s *shelf) SavePhoto(_ context.Context, p Photo) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.photos[p.URL] = p
	return s.err
}

func (s *shelf) Photo(_ context.Context, workspace int64, url string) (Photo, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	p, ok := s.photos[url]
	return p, ok && p.Workspace == workspace, s.err
}

func (s *shelf) get(url string) Photo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.photos[url]
}

func queued(urls ...string) *shelf {
	s := &shelf{photos: map[string]Photo{}}
	for _, u := range urls {
		s.photos[u] = Photo{Workspace: 1, URL: u, State: Queued}
	}
	return s
}

// fixed is a store of documents that never change.
type fixed []document.Stored

func (f fixed) Documents(context.Context) ([]document.Stored, int64, error) { return f, 1, nil }

func (f fixed) PutDocuments(context.Context, int64, []document.Stored) (int64, error) {
	return 0, errors.New("these documents are fixed")
}

// newFetcher makes a fetcher of workspace 1, whose policy is a line of YAML.
func newFetcher(t *testing.T, store Store, policy string) *Fetcher {
	t.Helper()
	sealer, err := workspace.NewSealer(make([]byte, workspace.SealerKeyBytes), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	registry := document.NewRegistry(fixed{{
		Workspace: 1, Kind: document.KindWorkspace, ID: "shop", Name: "shop", Version: 1,
		Body: []byte("kind: Workspace\nname: shop\n" + policy),
	}}, sealer)
	if err := registry.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	return NewFetcher(store, registry, outbound.New(outbound.Options{}), now, slog.New(slog.DiscardHandler))
}

const loopback = "egress: {allow: [127.0.0.0/8]}\n"

// photo is a picture of one colour, encoded.
func photo(w, h int, c color.Color, encode func(*bytes.Buffer, image.Image) error) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asPNG(b *bytes.Buffer, img image.Image) error  { return png.Encode(b, img) }
func asJPEG(b *bytes.Buffer, img image.Image) error { return jpeg.Encode(b, img, nil) }

// claiming changes the size that a PNG file states in its header chunk.
func claiming(w, h uint32, file []byte) []byte {
	header := file[12:29]
	binary.BigEndian.PutUint32(header[4:], w)
	binary.BigEndian.PutUint32(header[8:], h)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(header))
	return file
}

var (
	red        = color.NRGBA{R: 200, A: 255}
	seeThrough = color.NRGBA{R: 200, A: 100}
)

// shop serves photos under the names of what is wrong with them.
func shop(t *testing.T) *httptest.Server {
	files := map[string][]byte{
		"/wide.jpg":  photo(900, 300, red, asJPEG),
		"/glass.png": photo(50, 80, seeThrough, asPNG),
		"/page":      []byte("<html>no photo</html>"),
		"/long.jpg":  append(photo(9, 9, red, asJPEG), make([]byte, maxBytes)...),
		"/cut.jpg":   photo(90, 90, red, asJPEG)[:300],
		"/huge.png":  claiming(10_000, 10_000, photo(1, 1, red, asPNG)),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(file)
	})
	mux.Handle("/old.jpg", http.RedirectHandler("wide.jpg", http.StatusMovedPermanently))
	mux.Handle("/loop.jpg", http.RedirectHandler("/loop.jpg", http.StatusFound))
	mux.Handle("/inside.jpg", http.RedirectHandler("http://10.1.2.3/secret.jpg", http.StatusFound))
	mux.HandleFunc("/busy.jpg", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestFetch(t *testing.T) {
	server := shop(t)
	for path, want := range map[string]struct {
		state State
		err   string // in part
	}{
		"/wide.jpg":   {Ready, ""},
		"/glass.png":  {Ready, ""},
		"/old.jpg":    {Ready, ""},
		"/busy.jpg":   {Queued, "answered 503"},
		"/gone.jpg":   {Failed, "answered 404 Not Found"},
		"/page":       {Failed, "no PNG, JPEG, GIF or WebP"},
		"/long.jpg":   {Failed, "more than 5000000 bytes"},
		"/huge.png":   {Failed, "10000×10000 pixels"},
		"/cut.jpg":    {Failed, "damaged"},
		"/loop.jpg":   {Failed, "redirects more than 3 times"},
		"/inside.jpg": {Failed, "closed address"},
	} {
		t.Run(path, func(t *testing.T) {
			url := server.URL + path
			store := queued(url)
			worked, err := newFetcher(t, store, loopback).Step(t.Context(), noon)
			if err != nil || !worked {
				t.Fatalf("worked %v, %v", worked, err)
			}
			p := store.get(url)
			if p.State != want.state || !strings.Contains(p.Error, want.err) || (want.err == "") != (p.Error == "") {
				t.Errorf("%s because %q, want %s because %q", p.State, p.Error, want.state, want.err)
			}
			if p.Attempts != 1 || (p.State == Queued) != p.Fetched.IsZero() || (p.State == Ready) != (p.Picture != nil) {
				t.Errorf("%d attempts, fetched %v, %d bytes", p.Attempts, p.Fetched, len(p.Picture))
			}
		})
	}
}

func TestPhotosAreKeptAsSquares(t *testing.T) {
	server := shop(t)
	wide, glass := server.URL+"/wide.jpg", server.URL+"/glass.png"
	store := queued(wide, glass)
	if _, err := newFetcher(t, store, loopback).Step(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	for url, format := range map[string]string{wide: "jpeg", glass: "png"} {
		img, got, err := image.Decode(bytes.NewReader(store.get(url).Picture))
		if err != nil || got != format {
			t.Errorf("%s is kept as %s, %v", url, got, err)
		} else if size := img.Bounds().Size(); size != image.Pt(400, 400) {
			t.Errorf("%s is kept with %v pixels", url, size)
		}
	}
}

func TestAClosedAddressIsNotCalled(t *testing.T) {
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	store := queued(server.URL)
	if _, err := newFetcher(t, store, "").Step(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if p := store.get(server.URL); p.State != Failed || !strings.Contains(p.Error, "closed address") || called {
		t.Errorf("%s because %q, called %v", p.State, p.Error, called)
	}
}

func TestAttempts(t *testing.T) {
	server := shop(t)
	url := server.URL + "/busy.jpg"
	store := queued(url)
	f := newFetcher(t, store, loopback)
	now := noon
	for attempt, pause := range pauses {
		if worked, err := f.Step(t.Context(), now); !worked || err != nil {
			t.Fatalf("attempt %d: worked %v, %v", attempt+1, worked, err)
		}
		if p := store.get(url); p.State != Queued || !p.Next.Equal(now.Add(pause)) {
			t.Fatalf("attempt %d: %s until %v", attempt+1, p.State, p.Next)
		}
		if worked, _ := f.Step(t.Context(), now.Add(pause-time.Second)); worked {
			t.Errorf("attempt %d comes before its time", attempt+2)
		}
		now = now.Add(pause)
	}
	if _, err := f.Step(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if p := store.get(url); p.State != Failed || p.Attempts != 3 || !p.Fetched.Equal(now) || !strings.Contains(p.Error, "503") {
		t.Errorf("after all attempts: %+v", p)
	}
}

func TestWhatIsUnderWayAtTheEndStaysQueued(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	store := queued(server.URL)
	if _, err := newFetcher(t, store, loopback).Step(ctx, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if p := store.get(server.URL); p.State != Queued || p.Attempts != 0 {
		t.Errorf("it is %s after %d attempts", p.State, p.Attempts)
	}
}

// waiting is a store that counts how often it was asked and holds nothing.
type waiting struct {
	Store
	asked atomic.Int32
}

func (w *waiting) QueuedPhotos(context.Context, time.Time, int) ([]Photo, error) {
	w.asked.Add(1)
	return nil, nil
}

func TestRunLooksWhenWokenAndNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		store := &waiting{}
		f := newFetcher(t, store, "")
		done := make(chan struct{})
		go func() { f.Run(ctx); close(done) }()
		for i, step := range []func(){
			func() {},
			func() { f.Wake() },
			func() { time.Sleep(pollEvery) },
		} {
			step()
			synctest.Wait()
			if got := store.asked.Load(); got != int32(i+1) {
				t.Errorf("step %d: asked %d times", i, got)
			}
		}
		cancel()
		<-done
	})
}

func TestPhotosForDrawing(t *testing.T) {
	store := &shelf{photos: map[string]Photo{
		"ready":   {Workspace: 1, URL: "ready", State: Ready, Picture: photo(400, 400, red, asJPEG)},
		"waiting": {Workspace: 1, URL: "waiting", State: Queued},
		"again":   {Workspace: 1, URL: "again", State: Queued, Error: "the server answered 503"},
		"failed":  {Workspace: 1, URL: "failed", State: Failed, Error: "the server answered 404"},
		"broken":  {Workspace: 1, URL: "broken", State: Ready, Picture: []byte("no picture")},
	}}
	photos := NewPhotos(store, 1<<20)
	for url, want := range map[string]string{
		"waiting": "not fetched yet",
		"again":   "not fetched yet: the server answered 503; it is tried again",
		"failed":  "not fetched: the server answered 404",
		"unknown": "no event brought this photo up",
	} {
		if img, why, err := photos.Square(t.Context(), 1, url, 100); img != nil || why != want || err != nil {
			t.Errorf("%s: %v, %q, %v", url, img, why, err)
		}
	}
	if img, _, err := photos.Square(t.Context(), 1, "broken", 100); img != nil || err == nil {
		t.Error("a broken stored picture is no error")
	}
	if img, _, _ := photos.Square(t.Context(), 2, "ready", 100); img != nil {
		t.Error("a workspace sees the photo of another")
	}

	before := store.reads
	for range 3 {
		for _, side := range []int{100, 400} {
			img, why, err := photos.Square(t.Context(), 1, "ready", side)
			if err != nil || why != "" {
				t.Fatalf("%q, %v", why, err)
			}
			if img.Bounds() != image.Rect(0, 0, side, side) {
				t.Errorf("asked for a side of %d, got %v", side, img.Bounds())
			}
		}
	}
	if got := store.reads - before; got != 2 {
		t.Errorf("two sizes were read %d times", got)
	}

	store.err = errors.New("disk on fire")
	if _, _, err := photos.Square(t.Context(), 1, "failed", 100); !errors.Is(err, store.err) {
		t.Errorf("got %v", err)
	}
}

func TestPicturesInMemoryAreBounded(t *testing.T) {
	const side, budget = 10, 1500 // two pictures of 400 bytes and what is around them
	c := newPictures(budget)
	key := func(name string) pictureKey { return pictureKey{1, name, side} }
	put := func(name string) { c.put(key(name), image.NewRGBA(image.Rect(0, 0, side, side))) }
	put("a")
	put("b")
	c.get(key("a"))
	put("c")
	put("c")
	if c.get(key("a")) == nil || c.get(key("c")) == nil || c.get(key("b")) != nil {
		t.Error("what was used longest ago does not make room")
	}
	c.put(key("large"), image.NewRGBA(image.Rect(0, 0, 100, 100)))
	if c.get(key("large")) != nil || c.get(key("a")) == nil {
		t.Error("a picture beyond the budget is kept, or drove others out")
	}
	if c.used > budget || c.used != 2*(4*side*side+1+256) {
		t.Errorf("%d bytes are counted", c.used)
	}
}

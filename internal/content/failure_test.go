package content

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"platen/internal/asset"
	"platen/internal/block"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/profile"
)

// wrong is a store in which some methods go wrong; the others are the real ones'.
type wrong struct {
	Store
	profile, events, photo func() error
}

func try(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (w *wrong) Profile(ctx context.Context, workspace int64, who profile.Who, at int64) (*profile.Profile, error) {
	if err := try(w.profile); err != nil {
		return nil, err
	}
	return w.Store.Profile(ctx, workspace, who, at)
}

func (w *wrong) Events(ctx context.Context, ids []event.ID) ([]event.Event, error) {
	if err := try(w.events); err != nil {
		return nil, err
	}
	return w.Store.Events(ctx, ids)
}

func (w *wrong) Photo(ctx context.Context, workspace int64, url string) (asset.Photo, bool, error) {
	if err := try(w.photo); err != nil {
		return asset.Photo{}, false, err
	}
	return w.Store.Photo(ctx, workspace, url)
}

func TestWhateverFailsThereIsAPicture(t *testing.T) {
	onFire := func() error { return errors.New("disk on fire") }
	panics := func() error { panic("out of paint") }
	for name, c := range map[string]struct {
		breaks func(*wrong)
		reason block.Reason // "" where the picture is drawn all the same
		logged string
	}{
		"profile":        {func(w *wrong) { w.profile = onFire }, StoreFailed, "disk on fire"},
		"events":         {func(w *wrong) { w.events = onFire }, StoreFailed, "disk on fire"},
		"photo":          {func(w *wrong) { w.photo = onFire }, "", "disk on fire"},
		"profile panics": {func(w *wrong) { w.profile = panics }, DrawingFailed, "out of paint"},
		"drawing panics": {func(w *wrong) { w.photo = panics }, DrawingFailed, "out of paint"},
	} {
		t.Run(name, func(t *testing.T) {
			store := &wrong{}
			s := newSite(t, func(real Store) Store { store.Store = real; return store })
			p := lamp("fine")
			p["image_url"] = "https://photos.example/1.png"
			s.views("u1", p)
			fallback := s.opens("/p/rp/recent.png?mi_u=nobody")
			c.breaks(store)
			d := s.explains("/p/rp/recent.png?mi_u=u1")
			if d.Reason != c.reason || bytes.Equal(d.Image, fallback) != (c.reason != "") {
				t.Errorf("%q, %+v", d.Reason, d.Explain)
			}
			if strings.Contains(d.Explain.Detail, c.logged) || !strings.Contains(s.logged.String(), c.logged) {
				t.Errorf("told is %q, logged %s", d.Explain.Detail, s.logged)
			}
			if got := s.opens("/p/rp/recent.png?mi_u=u1"); !bytes.Equal(got, d.Image) {
				t.Error("the handler answers another picture")
			}
			if len(s.slots) != 0 {
				t.Errorf("%d slots are lost", len(s.slots))
			}
		})
	}
}

// TestAStoreThatHangs runs in fake time, on documents that were read before.
func TestAStoreThatHangs(t *testing.T) {
	documents := newSite(t, nil)
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		hangs := func() error { <-let; return errors.New("too late") }
		quiet := slog.New(slog.DiscardHandler)
		ledger := &ledger{Store: nothingShown{}}
		recorder := engagement.NewRecorder(ledger, event.NewIDs(time.Now, 0), time.Now, quiet)
		r, err := New(&wrong{profile: hangs}, documents.registry, recorder, time.Now, quiet)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		NewHandler(r, recorder, time.Now).Register(mux)
		get := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			return w
		}

		began := time.Now()
		w := get("/p/rp/recent.png?mi_u=u1")
		if took := time.Since(began); took != Deadline {
			t.Errorf("the picture took %s", took)
		}
		b, _ := r.Block("recent")
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), r.stills.fallback(b).images[PNG]) {
			t.Errorf("%d, not the fallback", w.Code)
		}
		began = time.Now()
		w = get("/p/rp/with-default/url?mi_u=u1")
		if took := time.Since(began); took != Deadline || w.Header().Get("Location") != "https://www.example.com/all" {
			t.Errorf("the link took %s and leads to %q", took, w.Header().Get("Location"))
		}

		// More opens than may be in the making at a time.
		began = time.Now()
		var wait sync.WaitGroup
		for range 3 * maxAtOnce {
			wait.Go(func() {
				d := r.Draw(t.Context(), NewRequest(b, map[string][]string{"mi_u": {"u1"}}, PNG, time.Now()))
				if d.Reason != TooSlow || len(d.Image) == 0 {
					t.Errorf("%q with %d bytes", d.Reason, len(d.Image))
				}
				if detail := d.Explain.Detail; !strings.Contains(detail, "profile") && !strings.Contains(detail, "waiting for its turn") {
					t.Errorf("explained as %q", detail)
				}
			})
		}
		wait.Wait()
		if took := time.Since(began); took != Deadline {
			t.Errorf("all pictures took %s", took)
		}
		if busy := len(r.slots); busy != maxAtOnce {
			t.Errorf("%d works hang", busy)
		}
		close(let)
		synctest.Wait()
		if busy := len(r.slots); busy != 0 {
			t.Errorf("%d slots are lost", busy)
		}
		if err := recorder.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(ledger.impressions) != 1 || ledger.impressions[0].Reason != string(TooSlow) || ledger.clicks[0].Reason != string(TooSlow) {
			t.Errorf("counted as %+v and %+v", ledger.impressions, ledger.clicks)
		}
	})
}

// nothingShown is a store of a recorder that nobody was shown anything by.
type nothingShown struct{}

func (nothingShown) Record(context.Context, engagement.Batch) error { return nil }

func (nothingShown) Shown(context.Context, string, string, string) (engagement.Shown, bool, error) {
	return engagement.Shown{}, false, nil
}

func TestWhoWentAwayIsNotCounted(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", lamp("fine"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/p/rp/recent.png?mi_u=u1", "/p/rp/recent/url?mi_u=u1"} {
		s.mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx))
	}
	if l := s.flush(); len(l.impressions)+len(l.clicks) != 0 {
		t.Errorf("counted: %+v, %+v", l.impressions, l.clicks)
	}
}

func TestAnOpenIsCountedWithItsRule(t *testing.T) {
	s := newSite(t, nil)
	s.views("u1", lamp("fine"))
	person := "u1"
	s.opens("/p/rp/recent.png?mi_u=" + person)
	l := s.flush()
	if len(l.impressions) != 1 {
		t.Fatalf("%d impressions", len(l.impressions))
	}
	i := l.impressions[0]
	if i.Rule != 0 || i.Reason != "" || i.Person != person || i.Workspace != 1 || i.ID == 0 || !i.At.Equal(s.clock.now()) {
		t.Errorf("counted as %+v", i)
	}
}

func TestTheFallbackIsDrawnOnceForEachVersion(t *testing.T) {
	s := newSite(t, nil)
	b := &block.Block{PublicID: "00000000000000bb", Fallback: block.Fallback{Title: "one"}}
	first := s.stills.fallback(b)
	same := *b // as after a reload of the documents
	if s.stills.fallback(&same) != first {
		t.Error("the same fallback is drawn again")
	}
	same.Fallback.Title = "two"
	if second := s.stills.fallback(&same); second == first || bytes.Equal(second.images[PNG], first.images[PNG]) {
		t.Error("a changed fallback is not drawn")
	}
	junk := make([]byte, 100_000)
	rand.NewChaCha8([32]byte{}).Read(junk)
	same.Fallback.Title = string(junk)
	if s.stills.fallback(&same).images[JPEG] == nil {
		t.Error("a strange fallback has no picture")
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"platen/internal/demo"
	"platen/internal/server"
)

// platen runs one command line in this process.
func platen(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(""), &out, &err})
	return out.String(), err.String(), code
}

func TestDemoPlaysTheJourney(t *testing.T) {
	data := t.TempDir()
	for _, which := range []string{"first run", "second run on the same data"} {
		out, errors, code := platen(t, "demo", "--once", "--format", "json", "--listen", "127.0.0.1:0", "--data", data)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s\n%s", which, code, errors, out)
		}
		var r demo.Result
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%s: %v", which, err)
		}
		if !r.OK || r.Accepted != 3 {
			t.Errorf("%s: ok %v, %d events accepted, want 3", which, r.OK, r.Accepted)
		}
		if len(r.Deliveries) != 3 {
			t.Fatalf("%s: %d deliveries, want 3", which, len(r.Deliveries))
		}
		for _, d := range r.Deliveries {
			if last := d.Attempts[len(d.Attempts)-1]; last.Status != 200 {
				t.Errorf("%s: the delivery of %q was answered %d", which, d.CampaignName, last.Status)
			}
		}
		checkProfile(t, which, &r)
		if r.Picture.Width < 600 || r.Picture.Height < 200 {
			t.Errorf("%s: the picture has %d×%d pixels", which, r.Picture.Width, r.Picture.Height)
		}
		for _, text := range []string{"All-Purpose Cleaning Wipes", "1.99"} {
			if !strings.Contains(string(r.Picture.Explain), text) {
				t.Errorf("%s: the explain output lacks %q:\n%s", which, text, r.Picture.Explain)
			}
		}
		if want := "https://www.example.com/variants_id/5f08cb918dcc595aa74b0fbc"; r.Link.Status != 302 || r.Link.Location != want {
			t.Errorf("%s: the link answered %d to %q, want 302 to %q", which, r.Link.Status, r.Link.Location, want)
		}
	}
}

func checkProfile(t *testing.T, which string, r *demo.Result) {
	t.Helper()
	var anonymous, known bool
	for _, e := range r.ProfileAfter.Timeline {
		anonymous = anonymous || (e.Name == "product_viewed" && e.UserID == "" && e.AnonymousID == demo.AnonymousID())
		known = known || (e.Name == "category_viewed" && e.UserID == demo.UserID)
	}
	if !anonymous || !known {
		t.Errorf("%s: one profile with both histories: anonymous %v, known %v", which, anonymous, known)
	}
	if r.ProfileAfter.UserID != demo.UserID {
		t.Errorf("%s: the profile is of user %q", which, r.ProfileAfter.UserID)
	}
}

func TestTriggersAreTheSeedsByteForByte(t *testing.T) {
	for _, name := range []string{"product_viewed", "category_viewed", "identify"} {
		want, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "seed", name+".trigger.json"))
		if err != nil {
			t.Skipf("the seed is not here: %v", err)
		}
		got, err := demo.Trigger(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the example's trigger event differs from the seed's (%v)", name, err)
		}
	}
}

// TestJourneyDrawsWhateverProductWasViewed plays the journey with a product that
// no code can know.
func TestJourneyDrawsWhateverProductWasViewed(t *testing.T) {
	title := fmt.Sprintf("Lamp %d %q", rand.IntN(1e9), "É")
	price := fmt.Sprintf("%d.%02d", rand.IntN(900)+10, rand.IntN(100))
	photo := photoServer(t, color.RGBA{uint8(rand.IntN(256)), uint8(rand.IntN(256)), uint8(rand.IntN(256)), 255})
	event, err := json.Marshal(map[string]any{"events": []any{map[string]any{
		"email": demo.Email, "name": "Product Viewed", "time": "2023-12-06T19:20:45+01:00",
		"properties": map[string]any{
			"id": "p-1", "title": title, "price": json.Number(price), "image_url": photo,
			"url": "https://www.example.com/lamps/p-1",
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}

	seed := playOn(t, nil)
	drawn := playOn(t, event)
	explain := string(drawn.result.Picture.Explain)
	texts := drawnTexts(t, drawn.result.Picture.Explain)
	if !slices.Contains(texts, title) {
		t.Errorf("the drawn texts %q lack the title %q", texts, title)
	}
	if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, price) }) {
		t.Errorf("the drawn texts %q lack the price %q", texts, price)
	}
	if !strings.Contains(explain, photo) {
		t.Errorf("the explain output does not name the photo %s:\n%s", photo, explain)
	}
	if drawn.result.Link.Location != "https://www.example.com/lamps/p-1" {
		t.Errorf("the link leads to %q", drawn.result.Link.Location)
	}
	if bytes.Equal(drawn.picture, seed.picture) {
		t.Error("the picture is the one of the seed's product")
	}
	if bytes.Equal(drawn.picture, drawn.fallback) {
		t.Error("the picture is the fallback")
	}
	if !bytes.Equal(drawn.picture, drawn.rendered) {
		t.Error("the picture differs from what platen render writes")
	}
}

// played is a journey with the pictures around it.
type played struct {
	result                      *demo.Result
	picture, fallback, rendered []byte
}

func playOn(t *testing.T, product []byte) played {
	t.Helper()
	data := t.TempDir()
	srv, err := server.Open(t.Context(), server.Config{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(running) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		srv.Close()
	}()
	secrets, err := demo.KeepSecrets(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Apply(t.Context(), srv, secrets); err != nil {
		t.Fatal(err)
	}
	opened := "kind: Workspace\nname: content\nlink_domains: [www.example.com]\negress: {allow: [127.0.0.0/8]}\n"
	if err := srv.ApplyText(t.Context(), "opened.yaml", opened, nil); err != nil {
		t.Fatal(err)
	}
	j := &demo.Journey{Server: srv, Secrets: secrets, Product: product, Output: filepath.Join(data, "picture.png"), Run: "test"}
	p := played{}
	if p.result, err = j.Play(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	awaitPhotos(t, srv)
	p.picture = get(t, p.result.Picture.URL)
	p.fallback = get(t, strings.Replace(p.result.Picture.URL, demo.UserID, "nobody", 1))
	file := filepath.Join(data, "rendered.png")
	out, errors, code := platen(t, "render", demo.Block, "--as", demo.UserID, "--data", data, "-o", file, "--explain")
	if code != 0 {
		t.Fatalf("platen render: exit code %d: %s", code, errors)
	}
	p.result.Picture.Explain = json.RawMessage(out)
	if p.rendered, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return p
}

// awaitPhotos waits until no photo is queued any more.
func awaitPhotos(t *testing.T, srv *server.Server) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		queued, err := srv.Store.QueuedPhotos(t.Context(), time.Now().Add(time.Hour), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(queued) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("a photo was still queued after ten seconds")
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil || resp.StatusCode != 200 {
		t.Fatalf("GET %s: status %d, %v", address, resp.StatusCode, err)
	}
	return b.Bytes()
}

func drawnTexts(t *testing.T, explain json.RawMessage) []string {
	t.Helper()
	var e struct {
		Drawn struct {
			Texts []struct{ Text string }
		}
	}
	if err := json.Unmarshal(explain, &e); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, x := range e.Drawn.Texts {
		texts = append(texts, x.Text)
	}
	return texts
}

// photoServer serves one photo and gives its address.
func photoServer(t *testing.T, c color.Color) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 400, 400))
	for i := range 400 * 400 {
		img.Set(i%400, i/400, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Write(b.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL + "/photo.png"
}

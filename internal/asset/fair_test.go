package asset

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadHost gives the address of a server that refuses connections.
func deadHost() string {
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL
}

// asked counts the photos of an address that were really asked for. The others
// were settled because their host was known to be silent.
func (s *shelf) asked(t *testing.T, address string) (asked, spared int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for url, p := range s.photos {
		switch {
		case !strings.HasPrefix(url, address+"/") || p.Attempts == 0:
		case strings.Contains(p.Error, "did not answer when"):
			spared++
		default:
			asked++
		}
	}
	return asked, spared
}

func TestASilentHostCostsTheOthersLittle(t *testing.T) {
	server, dead := shop(t), deadHost()
	store := queued()
	const many = 8 * batchSize
	for i := range many {
		url := fmt.Sprintf("%s/%d", dead, i)
		store.photos[url] = Photo{Workspace: 1, URL: url, State: Queued}
	}
	good := server.URL + "/wide.jpg"
	// It was queued last of all.
	store.photos[good] = Photo{Workspace: 1, URL: good, State: Queued, Next: noon}
	f := newFetcher(t, store, loopback)
	step := func(now time.Time) (asked, spared int) {
		t.Helper()
		if _, err := f.Step(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		return store.asked(t, dead)
	}

	step(noon)
	if p := store.get(good); p.State != Ready {
		t.Errorf("after a step the photo of the other host is %s", p.State)
	}
	asked, spared := step(noon.Add(time.Second))
	if asked < 1 || asked > perHost || spared != many-asked {
		t.Errorf("%d photos were asked for, %d spared", asked, spared)
	}
	for _, p := range store.photos {
		if p.URL != good && (p.State != Queued || p.Attempts != 1 || p.Next.Before(noon.Add(pauses[0]))) {
			t.Fatalf("%s is %s after %d attempts until %v", p.URL, p.State, p.Attempts, p.Next)
		}
	}
	if asked, spared := step(noon.Add(time.Second + pauses[0])); asked != 0 || spared != many {
		t.Errorf("half a minute later %d photos were asked for, %d spared", asked, spared)
	}
	later := noon.Add(time.Second + pauses[0] + pauses[1])
	if asked, _ := step(later); asked < 1 || asked > perHost {
		t.Errorf("when the silence is over %d photos were asked for", asked)
	}
	step(later)
	for _, p := range store.photos {
		if p.URL != good && p.State != Failed {
			t.Fatalf("in the end %s is %s after %d attempts", p.URL, p.State, p.Attempts)
		}
	}
}

// TestAStepIsShared also holds where every photo has a host of its own, as a name
// with a wildcard gives.
func TestAStepIsShared(t *testing.T) {
	photos := func(workspace int64, n int, form string) (list []Photo) {
		for i := range n {
			list = append(list, Photo{Workspace: workspace, URL: fmt.Sprintf(form, i)})
		}
		return list
	}
	for name, c := range map[string]struct {
		queued [][]Photo
		want   map[int64]int // photos taken of each workspace
	}{
		"one host":        {[][]Photo{photos(1, 3000, "http://a.example/%d"), photos(1, 1, "http://b.example/%d")}, map[int64]int{1: perHost + 1}},
		"upper case":      {[][]Photo{photos(1, 20, "http://a.example/%d"), photos(1, 20, "http://A.EXAMPLE/%d")}, map[int64]int{1: perHost}},
		"many hosts":      {[][]Photo{photos(1, 3000, "http://%d.a.example/"), photos(2, 1, "http://b.example/%d")}, map[int64]int{1: perWorkspace, 2: 1}},
		"unreadable":      {[][]Photo{photos(1, 30, "http://%%zz/%d")}, map[int64]int{1: perHost}},
		"many workspaces": {[][]Photo{photos(1, 99, "http://%d.x/"), photos(2, 99, "http://%d.x/"), photos(3, 99, "http://%d.x/"), photos(4, 99, "http://%d.x/"), photos(5, 99, "http://%d.x/")}, map[int64]int{1: 16, 2: 16, 3: 16, 4: 16}},
		"few":             {[][]Photo{photos(1, 3, "http://a.example/%d")}, map[int64]int{1: 3}},
	} {
		var all []Photo
		for _, list := range c.queued {
			all = append(all, list...)
		}
		got := map[int64]int{}
		for _, p := range newFetcher(t, queued(), "").take(all, noon) {
			got[p.Workspace]++
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v are taken, want %v", name, got, c.want)
		}
	}
}

func TestTheSparedAreBounded(t *testing.T) {
	f := newFetcher(t, queued(), "")
	f.silent.add(host{1, "a.example"}, noon)
	var list []Photo
	for range maxSpared + 100 {
		list = append(list, Photo{Workspace: 1, URL: "http://a.example/x"})
	}
	list = append(list, Photo{Workspace: 1, URL: "http://b.example/x"})
	if got := f.take(list, noon); len(got) != maxSpared+1 || got[maxSpared].URL != "http://b.example/x" {
		t.Errorf("%d are taken, want %d of the silent host and the other", len(got), maxSpared)
	}
}

func TestSilenceIsOfOneWorkspaceAndEnds(t *testing.T) {
	s := newSilence()
	h := host{1, "a.example"}
	s.add(h, noon)
	for _, c := range []struct {
		host host
		at   time.Duration
		want bool
	}{
		{h, 0, true},
		{h, silentFor - 1, true},
		{h, silentFor, false},
		{host{2, "a.example"}, 0, false},
		{host{1, "b.example"}, 0, false},
	} {
		if got := s.holds(c.host, noon.Add(c.at)); got != c.want {
			t.Errorf("%v after %v: %v", c.host, c.at, got)
		}
	}
}

func TestSilentHostsAreBounded(t *testing.T) {
	s := newSilence()
	for i := range maxSilent + 10 {
		s.add(host{1, fmt.Sprint(i)}, noon)
	}
	if len(s.until) != maxSilent || !s.holds(host{1, "0"}, noon) {
		t.Errorf("%d hosts are remembered", len(s.until))
	}
	s.add(host{1, "late"}, noon.Add(silentFor))
	if len(s.until) != 1 || !s.holds(host{1, "late"}, noon.Add(silentFor)) {
		t.Errorf("%d hosts are remembered after their time", len(s.until))
	}
}

func TestWhoRedirectsToASilentHostIsNotSilent(t *testing.T) {
	server := shop(t)
	server.Config.Handler.(*http.ServeMux).Handle("/away.jpg", http.RedirectHandler(deadHost()+"/1.jpg", http.StatusFound))
	away, wide := server.URL+"/away.jpg", server.URL+"/wide.jpg"
	store := queued(away)
	f := newFetcher(t, store, loopback)
	if _, err := f.Step(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	store.photos[wide] = Photo{Workspace: 1, URL: wide, State: Queued}
	if _, err := f.Step(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if a, w := store.get(away), store.get(wide); a.State != Queued || a.Error == "" || w.State != Ready {
		t.Errorf("the one that leads away is %s because %q, the next is %s because %q", a.State, a.Error, w.State, w.Error)
	}
}

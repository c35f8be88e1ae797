package asset

import (
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// silentFor is how long a host that did not answer is left alone, and maxSilent
	// how many hosts are remembered; of more, each is asked again at once.
	silentFor = 5 * time.Minute
	maxSilent = 1000
)

// host is a host as one workspace meets it. Nothing is concluded from it for other
// workspaces, as anybody can make a host look silent to their own.
type host struct {
	workspace int64
	name      string // with the port
}

// hostOf gives the host of a photo, one without a name where its address cannot
// be read.
func hostOf(p Photo) host {
	u, err := url.Parse(p.URL)
	if err != nil {
		return host{workspace: p.Workspace}
	}
	return host{p.Workspace, strings.ToLower(u.Host)}
}

// silence remembers the hosts that did not answer. Each of their photos would only
// keep others waiting. It is safe for concurrent use.
type silence struct {
	mu    sync.Mutex
	until map[host]time.Time
}

func newSilence() *silence { return &silence{until: map[host]time.Time{}} }

// holds says whether a host is to be left alone.
func (s *silence) holds(h host, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[h])
}

// add tells that a host did not answer.
func (s *silence) add(h host, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.until) >= maxSilent {
		maps.DeleteFunc(s.until, func(_ host, until time.Time) bool { return !now.Before(until) })
	}
	if len(s.until) < maxSilent {
		s.until[h] = now.Add(silentFor)
	}
}

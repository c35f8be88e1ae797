package personalize

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"platen/internal/outbound"
)

// TestASickReceiverIsLeftAlone has a host fail until it is called no more.
func TestASickReceiverIsLeftAlone(t *testing.T) {
	d := newDesk()
	content := d.content()
	d.receive = replies(503, "")
	ask := func(workspaceID int64, url string) *Message {
		m := d.message(content, workspaceID, 1)
		if _, err := m.Fetch(t.Context(), get(url)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	for i := range sickFailures + 1 {
		ask(1, fmt.Sprint("https://a.example/", i))
	}
	m := ask(1, "https://a.example/")
	if d.calls() != sickFailures+1 || !strings.Contains(m.Failed[0].Why, "left alone") {
		t.Errorf("%d calls; %+v", d.calls(), m.Failed)
	}
	ask(1, "https://b.example/")
	ask(2, "https://a.example/")
	if d.calls() != sickFailures+3 {
		t.Error("other hosts and other workspaces are left alone as well")
	}
	d.clock = d.clock.Add(haltedFor)
	if ask(1, "https://a.example/"); d.calls() != sickFailures+4 {
		t.Error("it is not called again after a minute")
	}
}

func TestAReceiverThatFailsAtTimesIsCalled(t *testing.T) {
	h, r := newHealth(), receiver{1, "a.example"}
	for i := range 10 * sickFailures {
		c := sick
		if i%5 == 0 { // four of five
			c = well
		}
		h.count(r, c, now)
	}
	if !h.admits(r, now) {
		t.Error("it is left alone")
	}
}

func TestPulsesAreForgotten(t *testing.T) {
	h := newHealth()
	for i := range 3 * maxReceivers {
		h.count(receiver{1, fmt.Sprint(i)}, sick, now) // all in one window
	}
	h.pulses.CleanUp()
	if n := h.pulses.EstimatedSize(); n > maxReceivers || n < maxReceivers/2 {
		t.Errorf("%d are watched", n)
	}
}

// TestAReceiverThatHangsIsLeftAlone has a host give no answer until it is called no
// more, but for one call a minute, and then be well again.
func TestAReceiverThatHangsIsLeftAlone(t *testing.T) {
	d := newDesk()
	content := d.content()
	hangs := func(outbound.Request) (*outbound.Response, error) {
		return nil, &outbound.Error{Kind: outbound.Timeout, Message: "a.example did not answer in time"}
	}
	asked := 0
	ask := func(n int) (made int) {
		before := d.calls()
		for range n {
			asked++
			if _, err := d.message(content, 1, 1).Fetch(t.Context(), get(fmt.Sprint("https://a.example/", asked))); err != nil {
				t.Fatal(err)
			}
		}
		return d.calls() - before
	}
	check := func(when string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d calls, want %d", when, got, want)
		}
	}
	d.receive = hangs
	check("nearly silent for long enough", ask(silentInARow-1), silentInARow-1)
	d.receive = replies(404, "")
	check("it says something", ask(1), 1)
	d.receive = hangs
	check("silent again", ask(silentInARow+50), silentInARow)
	d.clock = d.clock.Add(haltedFor - time.Second)
	check("before the minute is over", ask(3), 0)
	for range 3 {
		d.clock = d.clock.Add(haltedFor)
		check("after a minute", ask(10), 1)
	}
	d.clock = d.clock.Add(haltedFor)
	d.receive = replies(200, "")
	check("when it is well", ask(10), 10)
}

// TestAProbeThatIsGivenUp has the call after the halt come to nothing.
func TestAProbeThatIsGivenUp(t *testing.T) {
	h, r := newHealth(), receiver{1, "a.example"}
	for range silentInARow {
		h.count(r, silent, now)
	}
	h.count(r, well, now) // was under way
	if h.admits(r, now) {
		t.Error("it is called at once")
	}
	later := now.Add(haltedFor)
	if !h.admits(r, later) || h.admits(r, later) {
		t.Error("not one call is let through after a minute")
	}
	if later = later.Add(haltedFor); !h.admits(r, later) {
		t.Error("no other call is let through a minute after the one that was given up")
	}
}

package reply

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"platen/internal/fault"
)

func TestJSON(t *testing.T) {
	w := httptest.NewRecorder()
	JSON(w, http.StatusAccepted, map[string]string{"link": "https://a.example/?b=1&c=<d>"})
	if w.Code != http.StatusAccepted || w.Body.String() != `{"link":"https://a.example/?b=1&c=<d>"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Content-Length": "39"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAValueThatDoesNotMarshal(t *testing.T) {
	w := httptest.NewRecorder()
	JSON(w, http.StatusOK, math.NaN())
	if w.Code != http.StatusInternalServerError {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestARequestHasOneIDOfItsOwn(t *testing.T) {
	w, other := httptest.NewRecorder(), httptest.NewRecorder()
	id := RequestID(w)
	if len(id) != 36 || w.Header().Get("X-Request-Id") != id || RequestID(w) != id {
		t.Errorf("%s, header %s, and then %s", id, w.Header().Get("X-Request-Id"), RequestID(w))
	}
	if RequestID(other) == id {
		t.Error("two requests have the same id")
	}
}

func TestRetryAfterIsInWholeSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0: "", time.Millisecond: "1", time.Second: "1", 1100 * time.Millisecond: "2", time.Minute: "60",
	} {
		w := httptest.NewRecorder()
		RetryAfter(w, &fault.Error{RetryAfter: wait})
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: %q, want %q", wait, got, want)
		}
	}
}

func TestBodiesHaveABound(t *testing.T) {
	tooLarge := fault.New(fault.TooLarge, "too_large", "at most 5 bytes")
	for body, want := range map[string]error{"": nil, "12345": nil, "123456": tooLarge} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		got, err := ReadBody(httptest.NewRecorder(), r, 5, tooLarge)
		if err != want || string(got) != body[:min(len(body), 5)] {
			t.Errorf("%q: %q, %v", body, got, err)
		}
	}
	broken := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("reset by peer")))
	if got, err := ReadBody(httptest.NewRecorder(), broken, 5, tooLarge); got != nil || fault.ReasonOf(err) != "body_unreadable" {
		t.Errorf("one that breaks off: %q, %v", got, err)
	}
}

package reply

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
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

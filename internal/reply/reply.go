// Package reply does what all HTTP handlers do alike: it reads bodies within a bound,
// and writes JSON, request ids, and the headers of a refusal.
package reply

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"platen/internal/fault"
)

// RequestID names the request's id in the answer: the one that it has already, or a
// new one (UUID v4).
func RequestID(w http.ResponseWriter) string {
	const header = "X-Request-Id"
	id := w.Header().Get(header)
	if id == "" {
		id = uuid.NewString()
		w.Header().Set(header, id)
	}
	return id
}

// ReadBody reads a whole body of at most most bytes. Of a longer one it gives the
// beginning and tooLarge; one that breaks off is a *fault.Error too.
func ReadBody(w http.ResponseWriter, r *http.Request, most int64, tooLarge *fault.Error) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead) // with room to see the end
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, most))
	if limit := new(http.MaxBytesError); errors.As(err, &limit) {
		return body.Bytes(), tooLarge
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "body_unreadable", "the body broke off before its end").Because(err)
	}
	return body.Bytes(), nil
}

// JSON writes a value with a status. The value must be one that marshals.
func JSON(w http.ResponseWriter, status int, value any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		http.Error(w, `{"message":"the answer could not be written"}`, http.StatusInternalServerError)
		return
	}
	Body(w, status, bytes.TrimRight(b.Bytes(), "\n"))
}

// Body writes a JSON text that is there already.
func Body(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// RetryAfter names, for a fault that has it, when to try again: whole seconds,
// at least one.
func RetryAfter(w http.ResponseWriter, f *fault.Error) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int((f.RetryAfter+time.Second-1)/time.Second))))
	}
}

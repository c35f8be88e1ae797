// Package reply writes what all HTTP handlers write alike: JSON bodies, request
// ids, and the headers of a refusal.
package reply

import (
	"bytes"
	"encoding/json"
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

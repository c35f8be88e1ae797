// Package collector is the Customer Data API: POST /behavioral/{key} takes the
// events of one source, in any of the shapes that senders use.
//
// A request is judged in a fixed order, so that it tells as little as it may: the
// key, the method, the credentials, the size, the JSON, and then each event on
// its own (shared/spec/collector-and-content.md sections 0 and 1).
package collector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/loosejson"
	"platen/internal/reply"
)

// The bounds of one request.
const (
	MaxBody   = 2 << 20 // bytes
	MaxEvents = 1000
)

// Handler serves the collector endpoints.
type Handler struct {
	live   func() *document.Live
	writer *ingest.Writer
	now    func() time.Time
	log    *slog.Logger
}

// New makes a handler; live gives the current documents.
func New(live func() *document.Live, writer *ingest.Writer, now func() time.Time, log *slog.Logger) *Handler {
	return &Handler{live: live, writer: writer, now: now, log: log}
}

// Register adds the routes to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle("/behavioral/{key}", h)
}

// answer is the body of every answer.
type answer struct {
	Message    string     `json:"message"`
	RequestID  string     `json:"request_id"`
	Accepted   *int       `json:"accepted,omitempty"`
	Duplicates *int       `json:"duplicates,omitempty"`
	Rejected   []rejected `json:"rejected,omitempty"`
	Warnings   []warning  `json:"warnings,omitempty"`
}

// rejected says why one event was not stored.
type rejected struct {
	Index   int    `json:"index"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Pointer string `json:"pointer,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	// Quarantine is the row that keeps the event for repair and release.
	Quarantine string `json:"quarantine,omitempty"`
}

// warning says what was mended or could have been said better. Index is nil where
// it speaks of the whole body.
type warning struct {
	Index   *int   `json:"index,omitempty"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Pointer string `json:"pointer,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// ServeHTTP takes one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	received := h.now()
	a := answer{RequestID: reply.RequestID(w)}
	source, ok := h.live().Source(r.PathValue("key"))
	if !ok {
		a.Message = "Behavioral endpoint key not found"
		reply.JSON(w, http.StatusNotFound, a)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		a.Message = "events are sent with POST"
		reply.JSON(w, http.StatusMethodNotAllowed, a)
		return
	}
	if user, password, ok := r.BasicAuth(); !ok || !source.Authenticate(user, password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="behavioral", charset="UTF-8"`)
		a.Message = "the username or the password of this endpoint is missing or wrong"
		reply.JSON(w, http.StatusUnauthorized, a)
		return
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		a.Message = "bodies are taken as they are: send this without Content-Encoding " + clipped(coding)
		reply.JSON(w, http.StatusUnsupportedMediaType, a)
		return
	}
	batch := &batch{source: source, header: r.Header, received: received}
	body, err := readBody(w, r)
	if err == nil {
		err = batch.read(body)
	}
	if err != nil && batch.refuseAll(body, err) != nil {
		h.fail(w, a, err)
		return
	}
	accept := batch.accept()
	if err := h.writer.Submit(r.Context(), accept); err != nil {
		h.fail(w, a, err)
		return
	}
	h.report(w, a, batch, accept)
}

// clipped keeps a sender's word short in an answer.
func clipped(word string) string { return fmt.Sprintf("%.20q", word) }

// fail answers with a fault for which no event is to blame.
func (h *Handler) fail(w http.ResponseWriter, a answer, err error) {
	f := fault.From(err)
	switch f.Code {
	case fault.Internal:
		h.log.Error("events were not stored", "request_id", a.RequestID, "error", err)
	case fault.Unavailable: // the sender was told to come again, or has gone
		h.log.Warn("events were not acknowledged", "request_id", a.RequestID, "reason", f.Reason)
	}
	reply.RetryAfter(w, f)
	a.Message = f.Safe()
	reply.JSON(w, f.Status(), a)
}

// report tells what became of each event. The good events of a request are
// stored whatever the others are; only a request without any good one is an error.
func (h *Handler) report(w http.ResponseWriter, a answer, b *batch, accept *ingest.Accept) {
	var accepted, duplicates int
	var first *fault.Error
	for i, o := range accept.Outcomes {
		switch {
		case o.Refused != nil:
			if first == nil {
				first = o.Refused
			}
			a.Rejected = append(a.Rejected, rejected{
				Index: i, Reason: o.Refused.Reason, Message: o.Refused.Message,
				Pointer: o.Refused.Pointer, Line: o.Refused.Line, Column: o.Refused.Column,
				Quarantine: o.Quarantine.String(),
			})
		case o.Duplicate:
			duplicates++
		default:
			accepted++
		}
	}
	if first == nil && len(b.warnings) == 0 {
		reply.Body(w, http.StatusOK, success(a.RequestID, accepted, duplicates))
		return
	}
	a.Warnings = b.told()
	a.Accepted, a.Duplicates = &accepted, &duplicates
	a.Message = "success"
	status := http.StatusOK
	if first != nil && accepted+duplicates == 0 {
		status, a.Message = first.Status(), first.Safe()
	} else if first != nil {
		a.Message = fmt.Sprintf("%d of %d events were rejected", len(a.Rejected), len(accept.Outcomes))
	}
	reply.JSON(w, status, a)
}

// success is what almost every answer says; that is not worth an encoder.
func success(requestID string, accepted, duplicates int) []byte {
	b := append(make([]byte, 0, 128), `{"message":"success","request_id":"`...)
	b = append(b, requestID...) // a UUID
	b = strconv.AppendInt(append(b, `","accepted":`...), int64(accepted), 10)
	b = strconv.AppendInt(append(b, `,"duplicates":`...), int64(duplicates), 10)
	return append(b, '}')
}

var errTooLarge = fault.New(fault.TooLarge, "too_large",
	"the body is larger than %d bytes; send fewer events at a time", MaxBody)

// readBody reads the whole body, or the beginning of one that is too large.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		head, _ := io.ReadAll(io.LimitReader(r.Body, ingest.MaxQuarantineBytes))
		w.Header().Set("Connection", "close")
		return head, errTooLarge
	}
	return reply.ReadBody(w, r, MaxBody, errTooLarge)
}

// parse checks a body by the source's policy and mends it where that is wanted.
func parse(body []byte, lenient bool) ([]byte, []loosejson.Warning, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil, fault.New(fault.Invalid, "malformed_json", "the body is empty; send an event as a JSON object").At(1, 1)
	}
	if lenient {
		return loosejson.Mend(body)
	}
	err := loosejson.Check(body)
	if f := new(fault.Error); errors.As(err, &f) {
		if _, _, err := loosejson.Mend(body); err == nil {
			told := *f
			told.Message += ", or let the source read JSON leniently (json: lenient)"
			return nil, nil, &told
		}
	}
	return body, nil, err
}

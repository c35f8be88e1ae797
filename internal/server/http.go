package server

import (
	"log/slog"
	"net/http"
	"time"
)

// How long a connection may keep the server waiting at each point. A client that
// stops reading or writing is cut off.
const (
	headWithin   = 10 * time.Second // the head of a request has arrived
	readWithin   = 60 * time.Second // and its body
	answerWithin = 30 * time.Second // the answer is written, after the request has arrived
	idleWithin   = 120 * time.Second
)

// maxConnections are served at a time; further ones wait to be accepted.
const maxConnections = 10_000

func newHTTP(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           readFirst(h),
		ReadHeaderTimeout: headWithin,
		ReadTimeout:       readWithin,
		WriteTimeout:      answerWithin,
		IdleTimeout:       idleWithin,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// readFirst gives a request with a body the time to send it: net/http lets the time
// to answer run from the end of the head.
func readFirst(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// Only a connection without deadlines refuses one.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(readWithin + answerWithin))
		}
		next.ServeHTTP(w, r)
	})
}

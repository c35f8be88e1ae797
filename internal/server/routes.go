package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"platen/internal/collector"
	"platen/internal/content"
	"platen/internal/engage"
	"platen/internal/fault"
	"platen/internal/manage"
	"platen/internal/reply"
	"platen/internal/workspace"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	live := s.Registry.Current
	collector.New(live, s.Writer, s.config.Now, s.log).Register(mux)
	keys := func(token string) (*workspace.APIKey, bool) { return live().APIKey(token) }
	engage.New(keys, s.Writer, s.config.Now, s.log).Register(mux)
	content.NewHandler(s.Content, s.recorder, s.config.Now).Register(mux)
	manage.New(s.Store, live, s.Documents, s.Content, s.Delivery, s.token, s.config.Now, s.log).Register(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		reply.JSON(w, http.StatusOK, map[string]string{"status": "ok", "version": Version()})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("/", nowhere(mux))
	return recovered(mux, s.log)
}

// ready says whether requests would be served: the store answers, and the server
// is not stopping. Workers that rest after an error are told beside that; what they
// are to do stays queued, and requests are served meanwhile.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "ready"
	select {
	case <-s.stopping:
		status, text = http.StatusServiceUnavailable, "stopping"
	default:
		if err := s.Store.Ping(r.Context()); err != nil {
			status, text = http.StatusServiceUnavailable, "the store does not answer"
		}
	}
	body := map[string]any{"status": text, "waiting": s.Writer.Waiting()}
	if resting := s.resting.all(); len(resting) > 0 {
		body["resting"] = resting
	}
	reply.JSON(w, status, body)
}

// nowhere answers what no other pattern of mux matches: 405 where the path is
// known with another method, else 404.
func nowhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := map[string]string{"request_id": reply.RequestID(w)}
		if method := methodOf(mux, r); method != "" {
			w.Header().Set("Allow", method)
			body["reason"], body["message"] = "wrong_method", fmt.Sprintf("this path is called with %s", method)
			reply.JSON(w, http.StatusMethodNotAllowed, body)
			return
		}
		body["reason"], body["message"] = "unknown_path", fmt.Sprintf("there is nothing at %.80q; "+
			"events are sent to /users/track or /behavioral/KEY, pictures are at /p/rp/BLOCK.png, management is at /api/v1", r.URL.Path)
		reply.JSON(w, http.StatusNotFound, body)
	}
}

// methodOf is the method with which the path of a request would be served, "" for
// none.
func methodOf(mux *http.ServeMux, r *http.Request) string {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" {
			return method
		}
	}
	return ""
}

// recovered answers 500 where a handler panics, and logs it once.
func recovered(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			id := reply.RequestID(w)
			log.Error("a handler panicked", "request_id", id, "method", r.Method, "pattern", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			f := fault.From(fmt.Errorf("panic: %v", p))
			reply.JSON(w, f.Status(), map[string]string{"message": f.Safe(), "reason": f.Reason, "request_id": id})
		}()
		next.ServeHTTP(w, r)
	})
}

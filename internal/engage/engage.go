// Package engage is the REST API of the engage side, in the shape of the closed
// product's: POST /users/track takes attributes, events and purchases, POST
// /users/identify gives profiles their external ids. Answers, counters and error
// texts follow shared/spec/engage.md sections 3, 4.1 and 4.2.
//
// The answer is given after the commit. What is refused lies in quarantine with
// the reason, and so does what was left out of an object that was accepted.
package engage

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/loosejson"
	"platen/internal/reply"
	"platen/internal/workspace"
)

// MaxBody is the size of the largest request body, in bytes.
const MaxBody = 4 << 20

// Handler serves the endpoints under /users.
type Handler struct {
	keys   func(token string) (*workspace.APIKey, bool)
	writer *ingest.Writer
	now    func() time.Time
	log    *slog.Logger
}

// New makes a handler; keys finds the API key that a token opens.
func New(keys func(token string) (*workspace.APIKey, bool), writer *ingest.Writer, now func() time.Time, log *slog.Logger) *Handler {
	return &Handler{keys: keys, writer: writer, now: now, log: log}
}

// Register adds the routes to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle(trackPath, h.post(workspace.UsersTrack, h.track))
	mux.Handle(identifyPath, h.post(workspace.UsersIdentify, h.identify))
	mux.Handle("/users/", h.respond(func(http.ResponseWriter, *http.Request) (answer, error) {
		return answer{}, fault.New(fault.NotFound, "unknown_path", "there is no such endpoint; under /users there are POST %s and POST %s", trackPath, identifyPath)
	}))
}

// answer is the body of an answer. A counter is there when its array was sent.
type answer struct {
	Attributes *int `json:"attributes_processed,omitempty"`
	Events     *int `json:"events_processed,omitempty"`
	Purchases  *int `json:"purchases_processed,omitempty"`
	Aliases    *int `json:"aliases_processed,omitempty"`

	Message string    `json:"message"`
	Errors  []problem `json:"errors,omitempty"`

	status int
}

// problem is why something was not processed, with its place in the request.
type problem struct {
	Type  string `json:"type"`
	Array string `json:"input_array,omitempty"`
	Index *int   `json:"index,omitempty"`
}

// call is a request whose sender may make it.
type call struct {
	workspace   int64
	received    time.Time
	idempotency string // the Idempotency-Key, "" for none
	body        object
}

// post guards an endpoint: the method, the key, its permission and the body are
// judged in this order, so that a request tells as little as it may.
func (h *Handler) post(permission workspace.Permission, serve func(context.Context, call) (answer, error)) http.Handler {
	return h.respond(func(w http.ResponseWriter, r *http.Request) (answer, error) {
		c := call{received: h.now(), idempotency: r.Header.Get("Idempotency-Key")}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			return answer{status: http.StatusMethodNotAllowed, Message: "this endpoint is called with POST"}, nil
		}
		key, err := h.authorize(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return answer{}, err
		}
		if !key.Allows(permission) {
			return denied(key, permission), nil
		}
		c.workspace = key.Workspace
		if c.body, err = readBody(w, r); err != nil {
			return answer{}, err
		}
		return serve(r.Context(), c)
	})
}

// respond writes what serve gives; its errors become answers by their fault.
func (h *Handler) respond(serve func(http.ResponseWriter, *http.Request) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := h.now()
		id := reply.RequestID(w)
		a, err := serve(w, r)
		if err != nil {
			f := fault.From(err)
			if f.Code == fault.Internal || f.Code == fault.Unavailable {
				h.log.Error("request failed", "path", r.URL.Path, "request_id", id, "error", err)
			}
			reply.RetryAfter(w, f)
			a = answer{status: f.Status(), Message: f.Safe()}
		}
		w.Header().Set("X-Runtime", fmt.Sprintf("%.6f", h.now().Sub(start).Seconds()))
		reply.JSON(w, a.status, a)
	})
}

// authorize finds the API key of the request.
func (h *Handler) authorize(r *http.Request) (*workspace.APIKey, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, fault.New(fault.Unauthorized, "no_key", "Invalid API key: none was sent, the header Authorization: Bearer KEY is needed")
	}
	key, ok := h.keys(token)
	if !ok {
		shown := hint(token)
		if shown == "" {
			return nil, fault.New(fault.Unauthorized, "bad_key", "Invalid API key: the one sent is too short to be one")
		}
		return nil, fault.New(fault.Unauthorized, "bad_key", "Invalid API key: %s… is not known here", shown)
	}
	return key, nil
}

// hint is what an answer shows of a wrong key: enough to tell which was sent,
// too little to be of use if it was only sent to the wrong place.
func hint(token string) string {
	const shown, secret = 4, 16 // of a short token nothing is shown
	if len(token) < secret {
		return ""
	}
	return strings.ToValidUTF8(token[:shown], "")
}

func denied(key *workspace.APIKey, permission workspace.Permission) answer {
	return answer{
		status: http.StatusForbidden, Message: "Access Denied",
		Errors: []problem{{Type: fmt.Sprintf("the API key %q lacks the permission %s", key.Name, permission)}},
	}
}

// readBody reads the JSON object of a request.
func readBody(w http.ResponseWriter, r *http.Request) (object, error) {
	text, err := reply.ReadBody(w, r, MaxBody, errTooLarge)
	if err != nil {
		return nil, err
	}
	return parseBody(text)
}

var errTooLarge = fault.New(fault.TooLarge, "too_large",
	"the body is larger than %d bytes; send fewer objects at a time", MaxBody)

func parseBody(text []byte) (object, error) {
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil, fault.New(fault.Invalid, "malformed_json", "the body is empty; send a JSON object").At(1, 1)
	}
	if err := loosejson.Check(text); err != nil {
		return nil, err
	}
	body, ok := objectOf(text)
	if !ok {
		return nil, fault.New(fault.Invalid, "wrong_type", "the body is not a JSON object")
	}
	return body, nil
}

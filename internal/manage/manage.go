// Package manage is the management API, /api/v1: documents in and out, and what
// the program knows of people, deliveries, refused events and pictures. The
// commands of the command line are its clients.
package manage

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"platen/internal/campaign"
	"platen/internal/content"
	"platen/internal/delivery"
	"platen/internal/document"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/reply"
	"platen/internal/workspace"
)

// MaxBody bounds the documents of one apply, in bytes: as large as one file of
// documents may be.
const MaxBody = document.MaxFileBytes

// Store is what the API reads.
type Store interface {
	Profile(ctx context.Context, workspace int64, who profile.Who, at int64) (*profile.Profile, error)
	Timeline(ctx context.Context, spans []profile.Span, limit int) ([]event.Event, error)
	IdentityLog(ctx context.Context, root event.ID) ([]profile.Record, error)
	Deliveries(ctx context.Context, workspace int64, of event.ID, limit int) ([]campaign.Activity, error)
	Quarantined(ctx context.Context, workspace int64, limit int) ([]ingest.Quarantined, error)
	Pending(ctx context.Context) (hits, deliveries int64, err error)
}

// Handler serves the API.
type Handler struct {
	store     Store
	live      func() *document.Live
	documents *document.Service
	content   *content.Renderer
	delivery  *delivery.Sender
	admin     [sha256.Size]byte // hash of the token that opens everything
	now       func() time.Time
	log       *slog.Logger
}

// New makes a handler. adminToken opens all workspaces; a workspace's own keys
// with the permission "manage" open that workspace.
func New(store Store, live func() *document.Live, documents *document.Service, content *content.Renderer, delivery *delivery.Sender,
	adminToken string, now func() time.Time, log *slog.Logger) *Handler {
	return &Handler{store: store, live: live, documents: documents, content: content, delivery: delivery,
		admin: sha256.Sum256([]byte(adminToken)), now: now, log: log}
}

// Register adds the routes to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1/apply", h.serve(h.apply))
	mux.HandleFunc("GET /api/v1/export", h.serve(h.export))
	mux.HandleFunc("GET /api/v1/status", h.serve(h.status))
	in := "/api/v1/workspaces/{ws}/"
	mux.HandleFunc("GET "+in+"profiles", h.serve(h.inWorkspace(h.profile)))
	mux.HandleFunc("GET "+in+"profiles/{user_id}", h.serve(h.inWorkspace(h.profile)))
	mux.HandleFunc("GET "+in+"deliveries", h.serve(h.inWorkspace(h.deliveries)))
	mux.HandleFunc("GET "+in+"quarantine", h.serve(h.inWorkspace(h.quarantine)))
	mux.HandleFunc("GET "+in+"blocks/{block}/picture", h.serve(h.inWorkspace(h.picture)))
	mux.HandleFunc("POST "+in+"campaigns/{campaign}/test", h.serve(h.inWorkspace(h.testCampaign)))
}

// request is an authenticated request.
type request struct {
	*http.Request
	// scope is the only workspace it may touch, "" for all.
	scope string
	// workspace is the one in its path.
	workspace *workspace.Workspace
}

// Refusal is the body of an error.
type Refusal struct {
	Message   string             `json:"message"`
	Reason    string             `json:"reason"`
	RequestID string             `json:"request_id"`
	Pointer   string             `json:"pointer,omitempty"`
	Line      int                `json:"line,omitempty"`
	Column    int                `json:"column,omitempty"`
	Problems  []document.Problem `json:"problems,omitempty"`
}

// serve authenticates, calls f and writes the error it returns.
func (h *Handler) serve(f func(http.ResponseWriter, *request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := reply.RequestID(w)
		w.Header().Set("Cache-Control", "no-store")
		scope, err := h.authenticate(r)
		if err == nil {
			err = f(w, &request{Request: r, scope: scope})
		}
		if err == nil {
			return
		}
		e := fault.From(err)
		if e.Code == fault.Internal {
			h.log.Error("a management request failed", "request_id", id, "pattern", r.Pattern, "error", err)
		}
		if e.Code == fault.Unauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="platen"`)
		}
		reply.RetryAfter(w, e)
		body := Refusal{Message: e.Message, Reason: e.Reason, RequestID: id, Pointer: e.Pointer, Line: e.Line, Column: e.Column}
		errors.As(err, (*document.Problems)(&body.Problems))
		reply.JSON(w, e.Status(), body)
	}
}

// authenticate gives the scope that the request's token opens.
func (h *Handler) authenticate(r *http.Request) (scope string, err error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", fault.New(fault.Unauthorized, "no_token", "send the header Authorization: Bearer TOKEN")
	}
	hash := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(hash[:], h.admin[:]) == 1 {
		return "", nil
	}
	live := h.live()
	key, ok := live.APIKey(token)
	if !ok {
		return "", fault.New(fault.Unauthorized, "bad_token", "the token is not known; send one of a key with the permission \"manage\"")
	}
	if !key.Allows(workspace.Manage) {
		return "", fault.New(fault.Forbidden, "not_allowed", "the key %q lacks the permission %q", key.Name, workspace.Manage)
	}
	w, ok := live.Workspace(key.Workspace)
	if !ok {
		return "", fault.New(fault.Unauthorized, "bad_token", "the token is not known")
	}
	return w.Name, nil
}

// inWorkspace finds the workspace of the path. To a key of another workspace it
// does not exist.
func (h *Handler) inWorkspace(f func(http.ResponseWriter, *request) error) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		name := r.PathValue("ws")
		found, ok := h.live().WorkspaceNamed(name)
		if !ok || (r.scope != "" && r.scope != name) {
			return fault.New(fault.NotFound, "unknown_workspace", "there is no workspace %q", name)
		}
		r.workspace = found
		return f(w, r)
	}
}

// Apply is the body of POST /api/v1/apply.
type Apply struct {
	Files  []ApplyFile `json:"files"`
	DryRun bool        `json:"dry_run"`
	// Env and SecretFiles are what the secrets of the files refer to, as the
	// client sees them.
	Env         map[string]string `json:"env,omitempty"`
	SecretFiles map[string]string `json:"secret_files,omitempty"`
}

// ApplyFile is one file of documents.
type ApplyFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Applied is the answer. Tokens are shown this once.
type Applied struct {
	document.Report
	Tokens []ShownToken `json:"tokens,omitempty"`
	// NotLive says that the documents are stored and why the server goes on with
	// the earlier ones.
	NotLive string `json:"not_live,omitempty"`
}

// ShownToken is a new token in plain text.
type ShownToken struct {
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
	Token     string `json:"token"`
}

func (h *Handler) apply(w http.ResponseWriter, r *request) error {
	var body Apply
	if err := decode(w, r.Request, &body); err != nil {
		return err
	}
	in := document.Input{DryRun: body.DryRun, Scope: r.scope, Lookup: workspace.Lookup{
		Getenv: func(name string) (string, bool) { v, ok := body.Env[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := body.SecretFiles[path]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("the client did not send this file")
		},
	}}
	if len(body.Files) == 0 {
		return fault.New(fault.Invalid, "no_files", "send the documents as the member \"files\": [{\"name\": …, \"text\": …}]").In("/files")
	}
	for _, f := range body.Files {
		in.Files = append(in.Files, document.File{Name: f.Name, Data: []byte(f.Text)})
	}
	report, err := h.documents.Apply(r.Context(), in)
	if err != nil && report.Changes == nil {
		return err
	}
	answer := Applied{Report: report}
	if err != nil { // stored; new tokens are still to be told, for they are told once
		h.log.Error("applied documents could not be loaded", "error", err)
		answer.NotLive = "the documents are stored, but the server could not load them and goes on with the earlier ones; restart it, its log has the details"
	}
	for _, t := range report.Tokens {
		answer.Tokens = append(answer.Tokens, ShownToken{Workspace: t.Workspace, Name: t.Name, Token: t.Token.Reveal()})
	}
	answer.Report.Tokens = nil
	reply.JSON(w, http.StatusOK, answer)
	return nil
}

func (h *Handler) export(w http.ResponseWriter, r *request) error {
	scope := r.scope
	if wanted := r.URL.Query().Get("workspace"); wanted != "" {
		if scope != "" && scope != wanted {
			return fault.New(fault.NotFound, "unknown_workspace", "there is no workspace %q", wanted)
		}
		if _, ok := h.live().WorkspaceNamed(wanted); !ok {
			return fault.New(fault.NotFound, "unknown_workspace", "there is no workspace %q", wanted)
		}
		scope = wanted
	}
	out, err := h.documents.Export(r.Context(), scope)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(out)
	return nil
}

// Status is the answer of GET /api/v1/status.
type Status struct {
	Hits       int64 `json:"hits"`       // wait to be planned
	Deliveries int64 `json:"deliveries"` // wait to be sent
}

func (h *Handler) status(w http.ResponseWriter, r *request) error {
	if r.scope != "" {
		return fault.New(fault.Forbidden, "not_allowed", "the status counts all workspaces; it is told to the server's own token only")
	}
	hits, deliveries, err := h.store.Pending(r.Context())
	if err != nil {
		return err
	}
	reply.JSON(w, http.StatusOK, Status{Hits: hits, Deliveries: deliveries})
	return nil
}

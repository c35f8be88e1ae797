package content

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"platen/internal/block"
	"platen/internal/engagement"
	"platen/internal/profile"
)

// Handler serves pictures and links.
type Handler struct {
	renderer *Renderer
	recorder *engagement.Recorder
	now      func() time.Time
}

// NewHandler makes a handler that counts what it answers in the recorder.
func NewHandler(renderer *Renderer, recorder *engagement.Recorder, now func() time.Time) *Handler {
	return &Handler{renderer: renderer, recorder: recorder, now: now}
}

// Register adds the routes to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /p/rp/{file}", h.picture)
	mux.HandleFunc("GET /p/rp/{block}/url", h.link)
}

// volatile keeps proxies and mail clients from showing an old picture again, and
// browsers from remembering where a link led
// (shared/spec/collector-and-content.md section 8).
func volatile(h http.Header) {
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate, max-age=0")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	h.Set("X-Content-Type-Options", "nosniff")
}

// picture answers with an image in every case, as mail clients keep errors for a
// long time. Only a path that is no image's is not found.
func (h *Handler) picture(w http.ResponseWriter, r *http.Request) {
	name, extension, _ := strings.Cut(r.PathValue("file"), ".")
	extension = strings.ToLower(extension)
	if !IsFormat(extension) {
		http.NotFound(w, r)
		return
	}
	format := Format(extension)
	volatile(w.Header())
	w.Header().Set("Content-Type", format.ContentType())
	if r.Method == http.MethodHead {
		return // its length is not known before it is drawn
	}
	b, ok := h.renderer.Block(name)
	if !ok {
		send(w, http.StatusOK, h.renderer.stills.blank.images[format])
		return
	}
	req := NewRequest(b, r.URL.Query(), format, h.now())
	drawn := h.renderer.Draw(r.Context(), req)
	if r.Context().Err() != nil {
		return // nobody is there to see it
	}
	h.count(req, drawn)
	send(w, http.StatusOK, drawn.Image)
}

// count records an open before it is answered, so that a click finds it.
func (h *Handler) count(req Request, drawn Drawn) {
	i := engagement.Impression{
		Workspace: req.Block.Workspace, Block: req.Block.PublicID, Person: clip(req.Person),
		Rule: drawn.Rule, Reason: string(drawn.Reason),
	}
	if !drawn.Keep {
		h.recorder.Opened(i, nil)
		return
	}
	h.recorder.Opened(i, &engagement.Shown{
		Block: i.Block, Person: i.Person, Params: req.pairing(req.Item), Links: keepable(drawn.Links),
	})
}

// clip cuts what is kept of a mi_u that can be no identifier to the length of one.
// It is a copy, as the request's text is a part of the whole address.
func clip(person string) string {
	if len(person) > profile.MaxValueBytes {
		person = person[:profile.MaxValueBytes]
	}
	return strings.Clone(strings.ToValidUTF8(person, "\uFFFD"))
}

// keepable gives a copy of links with "" in the place of those that are too long
// to be followed.
func keepable(links []string) []string {
	kept := make([]string, len(links))
	for i, link := range links {
		if len(link) <= maxLinkBytes {
			kept[i] = strings.Clone(link) // it may be a part of a longer text
		}
	}
	return kept
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a client that went away needs no answer
}

// link redirects a click. Where there is nowhere to go it shows a page in the
// words of the block's fallback.
func (h *Handler) link(w http.ResponseWriter, r *http.Request) {
	b, ok := h.renderer.Block(r.PathValue("block"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	req := NewRequest(b, r.URL.Query(), PNG, h.now())
	to := h.renderer.Follow(r.Context(), req)
	if r.Context().Err() != nil {
		return
	}
	// Mail clients check links with HEAD; that is no click
	// (shared/spec/collector-and-content.md section 6.1).
	if r.Method != http.MethodHead {
		h.recorder.Clicked(engagement.Click{
			Workspace: b.Workspace, Block: b.PublicID, Person: clip(req.Person),
			Destination: to.URL, Reason: string(to.Reason),
		})
	}
	volatile(w.Header())
	if to.URL == "" {
		nowhere(w, b)
		return
	}
	w.Header().Set("Location", to.URL)
	send(w, http.StatusFound, nil)
}

var nowherePage = template.Must(template.New("").Parse(`<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;padding:0 1.5em;color:#161b2e;background:#f2f4f8}</style>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
`))

func nowhere(w http.ResponseWriter, b *block.Block) {
	var page bytes.Buffer
	if err := nowherePage.Execute(&page, b.Fallback); err != nil {
		http.Error(w, "nothing to show", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	send(w, http.StatusOK, page.Bytes())
}

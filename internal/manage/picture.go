package manage

import (
	"net/http"
	"strconv"

	"platen/internal/content"
	"platen/internal/fault"
	"platen/internal/reply"
)

// FallbackHeader of a picture tells the reason for which it is the fallback.
const FallbackHeader = "X-Platen-Fallback"

// picture answers with the picture that a person would get now, or with why. It
// counts as no impression.
func (h *Handler) picture(w http.ResponseWriter, r *request) error {
	name := r.PathValue("block")
	b, ok := h.live().BlockNamed(r.workspace.ID, name)
	if !ok {
		if b, ok = h.live().Block(name); !ok || b.Workspace != r.workspace.ID {
			return fault.New(fault.NotFound, "unknown_block", "the workspace %q has no block %q", r.workspace.Name, name)
		}
	}
	q := r.URL.Query()
	person := q.Get("as")
	if person == "" {
		return fault.New(fault.Invalid, "missing_identity", "say as whom: \"as\" names a person as mi_u would")
	}
	explain := q.Get("explain") != ""
	q.Del("as")
	q.Del("explain")
	q.Set("mi_u", person)
	drawn := h.content.Draw(r.Context(), content.NewRequest(b, q, content.PNG, h.now()))
	if explain {
		reply.JSON(w, http.StatusOK, drawn.Explain)
		return nil
	}
	if drawn.Reason != "" {
		w.Header().Set(FallbackHeader, string(drawn.Reason))
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(drawn.Image)))
	w.Write(drawn.Image)
	return nil
}

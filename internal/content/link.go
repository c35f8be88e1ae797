package content

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"platen/internal/block"
)

// maxLinkBytes bounds the address of a redirect; browsers and proxies refuse
// longer ones.
const maxLinkBytes = 8 << 10

// Destination is where a click leads.
type Destination struct {
	URL string // absolute, http or https, of an allowed host; "" is nowhere
	// Reason is why that is not where the click was meant to lead, "" where it is.
	Reason block.Reason
}

// Follow finds where a click leads, within Deadline: to what the last open under
// the same parameters showed, or else to what would be shown now. A link that may
// not be followed gives way to the block's default link, if that may.
func (r *Renderer) Follow(ctx context.Context, req Request) Destination {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	link, err := within(ctx, r, func(ctx context.Context) (string, error) {
		return r.wanted(ctx, req)
	})
	var d Destination
	if err != nil {
		f := failed(err)
		if f.cause != nil {
			r.log.Error("a click is led to the default link", "block", req.Block.PublicID, "reason", f.reason, "error", err)
		}
		d.Reason = f.reason
	} else if d.URL, d.Reason = r.checked(req, link); d.Reason == "" {
		return d
	}
	if address, reason := r.checked(req, r.defaultLink(ctx, req)); reason == "" {
		d.URL = address
	}
	return d
}

// wanted is the link of what was shown, or else of what would be shown now; ""
// for none.
func (r *Renderer) wanted(ctx context.Context, req Request) (string, error) {
	if req.Person != "" {
		link, err := r.shown(ctx, req)
		if err != nil || link != "" {
			return link, err
		}
	}
	d, err := r.decide(ctx, req, newWatch(r.now))
	if err != nil {
		return "", err
	}
	return d.links[0], nil
}

// shown is the link of what the last open showed: under the very same parameters,
// or for a single item in the whole picture. "" where nothing was shown that led
// anywhere.
func (r *Renderer) shown(ctx context.Context, req Request) (string, error) {
	pictures := []struct{ item, link int }{{req.Item, 0}}
	if req.Item > WholePicture {
		pictures = append(pictures, struct{ item, link int }{WholePicture, req.Item - 1})
	}
	for _, p := range pictures {
		s, ok, err := r.recorder.Shown(ctx, req.Block.PublicID, req.Person, req.pairing(p.item))
		if err != nil {
			return "", storeFailure(err)
		}
		if ok && p.link < len(s.Links) {
			return s.Links[p.link], nil
		}
	}
	return "", nil
}

// checked gives a link as the address to redirect to, or the reason why it is not
// followed. Links come from events, which anybody may send; only the workspace's
// own domains are followed.
func (r *Renderer) checked(req Request, link string) (string, block.Reason) {
	if link == "" {
		return "", NoLink
	}
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return "", BadLink
	}
	w, ok := r.registry.Current().Workspace(req.Block.Workspace)
	if !ok || !w.LinkAllowed(u.Host) {
		return "", LinkNotAllowed
	}
	// Written anew, it holds nothing that a browser could read in another way.
	u.RawQuery = escapeQuery(u.RawQuery)
	address := u.String()
	if len(address) > maxLinkBytes {
		return "", BadLink
	}
	return address, ""
}

// escapeQuery escapes what may not stand in a query (RFC 3986, section 3.4) and
// leaves what is escaped already, which url.URL does for a path alone.
func escapeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\^`+"`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

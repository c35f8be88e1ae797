package asset

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"time"

	"platen/internal/fault"
	"platen/internal/outbound"
	"platen/internal/render"
)

const (
	fetchWithin  = 15 * time.Second // everything for one photo, redirects included
	maxBytes     = 5_000_000        // shared/spec/collector-and-content.md section 11
	maxRedirects = 3

	// keptScale is how many pixels are kept for each CSS pixel of the largest
	// square in which a card shows a photo.
	keptScale = 2

	// keptQuality of JPEG is where photos look as they were.
	keptQuality = 90
)

// accepted are the formats that render.DecodePhoto reads. A server that knows
// them does not send the newer ones.
const accepted = "image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1"

// unreachable are the failures that the next photo of the host would share, most
// of them after a long wait.
var unreachable = []outbound.Kind{outbound.DNS, outbound.Connect, outbound.TLS, outbound.Timeout}

// fetch gets a photo and gives it scaled and encoded, unless its host is silent.
// The error is a *refusal or an *outbound.Error.
func (f *Fetcher) fetch(ctx context.Context, p Photo, now time.Time) ([]byte, error) {
	h := hostOf(p)
	if f.silent.holds(h, now) {
		return nil, &refusal{message: "its server did not answer when it was asked for other photos", passing: true}
	}
	w, ok := f.registry.Current().Workspace(p.Workspace)
	if !ok {
		return nil, &refusal{message: "its workspace is gone"}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	body, redirects, err := f.download(ctx, p.URL, w.Egress)
	// Whoever redirects may have used up the time, and may point at any host.
	if redirects == 0 && slices.Contains(unreachable, outbound.KindOf(err)) {
		f.silent.add(h, now)
	}
	if err != nil {
		return nil, err
	}
	return f.convert(body)
}

// download follows redirects itself, so that the policy judges each address. It
// tells how many it followed.
func (f *Fetcher) download(ctx context.Context, address string, policy outbound.Policy) (body []byte, redirects int, err error) {
	for redirects = range maxRedirects + 1 {
		reply, err := f.client.Do(ctx, outbound.Request{
			URL:    address,
			Header: http.Header{"Accept": {accepted}},
			Policy: policy,
			Limits: outbound.Limits{Timeout: fetchWithin, MaxResponseBytes: maxBytes},
		})
		if err != nil {
			return nil, redirects, err
		}
		next, err := judge(reply, address)
		if err != nil {
			return nil, redirects, err
		}
		if next == "" {
			return reply.Body, redirects, nil
		}
		address = next
	}
	return nil, redirects, &refusal{message: fmt.Sprintf("the address redirects more than %d times", maxRedirects)}
}

// judge gives the address that a reply redirects to, "" for one that is the photo.
func judge(reply *outbound.Response, address string) (next string, err error) {
	switch status := reply.Status; {
	case status == http.StatusOK && reply.Truncated:
		return "", &refusal{message: fmt.Sprintf("the photo has more than %d bytes", maxBytes)}
	case status == http.StatusOK:
		return "", nil
	case status >= 300 && status < 400 && reply.Header.Get("Location") != "":
		base, err := url.Parse(address)
		if err != nil {
			return "", &refusal{message: "the address cannot be read", cause: err}
		}
		target, err := base.Parse(reply.Header.Get("Location"))
		if err != nil {
			return "", &refusal{message: "the address redirects to one that cannot be read", cause: err}
		}
		return target.String(), nil
	default:
		passing := status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
		return "", &refusal{message: fmt.Sprintf("the server answered %d %s", status, http.StatusText(status)), passing: passing}
	}
}

// convert decodes a photo, scales it to what cards show, and encodes it.
func (f *Fetcher) convert(body []byte) (picture []byte, err error) {
	f.decoding.Lock()
	defer f.decoding.Unlock()
	defer func() {
		// The decoders read what strangers send.
		if p := recover(); p != nil {
			err = &refusal{message: "the photo is damaged", cause: fmt.Errorf("panic: %v", p)}
		}
	}()
	photo, err := render.DecodePhoto(bytes.NewReader(body), render.PhotoLimits{Bytes: maxBytes})
	if err != nil {
		return nil, &refusal{message: fault.From(err).Safe(), cause: err}
	}
	side := keptScale * render.PhotoSize(1)
	scaled, err := render.Scale(photo, side, side, render.Cover)
	if err != nil {
		return nil, &refusal{message: fault.From(err).Safe(), cause: err}
	}
	return encode(scaled)
}

// encode writes JPEG, and PNG where there is something to see through.
func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	var err error
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: keptQuality})
	} else {
		err = png.Encode(&b, img)
	}
	if err != nil {
		return nil, fmt.Errorf("encode a photo: %w", err)
	}
	return b.Bytes(), nil
}

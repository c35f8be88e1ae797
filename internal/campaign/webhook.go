package campaign

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"platen/internal/outbound"
	"platen/internal/personalize"
	"platen/internal/workspace"
	"platen/liquid"
)

// Methods gives the methods that a webhook may have, the usual one first
// (shared/spec/engage.md section 1.1).
func Methods() []string { return []string{"POST", "PUT", "DELETE", "GET"} }

// templates are the compiled texts of a webhook.
type templates struct {
	url, body *liquid.Template
	headers   []*liquid.Template // in the order of Webhook.Headers
}

// TemplateError is a text that is not Liquid.
type TemplateError struct {
	Variant int    // index of the variant
	Header  string // name of the header, "" for a part that is none
	Part    Part
	Err     *liquid.Error
}

// Part is a part of a webhook.
type Part string

// The parts that are Liquid.
const (
	PartURL    Part = "url"
	PartHeader Part = "headers"
	PartBody   Part = "body"
)

// Compile parses the Liquid of all variants and gives every text that cannot be
// parsed. A campaign must be compiled before it renders, and once only.
func (c *Campaign) Compile() []TemplateError {
	var found []TemplateError
	for i := range c.Variants {
		for _, e := range c.Variants[i].Webhook.compile() {
			e.Variant = i
			found = append(found, e)
		}
	}
	return found
}

func (w *Webhook) compile() []TemplateError {
	var found []TemplateError
	parse := func(part Part, header, source string) *liquid.Template {
		t, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
		if err != nil {
			var le *liquid.Error
			errors.As(err, &le) // Parse returns no other
			found = append(found, TemplateError{Part: part, Header: header, Err: le})
		}
		return t
	}
	compiled := &templates{url: parse(PartURL, "", w.URL)}
	for _, h := range w.Headers {
		compiled.headers = append(compiled.headers, parse(PartHeader, h.Name, h.Value))
	}
	compiled.body = parse(PartBody, "", w.Body)
	w.compiled = compiled
	return found
}

// LiteralHost gives the host of the URL as workspace.HostOf writes it, when it
// stands in the text before any Liquid and is therefore the same for everyone.
func (w *Webhook) LiteralHost() (host string, ok bool) {
	literal := w.URL
	if i := strings.Index(literal, "{"); i >= 0 {
		literal = literal[:i]
		// Without the slash after it, Liquid might continue the host itself.
		scheme, rest, found := strings.Cut(literal, "://")
		if !found || !strings.ContainsAny(rest, "/?#") {
			return "", false
		}
		literal = scheme + "://" + rest
	}
	u, err := url.Parse(strings.TrimSpace(literal))
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	return workspace.HostOf(u), true
}

// Unsendable is the error of a webhook that makes no request for this person.
type Unsendable struct {
	Reason Reason
	Detail string // one line for people
}

// Error gives reason and detail.
func (u *Unsendable) Error() string { return string(u.Reason) + ": " + u.Detail }

// Render makes the request for one person. An *Unsendable is final. Any other error
// says that it could not be rendered now: it wraps a *personalize.Unavailable, that
// of the context when it ended before, or what the store said.
func (w *Webhook) Render(ctx context.Context, in liquid.Input) (*Request, error) {
	if w.compiled == nil {
		return nil, errors.New("render of a campaign that was not compiled")
	}
	address, err := render(ctx, w.compiled.url, in, "the URL")
	if err != nil {
		return nil, err
	}
	r := &Request{Method: w.Method, URL: strings.TrimSpace(address), Credential: w.Credential}
	if err := checkURL(r.URL); err != nil {
		return nil, err
	}
	for i, h := range w.Headers {
		value, err := render(ctx, w.compiled.headers[i], in, "the header "+h.Name)
		if err != nil {
			return nil, err
		}
		r.Header = append(r.Header, [2]string{h.Name, strings.TrimSpace(value)})
	}
	body, err := render(ctx, w.compiled.body, in, "the body")
	if err != nil {
		return nil, err
	}
	r.Body = []byte(body)
	return r, nil
}

func render(ctx context.Context, t *liquid.Template, in liquid.Input, part string) (string, error) {
	text, err := t.Render(ctx, in)
	if err == nil {
		return text, nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("render %s: %w", part, ctx.Err())
	}
	var le *liquid.Error
	if !errors.As(err, &le) {
		return "", &Unsendable{RenderError, part + ": " + err.Error()}
	}
	switch le.Kind {
	case liquid.KindAbort:
		return "", &Unsendable{LiquidAbort, le.Message}
	case liquid.KindSyntax:
		return "", &Unsendable{TemplateParseError, part + ", " + le.Error()}
	case liquid.KindOutside:
		return "", outside(part, le)
	}
	return "", &Unsendable{RenderError, part + ", " + le.Error()}
}

// outside tells an error that lies outside of the text: a refusal is final, all
// else may be another time.
func outside(part string, le *liquid.Error) error {
	var no *personalize.Refusal
	if errors.As(le, &no) {
		place := *le
		place.Message = no.Detail
		return &Unsendable{Reason(no.Reason), part + ", " + place.Error()}
	}
	return fmt.Errorf("render %s: %w", part, le)
}

// checkURL refuses what internal/outbound would refuse for everybody, so that it
// is not sent, rather than tried and failed.
func checkURL(text string) error {
	_, err := outbound.ParseURL(text)
	var bad *outbound.Error
	if errors.As(err, &bad) {
		return &Unsendable{ReasonOf(bad), "the URL was rendered to one that cannot be called: " + bad.Message}
	}
	return nil
}

// Host is the host of the rendered URL, as workspace.HostOf writes it; "" for a
// URL without one.
func (r *Request) Host() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return workspace.HostOf(u)
}

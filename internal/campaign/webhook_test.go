package campaign

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"platen/internal/outbound"
	"platen/liquid"
)

func compiled(t *testing.T, w Webhook) *Webhook {
	t.Helper()
	c := &Campaign{Variants: []Variant{{Webhook: w}}}
	for _, e := range c.Compile() {
		t.Fatalf("compile %s: %v", e.Part, e.Err)
	}
	return &c.Variants[0].Webhook
}

func person(attributes map[string]any) liquid.Input {
	return liquid.Input{
		Vars: map[string]any{liquid.ProfileVariables: attributes, "event_properties": map[string]any{"id": "7"}},
		Now:  time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC),
	}
}

func TestRender(t *testing.T) {
	w := compiled(t, Webhook{
		URL:        "https://api.example.com/{{${user_id}}}\n",
		Method:     "PUT",
		Headers:    []Header{{"X-Z", "{% if true %} {{${user_id}}} {% endif %}"}, {"Content-Type", "text/plain"}},
		Credential: "c",
		Body:       "{{event_properties.${id}}} at {{ 'now' | date: '%s' }}\n",
	})
	got, err := w.Render(context.Background(), person(map[string]any{"user_id": "u1"}))
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{
		Method: "PUT", URL: "https://api.example.com/u1",
		Header: [][2]string{{"X-Z", "u1"}, {"Content-Type", "text/plain"}},
		Body:   []byte("7 at 1257894000\n"), Credential: "c",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Host() != "api.example.com" {
		t.Errorf("host %q", got.Host())
	}
}

func TestRenderSaysWhyThereIsNothingToSend(t *testing.T) {
	for _, c := range []struct {
		webhook Webhook
		reason  Reason
		detail  string
	}{
		{Webhook{URL: "https://a.example", Body: `{% abort_message('not today') %}`}, LiquidAbort, "not today"},
		{Webhook{URL: "https://a.example", Body: `{% abort_message %}`}, LiquidAbort, "{% abort_message %} called"},
		{Webhook{URL: "https://a.example", Body: "\n  {{ 1 | divided_by: 0 }}"}, RenderError, "the body, line 2, column "},
		{Webhook{URL: "https://a.example", Headers: []Header{{"X", "{{ 1 | divided_by: 0 }}"}}}, RenderError, "the header X, line 1, column "},
		{Webhook{URL: "{{${missing}}}"}, MissingHostname, "the URL is empty"},
		{Webhook{URL: "{{${missing}}}/path"}, MissingHostname, "names no host"},
		{Webhook{URL: "https://{{${missing}}}/path"}, MissingHostname, "names no host"},
		{Webhook{URL: "https://a b/"}, MissingHostname, "cannot be read"},
		{Webhook{URL: "https://a.example:0/"}, MissingHostname, "port is not between"},
		{Webhook{URL: "https://[fe80::1%25eth0]/"}, MissingHostname, "has a zone"},
		{Webhook{URL: "ftp://a.example"}, BlockedURL, "must begin with http:// or https://"},
		{Webhook{URL: "https://user:pass@a.example"}, BlockedURL, "holds credentials"},
	} {
		request, err := compiled(t, c.webhook).Render(context.Background(), person(nil))
		var u *Unsendable
		if !errors.As(err, &u) || u.Reason != c.reason || !strings.Contains(u.Detail, c.detail) || request != nil {
			t.Errorf("%+v: %v; want %s: %s", c.webhook, err, c.reason, c.detail)
		}
	}
}

func TestShownHeaderHidesSecrets(t *testing.T) {
	r := Request{Header: [][2]string{{"X-Api-Key", "live-key"}, {"X-Plan", "gold"}, {"x-auth-token", "Bearer live-key"}}}
	want := [][2]string{{"X-Api-Key", "[redacted]"}, {"X-Plan", "gold"}, {"x-auth-token", "Bearer [redacted]"}}
	if got := r.ShownHeader(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if r.Header[0][1] != "live-key" {
		t.Error("what is sent has changed")
	}
	if got := new(Request).ShownHeader(); got != nil {
		t.Errorf("no header is shown as %v", got)
	}
}

func TestRenderThatWasCutShortIsNotFinal(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := compiled(t, Webhook{URL: "https://a.example", Body: "{% for i in (1..900000) %}{{i}}{% endfor %}"})
	_, err := w.Render(ctx, person(nil))
	var u *Unsendable
	if !errors.Is(err, context.Canceled) || errors.As(err, &u) {
		t.Errorf("got %v", err)
	}
	if _, err := new(Webhook).Render(context.Background(), person(nil)); err == nil {
		t.Error("a webhook renders that was not compiled")
	}
}

func TestCompileFindsEveryBadText(t *testing.T) {
	c := &Campaign{Variants: []Variant{
		{Webhook: Webhook{URL: "{{ a", Headers: []Header{{"Good", "x"}, {"Bad", "{% fro %}"}}, Body: "ok"}},
		{Webhook: Webhook{URL: "ok", Body: "\n{% if a %}"}},
	}}
	var got []string
	for _, e := range c.Compile() {
		got = append(got, fmt.Sprint(e.Variant, " ", e.Part, " ", e.Header, " ", e.Err.Kind, " ", e.Err.Pos.Line))
	}
	want := []string{"0 url  syntax 1", "0 headers Bad syntax 1", "1 body  syntax 2"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLiteralHost(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:8080/behavioral/k":         "127.0.0.1:8080",
		"https://API.example.com":                    "api.example.com",
		"https://api.example.com/{{${user_id}}}":     "api.example.com",
		"https://api.example.com?u={{${user_id}}}":   "api.example.com",
		"https://api.example.com{{${user_id}}}":      "",
		"https://{{${tenant}}}.example.com/":         "",
		"{{${url}}}":                                 "",
		"{% if true %}{% endif %}https://a.example/": "",
		"/path": "",
		"":      "",
	} {
		w := Webhook{URL: address}
		if host, ok := w.LiteralHost(); host != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", address, host, ok, want)
		}
	}
}

func TestReasonOf(t *testing.T) {
	for kind, want := range map[outbound.Kind]Reason{
		outbound.BadURL: MissingHostname, outbound.BadRequest: BadRequest, outbound.Denied: BlockedURL,
		outbound.DNS: DNSError, outbound.Connect: ConnectError, outbound.TLS: SSLError, outbound.Timeout: HTTPTimeout,
		outbound.Protocol: ProtocolError, outbound.TooLarge: ReplyTooLarge, outbound.Canceled: "",
	} {
		if got := ReasonOf(fmt.Errorf("send: %w", &outbound.Error{Kind: kind})); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if got := ReasonOf(nil); got != "" {
		t.Errorf("no error: %q", got)
	}
}

func TestWebhookIDComesFromTheDelivery(t *testing.T) {
	d := Delivery{ID: 1 << 22}
	if got := d.WebhookID(); got != "dlv_0000000040000" {
		t.Errorf("got %s", got)
	}
}

package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/fault"
	"platen/internal/outbound"
	"platen/internal/workspace"
)

func trialOf(w *world) Trial {
	e := w.events[viewed]
	c := w.campaigns["c"]
	return Trial{Campaign: c, Variant: &c.Variants[0], Profile: w.profiles[person], Event: &e}
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	w.define("c", campaign.Webhook{URL: "https://a.example/", Body: `{"d":"{{campaign.${dispatch_id}}}","n":"{{${first_name}}}"}`})
	tried, err := w.sender().Preview(t.Context(), trialOf(w))
	r := tried.Request
	if err != nil || string(r.Body) != `{"d":"dispatch_id_for_unsent_campaign","n":"Ada"}` || r.Header[0] != [2]string{"Content-Type", "application/json"} {
		t.Errorf("%+v, %v", r, err)
	}
	w.define("c", campaign.Webhook{URL: "https://a.example/", Body: `{% abort_message('no title') %}`})
	_, err = w.sender().Preview(t.Context(), trialOf(w))
	var shown *fault.Error
	if !errors.As(err, &shown) || shown.Reason != "liquid_abort_message" || shown.Message != "no title" {
		t.Errorf("got %v", err)
	}
}

func TestTestSend(t *testing.T) {
	w := newWorld(t)
	w.define("c", campaign.Webhook{URL: "https://a.example/", Credential: "shop", Body: "hello"})
	w.setState("c", campaign.Draft)
	w.receive = answers(404, "no such page")
	s := w.sender()
	tried, a, err := s.TestSend(t.Context(), trialOf(w))
	if err != nil || string(tried.Request.Body) != "hello" {
		t.Fatalf("%+v, %v", tried, err)
	}
	if a.Status != 404 || a.Message != "answered 404 Not Found" || string(a.Response) != "no such page" {
		t.Errorf("%+v", a)
	}
	if _, _, err := s.TestSend(t.Context(), trialOf(w)); err != nil {
		t.Fatal(err)
	}
	first, second := w.requests()[0].Header, w.requests()[1].Header
	if !strings.HasPrefix(first.Get("webhook-id"), "test_") || first.Get("webhook-id") == second.Get("webhook-id") {
		t.Errorf("the ids are %q and %q", first.Get("webhook-id"), second.Get("webhook-id"))
	}
	if first.Get("Authorization") == "" {
		t.Error("the credential is missing")
	}
	if len(w.rows)+len(w.attempts) != 0 {
		t.Error("a test was stored")
	}
}

func TestNothingPrivateIsKept(t *testing.T) {
	for _, from := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", ""} {
		w := newWorld(t)
		addr, _ := netip.ParseAddr(from)
		w.receive = func(context.Context, outbound.Request) (*outbound.Response, error) {
			return &outbound.Response{Status: 200, Body: []byte("private"), RemoteAddr: addr}, nil
		}
		_, a, err := w.sender().TestSend(t.Context(), trialOf(w))
		const said = "answered 200 OK (its body is not kept, as it did not come from a public address)"
		if err != nil || a.Status != 200 || a.Message != said || a.Response != nil || a.RemoteAddr != from {
			t.Errorf("%q: %+v, %v", from, a, err)
		}

		w.queue(1, "c")
		w.step(w.sender(), noon)
		if a := w.attempts[0]; a.Message != said || a.Response != nil || a.RemoteAddr != from {
			t.Errorf("%q is stored as %+v", from, a)
		}
	}
}

func TestTestSendKeepsTheCredentialAtItsHost(t *testing.T) {
	w := newWorld(t)
	w.define("c", campaign.Webhook{URL: "https://evil.example/", Credential: "shop"})
	_, _, err := w.sender().TestSend(t.Context(), trialOf(w))
	if fault.ReasonOf(err) != string(campaign.CredentialHost) || len(w.requests()) != 0 {
		t.Errorf("got %v after %d requests", err, len(w.requests()))
	}
}

// TestSecretsAreNeverStored has a receiver that echoes all it gets, in the
// spellings of several encoders, and looks for the secret in every row.
func TestSecretsAreNeverStored(t *testing.T) {
	const secret = `pa"ss/w&ö<r>d+1`
	echoes := []string{
		secret,
		`pa\"ss/w&ö<r>d+1`,                // JavaScript
		`pa\"ss/w\u0026ö\u003cr\u003ed+1`, // Go
		`pa\"ss/w&\u00f6<r>d+1`,           // Python
		`pa\"ss\/w&\u00f6<r>d+1`,          // PHP
		`pa\u0022ss/w\u0026\u00F6\u003Cr\u003Ed\u002B1`, // .NET
		`pa&#34;ss/w&amp;ö&lt;r&gt;d+1`,
		`pa&quot;ss/w&amp;ö&lt;r&gt;d+1`,
		`pa%22ss%2Fw%26%C3%B6%3Cr%3Ed%2B1`,
	}
	for _, c := range []*workspace.Credential{
		{Kind: workspace.Basic, Username: "u"},
		{Kind: workspace.Bearer},
		{Kind: workspace.Header, HeaderName: "X-Api-Key"},
	} {
		t.Run(string(c.Kind), func(t *testing.T) {
			c.Workspace, c.Name, c.Host, c.Secret = 1, "shop", "a.example", workspace.NewSecret(secret)
			w := newWorld(t)
			w.secrets["shop"] = c
			w.define("c", campaign.Webhook{URL: "https://a.example/", Credential: "shop", Body: "hello"})
			name, line := c.Line()
			w.receive = func(ctx context.Context, r outbound.Request) (*outbound.Response, error) {
				if r.Header.Get(name) != line {
					t.Errorf("the receiver was shown %q", r.Header.Get(name))
				}
				_, token, _ := strings.Cut(line, " ")
				if c.Kind == workspace.Header {
					token = secret
				}
				echo := strings.Join(echoes, "|") + "|" + token + "|"
				return answers(500, echo+strings.Repeat(secret, 1000))(ctx, r)
			}
			w.queue(1, "c")
			w.step(w.sender(), noon)

			response := string(w.attempts[0].Response)
			if want := strings.Repeat(c.Secret.String()+"|", len(echoes)+1); !strings.HasPrefix(response, want) {
				t.Errorf("got  %.300s\nwant %s", response, want)
			}
			if len(response) != campaign.MaxResponse {
				t.Errorf("%d bytes of the answer are kept", len(response))
			}
			rows, _ := json.Marshal([]any{w.attempts, w.delivery(1)})
			for _, echo := range append(echoes, line) {
				if strings.Contains(response+string(rows), echo) {
					t.Errorf("%q is stored in %s", echo, rows)
				}
			}
		})
	}
}

// TestOverHTTP sends through the real client to a real server that first has too
// much to do.
func TestOverHTTP(t *testing.T) {
	type seen struct{ method, path, id, authorization, agent, body string }
	var mu sync.Mutex
	var got []seen
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, seen{r.Method, r.URL.Path, r.Header.Get("webhook-id"), r.Header.Get("Authorization"), r.UserAgent(), string(body)})
		if len(got) == 1 {
			rw.Header().Set("Retry-After", "600")
			http.Error(rw, "later, please", http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")

	w := newWorld(t)
	w.secrets["shop"].Host = host
	w.define("c", campaign.Webhook{URL: server.URL + "/in", Credential: "shop", Body: `{"name":"{{${first_name}}}"}`})
	w.queue(1, "c")
	s := w.sender(func(o *Options) { o.Client = outbound.New(outbound.Options{}) })
	w.step(s, noon)
	w.setName("Eve")
	w.step(s, noon.Add(9*time.Minute)) // before the receiver's wish is over
	w.step(s, noon.Add(11*time.Minute))

	if d := w.delivery(1); d.State != campaign.Delivered || d.Attempts != 2 || d.Host != host {
		t.Errorf("%+v", d)
	}
	want := seen{"POST", "/in", "dlv_0000000000001", "Basic dTpwYSJzcy93w7ZyZCsx", "Platen/test", `{"name":"Ada"}`}
	if len(got) != 2 || got[0] != want || got[1] != want {
		t.Errorf("got %+v\nwant twice %+v", got, want)
	}
	if a := w.attempts[0]; a.RemoteAddr != "127.0.0.1" || a.Response != nil || !strings.HasPrefix(a.Message, "answered 429 Too Many Requests (its body is not kept") {
		t.Errorf("%+v", a)
	}
}

// TestEgressIsTheWorkspaces sends for a workspace that opened no range.
func TestEgressIsTheWorkspaces(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the server was reached")
	}))
	defer server.Close()
	w := newWorld(t)
	w.define("c", campaign.Webhook{URL: server.URL})
	w.campaigns["c"].Workspace = 2
	_, a, err := w.sender(func(o *Options) { o.Client = outbound.New(outbound.Options{}) }).TestSend(t.Context(), trialOf(w))
	if err != nil || a.Error != campaign.BlockedURL || !strings.Contains(a.Message, "egress: {allow: [127.0.0.0/8]}") {
		t.Errorf("%+v, %v", a, err)
	}
}

// Package demo plays the whole journey on the example documents, over real HTTP:
// what a customer does is forwarded, recognised, and drawn into a picture.
package demo

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"platen/examples"
	"platen/internal/manage"
	"platen/internal/server"
)

// The person of the example.
const (
	Email    = "test@braze.com"
	UserID   = "123456789"
	TimeZone = "America/New_York"
	Block    = "recently-viewed"
)

// exampleAddress stands in the example documents where the server's is meant.
const exampleAddress = "127.0.0.1:8080"

// Result is what the journey saw; it is the output of --format json.
type Result struct {
	OK       bool   `json:"ok"`
	URL      string `json:"url"`
	Accepted int    `json:"events_accepted"` // by /users/track
	Steps    []Step `json:"steps"`

	Deliveries    []manage.Delivery `json:"deliveries"`
	ProfileBefore *manage.Profile   `json:"content_profile_before"`
	ProfileAfter  *manage.Profile   `json:"content_profile_after"`
	Picture       *Picture          `json:"picture"`
	Link          *Link             `json:"link"`
	Error         string            `json:"error,omitempty"`
}

// Step is one request with its reply.
type Step struct {
	Title   string `json:"title"`
	Method  string `json:"method"`
	URL     string `json:"url"`
	Request string `json:"request,omitempty"`
	Status  int    `json:"status"`
	Reply   string `json:"reply,omitempty"` // of a picture: its type and size
	Seen    string `json:"seen,omitempty"`  // what follows from it, for people
}

// Picture is the picture that the person would see.
type Picture struct {
	URL     string          `json:"url"`
	File    string          `json:"file"`
	Width   int             `json:"width"`
	Height  int             `json:"height"`
	Bytes   int             `json:"bytes"`
	Explain json.RawMessage `json:"explain"`
}

// Link is where a click on the picture leads.
type Link struct {
	URL      string `json:"url"`
	Status   int    `json:"status"`
	Location string `json:"location"`
}

// Trigger gives one of the example's trigger events, byte for byte:
// "product_viewed", "category_viewed" or "identify".
func Trigger(name string) ([]byte, error) {
	return examples.MovableInk.ReadFile("movable-ink/triggers/" + name + ".trigger.json")
}

// Secrets are what the example documents refer to by {env: …}.
type Secrets struct {
	Token    string `json:"SHOP_TOKEN"`
	Password string `json:"SHOP_SECRET"`
}

func (s Secrets) env() map[string]string {
	return map[string]string{"SHOP_TOKEN": s.Token, "SHOP_SECRET": s.Password}
}

// KeepSecrets gives the secrets of a data directory: those of the environment,
// else the ones made for it before, else new ones.
func KeepSecrets(data string) (Secrets, error) {
	path := filepath.Join(data, "demo-secrets.json")
	var s Secrets
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s = Secrets{Token: "demo-" + rand.Text(), Password: rand.Text()}
		if text, err = json.MarshalIndent(s, "", "  "); err == nil {
			err = os.WriteFile(path, append(text, '\n'), 0o600)
		}
	case err == nil:
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("keep the demo's secrets: %w", err)
	}
	if v := os.Getenv("SHOP_TOKEN"); v != "" {
		s.Token = v
	}
	if v := os.Getenv("SHOP_SECRET"); v != "" {
		s.Password = v
	}
	return s, nil
}

// Apply applies the example documents to a server. Where they name the example's
// address they get the server's; replaced tells whether they had to.
func Apply(ctx context.Context, s *server.Server, secrets Secrets) (replaced bool, err error) {
	names, err := fs.Glob(examples.MovableInk, "movable-ink/*.yaml")
	if err != nil {
		return false, err
	}
	slices.Sort(names)
	var all strings.Builder
	for i, name := range names {
		text, err := examples.MovableInk.ReadFile(name)
		if err != nil {
			return false, err
		}
		if i > 0 {
			all.WriteString("\n---\n")
		}
		all.Write(text)
	}
	text := all.String()
	if s.Addr() != exampleAddress {
		replaced = strings.Contains(text, exampleAddress)
		text = strings.ReplaceAll(text, exampleAddress, s.Addr())
	}
	return replaced, s.ApplyText(ctx, "examples/movable-ink", text, secrets.env())
}

// Journey plays the steps against a running server.
type Journey struct {
	Server   *server.Server
	Secrets  Secrets
	Product  []byte      // the trigger event of the product view; nil for the example's
	Output   string      // where the picture is saved
	Run      string      // names this run: a repeated run is not taken for a repeated request
	Progress func(*Step) // called after each step; may be nil

	door   server.Door
	result Result
}

// step does one request, keeps it and tells it.
func (j *Journey) step(ctx context.Context, title, method, address string, header http.Header, body []byte) (*Step, *http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(string(body)))
	if err != nil {
		return nil, nil, nil, err
	}
	if header != nil {
		req.Header = header
	}
	noRedirect := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := noRedirect.Do(req)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", title, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", title, err)
	}
	s := &Step{Title: title, Method: method, URL: address, Request: string(body), Status: resp.StatusCode}
	if t := resp.Header.Get("Content-Type"); strings.HasPrefix(t, "image/") {
		s.Reply = fmt.Sprintf("%s, %d bytes", t, len(answer))
	} else {
		s.Reply = string(answer)
	}
	return s, resp, answer, nil
}

// tell ends a step: seen is what follows from it.
func (j *Journey) tell(s *Step, seen string, args ...any) {
	s.Seen = fmt.Sprintf(seen, args...)
	j.result.Steps = append(j.result.Steps, *s)
	if j.Progress != nil {
		j.Progress(s)
	}
}

// AnonymousID is how the campaigns name a person who has no user id yet: the md5
// of the e-mail address.
func AnonymousID() string {
	sum := md5.Sum([]byte(Email))
	return hex.EncodeToString(sum[:])
}

// Play runs all steps. The result tells how far it came also when there is an error.
func (j *Journey) Play(ctx context.Context, data string) (*Result, error) {
	j.result = Result{URL: j.Server.PublicURL()}
	var err error
	if j.door, err = server.FindDoor(data); err == nil {
		err = j.play(ctx)
	}
	if err != nil {
		j.result.Error = err.Error()
	}
	j.result.OK = err == nil
	return &j.result, err
}

func (j *Journey) play(ctx context.Context) error {
	product := j.Product
	if product == nil {
		var err error
		if product, err = Trigger("product_viewed"); err != nil {
			return err
		}
	}
	category, err := Trigger("category_viewed")
	if err != nil {
		return err
	}
	account, err := Trigger("identify")
	if err != nil {
		return err
	}
	attributes, err := json.Marshal(map[string]any{"attributes": []any{map[string]string{"email": Email, "time_zone": TimeZone}}})
	if err != nil {
		return err
	}
	naming, err := json.Marshal(map[string]any{"emails_to_identify": []any{map[string]any{
		"external_id": UserID, "email": Email, "prioritization": []string{"unidentified", "most_recently_updated"}}}})
	if err != nil {
		return err
	}
	for _, do := range []func() error{
		func() error { return j.set(ctx, attributes) },
		func() error { return j.forward(ctx, "Somebody known by e-mail only looks at a product", product) },
		func() error { return j.before(ctx) },
		func() error { return j.name(ctx, naming) },
		func() error {
			return j.forward(ctx, "The same person, now with a user id, looks at a category", category)
		},
		func() error { return j.forward(ctx, "Opening the account joins both histories", account) },
		func() error { return j.after(ctx) },
		func() error { return j.open(ctx) },
		func() error { return j.click(ctx) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// patience is how long a step waits for what happens in the background.
const patience = 10 * time.Second

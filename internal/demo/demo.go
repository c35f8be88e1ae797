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
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"platen/examples"
	"platen/internal/fault"
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
	Status  int    `json:"status"`          // 0: no answer
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
	case err == nil && (json.Unmarshal(text, &s) != nil || s.Token == "" || s.Password == ""):
		return s, fault.New(fault.Invalid, "secret_file", "the file %s is damaged; remove it, and new secrets are made", path)
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
	result *Result
	asked  *Step // the request of the step under way, until it is told
}

// Failed is the result of a journey that could not begin.
func Failed(err error) *Result {
	return &Result{Steps: []Step{}, Deliveries: []manage.Delivery{}, Error: err.Error()}
}

// Play runs all steps. The result tells how far it came also when there is an
// error, which names the step that failed.
func (j *Journey) Play(ctx context.Context, data string) (*Result, error) {
	j.result = &Result{URL: j.Server.PublicURL(), Steps: []Step{}, Deliveries: []manage.Delivery{}}
	var err error
	if j.door, err = server.FindDoor(data); err == nil {
		err = j.play(ctx)
	}
	if err != nil {
		j.result.Error = err.Error()
	}
	j.result.OK = err == nil
	return j.result, err
}

// stage is one step of the story.
type stage struct {
	title string
	do    func(ctx context.Context, title string) error
}

func (j *Journey) play(ctx context.Context) error {
	stages, err := j.stages(ctx)
	if err != nil {
		return err
	}
	for i, s := range stages {
		j.asked = nil
		if err := s.do(ctx, s.title); err != nil {
			if j.asked != nil {
				j.tell(j.asked, "this step failed: %v", err)
			}
			return fmt.Errorf("step %d (%s): %w", i+1, s.title, err)
		}
	}
	return nil
}

// stages are the story, in the words that fit a first or a further run on the
// same data.
func (j *Journey) stages(ctx context.Context) ([]stage, error) {
	product, err := j.product()
	if err != nil {
		return nil, err
	}
	category, err := Trigger("category_viewed")
	if err != nil {
		return nil, err
	}
	account, err := Trigger("identify")
	if err != nil {
		return nil, err
	}
	again, err := j.playedBefore(ctx)
	if err != nil {
		return nil, err
	}
	looks, names := "Somebody known by e-mail only looks at a product", "The shop learns who that is and says so"
	if again {
		looks, names = "The customer of the run before looks at the product again", "The shop says once more who that is"
	}
	return []stage{
		{"The shop knows an e-mail address and a time zone, nothing more", j.set},
		{looks, j.forward(product)},
		{"What the workspace content knows now", j.before},
		{names, j.name},
		{"The same person, with a user id, looks at a category", j.forward(category)},
		{"Opening the account joins both histories", j.forward(account)},
		{"One person, with the anonymous and the known history", j.after},
		{"They open the mail: the picture is drawn for them", j.open},
		{"They click on it", j.click},
	}, nil
}

func (j *Journey) product() ([]byte, error) {
	if j.Product != nil {
		return j.Product, nil
	}
	return Trigger("product_viewed")
}

// AnonymousID is how the campaigns name a person who has no user id yet: the md5
// of the e-mail address.
func AnonymousID() string {
	sum := md5.Sum([]byte(Email))
	return hex.EncodeToString(sum[:])
}

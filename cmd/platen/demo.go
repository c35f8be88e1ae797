package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"platen/internal/demo"
	"platen/internal/server"
)

type demoCommand struct {
	keyFlag
	Data   string `help:"Directory of the demo's store; a second run goes on with it." default:"platen-demo" env:"PLATEN_DEMO_DATA" type:"path" placeholder:"DIR"`
	Listen string `help:"Address to listen on." default:"127.0.0.1:8080" placeholder:"ADDR"`
	Once   bool   `help:"Exit after the journey; non-zero if a step failed."`
	Output string `help:"Where the picture is saved (default: in --data)." short:"o" type:"path" placeholder:"FILE"`
	Format string `help:"text or json." enum:"text,json" default:"text"`
}

func (c *demoCommand) Run(ctx context.Context, s streams) (err error) {
	if err := c.checkOutput(); err != nil {
		return err
	}
	srv, err := server.Open(ctx, server.Config{
		Data: c.Data, SecretKey: c.SecretKey, Listen: c.Listen,
		Log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := srv.Listen(); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(running) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-served)
	}()
	result, secrets, err := c.play(ctx, srv, s)
	if c.Format == "json" {
		if err := errors.Join(err, printJSON(s.out, result)); err != nil || c.Once {
			return err
		}
	} else {
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\nAll %d steps went as they should.\n", len(result.Steps))
		if c.Once {
			return nil
		}
		tellNext(s.out, c.Data, result, secrets)
	}
	return untilStopped(ctx, served)
}

// untilStopped waits for Ctrl-C, or for the server to fail.
func untilStopped(ctx context.Context, served chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		served <- nil // whoever stops the server waits for its end, too
		return err
	}
}

// checkOutput makes sure that the picture can be saved before anything else happens.
// It leaves no file where there was none: the demo may fail before the picture.
func (c *demoCommand) checkOutput() error {
	if c.Output == "" {
		c.Output = filepath.Join(c.Data, demo.Block+".png")
		return nil
	}
	f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	made := err == nil
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(c.Output, os.O_CREATE|os.O_WRONLY, 0o644)
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil && made {
		err = os.Remove(c.Output)
	}
	if err != nil {
		return unwritable(c.Output, err)
	}
	return nil
}

// play applies the examples and plays the journey.
func (c *demoCommand) play(ctx context.Context, srv *server.Server, s streams) (*demo.Result, demo.Secrets, error) {
	secrets, err := demo.KeepSecrets(c.Data)
	if err != nil {
		return demo.Failed(err), secrets, err
	}
	replaced, err := demo.Apply(ctx, srv, secrets)
	if err != nil {
		return demo.Failed(err), secrets, err
	}
	j := &demo.Journey{Server: srv, Secrets: secrets, Output: c.Output, Run: rand.Text()}
	if c.Format == "text" {
		t := teller{w: s.out, color: isTerminal(s.out)}
		t.intro(srv.PublicURL(), replaced)
		j.Progress = t.step
	}
	result, err := j.Play(ctx, c.Data)
	return result, secrets, err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""
}

// teller prints the journey for a person.
type teller struct {
	w     io.Writer
	color bool
	n     int
}

func (t *teller) paint(code, text string) string {
	if !t.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (t *teller) intro(url string, replaced bool) {
	fmt.Fprintf(t.w, "\n%s\n", t.paint("1", "Platen plays the journey of one customer, over real HTTP"))
	fmt.Fprintf(t.w, "Two workspaces run here, as two systems would: engage runs campaigns, content draws pictures.\n")
	fmt.Fprintf(t.w, "The documents are examples/movable-ink/*.yaml; the server listens on %s.\n", url)
	if replaced {
		fmt.Fprintln(t.w, "(The documents name 127.0.0.1:8080; that was replaced by this address.)")
	}
}

func (t *teller) step(s *demo.Step) {
	t.n++
	fmt.Fprintf(t.w, "\n%s %s\n", t.paint("1;36", fmt.Sprintf("%d.", t.n)), t.paint("1", s.Title))
	address := s.URL
	if u, err := url.Parse(s.URL); err == nil {
		address = u.RequestURI()
	}
	fmt.Fprintf(t.w, "   %s %s\n", t.paint("33", s.Method), address)
	if s.Request != "" {
		t.indent(compact(s.Request))
	}
	if s.Status == 0 {
		fmt.Fprintf(t.w, "   %s\n", t.paint("31", "→ no answer"))
	} else {
		line := t.paint("32", fmt.Sprintf("→ %d", s.Status)) + " " + compact(s.Reply)
		fmt.Fprintf(t.w, "   %s\n", strings.TrimRight(line, " "))
	}
	if s.Seen != "" {
		t.indent(s.Seen)
	}
}

func (t *teller) indent(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(t.w, "     %s\n", strings.TrimRight(line, "\n"))
		}
	}
}

// compact is a JSON text on one line, and any other text as it is.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

// tellNext says what a person can try while the server keeps running.
func tellNext(w io.Writer, data string, r *demo.Result, secrets demo.Secrets) {
	token := secrets.Token
	if token == os.Getenv("SHOP_TOKEN") {
		token = "$SHOP_TOKEN" // theirs, and not ours to show
	}
	fmt.Fprintf(w, `
The server keeps running until you press Ctrl-C. Try next:

  Look at the picture:

    %[1]s

  Send another product, then load the picture again:

    curl %[2]s/users/track -H "Authorization: Bearer %[3]s" -H 'Content-Type: application/json' \
      -d '{"events":[{"external_id":"%[4]s","name":"Product Viewed","time":"%[5]s",
           "properties":{"id":"7","title":"Your own product","price":12.5,"url":"https://www.example.com/7"}}]}'

  Ask why it is this picture, in a second terminal:

    %[6]s render %[7]s --as %[4]s --explain --data %[8]s

  See what a webhook body would really send, and its repair:

    echo '{"id": "{{ event_properties.${id} }}",}' | %[6]s campaign lint -
`, r.Picture.URL, r.URL, token, demo.UserID, time.Now().UTC().Format(time.RFC3339), self(), demo.Block, data)
}

// self is how this program was started, to be typed again.
func self() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/platen"
	}
	return os.Args[0]
}

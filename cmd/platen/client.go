package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/manage"
	"platen/internal/server"
)

// target says which server a command speaks to.
type target struct {
	dataFlags
	Server string `help:"Address of a running server (default: the one on --data; when none runs there, the command opens the data itself)." placeholder:"URL"`
	Token  string `help:"Token of the management API, for --server." placeholder:"TOKEN"`
}

// client speaks the management API.
type client struct {
	base, token string
	// silence is what it means that nothing answers at base.
	silence string
	stop    func() error
}

// AfterApply lets --data on the command line win over PLATEN_SERVER in the
// environment.
func (t *target) AfterApply(line *kong.Context) error {
	given := map[string]bool{} // on the command line, which the path is made of
	for _, p := range line.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = true
		}
	}
	if given["data"] && !given["server"] {
		t.Server = ""
	}
	return nil
}

// answersWithin is the longest that a command waits for one answer. The longest
// that the server takes is a test send; this leaves it the time to tell.
const answersWithin = manage.TestWithin + 10*time.Second

// open finds the server of the target, or runs one on its data for as long as
// the command takes.
func (t *target) open(ctx context.Context) (*client, error) {
	if t.Server == "" && !server.HasData(t.Data) {
		return nil, fault.New(fault.NotFound, "no_data",
			"the directory %s holds no data of Platen; name another with --data, or a running server with --server", t.Data)
	}
	return t.openOrMake(ctx)
}

// openOrMake is open for a command that may be the first on its data directory.
func (t *target) openOrMake(ctx context.Context) (*client, error) {
	if t.Server != "" {
		return t.remote()
	}
	srv, err := server.Open(ctx, server.Config{Data: t.Data, SecretKey: t.SecretKey, Listen: "127.0.0.1:0", WithoutWorkers: true})
	if fault.ReasonOf(err) == "data_directory_in_use" {
		return t.neighbour()
	}
	if err != nil {
		return nil, err
	}
	if err := srv.Listen(); err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	running, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(running) }()
	c, err := t.neighbour()
	stop := func() error {
		cancel()
		return errors.Join(<-served, srv.Close())
	}
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	c.stop = stop
	return c, nil
}

// remote is the server that --server names.
func (t *target) remote() (*client, error) {
	u, err := url.Parse(t.Server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fault.New(fault.Invalid, "server", "--server %q is no address such as https://platen.example.com", t.Server)
	}
	if t.Token == "" {
		return nil, fault.New(fault.Invalid, "no_token", "--server needs --token (or PLATEN_TOKEN): a key with the permission manage")
	}
	return &client{
		base: u.Scheme + "://" + u.Host, token: t.Token, stop: func() error { return nil },
		silence: "no server answers at " + t.Server,
	}, nil
}

// neighbour is the server that runs on the data directory.
func (t *target) neighbour() (*client, error) {
	silence := fmt.Sprintf("the data directory %s belongs to another platen process, which does not answer; try again in a moment", t.Data)
	door, err := server.FindDoor(t.Data)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "server_unreachable", "%s", silence).Because(err)
	}
	return &client{base: door.URL, token: door.Token, stop: func() error { return nil }, silence: silence}, nil
}

// call sends a request with a JSON body, nil for none, and gives the answer. An
// answer that is no success becomes the error it tells of.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body any) (manage.Answer, error) {
	var payload io.Reader
	if body != nil {
		b, err := encodeBody(body)
		if err != nil {
			return manage.Answer{}, err
		}
		payload = bytes.NewReader(b)
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, payload)
	if err != nil {
		return manage.Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req)
}

// encodeBody writes a request. One that the server would refuse for its size is not
// sent: the server would hang up before it is all there, and nobody hear why.
func encodeBody(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // which would make six bytes of each < of a catalog
	if err := e.Encode(body); err != nil {
		return nil, err
	}
	if b.Len() > manage.MaxBody {
		return nil, fault.New(fault.TooLarge, "too_large", "what is to be sent has %d bytes, and a server takes %d; apply fewer files at a time", b.Len(), manage.MaxBody)
	}
	return b.Bytes(), nil
}

func (c *client) do(req *http.Request) (manage.Answer, error) {
	got, err := manage.Ask(req, answersWithin)
	if err != nil {
		return got, c.silent(req.Context(), err)
	}
	if got.Status >= 300 {
		return got, refusalOf(got)
	}
	return got, nil
}

// silent is the error of a request without an answer.
func (c *client) silent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.Unavailable, "server_unreachable", "%s", c.silence).Because(err)
}

// refusalOf reads the error that the management API answered with.
func refusalOf(got manage.Answer) error {
	var r manage.Refusal
	if json.Unmarshal(got.Body, &r) != nil || r.Message == "" {
		return fault.New(fault.Internal, "bad_answer", "what answers there is no Platen server (status %d)", got.Status)
	}
	if len(r.Problems) > 0 {
		return document.Problems(r.Problems)
	}
	if got.Status >= 500 {
		r.Message += " under the request id " + cmp.Or(r.RequestID, "?")
	}
	return fault.New(fault.Invalid, r.Reason, "%s", r.Message).In(r.Pointer).At(r.Line, r.Column)
}

// into calls and reads a JSON answer.
func (c *client) into(ctx context.Context, method, path string, query url.Values, body, into any) error {
	a, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(a.Body, into)
}

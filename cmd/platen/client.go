package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/server"
)

// target says which server a command speaks to.
type target struct {
	dataFlag
	Server string `help:"Address of a running server (default: the one on --data; when none runs there, the command opens the data itself)." placeholder:"URL"`
	Token  string `help:"Token of the management API, for --server." placeholder:"TOKEN"`
}

// client speaks the management API.
type client struct {
	base, token string
	stop        func() error
}

// open finds the server of the target, or runs one on the data for as long as the
// command takes.
func (t *target) open(ctx context.Context) (*client, error) {
	if t.Server != "" {
		if t.Token == "" {
			return nil, fault.New(fault.Invalid, "no_token", "--server needs --token (or PLATEN_TOKEN): a key with the permission manage")
		}
		return &client{base: strings.TrimRight(t.Server, "/"), token: t.Token, stop: func() error { return nil }}, nil
	}
	srv, err := server.Open(ctx, server.Config{Data: t.Data, Listen: "127.0.0.1:0", WithoutWorkers: true})
	if fault.ReasonOf(err) == "data_directory_in_use" {
		door, doorErr := server.FindDoor(t.Data)
		if doorErr != nil {
			return nil, err
		}
		return &client{base: door.URL, token: door.Token, stop: func() error { return nil }}, nil
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
	door, err := server.FindDoor(t.Data)
	c := &client{base: door.URL, token: door.Token, stop: func() error {
		cancel()
		return errors.Join(<-served, srv.Close())
	}}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// call sends a request with a JSON body, nil for none, and gives the answer. An
// answer that is no success becomes the error it tells of.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "server_unreachable", "no server answers at %s", c.base).Because(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return nil, refusalOf(resp.StatusCode, answer)
	}
	return answer, nil
}

// refusalOf reads the error that the management API answered with.
func refusalOf(status int, answer []byte) error {
	var r struct {
		Message  string             `json:"message"`
		Reason   string             `json:"reason"`
		Problems []document.Problem `json:"problems"`
	}
	if json.Unmarshal(answer, &r) != nil || r.Message == "" {
		return fault.New(fault.Internal, "bad_answer", "the server answered %d", status)
	}
	if len(r.Problems) > 0 {
		return document.Problems(r.Problems)
	}
	return fault.New(fault.Invalid, r.Reason, "%s", r.Message)
}

// into calls and reads a JSON answer.
func (c *client) into(ctx context.Context, method, path string, query url.Values, body, answer any) error {
	b, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, answer)
}

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"platen/internal/manage"
)

// answersWithin is how long one request may take, and patience how long a step
// waits for what happens in the background.
const (
	answersWithin = 30 * time.Second
	patience      = 10 * time.Second
)

// answer is what a request was answered with.
type answer struct {
	header http.Header
	body   []byte
}

// ask does one request, and keeps it as the one of the step under way unless its
// title is empty.
func (j *Journey) ask(ctx context.Context, title, method, address string, header http.Header, body []byte) (*Step, answer, error) {
	s := &Step{Title: title, Method: method, URL: address, Request: string(body)}
	if title != "" {
		j.asked = s
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(string(body)))
	if err != nil {
		return s, answer{}, err
	}
	if header != nil {
		req.Header = header
	}
	client := http.Client{
		Timeout:       answersWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return s, answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return s, answer{}, fmt.Errorf("read the answer: %w", err)
	}
	s.Status, s.Reply = resp.StatusCode, string(text)
	if t := resp.Header.Get("Content-Type"); strings.HasPrefix(t, "image/") {
		s.Reply = fmt.Sprintf("%s, %d bytes", t, len(text))
	}
	return s, answer{resp.Header, text}, nil
}

// tell ends a step: seen is what follows from it.
func (j *Journey) tell(s *Step, seen string, args ...any) {
	j.asked = nil
	s.Seen = fmt.Sprintf(seen, args...)
	j.result.Steps = append(j.result.Steps, *s)
	if j.Progress != nil {
		j.Progress(s)
	}
}

// post sends a request to the engage API. The key makes a repeated request of the
// same run harmless.
func (j *Journey) post(ctx context.Context, title, path string, body []byte) (*Step, []byte, error) {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+j.Secrets.Token)
	header.Set("Content-Type", "application/json")
	header.Set("Idempotency-Key", fmt.Sprintf("demo-%s-%d", j.Run, len(j.result.Steps)))
	s, got, err := j.ask(ctx, title, http.MethodPost, j.result.URL+path, header, body)
	if err == nil && s.Status != http.StatusCreated {
		err = fmt.Errorf("%s answered %d instead of 201", path, s.Status)
	}
	return s, got.body, err
}

// read asks the management API.
func (j *Journey) read(ctx context.Context, title, path string, into any) (*Step, error) {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+j.door.Token)
	s, got, err := j.ask(ctx, title, http.MethodGet, j.result.URL+path, header, nil)
	if err != nil {
		return s, err
	}
	if s.Status != http.StatusOK {
		return s, fmt.Errorf("%s answered %d: %s", path, s.Status, got.body)
	}
	return s, json.Unmarshal(got.body, into)
}

// playedBefore says whether an earlier run on the same data has given the person
// their user id.
func (j *Journey) playedBefore(ctx context.Context) (bool, error) {
	var p manage.Profile
	s, err := j.read(ctx, "", "/api/v1/workspaces/engage/profiles/"+UserID, &p)
	if s.Status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

func (j *Journey) deliveries(ctx context.Context) ([]manage.Delivery, error) {
	var list struct {
		Deliveries []manage.Delivery `json:"deliveries"`
	}
	_, err := j.read(ctx, "", "/api/v1/workspaces/engage/deliveries?limit=100", &list)
	return list.Deliveries, err
}

// delivered waits for a delivery that was not known before to be finished.
func (j *Journey) delivered(ctx context.Context, known []manage.Delivery) (*manage.Delivery, error) {
	before := make(map[string]bool, len(known))
	for _, d := range known {
		before[d.ID] = true
	}
	deadline := time.After(patience)
	for waiting := "no webhook was planned"; ; {
		list, err := j.deliveries(ctx)
		if err != nil {
			return nil, err
		}
		for i := range list {
			d := &list[i]
			switch {
			case before[d.ID]:
			case d.State == "delivered":
				return d, nil
			case d.State != "queued":
				return nil, fmt.Errorf("the webhook is %s: %s %s", d.State, d.Reason, d.Detail)
			case len(d.Attempts) > 0:
				waiting = "the webhook was not accepted: " + d.Attempts[len(d.Attempts)-1].Message
			default:
				waiting = "the webhook was not sent"
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, errors.New(waiting + fmt.Sprintf(" within %s", patience))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

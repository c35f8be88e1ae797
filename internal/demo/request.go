package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// ask does one request, and keeps it as the one of the step under way unless its
// title is empty.
func (j *Journey) ask(ctx context.Context, title, method, address string, header http.Header, body []byte) (*Step, manage.Answer, error) {
	s := &Step{Title: title, Method: method, URL: address, Request: string(body)}
	if title != "" {
		j.asked = s
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(string(body)))
	if err != nil {
		return s, manage.Answer{}, err
	}
	if header != nil {
		req.Header = header
	}
	got, err := manage.Ask(req, answersWithin)
	if err != nil {
		return s, got, err
	}
	s.Status, s.Reply = got.Status, string(got.Body)
	if t := got.Header.Get("Content-Type"); strings.HasPrefix(t, "image/") {
		s.Reply = fmt.Sprintf("%s, %d bytes", t, len(got.Body))
	}
	return s, got, nil
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
	return s, got.Body, err
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
		return s, fmt.Errorf("%s answered %d: %s", path, s.Status, got.Body)
	}
	return s, json.Unmarshal(got.Body, into)
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

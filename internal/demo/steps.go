package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"platen/internal/manage"
)

// post sends a request to the engage API. The key makes a repeated request of the
// same run harmless.
func (j *Journey) post(ctx context.Context, title, path string, body []byte) (*Step, []byte, error) {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+j.Secrets.Token)
	header.Set("Content-Type", "application/json")
	header.Set("Idempotency-Key", fmt.Sprintf("demo-%s-%d", j.Run, len(j.result.Steps)))
	s, _, answer, err := j.step(ctx, title, http.MethodPost, j.result.URL+path, header, body)
	if err == nil && s.Status != http.StatusCreated {
		j.tell(s, "this should have been 201")
		err = fmt.Errorf("%s: %s answered %d", title, path, s.Status)
	}
	return s, answer, err
}

func (j *Journey) set(ctx context.Context, body []byte) error {
	s, _, err := j.post(ctx, "The shop knows an e-mail address and a time zone, nothing more", "/users/track", body)
	if err != nil {
		return err
	}
	j.tell(s, "there is a profile in the workspace engage that has an e-mail address and no user id")
	return nil
}

func (j *Journey) name(ctx context.Context, body []byte) error {
	s, _, err := j.post(ctx, "The shop learns who that is and says so", "/users/identify", body)
	if err != nil {
		return err
	}
	j.tell(s, "the profile with this e-mail address is now user %s", UserID)
	return nil
}

// forward sends an event and waits for the webhook that it triggers.
func (j *Journey) forward(ctx context.Context, title string, body []byte) error {
	known, err := j.deliveries(ctx)
	if err != nil {
		return err
	}
	s, answer, err := j.post(ctx, title, "/users/track", body)
	if err != nil {
		return err
	}
	var counted struct {
		Events int `json:"events_processed"`
	}
	if err := json.Unmarshal(answer, &counted); err != nil {
		return fmt.Errorf("%s: read the answer: %w", title, err)
	}
	j.result.Accepted += counted.Events
	d, err := j.delivered(ctx, len(known), known)
	if err != nil {
		j.tell(s, "no webhook arrived")
		return fmt.Errorf("%s: %w", title, err)
	}
	j.result.Deliveries = append(j.result.Deliveries, *d)
	last := d.Attempts[len(d.Attempts)-1]
	j.tell(s, "the campaign %q sent this to the workspace content, which answered %d:\n%s", d.Name, last.Status, d.Request.Body)
	return nil
}

// delivered waits for a delivery that was not known before to be finished.
func (j *Journey) delivered(ctx context.Context, n int, known []manage.Delivery) (*manage.Delivery, error) {
	before := make(map[string]bool, n)
	for _, d := range known {
		before[d.ID] = true
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		list, err := j.deliveries(ctx)
		if err != nil {
			return nil, err
		}
		for i := range list {
			d := &list[i]
			if before[d.ID] || d.State == "queued" {
				continue
			}
			if d.State != "delivered" {
				return d, fmt.Errorf("the delivery %s is %s: %s %s", d.ID, d.State, d.Reason, d.Detail)
			}
			return d, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("no delivery was finished in time")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (j *Journey) deliveries(ctx context.Context) ([]manage.Delivery, error) {
	var list struct {
		Deliveries []manage.Delivery `json:"deliveries"`
	}
	_, err := j.read(ctx, "", "/api/v1/workspaces/engage/deliveries?limit=100", &list)
	return list.Deliveries, err
}

// read asks the management API.
func (j *Journey) read(ctx context.Context, title, path string, into any) (*Step, error) {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+j.door.Token)
	s, _, answer, err := j.step(ctx, title, http.MethodGet, j.result.URL+path, header, nil)
	if err != nil {
		return nil, err
	}
	if s.Status != http.StatusOK {
		return s, fmt.Errorf("%s answered %d: %s", path, s.Status, answer)
	}
	return s, json.Unmarshal(answer, into)
}

func (j *Journey) before(ctx context.Context) error {
	j.result.ProfileBefore = &manage.Profile{}
	s, err := j.read(ctx, "What the workspace content knows now", "/api/v1/workspaces/content/profiles?anonymous_id="+AnonymousID(), j.result.ProfileBefore)
	if err != nil {
		return err
	}
	p := j.result.ProfileBefore
	s.Reply = ""
	j.tell(s, "%s\n%s", names(p), timeline(p))
	return nil
}

func (j *Journey) after(ctx context.Context) error {
	j.result.ProfileAfter = &manage.Profile{}
	s, err := j.read(ctx, "One person, with the anonymous and the known history", "/api/v1/workspaces/content/profiles/"+UserID, j.result.ProfileAfter)
	if err != nil {
		return err
	}
	p := j.result.ProfileAfter
	s.Reply = ""
	j.tell(s, "%s\n%s", names(p), timeline(p))
	if !holds(p, "user_id", UserID) || !holds(p, "anonymous_id", AnonymousID()) {
		return errors.New("the profile does not hold both the user id and the anonymous id")
	}
	return nil
}

func holds(p *manage.Profile, kind, value string) bool {
	for _, i := range p.Identifiers {
		if i.Kind == kind && i.Value == value {
			return true
		}
	}
	return false
}

func names(p *manage.Profile) string {
	parts := make([]string, len(p.Identifiers))
	for i, id := range p.Identifiers {
		parts[i] = id.Kind + " " + id.Value
	}
	return "known as " + strings.Join(parts, " and ")
}

func timeline(p *manage.Profile) string {
	var b strings.Builder
	for i := len(p.Timeline) - 1; i >= 0; i-- {
		e := p.Timeline[i]
		by := "user_id"
		if e.UserID == "" {
			by = "anonymous_id"
		}
		var shown struct {
			Title string `json:"title"`
		}
		_ = json.Unmarshal(e.Properties, &shown) // an event without a title shows none
		fmt.Fprintf(&b, "  %s  %-16s by %-12s %s\n", e.Time.Format("2006-01-02 15:04:05"), e.Name, by, shown.Title)
	}
	return strings.TrimRight(b.String(), "\n")
}

// open asks for the picture as a mail client would, and then why it is what it is.
func (j *Journey) open(ctx context.Context) error {
	address := j.result.URL + "/p/rp/" + Block + ".png?mi_u=" + url.QueryEscape(UserID)
	s, _, picture, err := j.step(ctx, "They open the mail: the picture is drawn for them", http.MethodGet, address, nil, nil)
	if err != nil {
		return err
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return fmt.Errorf("the picture is no PNG (status %d): %w", s.Status, err)
	}
	if s.Status != http.StatusOK {
		return fmt.Errorf("the picture was answered with %d", s.Status)
	}
	if err := os.WriteFile(j.Output, picture, 0o644); err != nil {
		return fmt.Errorf("save the picture: %w", err)
	}
	j.result.Picture = &Picture{URL: address, File: j.Output, Width: config.Width, Height: config.Height, Bytes: len(picture)}
	path := "/api/v1/workspaces/content/blocks/" + Block + "/picture?explain=1&as=" + url.QueryEscape(UserID)
	if _, err := j.read(ctx, "", path, &j.result.Picture.Explain); err != nil {
		return err
	}
	j.tell(s, "%d×%d pixels, saved as %s; the texts drawn: %s", config.Width, config.Height, j.Output, strings.Join(texts(j.result.Picture.Explain), " · "))
	return nil
}

// texts are the drawn texts of an explain output.
func texts(explain json.RawMessage) []string {
	var e struct {
		Report struct {
			Texts []struct {
				Text string `json:"text"`
			} `json:"texts"`
		} `json:"drawn"`
	}
	_ = json.Unmarshal(explain, &e) // shown to people only; the whole is in the result
	var list []string
	for _, t := range e.Report.Texts {
		list = append(list, t.Text)
	}
	return list
}

func (j *Journey) click(ctx context.Context) error {
	address := j.result.URL + "/p/rp/" + Block + "/url?mi_u=" + url.QueryEscape(UserID)
	s, resp, _, err := j.step(ctx, "They click on it", http.MethodGet, address, nil, nil)
	if err != nil {
		return err
	}
	j.result.Link = &Link{URL: address, Status: resp.StatusCode, Location: resp.Header.Get("Location")}
	s.Reply = ""
	j.tell(s, "%s", "to the product that the picture showed: "+j.result.Link.Location)
	if resp.StatusCode != http.StatusFound {
		return fmt.Errorf("the link answered %d instead of 302", resp.StatusCode)
	}
	return nil
}

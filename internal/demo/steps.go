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

func (j *Journey) set(ctx context.Context, title string) error {
	const attributes = `{"attributes":[{"email":"` + Email + `","time_zone":"` + TimeZone + `"}]}`
	s, _, err := j.post(ctx, title, "/users/track", []byte(attributes))
	if err != nil {
		return err
	}
	var p manage.Profile
	if _, err := j.read(ctx, "", "/api/v1/workspaces/engage/profiles?email="+url.QueryEscape(Email), &p); err != nil {
		return err
	}
	if p.UserID == "" {
		j.tell(s, "there is a profile in the workspace engage that has an e-mail address and no user id")
	} else {
		j.tell(s, "the profile with this e-mail address has the user id %s from the run before", p.UserID)
	}
	return nil
}

func (j *Journey) name(ctx context.Context, title string) error {
	const naming = `{"emails_to_identify":[{"email":"` + Email + `","external_id":"` + UserID +
		`","prioritization":["unidentified","most_recently_updated"]}]}`
	s, _, err := j.post(ctx, title, "/users/identify", []byte(naming))
	if err != nil {
		return err
	}
	j.tell(s, "the profile with this e-mail address is now user %s", UserID)
	return nil
}

// forward makes the step that sends an event and waits for the webhook which that
// triggers.
func (j *Journey) forward(body []byte) func(context.Context, string) error {
	return func(ctx context.Context, title string) error {
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
			return fmt.Errorf("read the answer: %w", err)
		}
		j.result.Accepted += counted.Events
		d, err := j.delivered(ctx, known)
		if err != nil {
			return err
		}
		j.result.Deliveries = append(j.result.Deliveries, *d)
		last := d.Attempts[len(d.Attempts)-1]
		j.tell(s, "the campaign %q sent this to the workspace content, which answered %d:\n%s", d.CampaignName, last.Status, d.Request.Body)
		return nil
	}
}

func (j *Journey) before(ctx context.Context, title string) error {
	j.result.ProfileBefore = &manage.Profile{}
	s, err := j.read(ctx, title, "/api/v1/workspaces/content/profiles?anonymous_id="+AnonymousID(), j.result.ProfileBefore)
	if err != nil {
		return err
	}
	s.Reply = ""
	j.tell(s, "%s\n%s", names(j.result.ProfileBefore), timeline(j.result.ProfileBefore))
	return nil
}

func (j *Journey) after(ctx context.Context, title string) error {
	j.result.ProfileAfter = &manage.Profile{}
	s, err := j.read(ctx, title, "/api/v1/workspaces/content/profiles/"+UserID, j.result.ProfileAfter)
	if err != nil {
		return err
	}
	p := j.result.ProfileAfter
	if !holds(p, "user_id", UserID) || !holds(p, "anonymous_id", AnonymousID()) {
		return errors.New("the profile does not hold both the user id and the anonymous id")
	}
	s.Reply = ""
	j.tell(s, "%s\n%s", names(p), timeline(p))
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
		line := fmt.Sprintf("  %s  %-16s by %-12s %s", e.Time.Format(time.DateTime), e.Name, by, shown.Title)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// open asks for the picture as a mail client would, and then why it is what it is.
func (j *Journey) open(ctx context.Context, title string) error {
	address := j.result.URL + "/p/rp/" + Block + ".png?mi_u=" + url.QueryEscape(UserID)
	s, picture, err := j.ask(ctx, title, http.MethodGet, address, nil, nil)
	if err != nil {
		return err
	}
	if s.Status != http.StatusOK {
		return fmt.Errorf("the picture was answered with %d", s.Status)
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture.Body))
	if err != nil {
		return fmt.Errorf("the picture is no PNG: %w", err)
	}
	if err := os.WriteFile(j.Output, picture.Body, 0o644); err != nil {
		return fmt.Errorf("save the picture: %w", err)
	}
	shown := &Picture{URL: address, File: j.Output, Width: config.Width, Height: config.Height, Bytes: len(picture.Body)}
	path := "/api/v1/workspaces/content/blocks/" + Block + "/picture?explain=1&as=" + url.QueryEscape(UserID)
	if _, err := j.read(ctx, "", path, &shown.Explain); err != nil {
		return err
	}
	j.result.Picture = shown
	j.tell(s, "%d×%d pixels, saved as %s; the texts drawn: %s", config.Width, config.Height, j.Output, strings.Join(texts(shown.Explain), " · "))
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

func (j *Journey) click(ctx context.Context, title string) error {
	address := j.result.URL + "/p/rp/" + Block + "/url?mi_u=" + url.QueryEscape(UserID)
	s, answer, err := j.ask(ctx, title, http.MethodGet, address, nil, nil)
	if err != nil {
		return err
	}
	j.result.Link = &Link{URL: address, Status: s.Status, Location: answer.Header.Get("Location")}
	if s.Status != http.StatusFound {
		return fmt.Errorf("the link answered %d instead of 302", s.Status)
	}
	s.Reply = ""
	j.tell(s, "to the product that the picture showed: %s", j.result.Link.Location)
	return nil
}

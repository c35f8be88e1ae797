package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"platen/internal/fault"
	"platen/internal/manage"
)

type campaignCommand struct {
	Lint campaignLintCommand `cmd:"" help:"Tell what a webhook body would really send, and repair it."`
	Test campaignTestCommand `cmd:"" help:"Render a campaign's request for one person, and send it once when asked."`
}

type campaignTestCommand struct {
	target
	Name       string `arg:"" help:"The campaign." placeholder:"NAME"`
	As         string `required:"" help:"The person: a user id." placeholder:"USER"`
	Workspace  string `help:"The campaign's workspace." default:"engage"`
	Variant    string `help:"A variant by name (default: the first)." placeholder:"NAME"`
	Properties string `help:"Properties of the triggering event as JSON (default: of the latest such event)." placeholder:"JSON"`
	Send       bool   `help:"Send it, once. It counts nowhere."`
	Format     string `help:"text or json." enum:"text,json" default:"text"`
}

// Run fails when a request that was sent got no good answer.
func (c *campaignTestCommand) Run(ctx context.Context, s streams) (err error) {
	body, err := c.trial()
	if err != nil {
		return err
	}
	api, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	var tried manage.Tried
	path := "/api/v1/workspaces/" + url.PathEscape(c.Workspace) + "/campaigns/" + url.PathEscape(c.Name) + "/test"
	if err := api.into(ctx, http.MethodPost, path, nil, body, &tried); err != nil {
		return err
	}
	if c.Format == "json" {
		err = printJSON(s.out, tried)
	} else {
		printTried(s.out, tried)
	}
	if a := tried.Attempt; err == nil && a != nil && (a.Status < 200 || a.Status > 299) {
		return fault.New(fault.Invalid, "not_delivered", "the request was not accepted: %s", a.Message)
	}
	return err
}

func (c *campaignTestCommand) trial() (manage.Trial, error) {
	t := manage.Trial{As: c.As, Variant: c.Variant, Send: c.Send}
	switch {
	case c.Name == "":
		return t, fault.New(fault.Invalid, "no_campaign", "name the campaign")
	case c.As == "":
		return t, fault.New(fault.Invalid, "missing_identity", "--as is empty; give it a user id")
	case c.Properties == "":
		return t, nil
	}
	t.Properties = json.RawMessage(strings.TrimSpace(c.Properties))
	var object map[string]json.RawMessage
	if json.Unmarshal(t.Properties, &object) != nil || object == nil {
		return t, fault.New(fault.Invalid, "malformed_json", `--properties is no JSON object such as {"id": "7"}`)
	}
	return t, nil
}

func printTried(w io.Writer, t manage.Tried) {
	fmt.Fprintf(w, "%s %s\n", t.Request.Method, t.Request.URL)
	for _, h := range t.Request.Headers {
		fmt.Fprintf(w, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(w, "\n%s\n", t.Request.Body)
	printOutside(w, t.Outside)
	if a := t.Attempt; a != nil {
		fmt.Fprintf(w, "\n→ %s (%.0f ms)\n", a.Message, a.Millis)
		if a.Response != "" {
			fmt.Fprintln(w, a.Response)
		}
	}
}

// printOutside tells what is kept with a message, and which of its calls failed.
func printOutside(w io.Writer, o manage.Outside) {
	if len(o.Extras)+len(o.Failed) > 0 {
		fmt.Fprintln(w)
	}
	for _, key := range slices.Sorted(maps.Keys(o.Extras)) {
		fmt.Fprintf(w, "message extra %s: %s\n", key, o.Extras[key])
	}
	for _, call := range o.Failed {
		status := ""
		if call.Status != 0 {
			status = fmt.Sprintf("status %d, ", call.Status)
		}
		fmt.Fprintf(w, "no connected content from %s %s (%s%.0f ms): %s\n", call.Method, call.URL, status, call.Millis, call.Why)
	}
}

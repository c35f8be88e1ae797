package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"

	"platen/internal/fault"
)

type renderCommand struct {
	target
	Block     string `arg:"" help:"The block: its name or public id." placeholder:"BLOCK"`
	As        string `required:"" help:"The person, as mi_u would name them." placeholder:"USER"`
	Workspace string `help:"The block's workspace." default:"content"`
	Item      string `help:"Only this item, from 1." placeholder:"N"`
	Output    string `help:"Where to write the picture." short:"o" type:"path" placeholder:"FILE"`
	Explain   bool   `help:"Print why it is this picture, as JSON."`
}

func (c *renderCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Output == "" && !c.Explain {
		return fault.New(fault.Invalid, "no_output", "say where to write the picture (-o FILE), or ask for --explain")
	}
	api, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	path := "/api/v1/workspaces/" + url.PathEscape(c.Workspace) + "/blocks/" + url.PathEscape(c.Block) + "/picture"
	query := url.Values{"as": {c.As}}
	if c.Item != "" {
		query.Set("item", c.Item)
	}
	if c.Output != "" {
		picture, err := api.call(ctx, http.MethodGet, path, query, nil)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Output, picture, 0o644); err != nil {
			return fault.New(fault.Invalid, "file_unwritable", "%v", err)
		}
	}
	if !c.Explain {
		return nil
	}
	query.Set("explain", "1")
	explain, err := api.call(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	_, err = s.out.Write(append(explain, '\n'))
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"platen/internal/fault"
	"platen/internal/manage"
)

type renderCommand struct {
	target
	Block     string `arg:"" help:"The block: its name or public id." placeholder:"BLOCK"`
	As        string `required:"" help:"The person, as mi_u would name them." placeholder:"USER"`
	Workspace string `help:"The block's workspace." default:"content"`
	Item      int    `help:"Only this item, from 1 (default: all)." placeholder:"N"`
	Output    string `help:"Where to write the picture." short:"o" type:"path" placeholder:"FILE"`
	Explain   bool   `help:"Print why it is this picture, as JSON."`
}

func (c *renderCommand) Run(ctx context.Context, s streams) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	api, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	path := "/api/v1/workspaces/" + url.PathEscape(c.Workspace) + "/blocks/" + url.PathEscape(c.Block) + "/picture"
	query := url.Values{"as": {c.As}}
	if c.Item != 0 {
		query.Set("item", strconv.Itoa(c.Item))
	}
	if c.Output != "" {
		picture, err := api.call(ctx, http.MethodGet, path, query, nil)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Output, picture.Body, 0o644); err != nil {
			return unwritable(c.Output, err)
		}
		if reason := picture.Header.Get(manage.FallbackHeader); reason != "" && !c.Explain {
			fmt.Fprintf(s.err, "This is the fallback (%s); --explain tells more.\n", reason)
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
	_, err = s.out.Write(append(explain.Body, '\n'))
	return err
}

func (c *renderCommand) check() error {
	switch {
	case c.Output == "" && !c.Explain:
		return fault.New(fault.Invalid, "no_output", "say where to write the picture (-o FILE), or ask for --explain")
	case c.Block == "":
		return fault.New(fault.Invalid, "no_block", "name the block")
	case c.As == "":
		return fault.New(fault.Invalid, "missing_identity", "--as is empty; name a person as mi_u would")
	case c.Item < 0:
		return fault.New(fault.Invalid, "bad_item", "--item counts from 1")
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"strings"

	"platen/internal/fault"
	"platen/internal/server"
)

// dataFlags are the directory of the embedded store and its key.
type dataFlags struct {
	Data string `help:"Directory of the embedded store." default:"platen-data" type:"path" placeholder:"DIR"`
	keyFlag
}

// keyFlag goes wherever a data directory is opened: each has one key, and no
// command may make another.
type keyFlag struct {
	SecretKey string `name:"secret-key" help:"64 hex digits under which secrets are stored in --data (default: a key kept there)." placeholder:"HEX"`
}

type serveCommand struct {
	dataFlags
	Listen    string `help:"Address to listen on." default:"127.0.0.1:8080" placeholder:"ADDR"`
	PublicURL string `name:"public-url" help:"Address under which mail clients and browsers reach this server (default: the address listened on)." placeholder:"URL"`
	Store     string `help:"Where data is kept; so far only sqlite: (in --data)." default:"sqlite:" placeholder:"URL"`
	LogFormat string `help:"text or json." enum:"text,json" default:"text"`
}

func (c *serveCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Store != "sqlite:" {
		kind, _, _ := strings.Cut(c.Store, ":") // the rest of an address may hold a password
		return fault.New(fault.Invalid, "unknown_store", "--store %q is not known to this version; leave it out for sqlite: in the directory --data", kind)
	}
	srv, err := server.Open(ctx, server.Config{
		Data: c.Data, Listen: c.Listen, PublicURL: c.PublicURL, SecretKey: c.SecretKey, Log: logger(s.err, c.LogFormat),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := srv.Listen(); err != nil {
		return err
	}
	return srv.Serve(ctx)
}

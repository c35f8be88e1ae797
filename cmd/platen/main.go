// Command platen forwards what customers do, recognises who did it, and draws
// content for each of them at the moment they open the message.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // zones of customers, also where the system has none

	"github.com/alecthomas/kong"

	"platen/internal/fault"
	"platen/internal/server"
)

// commands is the command line. Every flag can also be given as PLATEN_NAME in
// the environment.
type commands struct {
	Demo     demoCommand     `cmd:"" help:"Play the whole journey on the example documents, over real HTTP, and show each step."`
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Apply    applyCommand    `cmd:"" help:"Apply documents (YAML) to a running server or to a data directory."`
	Export   exportCommand   `cmd:"" help:"Write all documents as YAML; applying them changes nothing."`
	Campaign campaignCommand `cmd:"" help:"Check and try campaigns."`
	Render   renderCommand   `cmd:"" help:"Write the picture that a person would get now."`
	Bench    benchCommand    `cmd:"" help:"Take the figures that the README quotes."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run executes one command line and gives the exit code: 0 only on success.
func run(ctx context.Context, args []string, s streams) (code int) {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("platen"),
		kong.Description("Forward what customers do, recognise who did it, and draw content for each of them when they open the message."),
		kong.Writers(s.out, s.err),
		kong.DefaultEnvars("PLATEN"),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "platen:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(s.err, "platen:", err)
		fmt.Fprintln(s.err, "Try: platen --help")
		return 1
	}
	if err := parsed.Run(); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(s.err, "platen:", message(err))
		}
		return 1
	}
	return 0
}

// errSaid ends a command that has already told what is wrong.
var errSaid = errors.New("already told")

// message is what a person at the terminal is shown: the safe text of a fault,
// and the whole text of any other error, for it is their own machine.
func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Safe()
	}
	return err.Error()
}

type versionCommand struct{}

func (versionCommand) Run(s streams) error {
	fmt.Fprintln(s.out, server.Version())
	return nil
}

// logger writes structured lines to standard error.
func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

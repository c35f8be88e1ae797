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
	"strings"
	"syscall"

	_ "time/tzdata" // zones of customers, also where the system has none

	"github.com/alecthomas/kong"

	"platen/internal/document"
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
	Liquid   liquidCommand   `cmd:"" help:"Render and check Liquid templates."`
	Render   renderCommand   `cmd:"" help:"Write the picture that a person would get now."`
	Bench    benchCommand    `cmd:"" help:"Take the figures that the README quotes."`
	Version  versionCommand  `cmd:"" help:"Print the version."`

	ShowVersion kong.VersionFlag `name:"version" env:"-" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run executes one command line and gives the exit code: 0 only on success.
func run(ctx context.Context, args []string, s streams) int {
	helpTo := s.out
	if len(args) == 0 {
		args, helpTo = []string{"--help"}, s.err
	}
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("platen"),
		kong.Description("Forward what customers do, recognise who did it, and draw content for each of them when they open the message."),
		kong.Vars{"version": server.Version()},
		kong.Writers(helpTo, s.err),
		kong.DefaultEnvars("PLATEN"),
		kong.ValueFormatter(describe),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "platen:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited >= 0 && helpTo == s.out:
		return exited
	case exited >= 0:
		return 1 // nothing was asked for
	case err != nil:
		fmt.Fprintf(s.err, "platen: %s\nTry: %s --help\n", misused(err), selected(err))
		return 1
	}
	if err := parsed.Run(); err != nil {
		tell(ctx, s.err, err)
		return 1
	}
	return 0
}

// describe is the help of a flag, with its default where the placeholder hides it.
func describe(v *kong.Value) string {
	if v.HasDefault && v.Flag != nil && v.Flag.PlaceHolder != "" {
		shown := *v
		shown.Help = strings.TrimSuffix(v.Help, ".") + " (default: " + v.Default + ")."
		v = &shown
	}
	return kong.DefaultHelpValueFormatter(v)
}

// misused is what is wrong with a command line. Kong speaks of its tokens where
// a value is missing.
func misused(err error) string {
	return strings.Replace(err.Error(), ` but got "EOL" (<EOL>)`, ", but nothing follows", 1)
}

// selected is the command that a command line got as far as.
func selected(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "platen"
}

// errSaid ends a command that has already told what is wrong.
var errSaid = errors.New("already told")

// tell writes for a person at the terminal why a command failed: the safe text of
// a fault, and the whole text of any other error, for it is their own machine.
func tell(ctx context.Context, w io.Writer, err error) {
	var problems document.Problems
	var f *fault.Error
	switch {
	case errors.Is(err, errSaid):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "platen: interrupted")
	case errors.As(err, &problems):
		fmt.Fprintln(w, problems) // each line begins with its place, as editors expect it
	case errors.As(err, &f):
		fmt.Fprintln(w, "platen:", f.Safe())
	default:
		fmt.Fprintln(w, "platen:", err)
	}
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

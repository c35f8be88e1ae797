package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"platen/internal/bench"
)

type benchCommand struct {
	Ingest benchIngestCommand `cmd:"" help:"How fast single events are accepted durably."`
	Liquid benchLiquidCommand `cmd:"" help:"How fast templates are rendered, beside another engine."`
	Client benchClientCommand `cmd:"" hidden:"" help:"Send load; started by the other benchmarks."`
}

type benchIngestCommand struct {
	keyFlag
	Data        string        `help:"A directory on a disk; it keeps the filled store for the next run." default:"platen-bench" env:"PLATEN_BENCH_DATA" type:"path" placeholder:"DIR"`
	Stored      int           `help:"Events in the store before each part." default:"1000000"`
	Rounds      int           `help:"Interleaved rounds." default:"3"`
	Duration    time.Duration `help:"Of each part in each round." default:"20s"`
	Connections int           `help:"Kept-alive connections." default:"256"`
	Profiles    int           `help:"People, drawn by Zipf's law." default:"100000"`
	Profile     string        `help:"Write a CPU profile of the rounds' whole part." name:"cpuprofile" type:"path" placeholder:"FILE"`
	Format      string        `help:"text or json." enum:"text,json" default:"text"`
}

func (c *benchIngestCommand) Run(ctx context.Context, s streams) error {
	result, err := bench.Ingest{
		Data: c.Data, SecretKey: c.SecretKey, Stored: c.Stored, Rounds: c.Rounds, Duration: c.Duration,
		Connections: c.Connections, Profiles: c.Profiles, Progress: s.err, CPUProfile: c.Profile,
	}.Run(ctx)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return printJSON(s.out, result)
	}
	fmt.Fprintf(s.out, "%s, fdatasync %.0f µs; %d events stored before, %d after; %d rounds, %d connections\n%s\n\n",
		result.FileSystem, result.FdatasyncMicros, result.StoredBefore, result.StoredAfter, result.Rounds, result.Connections, result.Workers)
	for _, p := range []struct {
		name string
		bench.Part
	}{{"bare", result.Bare}, {"store only", result.Store}, {"whole", result.Whole}} {
		fmt.Fprintf(s.out, "%-11s %8.0f events/s  %6.1f µs CPU/event  p50 %6.1f ms  p99 %6.1f ms  refused %d\n",
			p.name, p.PerSecond, p.CPUMicros, p.P50Millis, p.P99Millis, p.Refused)
	}
	fmt.Fprintf(s.out, "\nwhole/bare %.2f   whole/store only %.2f   %.0f events/commit   %.1f flushes/commit\n",
		result.WholeToBare, result.WholeToStore, result.EventsPerCommit, result.FlushesPerCommit)
	return nil
}

type benchLiquidCommand struct {
	Module   string        `help:"Directory of the module with the other engine; it is built with the go command." default:"bench/liquid" type:"path" placeholder:"DIR"`
	Rounds   int           `help:"Interleaved rounds; many short ones, as the machine changes its pace." default:"31"`
	Duration time.Duration `help:"Of each engine on each template in each round." default:"150ms"`
	Format   string        `help:"text or json." enum:"text,json" default:"text"`
}

func (c *benchLiquidCommand) Run(ctx context.Context, s streams) error {
	result, err := bench.Liquid{Module: c.Module, Rounds: c.Rounds, Duration: c.Duration, Progress: s.err}.Run(ctx)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return printJSON(s.out, result)
	}
	for _, t := range result.Templates {
		fmt.Fprintf(s.out, "%s, %d lines\n", t.Name, t.Lines)
		printLiquidCost(s.out, "ours", t.Ours)
		if t.Other != nil {
			printLiquidCost(s.out, result.Other, *t.Other)
			fmt.Fprintf(s.out, "  ours is %.1f times faster; both print the same text\n", t.Ratio)
		}
	}
	return nil
}

func printLiquidCost(w io.Writer, engine string, c bench.LiquidCost) {
	fmt.Fprintf(w, "  %-32s %9.1f µs CPU  %7.0f allocations  %9.1f KiB a render\n", engine, c.CPU/1000, c.Allocs, c.Bytes/1024)
}

type benchClientCommand struct {
	Address, Path, Username string
	Connections, Profiles   int
	Duration                time.Duration
	Seed                    uint64
}

func (c *benchClientCommand) Run(s streams) error {
	return bench.Load{
		Address: c.Address, Path: c.Path, Username: c.Username, Password: os.Getenv("PLATEN_BENCH_PASSWORD"),
		Connections: c.Connections, Profiles: c.Profiles, Duration: c.Duration, Seed: c.Seed,
	}.Run().Print(s.out)
}

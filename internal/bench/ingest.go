// Package bench takes the figures that the README quotes. Each benchmark names its
// parts, runs them in interleaved rounds and reports ratios and processor time;
// absolute rates only beside them, for they change with the machine.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"time"

	"platen/internal/fault"
)

// Ingest measures how fast single events are accepted durably (design.md, "How
// the figures are taken").
type Ingest struct {
	Data        string        // a directory on a disk
	SecretKey   string        // of that directory; "" keeps one there
	Stored      int           // events in the store before the first round
	Rounds      int           // interleaved rounds of the three parts
	Duration    time.Duration // of each part in each round
	Connections int
	Profiles    int
	Progress    io.Writer
	CPUProfile  string // where to write a profile of the last round's whole; "" for none
}

// IngestResult is what `platen bench ingest --format json` prints.
type IngestResult struct {
	Disk
	StoredBefore int64  `json:"stored_before"`
	StoredAfter  int64  `json:"stored_after"`
	Rounds       int    `json:"rounds"`
	Connections  int    `json:"connections"`
	Workers      string `json:"workers"` // what else the whole was doing

	Bare  Part `json:"bare"`       // read, json.Unmarshal into any, 200
	Store Part `json:"store_only"` // the write path, in process
	Whole Part `json:"whole"`      // the collector over HTTP

	WholeToBare  float64 `json:"whole_to_bare"`  // of the medians of this run
	WholeToStore float64 `json:"whole_to_store"` // of the medians of this run

	EventsPerCommit float64 `json:"events_per_commit"` // of the whole
	// FlushesPerCommit counts the cache flushes of all disks of the machine
	// while the whole ran; -1 where the kernel does not tell.
	FlushesPerCommit float64 `json:"flushes_per_commit"`
}

// Part is one of the compared programs, as medians over the rounds.
type Part struct {
	PerSecond float64 `json:"per_second"`
	CPUMicros float64 `json:"server_cpu_us_per_event"`
	P50Millis float64 `json:"p50_ms"`
	P99Millis float64 `json:"p99_ms"`
	Refused   int64   `json:"refused"`

	rates, cpus, p50s, p99s []float64
}

func (p *Part) add(r LoadResult, used time.Duration) {
	p.rates = append(p.rates, float64(r.Answered)/r.Seconds)
	p.cpus = append(p.cpus, float64(used.Microseconds())/float64(max(r.Answered, 1)))
	p.p50s = append(p.p50s, r.P50Millis)
	p.p99s = append(p.p99s, r.P99Millis)
	p.Refused += r.Refused
	p.PerSecond, p.CPUMicros = median(p.rates), median(p.cpus)
	p.P50Millis, p.P99Millis = median(p.p50s), median(p.p99s)
}

func (p *Part) last() float64 { return p.rates[len(p.rates)-1] }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

// check refuses numbers with which there would be nothing to measure.
func (b Ingest) check() error {
	for _, n := range []struct {
		flag  string
		value int
	}{{"--rounds", b.Rounds}, {"--connections", b.Connections}, {"--profiles", b.Profiles}, {"--duration", int(b.Duration)}} {
		if n.value < 1 {
			return fault.New(fault.Invalid, "bad_number", "%s must be greater than zero", n.flag)
		}
	}
	return nil
}

// Run takes the figures. It leaves its data in the directory.
func (b Ingest) Run(ctx context.Context) (result IngestResult, err error) {
	if err := b.check(); err != nil {
		return result, err
	}
	result = IngestResult{Rounds: b.Rounds, Connections: b.Connections,
		Workers: "planner and deliveries off: trigger hits are stored in the transaction and stay queued"}
	if err = os.MkdirAll(b.Data, 0o700); err != nil {
		return result, err
	}
	if result.Disk, err = MeasureDisk(b.Data); err != nil {
		return result, err
	}
	rig, err := newRig(ctx, b)
	if err != nil {
		return result, err
	}
	defer rig.stop()
	if result.StoredBefore, err = rig.fill(ctx); err != nil {
		return result, err
	}
	for round := range b.Rounds {
		if err := rig.round(ctx, &result, round == b.Rounds-1); err != nil {
			return result, err
		}
		fmt.Fprintf(b.Progress, "round %d of %d: bare %.0f/s, store only %.0f/s, whole %.0f/s\n",
			round+1, b.Rounds, result.Bare.last(), result.Store.last(), result.Whole.last())
	}
	result.WholeToBare = result.Whole.PerSecond / result.Bare.PerSecond
	result.WholeToStore = result.Whole.PerSecond / result.Store.PerSecond
	result.EventsPerCommit, result.FlushesPerCommit = rig.perCommit()
	result.StoredAfter, err = rig.count(ctx)
	return result, err
}

func (r *rig) round(ctx context.Context, result *IngestResult, last bool) error {
	used := cpu()
	bare, err := r.client(ctx, r.bareAddress, "/")
	if err != nil {
		return fmt.Errorf("load the bare server: %w", err)
	}
	result.Bare.add(bare, cpu()-used)

	used = cpu()
	stored, err := r.submit(ctx, r.Duration, 1<<62)
	if err != nil {
		return fmt.Errorf("load the store: %w", err)
	}
	result.Store.add(stored, cpu()-used)

	if last && r.CPUProfile != "" {
		stop, err := profileTo(r.CPUProfile)
		if err != nil {
			return err
		}
		defer stop()
	}
	used = cpu()
	stop := r.counting()
	whole, err := r.client(ctx, r.server.Addr(), "/behavioral/"+sourceKey)
	if err != nil {
		return fmt.Errorf("load the whole: %w", err)
	}
	stop()
	result.Whole.add(whole, cpu()-used)
	return nil
}

func profileTo(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

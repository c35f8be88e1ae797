// Package bench takes the figures that the README quotes. Each benchmark names its
// parts, runs them in interleaved rounds and reports ratios and processor time;
// absolute rates only beside them, for they change with the machine.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"platen/internal/fault"
)

// Ingest measures how fast single events are accepted durably (design.md, "How
// the figures are taken").
type Ingest struct {
	Data        string        // a directory on a disk
	SecretKey   string        // of that directory; "" keeps one there
	Stored      int           // events in the store before each part
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
	StoredAfter  int64  `json:"stored_after"` // the part that stored most
	Rounds       int    `json:"rounds"`
	Connections  int    `json:"connections"`
	Workers      string `json:"workers"` // what else the whole was doing

	Bare  Part `json:"bare"`       // read, json.Unmarshal into any, 200
	Store Part `json:"store_only"` // the write path, in process
	Whole Part `json:"whole"`      // the collector over HTTP

	WholeToBare  float64 `json:"whole_to_bare"`  // median of the rounds' ratios
	WholeToStore float64 `json:"whole_to_store"` // median of the rounds' ratios

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

// over gives the median of the ratios of two parts, round by round: the machine's
// pace changes from round to round.
func (p *Part) over(other Part) float64 {
	ratios := make([]float64, len(p.rates))
	for i := range ratios {
		ratios[i] = p.rates[i] / other.rates[i]
	}
	return median(ratios)
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

// Run takes the figures. It leaves the filled store in the directory.
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
	if result.StoredBefore, err = b.fill(ctx); err != nil {
		return result, err
	}
	var committed commits
	for round := range b.Rounds {
		for _, part := range []func(context.Context, *rig, *IngestResult) error{storeOnly, bareAndWhole} {
			err := b.onFilled(ctx, func(r *rig) (err error) {
				if round < b.Rounds-1 {
					r.CPUProfile = ""
				}
				if err = part(ctx, r, &result); err != nil {
					return err
				}
				committed.add(r.whole)
				after, err := r.count(ctx)
				result.StoredAfter = max(result.StoredAfter, after)
				return err
			})
			if err != nil {
				return result, err
			}
		}
		fmt.Fprintf(b.Progress, "round %d of %d: bare %.0f/s, store only %.0f/s, whole %.0f/s\n",
			round+1, b.Rounds, result.Bare.last(), result.Store.last(), result.Whole.last())
	}
	result.WholeToBare = result.Whole.over(result.Bare)
	result.WholeToStore = result.Whole.over(result.Store)
	result.EventsPerCommit, result.FlushesPerCommit = committed.each()
	return result, nil
}

// filled is the store that every part begins with a copy of.
func (b Ingest) filled() string { return filepath.Join(b.Data, "filled") }

// fill brings the filled store to the wanted number of events, and gives that.
func (b Ingest) fill(ctx context.Context) (stored int64, err error) {
	b.Data = b.filled()
	rig, err := newRig(ctx, b)
	if err != nil {
		return 0, err
	}
	defer rig.stop()
	return rig.fill(ctx)
}

// onFilled runs measure on a copy of the filled store: a part that stores events
// must not make the next one's store larger.
func (b Ingest) onFilled(ctx context.Context, measure func(*rig) error) error {
	filled := b.filled()
	b.Data = filepath.Join(b.Data, "round")
	if err := os.RemoveAll(b.Data); err != nil {
		return err
	}
	defer os.RemoveAll(b.Data)
	if err := os.CopyFS(b.Data, os.DirFS(filled)); err != nil {
		return fmt.Errorf("copy the filled store: %w", err)
	}
	syscall.Sync() // or what was copied is written while the part runs
	rig, err := newRig(ctx, b)
	if err != nil {
		return err
	}
	defer rig.stop()
	// A server that has just started has to read everybody once.
	if _, err := rig.submit(ctx, b.Duration/3, 1<<62); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	return measure(rig)
}

func storeOnly(ctx context.Context, r *rig, result *IngestResult) error {
	used := cpu()
	stored, err := r.submit(ctx, r.Duration, 1<<62)
	if err != nil {
		return fmt.Errorf("load the store: %w", err)
	}
	result.Store.add(stored, cpu()-used)
	return nil
}

// bareAndWhole runs one after the other, for their ratio is what counts and the
// machine changes its pace.
func bareAndWhole(ctx context.Context, r *rig, result *IngestResult) error {
	used := cpu()
	bare, err := r.client(ctx, r.bareAddress, "/")
	if err != nil {
		return fmt.Errorf("load the bare server: %w", err)
	}
	result.Bare.add(bare, cpu()-used)

	if r.CPUProfile != "" {
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

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/server"
)

// The door of the benchmark's source.
const (
	sourceKey    = "bench-behavioral"
	sourceUser   = "bench"
	sourceSecret = "bench-secret-of-high-entropy-0123456789"
)

// documents are one source, and ten live campaigns of which one matches a tenth
// of the events.
func documents() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `kind: Workspace
name: bench
---
kind: Source
workspace: bench
name: bench
key: %s
username: %s
password: {env: BENCH_SECRET}
presets: [movable-ink]
`, sourceKey, sourceUser)
	for i := range 10 {
		shelf := 100 + i // no event has it
		if i == 0 {
			shelf = 3
		}
		fmt.Fprintf(&b, `---
kind: Campaign
workspace: bench
name: Shelf %d
state: active
trigger: {event: product_viewed, where: {property: shelf, is: exactly, value: %d}}
variants:
  - name: Variant 1
    percent: 100
    webhook:
      url: http://127.0.0.1:9/
      method: POST
      headers: {Content-Type: application/json}
      body: '{"id": "{{event_properties.${id} | json_escape}}"}'
`, shelf, shelf)
	}
	return b.String()
}

// rig is the running servers of one benchmark.
type rig struct {
	Ingest
	server      *server.Server
	workspace   int64
	stopServer  func() error
	bare        *http.Server
	bareAddress string
	seed        uint64

	commits, commands atomic.Int64 // since the start
	whole             commits      // while the whole was loaded
}

// commits are counted transactions, with the commands in them and the flushes of
// all disks meanwhile.
type commits struct{ n, commands, flushes int64 }

func (c *commits) add(o commits) {
	c.n += o.n
	c.commands += o.commands
	c.flushes += o.flushes
}

// each gives the events and the flushes of one commit; flushes are -1 where the
// kernel does not tell.
func (c *commits) each() (events, flushed float64) {
	n := float64(max(c.n, 1))
	if flushes() < 0 {
		return float64(c.commands) / n, -1
	}
	return float64(c.commands) / n, float64(c.flushes) / n
}

func newRig(ctx context.Context, b Ingest) (*rig, error) {
	s, err := server.Open(ctx, server.Config{Data: b.Data, SecretKey: b.SecretKey, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), WithoutWorkers: true})
	if err != nil {
		return nil, err
	}
	r := &rig{Ingest: b, server: s, stopServer: s.Close, seed: uint64(time.Now().UnixNano())}
	if err := r.start(ctx); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(ctx context.Context) error {
	if err := r.server.ApplyText(ctx, "bench.yaml", documents(), map[string]string{"BENCH_SECRET": sourceSecret}); err != nil {
		return err
	}
	w, ok := r.server.Registry.Current().WorkspaceNamed("bench")
	if !ok {
		return errors.New("the workspace of the benchmark is missing")
	}
	r.workspace = w.ID
	r.server.Writer.OnCommit(func(c ingest.Committed) {
		r.commits.Add(1)
		r.commands.Add(int64(c.Commands))
	})
	if err := r.server.Listen(); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(running) }()
	r.stopServer = func() error {
		cancel()
		return errors.Join(<-served, r.server.Close())
	}
	return r.startBare()
}

// startBare serves what every collector must at least do: read and parse.
func (r *rig) startBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.bareAddress = l.Addr().String()
	r.bare = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var value any
		if err != nil || json.Unmarshal(body, &value) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusOK)
	})}
	go r.bare.Serve(l)
	return nil
}

func (r *rig) stop() {
	if r.bare != nil {
		r.bare.Close()
	}
	r.stopServer()
}

func (r *rig) count(ctx context.Context) (int64, error) {
	return r.server.Store.CountEvents(ctx, r.workspace)
}

// fill stores events until the store holds the wanted number, and gives that.
func (r *rig) fill(ctx context.Context) (int64, error) {
	for {
		have, err := r.count(ctx)
		missing := int64(r.Stored) - have
		if err != nil || missing <= 0 {
			return have, err
		}
		fmt.Fprintf(r.Progress, "%d of %d events stored\n", have, r.Stored)
		filled, err := r.submit(ctx, 20*time.Second, missing)
		if err == nil && filled.Answered == 0 {
			err = fmt.Errorf("no event was stored, and %d were refused", filled.Refused)
		}
		if err != nil {
			return have, err
		}
	}
}

// counting counts commits and flushes until stop is called.
func (r *rig) counting() (stop func()) {
	n, commands, flushed := r.commits.Load(), r.commands.Load(), flushes()
	return func() {
		r.whole.add(commits{r.commits.Load() - n, r.commands.Load() - commands, flushes() - flushed})
	}
}

// client runs one client process against an address.
func (r *rig) client(ctx context.Context, address, path string) (result LoadResult, err error) {
	program, err := os.Executable()
	if err != nil {
		return result, err
	}
	r.seed++
	cmd := exec.CommandContext(ctx, program, "bench", "client",
		"--address", address, "--path", path, "--username", sourceUser,
		"--connections", strconv.Itoa(r.Connections), "--profiles", strconv.Itoa(r.Profiles),
		"--duration", r.Duration.String(), "--seed", strconv.FormatUint(r.seed, 10))
	cmd.Env = append(os.Environ(), "PLATEN_BENCH_PASSWORD="+sourceSecret)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return result, fmt.Errorf("read the client's result: %w", err)
	}
	if result.FirstError != "" {
		return result, errors.New(result.FirstError)
	}
	return result, nil
}

// submit loads the write path in process, until the time is over or most events
// are stored.
func (r *rig) submit(ctx context.Context, duration time.Duration, most int64) (LoadResult, error) {
	r.seed++
	var begun atomic.Int64
	count := newTally(r.Connections)
	failed := make(chan error, r.Connections)
	until := count.started.Add(duration)
	var submitters sync.WaitGroup
	for i := range r.Connections {
		submitters.Go(func() {
			events := NewEvents(r.Profiles, r.seed, uint64(i))
			for time.Now().Before(until) && begun.Add(1) <= most {
				sent := time.Now()
				a := r.accept(events)
				if err := r.server.Writer.Submit(ctx, a); err != nil {
					failed <- err
					return
				}
				count.add(i, sent, a.Outcomes[0].Refused == nil)
			}
		})
	}
	submitters.Wait()
	select {
	case err := <-failed:
		return LoadResult{}, err
	default:
	}
	return count.result(), nil
}

// accept makes what the collector would submit for one event.
func (r *rig) accept(events *Events) *ingest.Accept {
	now := time.Now()
	user := events.Person()
	key := ingest.NewSeenKey(r.workspace, sourceKey, ingest.ByMessageID, events.MessageID(), 0)
	return &ingest.Accept{
		Workspace: r.workspace, Source: "bench", Received: now.UnixMicro(),
		Items: []ingest.Item{{
			Who: profile.Who{UserID: user}, At: now.UnixMicro(), Key: &key,
			Event: &event.Event{Kind: event.Track, Name: "product_viewed", At: now, OwnTime: true,
				TimeZone: "America/New_York", UserID: user, Properties: events.Properties(nil), Mapping: "movable-ink/product_viewed"},
		}},
	}
}

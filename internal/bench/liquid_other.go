package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// otherEngine is the running program of the module bench/liquid.
type otherEngine struct {
	name     string // module path and version
	cmd      *exec.Cmd
	stdin    io.Closer
	stderr   *bytes.Buffer
	requests *json.Encoder
	answers  *json.Decoder
}

// liquidRequest is what the other engine's program reads.
type liquidRequest struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Duration time.Duration   `json:"duration"`
}

// startEngine builds and starts the program. It fails where there is no Go, no
// checkout, or no way to get the engine's source; the errors tell a person so.
func startEngine(ctx context.Context, module string) (*otherEngine, error) {
	if _, err := os.Stat(filepath.Join(module, "go.mod")); err != nil {
		return nil, fmt.Errorf("the other engine's module is not in %s; run this in a checkout, or name the directory with --module", module)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the other engine is built from source, and there is no go command in PATH")
	}
	e := &otherEngine{cmd: exec.CommandContext(ctx, "go", "run", "-C", module, "."), stderr: &bytes.Buffer{}}
	e.cmd.Env = append(os.Environ(), "GOWORK=off")
	e.cmd.Stderr = e.stderr
	stdin, err := e.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	e.stdin, e.requests, e.answers = stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)
	var hello struct {
		Engine string `json:"engine"`
	}
	if err := e.answers.Decode(&hello); err != nil {
		return nil, fmt.Errorf("the other engine does not run: %w", e.ended(err))
	}
	e.name = hello.Engine
	return e, nil
}

// measure lets the other engine render a template for a while.
func (e *otherEngine) measure(s liquidSubject, d time.Duration) (liquidSample, error) {
	request := liquidRequest{Template: s.other, Data: json.RawMessage(s.data), Duration: d}
	if err := e.requests.Encode(request); err != nil {
		return liquidSample{}, fmt.Errorf("the other engine ended: %w", e.ended(err))
	}
	var sample liquidSample
	if err := e.answers.Decode(&sample); err != nil {
		return sample, fmt.Errorf("the other engine ended: %w", e.ended(err))
	}
	if sample.Error != "" {
		return sample, fmt.Errorf("the other engine refuses it: %s", sample.Error)
	}
	return sample, nil
}

// ended stops the program and says in its own words why it failed; err where it
// said nothing.
func (e *otherEngine) ended(err error) error {
	e.stop()
	if said := strings.TrimSpace(e.stderr.String()); said != "" {
		return errors.New(said)
	}
	return err
}

// stop ends the program, which goes when its input ends.
func (e *otherEngine) stop() {
	e.stdin.Close()
	e.cmd.Wait() // how it ends says nothing about what was measured
}

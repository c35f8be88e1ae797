// Command liquid renders templates with github.com/osteele/liquid for `platen
// bench liquid`, and says what that cost. It reads one request (JSON) after the
// other from standard input and answers each with one line of JSON; the first
// line it writes names the engine.
package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/osteele/liquid"
)

const engineModule = "github.com/osteele/liquid"

type request struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Duration time.Duration   `json:"duration"`
}

type answer struct {
	Nanos  float64 `json:"ns_per_op"`
	CPU    float64 `json:"cpu_ns_per_op"`
	Allocs float64 `json:"allocs_per_op"`
	Bytes  float64 `json:"bytes_per_op"`
	Output string  `json:"output"`
	Error  string  `json:"error,omitempty"`
}

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(1000) // as in internal/bench
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	if err := answers.Encode(map[string]string{"engine": engine()}); err != nil {
		return err
	}
	for requests := json.NewDecoder(in); ; {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := measure(r)
		if err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// engine is the module's path and version.
func engine() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == engineModule {
				return m.Path + " " + m.Version
			}
		}
	}
	return engineModule
}

// measure parses a template once and renders it over and over for the time asked.
func measure(r request) (answer, error) {
	e := liquid.NewEngine()
	e.RegisterFilter("md5", func(s string) string { // the engine has none
		sum := md5.Sum([]byte(s))
		return hex.EncodeToString(sum[:])
	})
	template, parseErr := e.ParseString(r.Template)
	if parseErr != nil {
		return answer{}, parseErr
	}
	data, err := bindings(r.Data)
	if err != nil {
		return answer{}, err
	}
	return costOf(r.Duration, func() (string, error) {
		text, err := template.RenderString(data)
		if err != nil {
			return "", err
		}
		return text, nil
	})
}

// costOf counts as platen's internal/bench does.
func costOf(d time.Duration, render func() (string, error)) (a answer, err error) {
	if a.Output, err = render(); err != nil {
		return a, err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ops, used, start := 0, cpu(), time.Now()
	for time.Since(start) < d || ops == 0 {
		for range 16 {
			if _, err := render(); err != nil {
				return a, err
			}
		}
		ops += 16
	}
	elapsed := time.Since(start)
	used = cpu() - used
	runtime.ReadMemStats(&after)
	a.Nanos = float64(elapsed.Nanoseconds()) / float64(ops)
	a.CPU = float64(used.Nanoseconds()) / float64(ops)
	a.Allocs = float64(after.Mallocs-before.Mallocs) / float64(ops)
	a.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(ops)
	return a, nil
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bindings decodes the data. Whole numbers become int, for this engine knows
// no json.Number, and would print a float64 as one.
func bindings(text json.RawMessage) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var data map[string]any
	if err := d.Decode(&data); err != nil {
		return nil, err
	}
	plain(data)
	return data, nil
}

// plain turns the numbers of a decoded value into int and float64, in place where
// it can.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = plain(member)
		}
	case []any:
		for i, item := range v {
			v[i] = plain(item)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

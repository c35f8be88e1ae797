package bench

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"platen/internal/fault"
	"platen/liquid"
)

// Liquid measures how fast parsed templates are rendered: our engine, and beside
// it the other engine of the module bench/liquid, in turn.
type Liquid struct {
	Module   string        // directory of that module
	Rounds   int           // interleaved rounds
	Duration time.Duration // of each engine on each template in each round
	Progress io.Writer
}

// LiquidResult is what `platen bench liquid --format json` prints.
type LiquidResult struct {
	Rounds    int              `json:"rounds"`
	Other     string           `json:"other"`                   // path and version of the other engine; "" when it could not run
	NoOther   string           `json:"other_missing,omitempty"` // why it could not
	Templates []LiquidTemplate `json:"templates"`
}

// LiquidTemplate is what was measured on one template.
type LiquidTemplate struct {
	Name  string `json:"name"`
	Lines int    `json:"lines"`
	// Ours and Other are medians over the rounds.
	Ours  LiquidCost  `json:"ours"`
	Other *LiquidCost `json:"other_engine,omitempty"`
	// Ratio is how many times less processor time ours takes, the median of the
	// rounds' ratios.
	Ratio float64 `json:"ratio,omitempty"`
	// Equal says that both printed the same text, blank lines aside.
	Equal bool `json:"outputs_equal,omitempty"`
}

// LiquidCost is what one render costs, on one processor.
type LiquidCost struct {
	Nanos  float64 `json:"ns_per_op"`     // as the clock goes, also while others use the processor
	CPU    float64 `json:"cpu_ns_per_op"` // processor time, with that of the garbage collector
	Allocs float64 `json:"allocs_per_op"`
	Bytes  float64 `json:"bytes_per_op"`
}

// A liquidSubject is a template that both engines render on equal data.
type liquidSubject struct {
	name        string
	ours, other string // the template as either engine reads it
	dialect     liquid.Dialect
	data        string // JSON; in the Braze dialect "profile" holds the variables without a namespace
}

// The first subject is the webhook body of the seed (design.md, journey 1). The
// other engine knows no `${…}`: it reads the same text with plain paths.
var (
	//go:embed liquid/product_viewed.braze.liquid
	productViewedBraze string
	//go:embed liquid/product_viewed.plain.liquid
	productViewedPlain string
	//go:embed liquid/product_viewed.json
	productViewedData string
	//go:embed liquid/loops.liquid
	loopsTemplate string
	//go:embed liquid/loops.json
	loopsData string
)

func liquidSubjects() []liquidSubject {
	return []liquidSubject{
		{"seed body a", productViewedBraze, productViewedPlain, liquid.Braze, productViewedData},
		{"loops", loopsTemplate, loopsTemplate, liquid.Shopify, loopsData},
	}
}

// gcPercent is set in both programs. Collecting a nearly empty heap costs what the
// program around it is large, and ours is a whole server; with room for some garbage,
// as a running server has, it costs what the renders leave.
const gcPercent = 1000

// Run takes the figures. Without the other engine only ours is measured, and the
// result says why. Texts that differ between the engines are an error.
func (b Liquid) Run(ctx context.Context) (LiquidResult, error) {
	result := LiquidResult{Rounds: b.Rounds}
	if b.Rounds < 1 || b.Duration <= 0 {
		return result, fault.New(fault.Invalid, "bad_number", "--rounds and --duration must be greater than zero")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	other, err := startEngine(ctx, b.Module)
	if err != nil {
		result.NoOther = err.Error()
		fmt.Fprintf(b.Progress, "only our engine is measured: %s\n", result.NoOther)
	} else {
		defer other.stop()
		result.Other = other.name
	}
	for _, subject := range liquidSubjects() {
		measured, err := b.measure(ctx, subject, other)
		if err != nil {
			return result, fmt.Errorf("template %q: %w", subject.name, err)
		}
		result.Templates = append(result.Templates, measured)
	}
	return result, nil
}

// measure runs the rounds of one template. other is nil when there is none.
func (b Liquid) measure(ctx context.Context, subject liquidSubject, other *otherEngine) (LiquidTemplate, error) {
	measured := LiquidTemplate{Name: subject.name, Lines: strings.Count(subject.ours, "\n")}
	render, err := subject.prepare(ctx)
	if err != nil {
		return measured, err
	}
	var ours, others costs
	for round := range b.Rounds {
		mine, err := costOf(b.Duration, render)
		if err != nil {
			return measured, err
		}
		ours.add(mine.LiquidCost)
		if other == nil {
			continue
		}
		theirs, err := other.measure(subject, b.Duration)
		if err != nil {
			return measured, err
		}
		others.add(theirs.LiquidCost)
		if err := sameText(mine.Output, theirs.Output); err != nil {
			return measured, err
		}
		fmt.Fprintf(b.Progress, "%s, round %d of %d: ours %.0f ns, other %.0f ns of processor time\n",
			subject.name, round+1, b.Rounds, mine.CPU, theirs.CPU)
	}
	measured.Ours = ours.median()
	if other != nil {
		cost := others.median()
		measured.Other, measured.Ratio, measured.Equal = &cost, others.over(ours), true
	}
	return measured, nil
}

// prepare parses the template for our engine, and gives what renders it once.
func (s liquidSubject) prepare(ctx context.Context) (func() (string, error), error) {
	template, err := liquid.Parse(s.ours, liquid.Options{Dialect: s.dialect})
	if err != nil {
		return nil, err
	}
	data, err := liquid.FromJSON([]byte(s.data))
	if err != nil {
		return nil, err
	}
	vars := map[string]any{}
	for name, value := range data.(*liquid.Map).All() {
		if s.dialect == liquid.Braze && name == "profile" {
			name = liquid.ProfileVariables
		}
		vars[name] = value
	}
	now := time.Now().UTC() // a message is rendered for the moment it was due
	return func() (string, error) {
		return template.Render(ctx, liquid.Input{Vars: vars, Now: now})
	}, nil
}

// liquidSample is what one engine did with one template for a while.
type liquidSample struct {
	LiquidCost
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

// costOf renders again and again for a while. The other engine's program counts
// in the same way.
func costOf(d time.Duration, render func() (string, error)) (s liquidSample, err error) {
	if s.Output, err = render(); err != nil {
		return s, err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ops, used, start := 0, cpu(), time.Now()
	for time.Since(start) < d || ops == 0 {
		for range 16 { // so that reading the clock costs little beside it
			if _, err := render(); err != nil {
				return s, err
			}
		}
		ops += 16
	}
	elapsed := time.Since(start)
	used = cpu() - used
	runtime.ReadMemStats(&after)
	s.Nanos = float64(elapsed.Nanoseconds()) / float64(ops)
	s.CPU = float64(used.Nanoseconds()) / float64(ops)
	s.Allocs = float64(after.Mallocs-before.Mallocs) / float64(ops)
	s.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(ops)
	return s, nil
}

// costs are those of one engine, round by round.
type costs struct{ nanos, cpu, allocs, bytes []float64 }

func (c *costs) add(cost LiquidCost) {
	c.nanos = append(c.nanos, cost.Nanos)
	c.cpu = append(c.cpu, cost.CPU)
	c.allocs = append(c.allocs, cost.Allocs)
	c.bytes = append(c.bytes, cost.Bytes)
}

func (c *costs) median() LiquidCost {
	return LiquidCost{Nanos: median(c.nanos), CPU: median(c.cpu), Allocs: median(c.allocs), Bytes: median(c.bytes)}
}

// over gives the median of the ratios of processor time, round by round: the
// machine's pace changes from round to round.
func (c *costs) over(o costs) float64 {
	ratios := make([]float64, len(c.cpu))
	for i := range ratios {
		ratios[i] = c.cpu[i] / o.cpu[i]
	}
	return median(ratios)
}

// clockReading is where the seed's template prints the seconds of "now", which the
// engines read at different moments.
var clockReading = regexp.MustCompile(`"timestamp": "\d{10}"`)

// sameText fails at the first line in which two texts differ. Blank lines do not
// count: the other engine prints those of blocks that print nothing else, where
// Ruby's and ours print nothing.
func sameText(ours, other string) error {
	mine, theirs := printedLines(ours), printedLines(other)
	for i := range max(len(mine), len(theirs)) {
		if i >= len(mine) || i >= len(theirs) {
			return fmt.Errorf("the engines print different texts: %d lines with ours, %d with the other", len(mine), len(theirs))
		}
		if mine[i] != theirs[i] {
			return fmt.Errorf("the engines print different texts: line %d is %q with ours and %q with the other", i+1, mine[i], theirs[i])
		}
	}
	return nil
}

func printedLines(text string) []string {
	var lines []string
	for line := range strings.Lines(clockReading.ReplaceAllString(text, `"timestamp": "now"`)) {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines
}

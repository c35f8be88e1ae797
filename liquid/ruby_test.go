package liquid

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// rubyProcess is one Ruby that renders templates with its own Liquid, the origin
// of the language.
type rubyProcess struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// startRuby starts Ruby for the time of a test, which is skipped where there is
// no Ruby with Liquid (Debian's package ruby-liquid).
func startRuby(t testing.TB) *rubyProcess {
	t.Helper()
	if out, err := exec.Command("ruby", "-rliquid", "-e", "").CombinedOutput(); err != nil {
		t.Skipf("no Ruby with liquid here (apt-get install ruby ruby-liquid): %v %s", err, out)
	}
	cmd := exec.Command("ruby", filepath.Join("testdata", "ruby_liquid.rb"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("ruby: %v", err)
		}
	})
	return &rubyProcess{in, bufio.NewReader(out)}
}

// A rubyCase is a template with what it is rendered on.
type rubyCase struct {
	Template string            `json:"template"`
	Data     json.RawMessage   `json:"data"`
	Partials map[string]string `json:"partials"`
}

// An outcome is what became of a case: a text or an error.
type outcome struct {
	Output   string `json:"output"`
	Error    string `json:"error"`
	Internal bool   `json:"internal"` // Ruby stumbled: a TypeError, say
	Limit    bool   `json:"-"`        // a limit of this engine was hit
}

func (o outcome) String() string {
	if o.Error != "" {
		return "error: " + o.Error
	}
	return strconv.Quote(o.Output)
}

func (r *rubyProcess) render(t testing.TB, c rubyCase) outcome {
	t.Helper()
	line, err := json.Marshal(c)
	if err == nil {
		_, err = r.in.Write(append(line, '\n'))
	}
	var o outcome
	if err == nil {
		line, err = r.out.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err != nil {
		t.Fatalf("ruby: %v at %s", err, c.Template)
	}
	return o
}

// render renders a case as Ruby does: in lax syntax, ending at the first error.
func (c rubyCase) render(t testing.TB) outcome {
	t.Helper()
	opts := Options{Syntax: Lax}
	partials := PartialMap{}
	for name, source := range c.Partials {
		p, err := Parse(source, opts)
		if err != nil {
			return outcome{Error: err.Error()}
		}
		partials[name] = p
	}
	tpl, err := Parse(c.Template, opts)
	if err != nil {
		return outcome{Error: err.Error()}
	}
	in := Input{Now: seedNow, Partials: partials, Vars: map[string]any{}}
	for key, value := range fromJSON(t, string(c.Data)).(*Map).All() {
		in.Vars[key] = value
	}
	text, err := tpl.Render(context.Background(), in)
	if err == nil {
		return outcome{Output: text}
	}
	var e *Error
	if !errors.As(err, &e) || e.Pos.Line < 1 {
		t.Fatalf("%v has no place, in %s", err, c.Template)
	}
	return outcome{Error: err.Error(), Limit: e.Kind == KindLimit}
}

// TestRuby renders templates made at random here and in Ruby. PLATEN_RUBY_FUZZ
// sets how many; PLATEN_RUBY_SEED where they begin.
func TestRuby(t *testing.T) {
	count := envNumber(t, "PLATEN_RUBY_FUZZ", 2_000)
	seed := envNumber(t, "PLATEN_RUBY_SEED", 1)
	ruby := startRuby(t)
	const most = 20 // differences that are shown
	same, failed, found := 0, 0, 0
	explained := map[string]int{}
	for n := range count {
		g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(n)))}
		statements, c := g.generate()
		ours, theirs := c.render(t), ruby.render(t, c)
		if ours.agrees(theirs) {
			same++
			if theirs.Error != "" {
				failed++
			}
			continue
		}
		if name := explain(c, ours, theirs); name != "" {
			explained[name]++
			continue
		}
		c = shrink(c, statements, func(c rubyCase) bool {
			ours, theirs := c.render(t), ruby.render(t, c)
			return !ours.agrees(theirs) && explain(c, ours, theirs) == ""
		})
		t.Errorf("template %d of seed %d:\n%s\npartials %q\nours  %v\nruby  %v", n, seed, c.Template, c.Partials, c.render(t), ruby.render(t, c))
		if found++; found == most {
			t.Fatal("and perhaps more")
		}
	}
	t.Logf("%d of %d the same, %d of these errors on both sides; explained: %v", same, count, failed, explained)
	if same < count*8/10 || failed > count/4 {
		t.Errorf("the templates compare too little")
	}
}

func envNumber(t *testing.T, name string, missing int) int {
	text := os.Getenv(name)
	if text == "" {
		return missing
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func (o outcome) agrees(other outcome) bool {
	return (o.Error == "") == (other.Error == "") && (o.Error != "" || o.Output == other.Output)
}

// shrink drops statements of a template as long as it differs.
func shrink(c rubyCase, statements []string, differs func(rubyCase) bool) rubyCase {
	for i := 0; i < len(statements); {
		fewer := append(append([]string{}, statements[:i]...), statements[i+1:]...)
		smaller := c
		smaller.Template = strings.Join(fewer, "")
		if differs(smaller) {
			statements, c = fewer, smaller
		} else {
			i++
		}
	}
	return c
}

// A rubyDifference is a way in which Ruby's Liquid 5.4 and this engine differ on
// purpose. testdata/ruby_differences.md tells them to people.
type rubyDifference struct {
	name string
	is   func(c rubyCase, ours, theirs outcome) bool
}

var rubyDifferences = []rubyDifference{
	{"ruby stumbles", func(_ rubyCase, _, theirs outcome) bool { return theirs.Internal }},
	{"limits", func(_ rubyCase, ours, _ outcome) bool { return ours.Limit }},
	{"division by 0.0", func(_ rubyCase, ours, theirs outcome) bool {
		return theirs.Error == "" && strings.Contains(ours.Error, "divided by 0")
	}},
	{"concat takes a range", func(c rubyCase, ours, theirs outcome) bool {
		return ours.Error == "" && strings.Contains(theirs.Error, "concat filter requires") && strings.Contains(c.Template, "..")
	}},
	{"bytes that are no text", func(_ rubyCase, ours, theirs outcome) bool {
		return !utf8.ValidString(ours.Output) || strings.ContainsRune(theirs.Output, utf8.RuneError) ||
			strings.Contains(ours.Error, "text that url_encode made") && theirs.Error == ""
	}},
	{"range beyond 64 bits", func(_ rubyCase, ours, _ outcome) bool {
		return strings.Contains(ours.Output, "9223372036854775807..")
	}},
	{"very many words", func(_ rubyCase, ours, theirs outcome) bool {
		return ours.Error == "" && strings.Contains(theirs.Error, "too big for truncatewords")
	}},
	{"bound of a range", func(c rubyCase, ours, theirs outcome) bool {
		return ours.Error == "" && strings.Contains(theirs.Error, "invalid integer") && strings.Contains(c.Template, "..")
	}},
}

// explain names the difference, or "" for one that nobody has explained.
func explain(c rubyCase, ours, theirs outcome) string {
	for _, d := range rubyDifferences {
		if d.is(c, ours, theirs) {
			return d.name
		}
	}
	return ""
}

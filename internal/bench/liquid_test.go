package bench

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platen/internal/fault"
)

func TestLiquidIsMeasuredBesideTheOtherEngine(t *testing.T) {
	r, err := Liquid{Module: "../../bench/liquid", Rounds: 2, Duration: 20 * time.Millisecond, Progress: io.Discard}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.NoOther != "" {
		t.Skipf("the other engine is not here: %s", r.NoOther)
	}
	if r.Other != "github.com/osteele/liquid v1.9.2" || len(r.Templates) != 2 {
		t.Fatalf("%+v", r)
	}
	for i, lines := range []int{36, 199} {
		m := r.Templates[i]
		if m.Lines != lines || !m.Equal || m.Ratio <= 0 || m.Ours.CPU <= 0 || m.Other.CPU <= 0 || m.Other.Allocs <= m.Ours.Allocs {
			t.Errorf("%+v beside %+v", m, m.Other)
		}
	}
}

func TestLiquidWithoutTheOtherEngineSaysSo(t *testing.T) {
	var progress strings.Builder
	r, err := Liquid{Module: t.TempDir(), Rounds: 1, Duration: time.Millisecond, Progress: &progress}.Run(t.Context())
	if err != nil || r.Other != "" || !strings.Contains(r.NoOther, "--module") || !strings.Contains(progress.String(), r.NoOther) {
		t.Fatalf("%+v, %v, %q", r, err, progress.String())
	}
	for _, m := range r.Templates {
		if m.Ours.Nanos <= 0 || m.Other != nil || m.Ratio != 0 {
			t.Errorf("%+v", m)
		}
	}
}

func TestAnotherEngineThatDoesNotBuildSaysWhy(t *testing.T) {
	module := t.TempDir()
	writeFile(t, module, "go.mod", "module broken\n\ngo 1.26.0\n")
	writeFile(t, module, "main.go", "package main\n\nfunc main() { missing() }\n")
	r, err := Liquid{Module: module, Rounds: 1, Duration: time.Millisecond, Progress: io.Discard}.Run(t.Context())
	if err != nil || !strings.Contains(r.NoOther, "undefined: missing") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLiquidNeedsSomethingToMeasure(t *testing.T) {
	for _, b := range []Liquid{{Rounds: 0, Duration: 1}, {Rounds: 1}} {
		if _, err := b.Run(t.Context()); fault.ReasonOf(err) != "bad_number" {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestTextsThatDifferAreFound(t *testing.T) {
	const body = "a\n\"timestamp\": \"1257894000\"\nb\n"
	later := strings.Replace(body, "1257894000", "1257894001", 1)
	if err := sameText(body, later); err != nil {
		t.Error(err)
	}
	if err := sameText(body, "\n"+body+"  \n\n"); err != nil {
		t.Error(err)
	}
	for other, want := range map[string]string{
		later + "c":                        "3 lines with ours, 4 with the other",
		strings.Replace(body, "b", "c", 1): `line 3 is "b" with ours and "c"`,
		"a\n":                              "3 lines with ours, 1 with the other",
	} {
		if err := sameText(body, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func TestRatiosOfCostsAreTakenRoundByRound(t *testing.T) {
	var ours, other costs
	for _, nanos := range [][2]float64{{10, 50}, {100, 900}, {10, 60}} {
		ours.add(LiquidCost{CPU: nanos[0]})
		other.add(LiquidCost{CPU: nanos[1]})
	}
	if got := other.over(ours); got != 6 {
		t.Errorf("%v", got)
	}
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

package mapping

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platen/internal/fault"
	"platen/internal/loosejson"
)

var update = flag.Bool("update", false, "write the golden files anew")

// received is the time of receipt of all tests.
var received = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// setting is the source of a golden test: testdata/NAME.source.json, or the preset
// alone.
type setting struct {
	Presets []string
	Own     []Spec
}

func (s setting) compile(t testing.TB) *Set {
	t.Helper()
	set, err := Compile(s.Presets, s.Own)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func presetOnly(t testing.TB) *Set { return setting{Presets: []string{"movable-ink"}}.compile(t) }

func TestGolden(t *testing.T) {
	bodies, err := filepath.Glob("testdata/*.body.json")
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no bodies: %v", err)
	}
	for _, path := range bodies {
		base := strings.TrimSuffix(path, ".body.json")
		t.Run(filepath.Base(base), func(t *testing.T) {
			body := readFile(t, path)
			sourceOf := setting{Presets: []string{"movable-ink"}}
			if raw, err := os.ReadFile(base + ".source.json"); err == nil {
				sourceOf = setting{}
				if err := json.Unmarshal(raw, &sourceOf); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, base, outcome(sourceOf.compile(t), body))
		})
	}
}

// The three bodies that the original's documentation expects, byte for byte.
func TestGoldenSeed(t *testing.T) {
	shared := os.Getenv("PLATEN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	for _, name := range []string{"product_viewed", "category_viewed", "identify"} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(shared, "seed", name+".expected.json"))
			if err != nil {
				t.Skipf("no shared seed files: %v", err)
			}
			golden(t, filepath.Join("testdata", "seed_"+name), outcome(presetOnly(t), body))
		})
	}
}

func golden(t *testing.T, base, got string) {
	t.Helper()
	path := base + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(readFile(t, path)); got != want {
		t.Errorf("%s differs; got\n%s\nwant\n%s", path, got, want)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// outcome writes what became of a body, line by line and exact to the byte.
func outcome(set *Set, body []byte) string {
	if err := loosejson.Check(body); err != nil {
		return err.Error()
	}
	var b strings.Builder
	m, err := set.Map(body, received)
	if err != nil {
		f := fault.From(err)
		fmt.Fprintf(&b, "refused %d %s at %q\n%s\n", f.Status(), f.Reason, f.Pointer, f.Message)
		return b.String()
	}
	at := ""
	if !m.Time.IsZero() {
		at = m.Time.Format(time.RFC3339Nano)
	}
	for _, line := range [][2]string{
		{"type", m.Type}, {"event", m.Event}, {"user", m.UserID}, {"anonymous", m.AnonymousID}, {"message", m.MessageID},
		{"time", at}, {"timezone", m.TimeZone}, {"properties", string(m.Properties)}, {"traits", string(m.Traits)}, {"schema", m.Schema},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-11s %s\n", line[0], line[1])
		}
	}
	for _, w := range m.Warnings {
		fmt.Fprintf(&b, "warning     %s %s: %s\n", w.Pointer, w.Kind, w.Message)
	}
	return b.String()
}

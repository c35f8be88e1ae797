package payload

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"platen/liquid"
)

var update = flag.Bool("update", false, "write the repaired seed templates")

// seeds are the three templates of the partner page, with the profile that each
// expected payload names.
var seeds = []struct {
	name    string
	profile map[string]any
}{
	{"product_viewed", map[string]any{"user_id": "5c3aa83113dd490100d3d8d7", "email_address": "test@braze.com", "time_zone": "America/New_York"}},
	{"category_viewed", map[string]any{"user_id": "5c3aa83113dd490100d3d8d7", "email_address": "test@braze.com", "time_zone": "America/New_York"}},
	{"identify", map[string]any{"user_id": "mycustomerid123", "email_address": "test@braze.com", "time_zone": "America/New_York"}},
}

// seedFile reads a file of the shared seed; without it the test is skipped.
func seedFile(t *testing.T, name string) []byte {
	t.Helper()
	shared := os.Getenv("PLATEN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(shared, "seed", name))
	if err != nil {
		t.Skipf("no shared seed files: %v", err)
	}
	return data
}

// repaired reads a repaired seed template.
func repaired(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "seed", name+".repaired.liquid"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func places(r Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Rule))
	}
	return out
}

func TestSeedFindings(t *testing.T) {
	for _, seed := range seeds {
		t.Run(seed.name, func(t *testing.T) {
			source := string(seedFile(t, seed.name+".webhook.liquid"))
			report, err := Lint(source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join("testdata", "seed", seed.name+".findings"))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSpace(string(data)), "\n")
			if got := places(report); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestSeedRepaired(t *testing.T) {
	for _, seed := range seeds {
		t.Run(seed.name, func(t *testing.T) {
			source := string(seedFile(t, seed.name+".webhook.liquid"))
			fixed, applied, rest, err := Fix(source, Options{})
			if err != nil || len(rest.Findings)+len(rest.Notes) > 0 {
				t.Fatalf("left over: %v\n%s", err, rest.Text(seed.name))
			}
			if before, _ := Lint(source, Options{}); len(applied) != len(before.Findings) {
				t.Errorf("%d repairs for %d findings", len(applied), len(before.Findings))
			}
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", "seed", seed.name+".repaired.liquid"), []byte(fixed), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := repaired(t, seed.name); fixed != want {
				t.Errorf("got\n%s\nwant\n%s", fixed, want)
			}
		})
	}
}

// What the repaired templates send equals the expected payloads by value.
func TestSeedPayloads(t *testing.T) {
	for _, seed := range seeds {
		t.Run(seed.name, func(t *testing.T) {
			var trigger struct {
				Events []struct{ Properties json.RawMessage }
			}
			var want, got map[string]any
			decode(t, seedFile(t, seed.name+".trigger.json"), &trigger)
			decode(t, seedFile(t, seed.name+".expected.json"), &want)
			vars := map[string]any{liquid.ProfileVariables: seed.profile}
			if raw := trigger.Events[0].Properties; raw != nil {
				properties, err := liquid.FromJSON(raw)
				if err != nil {
					t.Fatal(err)
				}
				vars["event_properties"] = properties
			}
			body, err := render(t, repaired(t, seed.name), vars)
			if err != nil {
				t.Fatal(err)
			}
			decode(t, []byte(body), &got)
			if seed.name == "identify" {
				// The page's anonymous id is no MD5 at all, but the template sends
				// that of the e-mail.
				sum := md5.Sum([]byte("test@braze.com"))
				want["anonymous_id"] = hex.EncodeToString(sum[:])
			} else {
				// The template sends one id: of a known customer the user id.
				delete(want, "anonymous_id")
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
}

// The repaired templates send JSON whatever the data holds, a price that is text
// or missing included.
func TestSeedHostile(t *testing.T) {
	for _, seed := range seeds {
		t.Run(seed.name, func(t *testing.T) {
			source := repaired(t, seed.name)
			rng := rand.New(rand.NewPCG(3, 4))
			for range 2000 {
				properties := member(map[string]any{}, rng, "id", "title", "url", "price", "meta", "categories")
				if rng.IntN(2) == 0 {
					properties["categories"] = list(rng, func(rng *rand.Rand) any { return member(map[string]any{}, rng, "id", "url") })
				}
				profile := member(map[string]any{"time_zone": "UTC"}, rng, "user_id", "email_address")
				vars := map[string]any{"event_properties": properties, liquid.ProfileVariables: profile}
				if !sendsJSON(t, source, vars) {
					t.Fatalf("sends nothing for %v", vars)
				}
			}
		})
	}
}

// Line ends as Windows writes them change nothing.
func TestSeedCarriageReturns(t *testing.T) {
	for _, seed := range seeds {
		source := string(seedFile(t, seed.name+".webhook.liquid"))
		want, _ := Lint(source, Options{})
		got, err := Lint(strings.ReplaceAll(source, "\n", "\r\n"), Options{})
		if err != nil || !slices.Equal(places(got), places(want)) {
			t.Errorf("%s: got %v, %v", seed.name, places(got), err)
		}
		fixed, _, rest, _ := Fix(strings.ReplaceAll(source, "\n", "\r\n"), Options{})
		if len(rest.Findings) > 0 || strings.ReplaceAll(fixed, "\r\n", "\n") != repaired(t, seed.name) {
			t.Errorf("%s: repaired to\n%q", seed.name, fixed)
		}
	}
}

package liquid

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// sharedFile reads a file of the project's shared test data, which lies beside
// the checkout or where PLATEN_SHARED says; without it the test is skipped.
func sharedFile(t testing.TB, name string) []byte {
	t.Helper()
	root := os.Getenv("PLATEN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Skipf("shared test data is not here: %v", err)
	}
	return data
}

// goldenCase is one case of the golden-liquid suite.
type goldenCase struct {
	Name      string            `json:"name"`
	Template  string            `json:"template"`
	Data      json.RawMessage   `json:"data"`
	Templates map[string]string `json:"templates"`
	Result    *string           `json:"result"`
	Results   []string          `json:"results"`
	Invalid   bool              `json:"invalid"`
	Tags      []string          `json:"tags"`
}

// notYet are the cases that are known not to pass, each with the reason.
var notYet = map[string]string{}

func TestGolden(t *testing.T) {
	var suite struct {
		Tests []goldenCase `json:"tests"`
	}
	if err := json.Unmarshal(sharedFile(t, "conformance/liquid/golden.json"), &suite); err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range suite.Tests {
		t.Run(c.Name, func(t *testing.T) {
			problem := c.check()
			reason, known := notYet[c.Name]
			switch {
			case problem == "" && known:
				t.Errorf("passes now: take it off the list (%s)", reason)
			case problem == "":
				passed++
			case known:
				t.Logf("known (%s): %s", reason, problem)
			default:
				t.Error(problem)
			}
		})
	}
	t.Logf("golden: %d of %d pass, %.1f %%", passed, len(suite.Tests), 100*float64(passed)/float64(len(suite.Tests)))
}

// check renders the case and returns what is wrong with the result, or "".
func (c *goldenCase) check() string {
	got, err := c.render()
	switch {
	case c.Invalid && err == nil:
		return "rendered to " + quoteJSON(got) + " but is invalid: " + c.Template
	case c.Invalid:
		return ""
	case err != nil:
		return err.Error() + " in " + c.Template
	}
	want := c.Results
	if c.Result != nil {
		want = append(want, *c.Result)
	}
	if !slices.Contains(want, got) {
		return "got " + quoteJSON(got) + ", want " + quoteJSON(want) + " from " + c.Template + " with " + string(c.Data)
	}
	return ""
}

func (c *goldenCase) render() (string, error) {
	opts := Options{Syntax: Lax}
	if slices.Contains(c.Tags, "strict") {
		opts.Syntax = Strict
	}
	in := Input{Now: time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)}
	if len(c.Data) > 0 {
		data, err := FromJSON(c.Data)
		if err != nil {
			return "", err
		}
		if m, ok := data.(*Map); ok {
			in.Vars = map[string]any{}
			for k, v := range m.All() {
				in.Vars[k] = v
			}
		}
	}
	partials := PartialMap{}
	for name, source := range c.Templates {
		p, err := Parse(source, opts)
		if err != nil {
			return "", err
		}
		partials[name] = p
	}
	in.Partials = partials
	tpl, err := Parse(c.Template, opts)
	if err != nil {
		return "", err
	}
	return tpl.Render(context.Background(), in)
}

func quoteJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

package payload

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"platen/liquid"
)

// A template that was damaged at random either gets a finding (or a note that
// says what was not checked), or still sends JSON for every customer.
func TestNothingIsMissed(t *testing.T) {
	sources := validTemplates(t)
	for _, seed := range seeds {
		sources[seed.name] = repaired(t, seed.name)
	}
	names := make([]string, 0, len(sources))
	for name := range sources {
		names = append(names, name)
	}
	slices.Sort(names)
	rng := rand.New(rand.NewPCG(5, 6))
	checked := 0
	for range 8000 {
		name := names[rng.IntN(len(names))]
		source := damaged(sources[name], rng)
		report, err := Lint(source, Options{})
		if err != nil || len(report.Findings)+len(report.Notes) > 0 {
			continue
		}
		checked++
		if vars, body, ok := victim(t, source, rng); !ok {
			data, _ := json.Marshal(vars)
			t.Errorf("%s: no finding in\n%s\nwhich sends\n%s\nfor %s", name, source, body, data)
		}
	}
	if checked < 500 {
		t.Errorf("only %d templates without a finding", checked)
	}
}

// victim looks for a customer to whom a template sends something that is not
// JSON; ok is true when there is none among those it tries.
func victim(t *testing.T, source string, rng *rand.Rand) (vars map[string]any, body string, ok bool) {
	t.Helper()
	template, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 15 {
		vars := hostile(rng)
		if i == 0 {
			vars = friendly()
		}
		body, err := template.Render(t.Context(), liquid.Input{Vars: vars, Now: renderTime})
		if err == nil && !json.Valid([]byte(body)) {
			return vars, body, false
		}
	}
	return nil, "", true
}

var filterPattern = regexp.MustCompile(` \| [a-z_]+(: [^|}]*)?`)

// damaged changes a template in one place.
func damaged(source string, rng *rand.Rand) string {
	at := rng.IntN(len(source))
	length := min(1+rng.IntN(3), len(source)-at)
	switch rng.IntN(6) {
	case 5:
		if filter := filterPattern.FindStringIndex(source[at:]); filter != nil {
			return source[:at+filter[0]] + source[at+filter[1]:]
		}
		fallthrough
	case 0:
		return source[:at] + source[at+length:]
	case 1:
		return source[:at] + pick(rng, `"`, ",", "{", "}", "[", "]", ":", "\\", "\n", "//", "1", "x", "'", " ", "{{x}}", "-") + source[at:]
	case 2:
		to := rng.IntN(len(source))
		return source[:at] + source[to:min(to+8, len(source))] + source[at:]
	case 3:
		return source[:at] + pick(rng, `"`, ",", "}", ":", "\\", "a") + source[at+length:]
	}
	filter := pick(rng, " | upcase", " | default: 'x'", " | strip", " | append: '\"'", " | json_escape", " | as_json_string", " | plus: 1", " | slice: 0, 3", " | date: '%s'", " | split: ',' | join: '\", \"'", " | replace: 'a', '\"'", " | first", " | money", " | url_decode")
	for i := at; i+1 < len(source); i++ {
		if source[i:i+2] == "}}" {
			return source[:i] + filter + source[i:]
		}
	}
	return source[:at] + source[at+length:]
}

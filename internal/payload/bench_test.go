package payload

import (
	"fmt"
	"strings"
	"testing"
)

// large is a template of about 20 KB with branches, captures and loops.
func large() string {
	var b strings.Builder
	b.WriteString("{% assign seconds = 'now' | date: '%s' %}\n")
	b.WriteString("{% if ${user_id} %}{% capture id %}\"user_id\": \"{{${user_id} | json_escape}}\",{% endcapture %}{% else %}{% capture id %}\"anonymous_id\": \"{{${email_address} | md5}}\",{% endcapture %}{% endif %}\n[\n")
	for i := 0; b.Len() < 20_000; i++ {
		fmt.Fprintf(&b, `  {
    {{id}}
    {%% if event_properties.${title %[1]d} %%}"title": "{{event_properties.${title %[1]d} | json_escape}}",{%% endif %%}
    {%% if event_properties.${kind} == 'x' %%}"kind": 1,{%% elsif event_properties.${kind} %%}"kind": 2,{%% endif %%}
    {%% assign price_%[1]d = event_properties.${price %[1]d} | default: 'null' %%}
    "price": {{price_%[1]d}},
    "tags": [{%% for t in event_properties.${tags} %%}"{{t | json_escape}}"{%% unless forloop.last %%},{%% endunless %%}{%% endfor %%}],
    "timestamp": {{seconds}}000
  },
`, i)
	}
	b.WriteString("null\n]")
	return b.String()
}

func BenchmarkLint(b *testing.B) {
	source := large()
	report, err := Lint(source, Options{})
	if err != nil || len(report.Findings)+len(report.Notes) > 0 {
		b.Fatal(err, report.Text("large"))
	}
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Lint(source, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

package engage

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is sent: nothing panics, each object gives one item that is part of
// the answer, and what would be stored is JSON.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/golden/*.case.json")
	for _, file := range files {
		var c goldenCase
		text, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(text, &c) != nil {
			f.Fatal(file, err)
		}
		for _, call := range c.Calls {
			f.Add([]byte(call.Body), `{"a":1}`)
		}
	}
	f.Add([]byte(`{"attributes":[{"email":"a@b.co","a":{"$add":[{"x":{"$time":"2020-01-01"}}]},"b":{"inc":1e9},"_merge_objects":true}]}`), `[{"x":1}]`)
	f.Fuzz(func(t *testing.T, text []byte, current string) {
		body, err := parseBody(text)
		if err != nil {
			return
		}
		c := call{workspace: ours, received: received, body: body, idempotency: "k"}
		if namings, err := readNamings(c); err == nil && len(namings) > maxIdentified {
			t.Fatalf("%d namings", len(namings))
		}
		b := batch{call: c}
		if b.read() != nil {
			return
		}
		for i, item := range b.items {
			checkItem(t, b, i, current)
			if (item.Refused == nil) != (b.origins[i].refused == nil) {
				t.Fatalf("item %d: refused %v, origin %+v", i, item.Refused, b.origins[i])
			}
		}
	})
}

func checkItem(t *testing.T, b batch, i int, current string) {
	item := b.items[i]
	if item.Refused != nil {
		return
	}
	if err := item.Who.Check(); err != nil {
		t.Fatalf("item %d: %v", i, err)
	}
	if item.Event != nil && item.Event.Properties != nil && !json.Valid(item.Event.Properties) {
		t.Fatalf("item %d: properties %s", i, item.Event.Properties)
	}
	for _, s := range item.Set {
		value := s.Value
		if s.Change != nil {
			changed, ok := s.Change(current)
			if !ok {
				continue
			}
			value = changed
		}
		if !json.Valid([]byte(value)) {
			t.Fatalf("item %d: attribute %q would be %s", i, s.Name, value)
		}
	}
}

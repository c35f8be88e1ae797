package document

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse holds that no file makes the reader panic, that every problem has a
// place, and that what is accepted is written in a form that reads
// back as the same.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "---\n") {
			f.Add(part)
		}
	}
	for part := range strings.SplitSeq(everyField, "---\n") {
		f.Add(part)
	}
	f.Fuzz(func(t *testing.T, text string) {
		docs, err := parse([]File{{Name: "f", Data: []byte(text)}})
		var problems Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("an error that is no list of problems: %v", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Errorf("a problem without place or text: %+v", p)
			}
		}
		if err != nil {
			return
		}
		for _, d := range docs {
			first, err := encode(d.spec)
			if err != nil {
				t.Fatal(err)
			}
			back, err := parse([]File{{Name: "g", Data: first}})
			if err != nil || len(back) != 1 {
				t.Fatalf("%v\nof\n%s", err, first)
			}
			if second, err := encode(back[0].spec); err != nil || string(second) != string(first) {
				t.Fatalf("%v: first\n%s\nthen\n%s", err, first, second)
			}
		}
	})
}

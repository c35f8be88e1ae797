package document

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platen/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files of errors anew")

// TestErrorTexts holds what people are told about wrong files, word for word. Each
// file of testdata/errors is refused; the text beside it lists why.
func TestErrorTexts(t *testing.T) {
	paths, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = newServer(t).Apply(context.Background(), newServer(t).input(File{Name: name + ".yaml", Data: data}))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want problems", err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", problems.Error()+"\n")
			for _, secret := range []string{"hunter2", shopToken, shopSecret} {
				if strings.Contains(problems.Error(), secret) {
					t.Errorf("the errors hold the secret %s", secret)
				}
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant (-update writes anew):\n%s", got, want)
	}
}

func TestProblemsAreOneFaultForOthers(t *testing.T) {
	_, err := newServer(t).Apply(context.Background(), Input{Files: []File{{Name: "a.yaml", Data: []byte("kind: X")}}})
	f := fault.From(err)
	if f.Status() != http.StatusUnprocessableEntity || f.Reason != "bad_document" || !strings.HasPrefix(f.Safe(), "a.yaml:1:7: ") {
		t.Errorf("got %d %s: %s", f.Status(), f.Reason, f.Safe())
	}
}

func TestFilesOfAllKindsOfNothing(t *testing.T) {
	s := newServer(t)
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n---\n", "null\n"} {
		if r := s.apply(text); len(r.Changes) != 0 {
			t.Errorf("%q changed %v", text, r.Changes)
		}
	}
	if got := s.refuses(strings.Repeat("#", MaxFileBytes+1)); !strings.Contains(got, "at most") {
		t.Errorf("a file that is too large: %s", got)
	}
}

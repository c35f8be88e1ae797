package document

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

// What is not closed is reported where it was opened.
func TestLinesOfSyntaxErrors(t *testing.T) {
	for text, line := range map[string]int{
		"kind: Workspace\nname: a\nlink_domains: [a.example, b.example\ntimezone: UTC\n": 3,
		"kind: Workspace\negress: {allow: [127.0.0.1]\nname: a\n":                        2,
		"kind: Workspace\nlink_domains: [a.example":                                      2,
		"kind: Workspace\n  name: a\n":                                                   2,
		"[":                                                                              1,
	} {
		_, err := parse([]File{{Name: "f", Data: []byte(text)}})
		var problems Problems
		if !errors.As(err, &problems) || problems[0].Reason != "bad_yaml" || problems[0].Line != line {
			t.Errorf("%q: got %v, want line %d", text, err, line)
		}
	}
}

// What a document holds is bounded, and so is what is told about it.
func TestDocumentsAreBounded(t *testing.T) {
	lines := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	source := "kind: Source\nworkspace: w\nname: s\nkey: k\nusername: u\npassword: {env: X}\npresets: [movable-ink]\n"
	for _, c := range []struct{ name, before, member, refusal string }{
		{"fields", source + "mappings:\n  - event: e\n    match: .a\n    fields:\n", "      f%d: .a\n", "f:12:7: fields has 257 names; at most 256 are read"},
		{"mappings", source + "mappings:\n", "  - {event: e%d, match: .a}\n", `f:9:3: "mappings" has 257 items; at most 256 are read`},
		{"domains", "kind: Workspace\nname: w\nlink_domains:\n", "  - d%d.example\n", `f:4:3: "link_domains" has 257 items; at most 256 are read`},
	} {
		if _, err := parse([]File{{Name: "f", Data: []byte(c.before + lines(c.member, maxMembers))}}); err != nil {
			t.Errorf("%d %s: %v", maxMembers, c.name, err)
		}
		_, err := parse([]File{{Name: "f", Data: []byte(c.before + lines(c.member, maxMembers+1))}})
		if err == nil || err.Error() != c.refusal {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	_, err := parse([]File{{Name: "f", Data: []byte(lines("---\nkind: Workspace\nname: a%d\nunknown: 1\n", 3*maxProblems))}})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != maxProblems+1 || problems[maxProblems].Reason != "too_many_problems" {
		t.Errorf("got %d problems", len(problems))
	}
}

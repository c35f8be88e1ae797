package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fails runs a command line that must fail and gives what it told.
func fails(t *testing.T, args ...string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), args, streams{strings.NewReader(""), &out, &err}); code == 0 {
		t.Fatalf("%q succeeded:\n%s", args, &out)
	}
	return err.String()
}

// What a catalog names with file: is read beside the document, sent along, and
// written inline by export.
func TestApplyReadsDataFiles(t *testing.T) {
	t.Setenv("PLATEN_DATA", filepath.Join(t.TempDir(), "data"))
	printed, _ := succeeds(t, "", "apply", "-f", filepath.Join("..", "..", "examples", "liquid"))
	for _, want := range []string{"created   Catalog shop/products", "created   PromotionList shop/welcome", "created   Snippet shop/greeting"} {
		if !strings.Contains(printed, want) {
			t.Errorf("apply does not print %q:\n%s", want, printed)
		}
	}
	exported, _ := succeeds(t, "", "export")
	if !strings.Contains(exported, "csv: |\n  id,name,price,") || strings.Contains(exported, "file:") {
		t.Errorf("the export is\n%s", exported)
	}
	printed, _ = succeeds(t, exported, "apply", "-f", "-")
	for line := range strings.Lines(printed) {
		if !strings.HasPrefix(line, "unchanged ") {
			t.Errorf("the export applied again: %s", line)
		}
	}
}

// A document can name only what lies beside or below it, so that one from elsewhere
// sends nothing of the machine away.
func TestDataFilesLieBesideTheirDocument(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PLATEN_DATA", filepath.Join(dir, "data"))
	folder := filepath.Join(dir, "documents")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(dir, "private.csv")
	if err := os.WriteFile(outside, []byte("id,secret\nx,hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link.csv")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "catalog.yaml")
	for name, want := range map[string]string{
		"../private.csv": "the file must lie in the folder of the document or below",
		outside:          "the file must lie in the folder of the document or below",
		"link.csv":       "cannot read link.csv: path escapes",
		"gone.csv":       "cannot read gone.csv: no such file or directory",
	} {
		text := "kind: Workspace\nname: shop\n---\nkind: Catalog\nworkspace: shop\nname: c\nfile: " + name + "\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		told := fails(t, "apply", "-f", file)
		if !strings.HasPrefix(told, file+":7:7: ") || !strings.Contains(told, want) || strings.Contains(told, "hunter2") {
			t.Errorf("%s: %s", name, told)
		}
	}
}

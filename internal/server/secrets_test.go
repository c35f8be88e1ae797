package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platen/internal/fault"
)

func TestSecretsOfADataDirectoryAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.key")
	made, err := keepSecret(path, "")
	if err != nil || len(made) != 2*secretBytes {
		t.Fatalf("made %q, %v", made, err)
	}
	if again, err := keepSecret(path, ""); again != made || err != nil {
		t.Errorf("the second time %q, %v", again, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is readable by others: %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); len(files) != 1 || err != nil {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// An emptied token file must not open the management API to an empty token.
func TestADamagedSecretIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.key")
	for _, text := range []string{"", "\n", "abc", strings.Repeat("g", 64), strings.Repeat("a", 62), strings.Repeat("a", 66)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, err := keepSecret(path, "ask for help")
		if fault.ReasonOf(err) != "secret_file" || secret != "" || !strings.Contains(err.Error(), "ask for help") {
			t.Errorf("%q: %q, %v", text, secret, err)
		}
	}
}

func TestSecretKeys(t *testing.T) {
	good := strings.Repeat("0a", secretBytes)
	for key, ok := range map[string]bool{good: true, good[1:]: false, "": true, "zz": false} {
		c := Config{Data: t.TempDir(), SecretKey: key}
		if _, err := c.sealer(false); (err == nil) != ok || (err != nil && fault.ReasonOf(err) != "secret_key") {
			t.Errorf("%q: %v", key, err)
		}
	}
}

const (
	workspaceA = "kind: Workspace\nname: a\n"
	credential = workspaceA + "---\nkind: Credential\nworkspace: a\nname: c\nhost: example.com\nbasic: {username: u, password: {env: P}}\n"
)

// opened applies a document under a key and closes again; "" is for no document, or
// for the key of the directory.
func opened(t *testing.T, data, key, text string) error {
	t.Helper()
	s, err := Open(t.Context(), Config{Data: data, SecretKey: key})
	if err != nil {
		return err
	}
	defer s.Close()
	if text == "" {
		return nil
	}
	return s.ApplyText(t.Context(), "a.yaml", text, map[string]string{"P": "a-password-of-some-length"})
}

// The first key is the one of the directory, whether or not something is sealed.
func TestDataOfAnotherSecretKey(t *testing.T) {
	first, second := strings.Repeat("0a", secretBytes), strings.Repeat("0b", secretBytes)
	for name, c := range map[string]struct{ text, first, second string }{
		"a sealed secret":              {credential, first, second},
		"nothing sealed":               {workspaceA, first, second},
		"no documents":                 {"", first, second},
		"a key after that of the file": {"", "", second},
		"no key any more":              {"", first, ""},
	} {
		data := t.TempDir()
		if err := opened(t, data, c.first, c.text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := opened(t, data, c.second, ""); fault.ReasonOf(err) != "other_secret_key" || !strings.Contains(err.Error(), data) {
			t.Errorf("%s: with another key: %v", name, err)
		}
		if err := opened(t, data, c.first, c.text); err != nil {
			t.Errorf("%s: with the right key: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(data, secretKeyFile)); (err == nil) != (c.first == "") {
			t.Errorf("%s: the file with a key: %v", name, err)
		}
	}
}

// Data of before the check was kept: what is sealed tells the key, and a wrong one
// must not become that of the data.
func TestDataWithoutAKeyCheck(t *testing.T) {
	first, second := strings.Repeat("0a", secretBytes), strings.Repeat("0b", secretBytes)
	data := t.TempDir()
	s, err := Open(t.Context(), Config{Data: data, SecretKey: first})
	if err != nil {
		t.Fatal(err)
	}
	err = s.ApplyText(t.Context(), "a.yaml", credential, map[string]string{"P": "a-password-of-some-length"})
	if err = errors.Join(err, s.Store.PutMeta(keyCheck, ""), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, data, second, ""); fault.ReasonOf(err) != "other_secret_key" {
		t.Errorf("with another key: %v", err)
	}
	if err := opened(t, data, first, ""); err != nil {
		t.Errorf("with the right key: %v", err)
	}
}

func TestWritePrivateLeavesTheOldFileWhenItFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	if err := writePrivate(path, "text"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(filepath.Join(dir, "taken"), "text"); err == nil {
		t.Error("a directory was overwritten")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

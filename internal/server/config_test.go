package server

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platen/internal/fault"
)

func TestPublicURLs(t *testing.T) {
	for given, want := range map[string]string{
		"":                             "",
		"https://mail.example.com":     "https://mail.example.com",
		"http://mail.example.com:80/":  "http://mail.example.com:80",
		"https://example.com/mail//":   "https://example.com/mail",
		"mail.example.com":             "refused",
		"ftp://mail.example.com":       "refused",
		"https://":                     "refused",
		"https://mail.example.com/?a":  "refused",
		"https://mail.example.com/#a":  "refused",
		"https://me:hush@example.com":  "refused",
		"http://mail.example.com:port": "refused",
	} {
		c := Config{PublicURL: given}
		err := c.check()
		if refused := fault.ReasonOf(err) == "public_url"; refused != (want == "refused") {
			t.Errorf("%q: %v", given, err)
		} else if !refused && c.PublicURL != want {
			t.Errorf("%q became %q, want %q", given, c.PublicURL, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

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
		if _, err := c.sealer(); (err == nil) != ok || (err != nil && fault.ReasonOf(err) != "secret_key") {
			t.Errorf("%q: %v", key, err)
		}
	}
}

const sealed = "kind: Workspace\nname: a\n---\nkind: Credential\nworkspace: a\nname: c\nhost: example.com\nbasic: {username: u, password: {env: P}}\n"

func TestDataOfAnotherSecretKey(t *testing.T) {
	data := t.TempDir()
	s, err := Open(t.Context(), Config{Data: data, SecretKey: strings.Repeat("0a", secretBytes)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ApplyText(t.Context(), "a.yaml", sealed, map[string]string{"P": "a-password-of-some-length"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{Data: data, SecretKey: strings.Repeat("0b", secretBytes)})
	if fault.ReasonOf(err) != "other_secret_key" || !strings.Contains(err.Error(), data) {
		t.Errorf("with another key: %v", err)
	}
	s, err = Open(t.Context(), Config{Data: data, SecretKey: strings.Repeat("0a", secretBytes)})
	if err != nil {
		t.Fatalf("with the right key: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
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

func TestTheDoorIsOpenOnlyWhileTheServerRuns(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(data, doorFile)
	if err := os.WriteFile(path, []byte(`{"url":"http://127.0.0.1:1","token":"of a server that was killed"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if door, err := FindDoor(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the door of a killed server is still there: %v, %v", door.URL, err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	door, err := FindDoor(data)
	if err != nil || door.URL != "http://"+s.Addr() || door.Token != s.token {
		t.Errorf("the door is %v, %v", door, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the door is readable by others: %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(s.token)) {
		t.Errorf("%s, %v", text, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the door is still there: %v", err)
	}
}

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

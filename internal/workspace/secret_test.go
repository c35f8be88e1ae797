package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"platen/internal/fault"
)

const hidden = "hunter2-hunter2-hunter2"

// TestSecretShowsNowhere prints, logs and marshals a secret, alone and inside
// what holds one, in every way that may happen by accident.
func TestSecretShowsNowhere(t *testing.T) {
	s := NewSecret(hidden)
	c := Credential{Name: "c", Secret: s}
	holders := []any{s, &s, []Secret{s}, map[string]Secret{"k": s}, c, &c, struct{ S *Secret }{&s}, errors.New(s.String())}
	var out bytes.Buffer
	for _, h := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", h)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(handler).Info("it", "value", h)
		}
		b, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden)} {
		if strings.Contains(out.String(), form) {
			t.Fatalf("%q shows in:\n%s", form, out.String())
		}
	}
	if s.Reveal() != hidden {
		t.Errorf("revealed as %q", s.Reveal())
	}
}

func TestSealedSecretOpensOnlyAtItsPlace(t *testing.T) {
	sealer := newSealer(t, 1)
	at := Binding{Workspace: 3, Name: "collector", Host: "api.example.com"}
	sealed, err := sealer.Seal(NewSecret(hidden), at)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(hidden)) {
		t.Fatal("the sealed form holds the secret")
	}
	if again, _ := sealer.Seal(NewSecret(hidden), at); bytes.Equal(again, sealed) {
		t.Error("two seals of one secret are equal")
	}
	if got, err := sealer.Open(sealed, at); err != nil || got.Reveal() != hidden {
		t.Errorf("opened as %q, %v", got.Reveal(), err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() (Secret, error){
		"another workspace": func() (Secret, error) { return sealer.Open(sealed, Binding{4, at.Name, at.Host}) },
		"another name":      func() (Secret, error) { return sealer.Open(sealed, Binding{3, "other", at.Host}) },
		"another host":      func() (Secret, error) { return sealer.Open(sealed, Binding{3, at.Name, "evil.example.com"}) },
		"a shifted border":  func() (Secret, error) { return sealer.Open(sealed, Binding{3, at.Name + "a", "pi.example.com"}) },
		"another key":       func() (Secret, error) { return newSealer(t, 2).Open(sealed, at) },
		"a changed byte":    func() (Secret, error) { return sealer.Open(changed, at) },
		"nothing":           func() (Secret, error) { return sealer.Open(nil, at) },
	} {
		if got, err := open(); !errors.Is(err, ErrSealed) || !got.IsZero() {
			t.Errorf("%s: opened with error %v", name, err)
		}
	}
}

func TestDigestVerifies(t *testing.T) {
	sealer := newSealer(t, 1)
	d, err := sealer.Digest(NewSecret(hidden))
	if err != nil {
		t.Fatal(err)
	}
	other, err := sealer.Digest(NewSecret(hidden))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(d.Bytes(), other.Bytes()) {
		t.Error("two digests of one secret are equal: there is no salt")
	}
	back, err := ParseDigest(d.Bytes())
	if err != nil || !back.Verify(hidden) {
		t.Errorf("the stored digest does not verify: %v", err)
	}
	for _, wrong := range []string{"", hidden + "x", hidden[1:], strings.ToUpper(hidden)} {
		if back.Verify(wrong) {
			t.Errorf("%q verifies", wrong)
		}
	}
	if _, err := ParseDigest(d.Bytes()[1:]); err == nil {
		t.Error("a cut digest is accepted")
	}
}

func TestSourceAuthenticates(t *testing.T) {
	d, err := newSealer(t, 1).Digest(NewSecret(hidden))
	if err != nil {
		t.Fatal(err)
	}
	s := Source{Username: "shop", Password: d}
	for _, c := range []struct {
		username, password string
		want               bool
	}{
		{"shop", hidden, true}, {"shop", "", false}, {"", hidden, false}, {"Shop", hidden, false}, {"shop", "shop", false}, {"", "", false},
	} {
		if got := s.Authenticate(c.username, c.password); got != c.want {
			t.Errorf("%q, %q: %v", c.username, c.password, got)
		}
	}
	var unset Source
	if unset.Authenticate("", "") {
		t.Error("a source without a password lets everybody in")
	}
}

func TestTokens(t *testing.T) {
	sealer := newSealer(t, 1)
	a, err := sealer.Token()
	if err != nil {
		t.Fatal(err)
	}
	b, err := sealer.Token()
	if err != nil {
		t.Fatal(err)
	}
	if a == b || len(a.Reveal()) != 46 {
		t.Errorf("tokens of %d characters, equal: %v", len(a.Reveal()), a == b)
	}
	first, again := sealer.Fingerprint(a.Reveal()), sealer.Fingerprint(a.Reveal())
	if first != again || first == sealer.Fingerprint(b.Reveal()) {
		t.Error("fingerprints do not tell tokens apart")
	}
	if newSealer(t, 2).Fingerprint(a.Reveal()) == sealer.Fingerprint(a.Reveal()) {
		t.Error("the fingerprint does not depend on the server's key")
	}
	if _, err := NewSealer(make([]byte, 16), nil); err == nil {
		t.Error("a short key is accepted")
	}
}

func TestSecretRefResolves(t *testing.T) {
	from := Lookup{
		Getenv: func(name string) (string, bool) {
			v, ok := map[string]string{"SET": hidden, "EMPTY": ""}[name]
			return v, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "unix":
				return []byte(hidden + "\n"), nil
			case "dos":
				return []byte(hidden + "\r\n"), nil
			case "empty":
				return []byte("\n"), nil
			}
			return nil, errors.New("no such file, and here is " + hidden)
		},
	}
	for _, ref := range []SecretRef{{Env: "SET"}, {File: "unix"}, {File: "dos"}} {
		if got, err := ref.Resolve(from); err != nil || got.Reveal() != hidden {
			t.Errorf("%+v: %v", ref, err)
		}
	}
	for _, c := range []struct {
		ref  SecretRef
		from Lookup
		want string
	}{
		{SecretRef{Env: "UNSET"}, from, "the environment variable UNSET is not set"},
		{SecretRef{Env: "EMPTY"}, from, "the environment variable EMPTY is not set"},
		{SecretRef{File: "gone"}, from, "the file gone cannot be read"},
		{SecretRef{File: "empty"}, from, "the file empty is empty"},
		{SecretRef{Keep: true}, from, "there is no stored secret to keep"},
		{SecretRef{Env: "SET"}, Lookup{}, "environment variables cannot be read here"},
		{SecretRef{File: "unix"}, Lookup{}, "files cannot be read here"},
	} {
		_, err := c.ref.Resolve(c.from)
		f := fault.From(err)
		if err == nil || !strings.HasPrefix(f.Safe(), c.want) || f.Reason != "secret_missing" {
			t.Errorf("%+v: %v, want %q", c.ref, err, c.want)
		}
		if strings.Contains(f.Safe(), hidden) {
			t.Errorf("%+v: the message holds the secret", c.ref)
		}
	}
}

func newSealer(t *testing.T, key byte) *Sealer {
	t.Helper()
	s, err := NewSealer(bytes.Repeat([]byte{key}, SealerKeyBytes), rand.NewChaCha8([32]byte{key}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

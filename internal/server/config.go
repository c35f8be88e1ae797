// Package server wires the program together: configuration, the order in which
// parts start and stop, and the routes.
package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"platen/internal/fault"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// Config is everything that `platen serve` can be told.
type Config struct {
	Data      string // directory of the embedded store
	Listen    string // host:port; port 0 takes a free one
	PublicURL string // under which browsers and mail clients reach the server; "" is http://Listen
	SecretKey string // 64 hex digits; "" keeps a key in the data directory

	Log *slog.Logger
	Now func() time.Time
	// Workers are left out when only documents are read or written.
	WithoutWorkers bool
}

func (c *Config) check() error {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		shown := c.PublicURL
		if err == nil {
			shown = u.Redacted()
		}
		return fault.New(fault.Invalid, "public_url", "--public-url %q is no address such as https://mail.example.com, without user, query and fragment", shown)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return nil
}

// HasData says whether a directory holds the data of a server.
func HasData(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, sqlite.FileName))
	return err == nil
}

// sealer makes the sealer of a data directory. Without a configured key it keeps
// one in a file that only the owner can read.
func (c *Config) sealer() (*workspace.Sealer, error) {
	text := c.SecretKey
	if text == "" {
		var err error
		if text, err = keepSecret(filepath.Join(c.Data, secretKeyFile), "bring it back from a backup, for the secrets of the documents are sealed with it"); err != nil {
			return nil, err
		}
	}
	key, err := decodeSecret(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "secret_key", "--secret-key must be %d hex digits, as `openssl rand -hex %d` prints them",
			2*secretBytes, secretBytes)
	}
	return workspace.NewSealer(key, rand.Reader)
}

// The files of the data directory that hold secrets.
const (
	secretKeyFile  = "secret.key"  // seals the secrets of documents
	adminTokenFile = "admin.token" // opens the management API of all workspaces
)

// secretBytes is the size of both.
const secretBytes = workspace.SealerKeyBytes

func decodeSecret(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err == nil && len(b) != secretBytes {
		err = fmt.Errorf("%d bytes instead of %d", len(b), secretBytes)
	}
	return b, err
}

// keepSecret reads a secret of hex digits from a file, or makes both. A file that
// holds anything else is refused, with the remedy: an emptied one must not open
// the door to all.
func keepSecret(path, remedy string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [secretBytes]byte
		rand.Read(b[:])
		made := hex.EncodeToString(b[:])
		return made, writePrivate(path, made+"\n")
	}
	if err != nil {
		return "", fault.New(fault.Invalid, "secret_file", "the file %s cannot be read: %v; let the user who runs the server own it", path, errors.Unwrap(err))
	}
	if _, err := decodeSecret(string(text)); err != nil {
		return "", fault.New(fault.Invalid, "secret_file", "the file %s is damaged, it must hold %d hex digits; %s", path, 2*secretBytes, remedy)
	}
	return strings.TrimSpace(string(text)), nil
}

// writePrivate writes a whole file or none, readable by its owner alone.
func writePrivate(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

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
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return fault.New(fault.Invalid, "public_url", "--public-url %q is no address such as https://mail.example.com", c.PublicURL)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return nil
}

// sealer makes the sealer of a data directory. Without a configured key it keeps
// one in a file that only the owner can read.
func (c *Config) sealer() (*workspace.Sealer, error) {
	text := c.SecretKey
	if text == "" {
		var err error
		if text, err = keepSecret(filepath.Join(c.Data, "secret.key")); err != nil {
			return nil, err
		}
	}
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != workspace.SealerKeyBytes {
		return nil, fault.New(fault.Invalid, "secret_key", "the secret key must be %d hex digits, as `openssl rand -hex %d` prints them",
			2*workspace.SealerKeyBytes, workspace.SealerKeyBytes)
	}
	return workspace.NewSealer(key, rand.Reader)
}

// keepSecret reads a secret of 64 hex digits from a file, or makes both.
func keepSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read a secret of the data directory: %w", err)
	}
	var b [32]byte
	rand.Read(b[:])
	made := hex.EncodeToString(b[:])
	if err := writePrivate(path, made+"\n"); err != nil {
		return "", err
	}
	return made, nil
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

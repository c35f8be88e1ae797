// Package server wires the program together: configuration, the order in which
// parts start and stop, and the routes.
package server

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"platen/internal/fault"
	"platen/internal/store/sqlite"
)

// Config is everything that `platen serve` can be told.
type Config struct {
	Data      string // directory of the embedded store
	Listen    string // host:port; port 0 takes a free one
	PublicURL string // under which browsers and mail clients reach the server; "" is http://Listen
	SecretKey string // 64 hex digits, of the data directory for good; "" keeps a key in it

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

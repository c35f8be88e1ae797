package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// The files of the data directory that hold secrets.
const (
	secretKeyFile  = "secret.key"  // seals the secrets of documents
	adminTokenFile = "admin.token" // opens the management API of all workspaces
)

// secretBytes is the size of both.
const secretBytes = workspace.SealerKeyBytes

// keyCheck is the name under which the store keeps what tells its secret key from
// any other: the key's fingerprint of this very name.
const keyCheck = "secret_key_check"

// openDocuments reads the documents under the secret key. The first key that a
// data directory is opened with is its key from then on, also while nothing is
// stored under it: otherwise two commands could each store something that the
// other cannot read.
func (s *Server) openDocuments(ctx context.Context) error {
	known, err := s.Store.Meta(ctx, keyCheck)
	if err != nil {
		return err
	}
	sealer, err := s.config.sealer(known != "")
	if err != nil {
		return err
	}
	fingerprint := sealer.Fingerprint(keyCheck)
	check := hex.EncodeToString(fingerprint[:])
	if known != "" && known != check {
		return s.config.otherKey()
	}
	s.Registry = document.NewRegistry(s.Store, sealer)
	err = s.Registry.Reload(ctx)
	switch {
	case errors.Is(err, workspace.ErrSealed) && known == "":
		return s.config.otherKey().Because(err)
	case err != nil:
		return err
	case known == "":
		return s.Store.PutMeta(keyCheck, check)
	}
	return nil
}

// otherKey refuses a secret key that is not the one of the data.
func (c *Config) otherKey() *fault.Error {
	return fault.New(fault.Conflict, "other_secret_key",
		"the data in %s belongs to another secret key; give that one with --secret-key (or PLATEN_SECRET_KEY), or leave both out and keep the %s of that time in this directory",
		c.Data, secretKeyFile)
}

// sealer makes the sealer of a data directory. Without a configured key it keeps
// one in a file that only the owner can read; chosen says that the data has a key,
// so that a new one would not be its own.
func (c *Config) sealer(chosen bool) (*workspace.Sealer, error) {
	text := c.SecretKey
	if text == "" {
		var err error
		text, err = c.storedKey(chosen)
		if err != nil {
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

func (c *Config) storedKey(chosen bool) (string, error) {
	const remedy = "bring it back from a backup, for the secrets of the documents are sealed with it"
	path := filepath.Join(c.Data, secretKeyFile)
	if !chosen {
		return keepSecret(path, remedy)
	}
	text, err := readSecret(path, remedy)
	if errors.Is(err, fs.ErrNotExist) {
		return "", c.otherKey()
	}
	return text, err
}

func decodeSecret(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err == nil && len(b) != secretBytes {
		err = fmt.Errorf("%d bytes instead of %d", len(b), secretBytes)
	}
	return b, err
}

// keepSecret reads a secret from a file, or makes both.
func keepSecret(path, remedy string) (string, error) {
	text, err := readSecret(path, remedy)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	var b [secretBytes]byte
	rand.Read(b[:])
	made := hex.EncodeToString(b[:])
	return made, writePrivate(path, made+"\n")
}

// readSecret reads a secret of hex digits from a file; that there is none is an
// fs.ErrNotExist. A file that holds anything else is refused, with the remedy: an
// emptied one must not open the door to all.
func readSecret(path, remedy string) (string, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", err
	case err != nil:
		return "", fault.New(fault.Invalid, "secret_file", "the file %s cannot be read: %v; let the user who runs the server own it", path, errors.Unwrap(err))
	}
	if _, err := decodeSecret(string(text)); err != nil {
		return "", fault.New(fault.Invalid, "secret_file", "the file %s is damaged, it must hold %d hex digits; %s", path, 2*secretBytes, remedy)
	}
	return strings.TrimSpace(string(text)), nil
}

// writePrivate writes a whole file or none, readable by its owner alone. Once it
// has returned, the file is still there after a power cut.
func writePrivate(path, text string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = sqlite.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

package workspace

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// SealerKeyBytes is the size of a server's key.
const SealerKeyBytes = 32

// Sealer keeps secrets under the server's key: what we must send is sealed with
// AES-256-GCM, an API token becomes a fingerprint under which it is found. It is
// safe for use by many goroutines.
type Sealer struct {
	aead     cipher.AEAD
	tokenKey []byte
	random   io.Reader
}

// Binding is the place that a sealed secret belongs to.
type Binding struct {
	Workspace  int64
	Name, Host string
}

// TokenFingerprint is the keyed hash of an API token. Equal tokens have equal
// fingerprints, so a presented token is found by one look-up that compares no
// part of the token itself.
type TokenFingerprint [sha256.Size]byte

// ErrSealed says that a sealed secret cannot be opened: it was sealed under
// another key or for another place, or was changed.
var ErrSealed = errors.New("the sealed secret cannot be opened with this server's key at this place")

// NewSealer makes a sealer from the server's key of SealerKeyBytes random bytes.
// Nonces and salts are drawn from random, which must be safe for many goroutines.
func NewSealer(key []byte, random io.Reader) (*Sealer, error) {
	if len(key) != SealerKeyBytes {
		return nil, fmt.Errorf("the server's key has %d bytes, it needs %d", len(key), SealerKeyBytes)
	}
	// Two uses, two keys: neither may weaken the other.
	sealKey, err := hkdf.Key(sha256.New, key, nil, "platen seal", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the sealing key: %w", err)
	}
	tokenKey, err := hkdf.Key(sha256.New, key, nil, "platen token", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the token key: %w", err)
	}
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, tokenKey: tokenKey, random: random}, nil
}

// Seal encrypts a secret for one place. Every call gives another result.
func (s *Sealer) Seal(secret Secret, at Binding) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(secret.text)+s.aead.Overhead())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return s.aead.Seal(nonce, nonce, []byte(secret.text), at.bytes()), nil
}

// Open decrypts what Seal wrote for the same place. The error is ErrSealed.
func (s *Sealer) Open(sealed []byte, at Binding) (Secret, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return Secret{}, ErrSealed
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], at.bytes())
	if err != nil {
		return Secret{}, ErrSealed
	}
	return Secret{string(plain)}, nil
}

// Fingerprint is the keyed hash under which an API token is stored and found.
func (s *Sealer) Fingerprint(token string) TokenFingerprint {
	h := hmac.New(sha256.New, s.tokenKey)
	io.WriteString(h, token)
	var f TokenFingerprint
	h.Sum(f[:0])
	return f
}

// Digest hashes a password under a fresh salt.
func (s *Sealer) Digest(password Secret) (Digest, error) { return NewDigest(password, s.random) }

// Token makes a new API token.
func (s *Sealer) Token() (Secret, error) { return NewToken(s.random) }

// bytes writes the binding so that no two bindings share a form.
func (b Binding) bytes() []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(b.Workspace))
	out = binary.AppendUvarint(out, uint64(len(b.Name)))
	out = append(out, b.Name...)
	return append(out, b.Host...)
}

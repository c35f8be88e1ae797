package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// Digest is what is kept of a secret that is only ever checked: a salt and the
// SHA-256 of salt and secret. A slow hash would cost every request; it is not
// needed for secrets of high entropy, which is what apply asks for.
type Digest struct {
	salt [saltBytes]byte
	sum  [sha256.Size]byte
}

const saltBytes = 16

// NewDigest hashes a secret under a fresh salt.
func NewDigest(secret Secret, random io.Reader) (Digest, error) {
	var d Digest
	if _, err := io.ReadFull(random, d.salt[:]); err != nil {
		return Digest{}, fmt.Errorf("draw a salt: %w", err)
	}
	d.sum = d.of(secret.text)
	return d, nil
}

// ParseDigest reads what Bytes wrote.
func ParseDigest(b []byte) (Digest, error) {
	var d Digest
	if len(b) != len(d.salt)+len(d.sum) {
		return Digest{}, errors.New("a stored digest has the wrong length")
	}
	copy(d.sum[:], b[copy(d.salt[:], b):])
	return d, nil
}

// Bytes is the form in which a digest is stored: the salt, then the sum.
func (d Digest) Bytes() []byte { return append(d.salt[:], d.sum[:]...) }

// Verify says whether the secret is the one that was hashed, in a time that does
// not depend on how much of it is right.
func (d Digest) Verify(secret string) bool {
	sum := d.of(secret)
	return subtle.ConstantTimeCompare(sum[:], d.sum[:]) == 1
}

func (d Digest) of(secret string) [sha256.Size]byte {
	h := sha256.New()
	h.Write(d.salt[:])
	io.WriteString(h, secret)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

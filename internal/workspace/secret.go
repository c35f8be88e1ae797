package workspace

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what is printed in place of a secret.
const redacted = "[secret]"

// Secret is a text that must not be printed. However it is formatted, logged or
// marshalled, it shows as [secret].
type Secret struct{ text string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal gives the text itself, for the one place that needs it.
func (s Secret) Reveal() string { return s.text }

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// Format prints the redacted form for every verb, also within a struct.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// String is the redacted form.
func (s Secret) String() string { return redacted }

// LogValue is the redacted form.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is the redacted form.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// NewToken makes a secret of 256 random bits in 46 characters that need no
// escaping in a URL, a header or a shell.
func NewToken(random io.Reader) (Secret, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Secret{}, fmt.Errorf("draw a token: %w", err)
	}
	return Secret{"pt_" + base64.RawURLEncoding.EncodeToString(b[:])}, nil
}

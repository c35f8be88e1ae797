package document

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"platen/internal/workspace"
)

// secretHolder is a spec with one secret.
type secretHolder interface {
	// secretRef is the place of the reference and the JSON pointer of its field.
	secretRef() (ref **workspace.SecretRef, pointer string)
}

func (s *apiKeySpec) secretRef() (**workspace.SecretRef, string) { return &s.Token, "/token" }

func (s *sourceSpec) secretRef() (**workspace.SecretRef, string) { return &s.Password, "/password" }

func (s *credentialSpec) secretRef() (**workspace.SecretRef, string) {
	switch {
	case s.Basic != nil:
		return &s.Basic.Password, "/basic/password"
	case s.Bearer != nil:
		return &s.Bearer.Token, "/bearer/token"
	default:
		return &s.Header.Value, "/header/value"
	}
}

// settled is what became of a document's secret.
type settled struct {
	stored  []byte // what the store keeps, nil for a kind without secret
	changed bool   // it is another one than before
	field   string
}

// strongSecret is how long a secret is that cannot be guessed; shorter ones are
// warned about, since what we only check is hashed fast (see workspace.Digest).
const strongSecret = 16

// settleSecret finds the secret of a document. The reference in the document is
// left as export has to write it. ok is false when the secret was refused.
func (p *planning) settleSecret(d *document, number int64, old *entry) (s settled, ok bool, err error) {
	holder, holds := d.spec.(secretHolder)
	if !holds {
		return settled{}, true, nil
	}
	ref, _ := holder.secretRef()
	switch {
	case *ref != nil && !(*ref).Keep:
		return p.takeSecret(d, number, **ref, old)
	case old != nil:
		return p.keepSecret(d, ref, old)
	case *ref == nil && d.kind == KindAPIKey:
		return p.newToken(d, ref)
	}
	return p.takeSecret(d, number, workspace.SecretRef{Keep: true}, nil)
}

// takeSecret reads a secret from where the document says it is.
func (p *planning) takeSecret(d *document, number int64, ref workspace.SecretRef, old *entry) (s settled, ok bool, err error) {
	_, pointer := d.spec.(secretHolder).secretRef()
	secret, err := ref.Resolve(p.in.Lookup)
	if err != nil {
		d.in.pass(d.at(pointer), err)
		return settled{}, false, nil
	}
	if utf8.RuneCountInString(secret.Reveal()) < strongSecret {
		p.warn(d, pointer, "this secret has fewer than %d characters: a short one can be guessed; use a random one", strongSecret)
	}
	same := old != nil && p.isSecretOf(old, secret)
	if same && sameHost(d, old) {
		return settled{stored: old.stored.Secret}, true, nil
	}
	s = settled{changed: !same, field: strings.ReplaceAll(pointer[1:], "/", ".")}
	s.stored, err = p.storeSecret(d, number, secret)
	return s, err == nil, err
}

// keepSecret leaves a stored secret and its reference as they are.
func (p *planning) keepSecret(d *document, ref **workspace.SecretRef, old *entry) (settled, bool, error) {
	if !sameHost(d, old) {
		d.refuse("/host", "secret_missing", "the host changes, so the secret must be given again: "+
			"write {env: NAME} or {file: PATH}, so that a stored secret cannot be led elsewhere")
		return settled{}, false, nil
	}
	kept, _ := old.doc.spec.(secretHolder).secretRef()
	*ref = *kept
	return settled{stored: old.stored.Secret}, true, nil
}

// newToken makes the token of an API key that states none. A dry run makes none.
func (p *planning) newToken(d *document, ref **workspace.SecretRef) (s settled, ok bool, err error) {
	*ref = &workspace.SecretRef{Keep: true}
	if p.in.DryRun {
		return settled{}, true, nil
	}
	token, err := p.sealer.Token()
	if err != nil {
		return settled{}, false, err
	}
	fingerprint := p.sealer.Fingerprint(token.Reveal())
	p.report.Tokens = append(p.report.Tokens, NewToken{Workspace: d.workspace, Name: d.name, Token: token})
	return settled{stored: fingerprint[:]}, true, nil
}

// sameHost says whether a sealed secret may stay as it is: it is bound to the
// host of its credential.
func sameHost(d *document, old *entry) bool {
	c, ok := d.spec.(*credentialSpec)
	return !ok || c.Host == old.doc.spec.(*credentialSpec).Host
}

// isSecretOf says whether the secret is the stored one.
func (p *planning) isSecretOf(e *entry, secret workspace.Secret) bool {
	switch s := e.doc.spec.(type) {
	case *apiKeySpec:
		fingerprint := p.sealer.Fingerprint(secret.Reveal())
		return string(e.stored.Secret) == string(fingerprint[:])
	case *sourceSpec:
		digest, err := workspace.ParseDigest(e.stored.Secret)
		return err == nil && digest.Verify(secret.Reveal())
	case *credentialSpec:
		stored, err := p.sealer.Open(e.stored.Secret, s.compile(e.stored.Workspace).Binding())
		return err == nil && stored == secret
	}
	return false
}

func (p *planning) storeSecret(d *document, number int64, secret workspace.Secret) ([]byte, error) {
	switch s := d.spec.(type) {
	case *apiKeySpec:
		fingerprint := p.sealer.Fingerprint(secret.Reveal())
		return fingerprint[:], nil
	case *sourceSpec:
		digest, err := p.sealer.Digest(secret)
		return digest.Bytes(), err
	case *credentialSpec:
		return p.sealer.Seal(secret, s.compile(number).Binding())
	}
	return nil, fmt.Errorf("documents of kind %s hold no secret", d.kind)
}

func (p *planning) warn(d *document, pointer, format string, args ...any) {
	n := d.at(pointer)
	p.report.Warnings = append(p.report.Warnings, Warning{
		File: d.in.file, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...),
	})
}

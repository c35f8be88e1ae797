package workspace

import (
	"encoding/base64"
	"net"
	"net/url"
	"strings"
)

// CredentialKind says how a credential is shown to the host.
type CredentialKind string

// The kinds of credentials.
const (
	Basic  CredentialKind = "basic"  // Authorization: Basic, of Username and the secret
	Bearer CredentialKind = "bearer" // Authorization: Bearer, of the secret
	Header CredentialKind = "header" // a header of its own, HeaderName, holding the secret
)

// Credential is what a webhook shows to one host. It is opened only in memory;
// at rest its secret is sealed.
type Credential struct {
	Workspace  int64
	Name       string
	Host       string // as HostOf writes it; the secret goes nowhere else
	Kind       CredentialKind
	Username   string // of Basic
	HeaderName string // of Header, in canonical form
	Secret     Secret
}

// Admits says whether the secret may be sent to u.
func (c *Credential) Admits(u *url.URL) bool { return HostOf(u) == c.Host }

// Line gives the request header that carries the secret. It is for the request
// alone: never store, log or show the value.
func (c *Credential) Line() (name, value string) {
	switch c.Kind {
	case Basic:
		pair := c.Username + ":" + c.Secret.Reveal()
		return "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	case Bearer:
		return "Authorization", "Bearer " + c.Secret.Reveal()
	default:
		return c.HeaderName, c.Secret.Reveal()
	}
}

// Binding is what ties the sealed secret to its place: one that was copied to
// another workspace, name or host cannot be opened there.
func (c *Credential) Binding() Binding {
	return Binding{Workspace: c.Workspace, Name: c.Name, Host: c.Host}
}

// HostOf is the host of a URL in lower case, with its port unless that is the
// scheme's own (80 for http, 443 for https).
func HostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

package document

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"platen/internal/workspace"
)

type credentialSpec struct {
	head   `yaml:",inline"`
	Host   string      `yaml:"host"`
	Basic  *basicSpec  `yaml:"basic,omitempty"`
	Bearer *bearerSpec `yaml:"bearer,omitempty"`
	Header *headerSpec `yaml:"header,omitempty"`
}

type basicSpec struct {
	Username string               `yaml:"username"`
	Password *workspace.SecretRef `yaml:"password,flow"`
}

type bearerSpec struct {
	Token *workspace.SecretRef `yaml:"token,flow"`
}

type headerSpec struct {
	Name  string               `yaml:"name"`
	Value *workspace.SecretRef `yaml:"value,flow"`
}

func decodeCredential(o *object, h head) spec {
	s := &credentialSpec{head: h, Host: o.host("host")}
	ways := 0
	if b := o.child("basic", "basic", optional); b != nil {
		ways++
		s.Basic = &basicSpec{Username: b.text("username", required), Password: b.secret("password")}
		b.want("password", required)
		if strings.Contains(s.Basic.Username, ":") {
			o.refuse(b.node("username"), "bad_name", `"username" must not hold a colon: Basic auth ends the name with it`)
		}
		b.done()
	}
	if b := o.child("bearer", "bearer", optional); b != nil {
		ways++
		s.Bearer = &bearerSpec{Token: b.secret("token")}
		b.want("token", required)
		b.done()
	}
	if c := o.child("header", "header", optional); c != nil {
		ways++
		s.Header = &headerSpec{Name: http.CanonicalHeaderKey(c.text("name", required)), Value: c.secret("value")}
		c.want("value", required)
		if !httpguts.ValidHeaderFieldName(s.Header.Name) && s.Header.Name != "" {
			o.refuse(c.node("name"), "bad_header", "%q is not a name that a header can have", s.Header.Name)
		}
		c.done()
	}
	if ways != 1 && o.at != nil {
		o.refuse(o.at, "missing_field", "%s needs exactly one of basic: {username, password}, bearer: {token} or header: {name, value}", o.what)
	}
	return s
}

// compile gives the credential without its secret.
func (s *credentialSpec) compile(number int64) *workspace.Credential {
	c := &workspace.Credential{Workspace: number, Name: s.Name, Host: s.Host}
	switch {
	case s.Basic != nil:
		c.Kind, c.Username = workspace.Basic, s.Basic.Username
	case s.Bearer != nil:
		c.Kind = workspace.Bearer
	case s.Header != nil:
		c.Kind, c.HeaderName = workspace.Header, s.Header.Name
	}
	return c
}

// host gives a required host as workspace.HostOf writes it.
func (o *object) host(field string) string {
	text := strings.ToLower(o.text(field, required))
	if text == "" {
		return ""
	}
	u, err := url.Parse("//" + text)
	if err != nil || u.Host != text || u.Hostname() == "" || strings.ContainsAny(text, " {}") {
		o.refuse(o.node(field), "bad_host", "%.80q is no host; write it as api.example.com or 127.0.0.1:8080, without http:// and path", text)
		return ""
	}
	if u.Port() == "80" || u.Port() == "443" {
		o.refuse(o.node(field), "bad_host", "leave out the port in %q: it is the usual one of its scheme", text)
	}
	return workspace.HostOf(u)
}

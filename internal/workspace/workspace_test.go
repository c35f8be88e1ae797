package workspace

import (
	"net/url"
	"slices"
	"testing"
)

func TestLinkAllowed(t *testing.T) {
	w := Workspace{LinkDomains: []string{"www.example.com", "*.shop.example", "localhost:8080"}}
	for host, want := range map[string]bool{
		"www.example.com":      true,
		"WWW.Example.com":      true,
		"www.example.com:8443": true,
		"example.com":          false,
		"a.www.example.com":    false,
		"www.example.com.evil": false,
		"evilwww.example.com":  false,
		"a.shop.example":       true,
		"a.b.shop.example":     true,
		"shop.example":         false,
		"evilshop.example":     false,
		"localhost:8080":       true,
		"localhost:8081":       false,
		"localhost":            false,
		"":                     false,
	} {
		if got := w.LinkAllowed(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestHostOf(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:8080/x":      "127.0.0.1:8080",
		"https://API.example.com/x":    "api.example.com",
		"https://api.example.com:443":  "api.example.com",
		"http://api.example.com:80":    "api.example.com",
		"http://api.example.com:443":   "api.example.com:443",
		"https://api.example.com:8443": "api.example.com:8443",
		"http://[::1]:8080/":           "[::1]:8080",
		"http://[::1]/":                "[::1]",
		"//127.0.0.1:8080":             "127.0.0.1:8080",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := HostOf(u); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestCredentialLines(t *testing.T) {
	secret := NewSecret("s3cret")
	for _, c := range []struct {
		credential  Credential
		name, value string
	}{
		{Credential{Kind: Basic, Username: "shop", Secret: secret}, "Authorization", "Basic c2hvcDpzM2NyZXQ="},
		{Credential{Kind: Bearer, Secret: secret}, "Authorization", "Bearer s3cret"},
		{Credential{Kind: Header, HeaderName: "X-Api-Key", Secret: secret}, "X-Api-Key", "s3cret"},
	} {
		if name, value := c.credential.Line(); name != c.name || value != c.value {
			t.Errorf("%s: %s: %s", c.credential.Kind, name, value)
		}
	}
	c := Credential{Host: "api.example.com"}
	for address, want := range map[string]bool{
		"https://api.example.com/a": true, "https://api.example.com:8443/a": false, "https://api.example.com.evil/a": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if c.Admits(u) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

func TestPermissions(t *testing.T) {
	if names := Permissions(); !slices.IsSorted(names) || len(slices.Compact(names)) != len(Permissions()) {
		t.Errorf("not sorted or not unique: %v", names)
	}
	k := APIKey{Permissions: []Permission{UsersTrack}}
	if !k.Allows(UsersTrack) || k.Allows(UsersIdentify) || k.Allows(Manage) || k.Allows("") {
		t.Error("the key allows something else than it says")
	}
}

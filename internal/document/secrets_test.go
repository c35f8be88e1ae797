package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"platen/internal/workspace"
)

// TestSecretsShowNowhere prints everything that an apply leaves behind.
func TestSecretsShowNowhere(t *testing.T) {
	s := newServer(t)
	report := s.applyFiles(examples(t)...)
	generated := s.apply("kind: APIKey\nworkspace: engage\nname: made\npermissions: [manage]\n")
	token := generated.Tokens[0].Token.Reveal()

	live := s.reg.Current()
	stored, _, err := s.store.Documents(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	seen.Write(s.export())
	for _, d := range stored {
		seen.Write(d.Body)
		seen.Write(d.Secret)
	}
	for _, v := range []any{report, generated, live.keys, live.sources, live.credentials, live.campaigns} {
		fmt.Fprintf(&seen, "%v %+v %#v", v, v, v)
	}
	for _, c := range live.credentials {
		fmt.Fprintf(&seen, "%v %+v %#v", c, *c, *c)
	}
	text, err := json.Marshal([]any{report, generated})
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(text)
	for _, secret := range []string{shopToken, shopSecret, token} {
		if strings.Contains(seen.String(), secret) {
			t.Errorf("the secret %s shows", secret)
		}
	}
}

func TestTokenIsMadeAndToldOnce(t *testing.T) {
	const key = "kind: APIKey\nworkspace: engage\nname: made\npermissions: [manage]\n"
	s := newServer(t)
	s.apply(workspaces)

	dry := s.input(File{Name: "f", Data: []byte(key)})
	dry.DryRun = true
	if preview, err := s.Apply(context.Background(), dry); err != nil || len(preview.Tokens) != 0 {
		t.Errorf("a dry run made %v, %v", preview.Tokens, err)
	}
	report := s.apply(key)
	if len(report.Tokens) != 1 || report.Tokens[0].Name != "made" {
		t.Fatalf("tokens: %v", report.Tokens)
	}
	token := report.Tokens[0].Token.Reveal()
	if _, ok := s.reg.Current().APIKey(token); !ok {
		t.Error("the token opens nothing")
	}
	if again := s.apply(key); len(again.Tokens) != 0 || actions(again)[Unchanged] != 1 {
		t.Errorf("again: %+v", again)
	}
	if !strings.Contains(string(s.export()), "token: {keep: true}") {
		t.Errorf("export:\n%s", s.export())
	}

	// A token of one's own takes its place; the old one opens nothing any more.
	own := strings.Replace(key, "permissions", "token: {env: SHOP_TOKEN}\npermissions", 1)
	if changed := s.apply(own); actions(changed)[Changed] != 1 {
		t.Errorf("changed: %+v", changed)
	}
	if _, ok := s.reg.Current().APIKey(token); ok {
		t.Error("the old token still opens the door")
	}
	if _, ok := s.reg.Current().APIKey(shopToken); !ok {
		t.Error("the new token opens nothing")
	}
}

func TestKeepLeavesSecretAndReference(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	export := string(s.export())
	kept := strings.NewReplacer("{env: SHOP_TOKEN}", "{keep: true}", "{env: SHOP_SECRET}", "{keep: true}").Replace(export)
	clear(s.env)
	if report := s.apply(kept); actions(report)[Unchanged] != len(report.Changes) {
		t.Errorf("keep changed something: %v", report.Changes)
	}
	if got := string(s.export()); got != export {
		t.Errorf("the references were lost:\n%s", got)
	}
}

func TestChangedSecretIsNoticed(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	s.env["SHOP_SECRET"] = "another-secret-0123456789"
	report := s.applyFiles(examples(t)...)
	var fields []string
	for _, c := range report.Changes {
		for _, f := range c.Fields {
			fields = append(fields, string(c.Kind)+" "+f.Field)
		}
	}
	if got := fmt.Sprint(fields); got != "[Source password Credential basic.password]" {
		t.Errorf("changed: %s", got)
	}
	source, _ := s.reg.Current().Source("shop-behavioral")
	if source.Authenticate("shop", shopSecret) || !source.Authenticate("shop", "another-secret-0123456789") {
		t.Error("the source still takes the old password")
	}
}

func TestStoredSecretCannotBeLedElsewhere(t *testing.T) {
	const credential = `
kind: Credential
workspace: engage
name: c
host: api.example.com
bearer: {token: {env: SHOP_SECRET}}
`
	s := newServer(t)
	s.apply(workspaces + credential)
	moved := strings.NewReplacer("api.example.com", "evil.example", "{env: SHOP_SECRET}", "{keep: true}").Replace(credential)
	if got := s.refuses(moved); !strings.Contains(got, "test.yaml:5:7: the host changes, so the secret must be given again") {
		t.Errorf("got %s", got)
	}
	report := s.apply(strings.Replace(credential, "api.example.com", "api2.example.com", 1))
	if got := fmt.Sprint(report.Changes[0].Fields); got != "[{host api.example.com api2.example.com}]" {
		t.Errorf("the move is reported as %s", got)
	}
	c, _ := s.reg.Current().Credential(1, "c")
	if c.Host != "api2.example.com" || c.Secret.Reveal() != shopSecret {
		t.Errorf("after the move with its secret: %+v", c)
	}

	s.apply(strings.Replace(oneCampaign("", "user", ""), `url: "https://a.example"`, `credential: c, url: "https://api2.example.com/"`, 1))
	if got := s.refuses(credential); !strings.Contains(got, `the campaign "user" sends this credential to api2.example.com`) {
		t.Errorf("got %s", got)
	}
}

func TestSecretsOfAnotherKeyAreNotOpened(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	key := [workspace.SealerKeyBytes]byte{9}
	other, err := workspace.NewSealer(key[:], s.random)
	if err != nil {
		t.Fatal(err)
	}
	reg := NewRegistry(s.store, other)
	if err := reg.Reload(context.Background()); !errors.Is(err, workspace.ErrSealed) {
		t.Errorf("got %v", err)
	}
}

func TestShortSecretsAreWarnedAbout(t *testing.T) {
	s := newServer(t)
	s.env["SHOP_SECRET"] = "short"
	report := s.applyFiles(examples(t)...)
	if len(report.Warnings) != 2 {
		t.Fatalf("warnings: %v", report.Warnings)
	}
	if w := report.Warnings[0]; w.File != "sources.yaml" || w.Line == 0 || !strings.Contains(w.Message, "fewer than 16") || strings.Contains(w.Message, "short\"") {
		t.Errorf("got %+v", w)
	}
}

func TestSecretRefs(t *testing.T) {
	refs, err := SecretRefs(examples(t))
	if err != nil || len(refs) != 2 {
		t.Fatalf("got %v, %v", refs, err)
	}
	for _, want := range []string{"SHOP_TOKEN", "SHOP_SECRET"} {
		if refs[0].Env != want && refs[1].Env != want {
			t.Errorf("%s is missing in %v", want, refs)
		}
	}
}

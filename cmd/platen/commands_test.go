package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platen/internal/demo"
	"platen/internal/manage"
)

// succeeds runs a command line that must succeed and gives what it printed.
func succeeds(t *testing.T, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), args, streams{strings.NewReader(stdin), &out, &err}); code != 0 {
		t.Fatalf("%q: exit code %d\n%s%s", args, code, &out, &err)
	}
	return out.String(), err.String()
}

func TestApplyAndExport(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	t.Setenv("SHOP_TOKEN", "a-token-of-some-length-0123456789")
	t.Setenv("SHOP_SECRET", "a-secret-of-some-length-012345678")
	t.Setenv("PLATEN_DATA", data)
	examples := filepath.Join("..", "..", "examples", "movable-ink")

	rehearsed, _ := succeeds(t, "", "apply", "-f", examples, "--dry-run")
	if !strings.Contains(rehearsed, "created   Block content/recently-viewed") || !strings.HasSuffix(rehearsed, "Nothing was changed (--dry-run).\n") {
		t.Errorf("the dry run prints:\n%s", rehearsed)
	}
	if empty, _ := succeeds(t, "", "export"); empty != "" {
		t.Errorf("the dry run left:\n%s", empty)
	}
	succeeds(t, "", "apply", "-f", examples)
	exported, _ := succeeds(t, "", "export")
	for name, file := range map[string]string{"the same files": examples, "the export": "-"} {
		printed, _ := succeeds(t, exported, "apply", "-f", file)
		for line := range strings.Lines(printed) {
			if !strings.HasPrefix(line, "unchanged ") {
				t.Errorf("%s applied again: %s", name, line)
			}
		}
	}
	if twice, _ := succeeds(t, "", "export"); twice != exported {
		t.Error("the second export differs from the first")
	}
	part, _ := succeeds(t, "", "export", "--workspace", "content")
	if !strings.Contains(part, "recently-viewed") || strings.Contains(part, "kind: Campaign") {
		t.Errorf("export --workspace content:\n%s", part)
	}
	for _, secret := range []string{os.Getenv("SHOP_TOKEN"), os.Getenv("SHOP_SECRET")} {
		if strings.Contains(exported, secret) {
			t.Errorf("the export shows %s", secret)
		}
	}
}

func TestApplyPrintsWhatChanges(t *testing.T) {
	t.Setenv("PLATEN_DATA", filepath.Join(t.TempDir(), "data"))
	succeeds(t, "kind: Workspace\nname: shop\ntimezone: UTC\nlink_domains: [a.example.com]\n", "apply", "-f", "-")
	printed, _ := succeeds(t, "kind: Workspace\nname: shop\ntimezone: Europe/Berlin\n", "apply", "-f", "-")
	want := "changed   Workspace shop\n          timezone: UTC → Europe/Berlin\n          link_domains[0]: a.example.com → (none)\n"
	if printed != want {
		t.Errorf("printed:\n%swant:\n%s", printed, want)
	}
	if nothing, _ := succeeds(t, "", "apply", "-f", "-"); nothing != "There are no documents in what was given.\n" {
		t.Errorf("of nothing it prints %q", nothing)
	}
}

func TestApplyShowsANewTokenOnce(t *testing.T) {
	t.Setenv("PLATEN_DATA", filepath.Join(t.TempDir(), "data"))
	const documents = "kind: Workspace\nname: shop\n---\nkind: APIKey\nworkspace: shop\nname: k\npermissions: [manage]\n"
	printed, _ := succeeds(t, documents, "apply", "-f", "-", "--format", "json")
	var done manage.Applied
	if err := json.Unmarshal([]byte(printed), &done); err != nil || len(done.Tokens) != 1 || len(done.Tokens[0].Token) < 20 {
		t.Fatalf("%v:\n%s", err, printed)
	}
	again, _ := succeeds(t, documents, "apply", "-f", "-")
	if strings.Contains(again, "token") {
		t.Errorf("the second apply prints:\n%s", again)
	}
	more, _ := succeeds(t, strings.ReplaceAll(documents, "name: k", "name: k2"), "apply", "-f", "-")
	if !strings.Contains(more, "The key shop/k2 got a token. It is shown this once:\n  pt_") {
		t.Errorf("the apply of a new key prints:\n%s", more)
	}
}

// One key for a data directory, whichever command opens it.
func TestTheSecretKeyHoldsForEveryCommand(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	t.Setenv("PLATEN_DATA", data)
	t.Setenv("PLATEN_SECRET_KEY", strings.Repeat("0a", 32))
	t.Setenv("P", "a-password-of-some-length")
	const documents = "kind: Workspace\nname: shop\n---\nkind: APIKey\nworkspace: shop\nname: k\npermissions: [manage]\n---\n" +
		"kind: Credential\nworkspace: shop\nname: c\nhost: example.com\nbasic: {username: u, password: {env: P}}\n"
	printed, _ := succeeds(t, documents, "apply", "-f", "-", "--format", "json")
	var done manage.Applied
	if err := json.Unmarshal([]byte(printed), &done); err != nil || len(done.Tokens) != 1 {
		t.Fatalf("%v:\n%s", err, printed)
	}
	if _, err := os.Stat(filepath.Join(data, "secret.key")); !os.IsNotExist(err) {
		t.Errorf("apply made a key of its own: %v", err)
	}
	// The token is known to a server of that key, which can read the credential, too.
	p := serve(t, data)
	succeeds(t, "", "export", "--server", p.door.URL, "--token", done.Tokens[0].Token)
	p.signal(syscall.SIGTERM)
	p.ends()
	succeeds(t, "", "export")

	t.Setenv("PLATEN_SECRET_KEY", "")
	const refused = "platen: the data in DATA belongs to another secret key; give that one with --secret-key (or PLATEN_SECRET_KEY), " +
		"or leave both out and keep the secret.key of that time in this directory"
	for _, args := range [][]string{
		{"export"}, {"apply", "-f", write(t, t.TempDir(), "a.yaml", documents)}, {"serve", "--listen", "127.0.0.1:0"},
		{"campaign", "test", "c", "--as", "a"}, {"render", "b", "--as", "a", "--explain"},
		{"demo", "--once", "--listen", "127.0.0.1:0", "--data", data},
		{"export", "--secret-key", strings.Repeat("0b", 32)},
	} {
		wantLine(t, args[0], data, args, refused)
	}
}

func TestDataOnTheCommandLineWinsOverAServerInTheEnvironment(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	succeeds(t, "kind: Workspace\nname: shop\n", "apply", "-f", "-", "--data", data)
	t.Setenv("PLATEN_SERVER", "http://127.0.0.1:1")
	t.Setenv("PLATEN_TOKEN", "x")
	if exported, _ := succeeds(t, "", "export", "--data", data); !strings.Contains(exported, "name: shop") {
		t.Errorf("exported:\n%s", exported)
	}
	const unreachable = "platen: no server answers at http://127.0.0.1:1"
	wantLine(t, "both on the command line", data, []string{"export", "--data", data, "--server", "http://127.0.0.1:1"}, unreachable)
	t.Setenv("PLATEN_DATA", data)
	wantLine(t, "both in the environment", data, []string{"export"}, unreachable)
}

func TestLintOfTheSeedsTemplates(t *testing.T) {
	templates, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "seed", "*.webhook.liquid"))
	if err != nil || len(templates) == 0 {
		t.Skipf("the seed is not here: %v", err)
	}
	for _, original := range templates {
		text, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		file := write(t, t.TempDir(), "body.liquid", string(text))
		printed, _, code := platen(t, "campaign", "lint", file)
		if code != 1 || !strings.HasPrefix(printed, file+":1:1: error: what follows // is sent") {
			t.Errorf("%s: exit code %d\n%s", original, code, printed)
		}
		fixed, _ := succeeds(t, string(text), "campaign", "lint", "-", "--fix")
		succeeds(t, "", "campaign", "lint", file, "--fix")
		kept, err := os.ReadFile(file)
		if err != nil || string(kept) != fixed {
			t.Errorf("%s: the file and standard input are repaired differently (%v)", original, err)
		}
		if left, _ := succeeds(t, "", "campaign", "lint", file); left != "" {
			t.Errorf("%s: after the repair is left:\n%s", original, left)
		}
	}
}

func TestLintForScripts(t *testing.T) {
	for _, c := range []struct {
		name, stdin string
		flags       []string
		code        int
		rules       string // of the findings that are left
		applied     int
		fixed       string
	}{
		{name: "nothing wrong", stdin: `{"a": 1}`, code: 0},
		{name: "a trailing comma", stdin: `{"a": 1,}`, code: 1, rules: "trailing_comma"},
		{name: "repaired", stdin: `{"a": 1,}`, flags: []string{"--fix"}, code: 0, applied: 1, fixed: `{"a": 1}`},
		{name: "no Liquid", stdin: "{{ a", code: 1, rules: "liquid"},
		{name: "no Liquid to repair", stdin: "{{ a", flags: []string{"--fix"}, code: 1, rules: "liquid", fixed: "{{ a"},
	} {
		var out, stderr bytes.Buffer
		args := append([]string{"campaign", "lint", "-", "--format", "json"}, c.flags...)
		code := run(t.Context(), args, streams{strings.NewReader(c.stdin), &out, &stderr})
		var got struct {
			File     string
			Findings []struct{ Rule string }
			Applied  []struct{ Rule string }
			Fixed    string
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v\n%s%s", c.name, err, &out, &stderr)
			continue
		}
		var rules []string
		for _, f := range got.Findings {
			rules = append(rules, f.Rule)
		}
		if code != c.code || strings.Join(rules, " ") != c.rules || len(got.Applied) != c.applied || got.Fixed != c.fixed || got.File != "-" {
			t.Errorf("%s: exit code %d\n%s", c.name, code, &out)
		}
	}
}

func TestLintOfFilesThatCannotBeUsed(t *testing.T) {
	refuses(t, t.TempDir(), []badInput{
		{name: "missing", args: "campaign lint missing.liquid", want: "platen: cannot read missing.liquid: no such file or directory"},
		{name: "a directory", args: "campaign lint .", want: "platen: cannot read .: is a directory"},
	})
}

// TestCommandsOnTheDemosData asks about a demo that has ended, without a server.
func TestCommandsOnTheDemosData(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PLATEN_DATA", filepath.Join(dir, "data"))
	succeeds(t, "", "demo", "--once", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	const name = "Product viewed to the Customer Data API"

	rendered, _ := succeeds(t, "", "campaign", "test", name, "--as", demo.UserID)
	if !strings.HasPrefix(rendered, "POST http://127.0.0.1:") || !strings.Contains(rendered, `"title": "All-Purpose Cleaning Wipes"`) {
		t.Errorf("campaign test prints:\n%s", rendered)
	}
	if strings.Contains(rendered, "Authorization") {
		t.Errorf("campaign test shows the credential:\n%s", rendered)
	}
	given, _ := succeeds(t, "", "campaign", "test", name, "--as", demo.UserID, "--properties", `{"title": "13\" screen"}`, "--format", "json")
	var tried manage.Tried
	if err := json.Unmarshal([]byte(given), &tried); err != nil || !strings.Contains(tried.Request.Body, `"title": "13\" screen"`) || tried.Attempt != nil {
		t.Errorf("campaign test --format json: %v\n%s", err, given)
	}
	// The demo's server is gone, so there is nobody to take what is sent.
	stdout, stderr, code := platen(t, "campaign", "test", name, "--as", demo.UserID, "--send")
	if code != 1 || !strings.Contains(stdout, "refused the connection (") || !strings.HasPrefix(stderr, "platen: the request was not accepted: 127.0.0.1:") {
		t.Errorf("campaign test --send: exit code %d\n%s%s", code, stdout, stderr)
	}

	picture := filepath.Join(dir, "picture.png")
	if _, stderr := succeeds(t, "", "render", demo.Block, "--as", demo.UserID, "-o", picture); stderr != "" {
		t.Errorf("render says %q", stderr)
	}
	file, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(file)); err != nil {
		t.Errorf("render writes no PNG: %v", err)
	}
	_, stderr = succeeds(t, "", "render", demo.Block, "--as", "nobody", "-o", picture)
	if stderr != "This is the fallback (unknown_person); --explain tells more.\n" {
		t.Errorf("render for nobody says %q", stderr)
	}
	explained, _ := succeeds(t, "", "render", demo.Block, "--as", "nobody", "--explain")
	if !json.Valid([]byte(explained)) || !strings.Contains(explained, `"reason":"unknown_person"`) {
		t.Errorf("render --explain prints %s", explained)
	}
}

func TestADemoThatFailsSaysWhereAsJSON(t *testing.T) {
	data := t.TempDir()
	write(t, data, "demo-secrets.json", "{")
	stdout, stderr, code := platen(t, "demo", "--once", "--format", "json", "--listen", "127.0.0.1:0", "--data", data)
	var r demo.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 1 || r.OK || !strings.Contains(r.Error, "demo-secrets.json is damaged") {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
	if !strings.Contains(stderr, "remove it") || strings.Contains(stdout, "null,\n  \"deliveries\"") {
		t.Errorf("stderr %q, stdout %s", stderr, stdout)
	}
}

func TestADemoThatFailsLeavesNoEmptyPicture(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	write(t, data, "demo-secrets.json", "{")
	missing, there := filepath.Join(dir, "new.png"), write(t, dir, "old.png", "a picture of before")
	for _, picture := range []string{missing, there} {
		if _, stderr, code := platen(t, "demo", "--once", "--listen", "127.0.0.1:0", "--data", data, "-o", picture); code != 1 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "a picture of before" {
		t.Errorf("the file of before holds %q, %v", text, err)
	}
}

func TestADemoDoesNotPrintASecretThatIsNotItsOwn(t *testing.T) {
	const theirs = "a-real-token-of-the-shop-0123456789"
	t.Setenv("SHOP_TOKEN", theirs)
	for token, want := range map[string]string{theirs: "Bearer $SHOP_TOKEN", "demo-token": "Bearer demo-token"} {
		var b bytes.Buffer
		tellNext(&b, "data", &demo.Result{Picture: &demo.Picture{}}, demo.Secrets{Token: token})
		if got := b.String(); !strings.Contains(got, want) || strings.Contains(got, theirs) {
			t.Errorf("with the token %s:\n%s", token, got)
		}
	}
}

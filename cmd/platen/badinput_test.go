package main

import (
	"bytes"
	"context"
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"platen/internal/demo"
	"platen/internal/server"
	"platen/internal/store/sqlite"
)

// innards must never reach a person who made a mistake.
var innards = []string{"goroutine", ".go:", "panic", "SELECT ", "PRAGMA", "sqlite: step", "json: ", "EOL", "0x", "context canceled"}

// badInput is a command line that must fail.
type badInput struct {
	name  string
	args  string // split at blanks
	stdin string
	env   string // NAME=value
	want  string // standard error; DIR stands for the directory of the test
}

// refuses runs command lines in a directory. Each must end with exit code 1 and
// say exactly what is wanted.
func refuses(t *testing.T, dir string, cases []badInput) {
	t.Helper()
	t.Chdir(dir)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			var out, err bytes.Buffer
			code := run(t.Context(), strings.Fields(c.args), streams{strings.NewReader(c.stdin), &out, &err})
			got := strings.ReplaceAll(strings.TrimRight(err.String(), "\n"), dir, "DIR")
			if code != 1 || got != c.want {
				t.Errorf("exit code %d\n got: %s\nwant: %s", code, got, c.want)
			}
			for _, bad := range innards {
				if strings.Contains(err.String(), bad) || strings.Contains(out.String(), bad) {
					t.Errorf("it shows %q:\n%s%s", bad, &out, &err)
				}
			}
		})
	}
}

func TestCommandLinesThatMeanNothing(t *testing.T) {
	refuses(t, t.TempDir(), []badInput{
		{name: "unknown command", args: "serv", want: "platen: unexpected argument serv, did you mean \"serve\"?\nTry: platen --help"},
		{name: "unknown flag", args: "serve --dta x", want: "platen: unknown flag --dta, did you mean \"--data\"?\nTry: platen serve --help"},
		{name: "flag without value", args: "serve --listen", want: "platen: --listen: expected string value, but nothing follows\nTry: platen serve --help"},
		{name: "half a command", args: "campaign", want: "platen: expected one of \"lint\", \"test\"\nTry: platen campaign --help"},
		{name: "no file", args: "apply", want: "platen: missing flags: --file=FILE,...\nTry: platen apply --help"},
		{name: "no person", args: "render recently-viewed -o a.png", want: "platen: missing flags: --as=USER\nTry: platen render --help"},
		{name: "bad number", args: "render b --as a --item x", want: "platen: --item: expected a valid 64 bit int but got \"x\"\nTry: platen render --help"},
		{name: "bad format", args: "demo --format xml", want: "platen: --format must be one of \"text\",\"json\" but got \"xml\"\nTry: platen demo --help"},
	})
}

func TestHelpIsShown(t *testing.T) {
	out, err, code := platen(t)
	if code != 1 || out != "" || !strings.Contains(err, "campaign lint <file>") {
		t.Errorf("nothing asked for: exit code %d\n%s%s", code, out, err)
	}
	out, err, code = platen(t, "serve", "--help")
	if code != 0 || err != "" {
		t.Errorf("serve --help: exit code %d\n%s", code, err)
	}
	unwrapped := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"Directory of the embedded store (default: platen-data) ($PLATEN_DATA).",
		"Address to listen on (default: 127.0.0.1:8080) ($PLATEN_LISTEN).",
		"($PLATEN_PUBLIC_URL)", "($PLATEN_STORE)", "($PLATEN_SECRET_KEY)", "($PLATEN_LOG_FORMAT)",
	} {
		if !strings.Contains(unwrapped, want) {
			t.Errorf("serve --help lacks %q:\n%s", want, out)
		}
	}
	version, _, code := platen(t, "version")
	flag, _, flagCode := platen(t, "--version")
	if code != 0 || flagCode != 0 || version == "" || version != flag {
		t.Errorf("version %q (%d), --version %q (%d)", version, code, flag, flagCode)
	}
}

func TestServeThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	running, err := server.Open(t.Context(), server.Config{Data: filepath.Join(dir, "running")})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	newer(t, filepath.Join(dir, "newer"))

	const free = "serve --listen 127.0.0.1:0 "
	refuses(t, dir, []badInput{
		{name: "port in use", args: "serve --data a --listen " + taken.Addr().String(),
			want: "platen: the address " + taken.Addr().String() + " is in use by another program; choose another with --listen"},
		{name: "no address", args: "serve --data a --listen here",
			want: `platen: cannot listen on "here": missing port in address; choose another address with --listen, as 127.0.0.1:8080`},
		{name: "data in use", args: free + "--data running",
			want: "platen: the data directory DIR/running belongs to a running server; stop it first, or choose another directory with --data"},
		{name: "data is a file", args: free + "--data file",
			want: "platen: the data directory DIR/file cannot be used: not a directory; choose another with --data"},
		{name: "data below a file", args: free + "--data file/x",
			want: "platen: the data directory DIR/file/x cannot be used: not a directory; choose another with --data"},
		{name: "unknown store", args: "serve --store postgres://platen:hush@db/platen",
			want: `platen: --store "postgres" is not known to this version; leave it out for sqlite: in the directory --data`},
		{name: "public URL without scheme", args: "serve --public-url mail.example.com",
			want: `platen: --public-url "mail.example.com" is no address such as https://mail.example.com, without user, query and fragment`},
		{name: "short secret key", args: free + "--data a --secret-key 12",
			want: "platen: --secret-key must be 64 hex digits, as `openssl rand -hex 32` prints them"},

		{name: "PLATEN_DATA", args: "serve", env: "PLATEN_DATA=file",
			want: "platen: the data directory DIR/file cannot be used: not a directory; choose another with --data"},
		{name: "PLATEN_LISTEN", args: "serve --data a", env: "PLATEN_LISTEN=there",
			want: `platen: cannot listen on "there": missing port in address; choose another address with --listen, as 127.0.0.1:8080`},
		{name: "PLATEN_STORE", args: "serve", env: "PLATEN_STORE=mysql:",
			want: `platen: --store "mysql" is not known to this version; leave it out for sqlite: in the directory --data`},
		{name: "PLATEN_PUBLIC_URL", args: "serve", env: "PLATEN_PUBLIC_URL=mail",
			want: `platen: --public-url "mail" is no address such as https://mail.example.com, without user, query and fragment`},
		{name: "PLATEN_SECRET_KEY", args: free + "--data a", env: "PLATEN_SECRET_KEY=zz",
			want: "platen: --secret-key must be 64 hex digits, as `openssl rand -hex 32` prints them"},
		{name: "PLATEN_LOG_FORMAT", args: "serve", env: "PLATEN_LOG_FORMAT=xml",
			want: "platen: --log-format must be one of \"text\",\"json\" but got \"xml\"\nTry: platen serve --help"},
	})
	_, stderr, code := platen(t, "serve", "--listen", "127.0.0.1:0", "--data", "newer")
	if line := strings.TrimSpace(stderr); code != 1 || strings.Contains(line, "\n") || !strings.Contains(line, "version 99") {
		t.Errorf("data of a newer program: exit code %d, %q", code, stderr)
	}
}

// newer makes data that a later version of the program has written.
func newer(t *testing.T, data string) {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(data, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"field.yaml":   "kind: Workspace\nname: a\ntimezon: UTC\n",
		"kind.yaml":    "kind: Workspce\nname: a\n",
		"syntax.yaml":  "kind: Workspace\nname: [a\n",
		"secret.yaml":  "kind: Workspace\nname: a\n---\nkind: APIKey\nworkspace: a\nname: k\npermissions: [manage]\ntoken: {env: PLATEN_TEST_UNSET}\n",
		"literal.yaml": "kind: Workspace\nname: a\n---\nkind: APIKey\nworkspace: a\nname: k\npermissions: [manage]\ntoken: hush\n",
		"two.yaml":     "kind: Workspace\nname: a\nlinks: [x]\nzone: UTC\n",
	} {
		write(t, dir, name, text)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	refuses(t, dir, []badInput{
		{name: "missing file", args: "apply -f missing.yaml", want: "platen: cannot read missing.yaml: no such file or directory"},
		{name: "empty directory", args: "apply -f empty", want: "platen: the directory empty holds no .yaml files"},
		{name: "unknown field", args: "apply -f field.yaml", want: `field.yaml:3:1: kind Workspace has no field "timezon"; did you mean "timezone"?`},
		{name: "unknown kind", args: "apply -f kind.yaml", want: `kind.yaml:1:7: there is no kind "Workspce"; did you mean "Workspace"?`},
		{name: "no YAML", args: "apply -f syntax.yaml", want: "syntax.yaml:2:1: this is not YAML: did not find expected ',' or ']'"},
		{name: "unset secret", args: "apply -f secret.yaml",
			want: "secret.yaml:8:8: the environment variable PLATEN_TEST_UNSET is not set: set it, or write {keep: true} to keep the stored secret"},
		{name: "literal secret", args: "apply -f literal.yaml",
			want: `literal.yaml:8:8: "token" must not stand in a document; write {env: NAME} or {file: PATH}, or {keep: true} once it is stored`},
		{name: "standard input", args: "apply -f -", stdin: "kind: Workspce\n",
			want: `standard input:1:7: there is no kind "Workspce"; did you mean "Workspace"?`},
		{name: "server without token", args: "apply -f kind.yaml --server http://127.0.0.1:1",
			want: `kind.yaml:1:7: there is no kind "Workspce"; did you mean "Workspace"?`},
	})
	_, stderr, code := platen(t, "apply", "-f", "two.yaml")
	if lines := strings.Split(strings.TrimSpace(stderr), "\n"); code != 1 || len(lines) != 2 ||
		!strings.HasPrefix(lines[0], "two.yaml:3:1: ") || !strings.HasPrefix(lines[1], "two.yaml:4:1: ") {
		t.Errorf("two mistakes: exit code %d\n%s", code, stderr)
	}
}

func TestServersThatCannotBeReached(t *testing.T) {
	refuses(t, t.TempDir(), []badInput{
		{name: "no token", args: "export --server http://127.0.0.1:1",
			want: "platen: --server needs --token (or PLATEN_TOKEN): a key with the permission manage"},
		{name: "nobody there", args: "export --server http://127.0.0.1:1 --token x", want: "platen: no server answers at http://127.0.0.1:1"},
		{name: "no scheme", args: "export --server 127.0.0.1:1 --token x",
			want: `platen: --server "127.0.0.1:1" is no address such as https://platen.example.com`},
		{name: "a path", args: "export --server http://127.0.0.1:1/api --token x",
			want: `platen: --server "http://127.0.0.1:1/api" is no address such as https://platen.example.com`},
		{name: "no data", args: "export --data nowhere",
			want: "platen: the directory DIR/nowhere holds no data of Platen; name another with --data, or a running server with --server"},
	})
	if _, err := os.Stat("nowhere"); !os.IsNotExist(err) {
		t.Errorf("reading made a data directory: %v", err)
	}
}

func TestACommandThatIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	code := run(ctx, []string{"export", "--server", "http://127.0.0.1:1", "--token", "x"}, streams{strings.NewReader(""), &out, &err})
	if code != 1 || err.String() != "platen: interrupted\n" {
		t.Errorf("exit code %d, %q", code, err.String())
	}
}

func TestQuestionsThatTheDemosDataCannotAnswer(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if _, stderr, code := platen(t, "demo", "--once", "--listen", "127.0.0.1:0", "--data", data); code != 0 {
		t.Fatal(stderr)
	}
	t.Setenv("PLATEN_DATA", data)
	write(t, dir, "file", "")
	refuses(t, dir, []badInput{
		{name: "unknown campaign", args: "campaign test Forward --as " + demo.UserID, want: `platen: the workspace "engage" has no campaign "Forward"`},
		{name: "campaign of an unknown workspace", args: "campaign test Forward --as a --workspace none", want: `platen: there is no workspace "none"`},
		{name: "properties that are no object", args: `campaign test Forward --as a --properties [1]`,
			want: `platen: --properties is no JSON object such as {"id": "7"}`},
		{name: "no person", args: "campaign test Forward --as=", want: "platen: --as is empty; give it a user id"},
		{name: "unknown block", args: "render recently-viewd --as a -o a.png", want: `platen: the workspace "content" has no block "recently-viewd"`},
		{name: "no output", args: "render recently-viewed --as a", want: "platen: say where to write the picture (-o FILE), or ask for --explain"},
		{name: "output that cannot be written", args: "render recently-viewed --as " + demo.UserID + " -o file/a.png",
			want: "platen: cannot write DIR/file/a.png: not a directory"},
		{name: "no such item counts", args: "render recently-viewed --as a --explain --item=-1", want: "platen: --item counts from 1"},
		{name: "export of an unknown workspace", args: "export --workspace none", want: `platen: there is no workspace "none"`},
		{name: "demo with an output that cannot be written", args: "demo --once --listen 127.0.0.1:0 -o file/a.png",
			want: "platen: cannot write DIR/file/a.png: not a directory"},
	})

	const name = "Product viewed to the Customer Data API"
	for args, want := range map[string]string{
		"--as nobody": `platen: nobody in the workspace "engage" has the user id "nobody"`,
		"--as " + demo.UserID + " --variant None": `platen: the campaign has no variant "None"`,
	} {
		_, stderr, code := platen(t, append([]string{"campaign", "test", name}, strings.Fields(args)...)...)
		if code != 1 || strings.TrimSpace(stderr) != want {
			t.Errorf("campaign test %s: exit code %d, %q", args, code, stderr)
		}
	}
}

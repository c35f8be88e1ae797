package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestASignalStopsTheServerAndLosesNothing(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			data := shop(t)
			p := serve(t, data)
			written := p.writers(20, 400, func() { p.signal(signal) })
			if code := p.ends(); code != 0 {
				t.Errorf("exit code %d\n%s", code, p.log.String())
			}
			if written.total < 400 {
				t.Fatalf("only %d events were acknowledged\n%s", written.total, p.log.String())
			}
			for _, bad := range []string{"level=ERROR", "level=WARN", "platen:", shopPassword, p.door.Token} {
				if strings.Contains(p.log.String(), bad) {
					t.Errorf("the log holds %q:\n%s", bad, p.log.String())
				}
			}
			serve(t, data).checkStored(written)
		})
	}
}

func TestAKilledServerLosesNothingAndItsDoorIsNotUsed(t *testing.T) {
	data := shop(t)
	p := serve(t, data)
	written := p.writers(20, 400, func() { p.signal(syscall.SIGKILL) })
	p.ends()
	door := filepath.Join(data, "server.json")
	if _, err := os.Stat(door); err != nil {
		t.Fatalf("a killed server leaves its door: %v", err)
	}
	exported, stderr, code := platen(t, "export", "--data", data)
	if code != 0 || !strings.Contains(exported, "name: shop") {
		t.Errorf("export after the kill: exit code %d, %s", code, stderr)
	}
	if _, err := os.Stat(door); !os.IsNotExist(err) {
		t.Errorf("the old door is still there: %v", err)
	}
	serve(t, data).checkStored(written)
}

func TestCommandsUseTheRunningServer(t *testing.T) {
	data := shop(t)
	p := serve(t, data)
	exported, stderr, code := platen(t, "export", "--data", data)
	if code != 0 || !strings.Contains(exported, "name: shop") {
		t.Fatalf("export: exit code %d, %s", code, stderr)
	}
	file := write(t, t.TempDir(), "more.yaml", "kind: Workspace\nname: more\n")
	if _, stderr, code := platen(t, "apply", "--data", data, "-f", file); code != 0 {
		t.Fatalf("apply: exit code %d, %s", code, stderr)
	}
	direct, stderr, code := platen(t, "export", "--server", p.door.URL+"/", "--token", p.door.Token)
	if code != 0 || !strings.Contains(direct, "name: more") {
		t.Errorf("export --server: exit code %d, %s", code, stderr)
	}

	// A door that leads nowhere belongs to a process that is starting or stopping.
	write(t, data, "server.json", `{"url":"http://127.0.0.1:1","token":"x"}`)
	wantLine(t, "a door that leads nowhere", data, []string{"export", "--data", data},
		"platen: the data directory DATA belongs to another platen process, which does not answer; try again in a moment")
	if err := os.Remove(filepath.Join(data, "server.json")); err != nil {
		t.Fatal(err)
	}
	wantLine(t, "no door", data, []string{"export", "--data", data},
		"platen: the data directory DATA belongs to another platen process, which does not answer; try again in a moment")
}

// wantLine runs a command that must fail with exactly this on standard error,
// where DATA stands for the data directory.
func wantLine(t *testing.T, name, data string, args []string, want string) {
	t.Helper()
	stdout, stderr, code := platen(t, args...)
	got := strings.ReplaceAll(strings.TrimRight(stderr, "\n"), data, "DATA")
	if code != 1 || got != want || stdout != "" {
		t.Errorf("%s: exit code %d\n got: %s\nwant: %s\nstdout: %s", name, code, got, want, stdout)
	}
}

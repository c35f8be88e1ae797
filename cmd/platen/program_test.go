package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"platen/internal/manage"
	"platen/internal/server"
)

// asProgram makes the test binary behave as platen itself, so that tests can start
// and kill real processes.
const asProgram = "PLATEN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is a platen server in a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	door server.Door

	log    strings.Builder // read it only after the end
	logged chan struct{}   // closed when the log is complete
}

// serve starts `platen serve` on data and waits until it serves.
func serve(t *testing.T, data string, env ...string) *process {
	t.Helper()
	p := &process{t: t, logged: make(chan struct{}), cmd: exec.Command(os.Args[0], "serve", "--data", data, "--listen", "127.0.0.1:0")}
	p.cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.ends() // it must not write any more when its directory is removed
	})
	serving := make(chan struct{})
	go p.keepLog(stderr, serving)
	select {
	case <-serving:
	case <-p.logged:
		t.Fatalf("the server did not start: %s", p.log.String())
	}
	if p.door, err = server.FindDoor(data); err != nil {
		t.Fatal(err)
	}
	return p
}

// keepLog reads the log to its end and closes serving at the line that says so.
func (p *process) keepLog(stderr io.Reader, serving chan struct{}) {
	defer close(p.logged)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "msg=serving") {
			close(serving)
		}
	}
}

// ends waits for the process and gives its exit code.
func (p *process) ends() int {
	p.t.Helper()
	killer := time.AfterFunc(time.Minute, func() { p.cmd.Process.Kill() })
	defer killer.Stop()
	<-p.logged
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

const (
	shopDocuments = "kind: Workspace\nname: shop\n---\nkind: Source\nworkspace: shop\nname: site\nkey: shop-site\n" +
		"username: shop\npassword: {env: SHOP_PASSWORD}\npresets: [movable-ink]\n"
	shopPassword = "a-password-of-some-length"
)

// shop is a data directory with one source.
func shop(t *testing.T) (data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	t.Setenv("SHOP_PASSWORD", shopPassword)
	if _, stderr, code := platen(t, "apply", "--data", data, "-f", write(t, dir, "shop.yaml", shopDocuments)); code != 0 {
		t.Fatal(stderr)
	}
	return data
}

// write makes a file and gives its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ledger is what clients were told to be stored: the ids of each client's events.
type ledger struct {
	mu    sync.Mutex
	acked map[string][]string
	total int
}

func (l *ledger) add(client, id string) (total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[client] = append(l.acked[client], id)
	l.total++
	return l.total
}

// most is the number of events of one client, which one answer of the management
// API can list.
const most = 1000

// writers lets clients write until the server is gone; reached is called once,
// when so many events in all were acknowledged.
func (p *process) writers(clients, events int, reached func()) *ledger {
	l := &ledger{acked: map[string][]string{}}
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	var writing sync.WaitGroup
	for i := range clients {
		name := fmt.Sprintf("client-%d", i)
		writing.Go(func() {
			for n := range most {
				id := fmt.Sprint(n)
				if !p.writes(client, name, id) {
					return
				}
				if l.add(name, id) == events {
					reached()
				}
			}
		})
	}
	writing.Wait()
	return l
}

// writes sends one event and says whether it was acknowledged.
func (p *process) writes(client *http.Client, user, id string) bool {
	body := fmt.Sprintf(`{"type":"track","event":"product_viewed","user_id":%q,"properties":{"id":%q,"title":"Lamp","url":"https://www.example.com/"}}`, user, id)
	req, err := http.NewRequest(http.MethodPost, p.door.URL+"/behavioral/shop-site", strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return false
	}
	req.SetBasicAuth("shop", shopPassword)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// checkStored says whether every acknowledged event is there exactly once.
func (p *process) checkStored(l *ledger) {
	p.t.Helper()
	for user, ids := range l.acked {
		stored := map[string]int{}
		for _, e := range p.timeline(user) {
			var properties struct{ ID string }
			if err := json.Unmarshal(e.Properties, &properties); err != nil {
				p.t.Fatal(err)
			}
			stored[properties.ID]++
		}
		for _, id := range ids {
			if stored[id] != 1 {
				p.t.Errorf("the event %s of %s was acknowledged and is there %d times", id, user, stored[id])
			}
		}
	}
}

func (p *process) timeline(user string) []manage.Event {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/v1/workspaces/shop/profiles/%s?limit=%d", p.door.URL, user, most), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.door.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var profile manage.Profile
	if err := json.NewDecoder(resp.Body).Decode(&profile); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("the profile of %s: status %d, %v", user, resp.StatusCode, err)
	}
	return profile.Timeline
}

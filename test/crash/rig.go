package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"platen/internal/server"
)

const (
	sourceKey = "crash-behavioral"
	secret    = "crash-secret-of-high-entropy-0123456789"
)

// documents are a source, and a campaign that a tenth of the events trigger.
const documents = `kind: Workspace
name: crash
egress: {allow: [127.0.0.0/8]}
---
kind: Source
workspace: crash
name: crash
key: ` + sourceKey + `
username: crash
password: {env: CRASH_SECRET}
presets: [movable-ink]
---
kind: Campaign
workspace: crash
name: Crash
state: active
trigger: {event: product_viewed, where: {property: shelf, is: exactly, value: 3}}
variants:
  - name: Variant 1
    percent: 100
    webhook:
      url: %s
      method: POST
      headers: {Content-Type: application/json}
      body: '{"id": "{{event_properties.${id} | json_escape}}", "now": "{{ "now" | date: "%%s" }}"}'
`

// rig runs the server, again and again, on one store.
type rig struct {
	data, program string
	random        *rand.Rand
	receiver      *receiver
	ledger        *ledger
}

// apply puts the documents into the store before the server runs.
func (r *rig) apply() error {
	file := r.data + ".yaml"
	if err := os.WriteFile(file, fmt.Appendf(nil, documents, r.receiver.url), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(r.program, "apply", "--data", r.data, "-f", file)
	cmd.Env = append(os.Environ(), "CRASH_SECRET="+secret)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply the documents: %w: %s", err, out)
	}
	return nil
}

// process is one life of the server.
type process struct {
	cmd  *exec.Cmd
	door server.Door
	log  strings.Builder
}

func (r *rig) start() (*process, error) {
	os.Remove(filepath.Join(r.data, "server.json")) // of the life before, which could not remove it
	p := &process{cmd: exec.Command(r.program, "serve", "--data", r.data, "--listen", "127.0.0.1:0")}
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		var err error
		if p.door, err = server.FindDoor(r.data); err == nil && p.ready() {
			return p, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.kill()
	return nil, fmt.Errorf("the server did not start: %s", p.log.String())
}

func (p *process) ready() bool {
	resp, err := http.Get(p.door.URL + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// round lets clients write until the server is killed under them.
func (r *rig) round(n, clients int) error {
	p, err := r.start()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	wait := r.write(ctx, p, clients)
	time.Sleep(50*time.Millisecond + time.Duration(r.random.Int64N(int64(450*time.Millisecond))))
	p.kill()
	stop()
	wait()
	fmt.Printf("round %d: %s\n", n+1, r.ledger)
	return nil
}

// write starts clients that send until ctx ends or the server is gone.
func (r *rig) write(ctx context.Context, p *process, clients int) (wait func()) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	var writing sync.WaitGroup
	for range clients {
		writing.Go(func() {
			for ctx.Err() == nil {
				m := r.ledger.next()
				known, err := send(ctx, client, p.door.URL, m)
				r.ledger.settle(m, known, err)
				if err != nil {
					return
				}
			}
		})
	}
	return func() {
		writing.Wait()
		transport.CloseIdleConnections()
	}
}

// send posts one event. known says that the server had it already.
func send(ctx context.Context, client *http.Client, base string, m message) (known bool, err error) {
	body := fmt.Sprintf(`{"type":"track","event":"product_viewed","user_id":"user-%d","message_id":%q,"properties":{"id":%q,"title":"Crash","price":1.99,"shelf":%d}}`,
		m.n%50, m.id(), m.id(), m.shelf())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/behavioral/"+sourceKey, strings.NewReader(body))
	if err != nil {
		return false, err
	}
	req.SetBasicAuth("crash", secret)
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var answer struct{ Accepted, Duplicates int }
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil || answer.Accepted+answer.Duplicates != 1 {
		return false, fmt.Errorf("answered %d: %s", resp.StatusCode, text)
	}
	return answer.Duplicates == 1, nil
}

// drain starts the server once more, sends again what was never acknowledged, and
// waits until nothing is left to plan or to send. Deliveries that were leased
// when the server died are due again at once.
func (r *rig) drain(clients int) error {
	p, err := r.start()
	if err != nil {
		return err
	}
	defer func() {
		p.cmd.Process.Signal(os.Interrupt)
		p.cmd.Wait()
	}()
	client := &http.Client{Timeout: 5 * time.Second}
	for _, m := range r.ledger.open() {
		known, err := send(context.Background(), client, p.door.URL, m)
		r.ledger.settle(m, known, err)
		if err != nil {
			return err
		}
	}
	for range 600 {
		waiting, err := p.waiting(client)
		if err != nil {
			return err
		}
		if waiting == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("the queues did not become empty within a minute")
}

func (p *process) waiting(client *http.Client) (int64, error) {
	req, err := http.NewRequest(http.MethodGet, p.door.URL+"/api/v1/status", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+p.door.Token)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var status struct{ Hits, Deliveries int64 }
	err = json.NewDecoder(resp.Body).Decode(&status)
	return status.Hits + status.Deliveries, err
}

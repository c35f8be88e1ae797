package document

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"platen/internal/workspace"
)

// memory is a store in memory. It keeps every version, as a store must.
type memory struct {
	mu       sync.Mutex
	revision int64
	versions map[identity][]Stored
	// meddle is called once before a put, to play somebody who puts meanwhile.
	meddle func()
}

func newMemory() *memory { return &memory{versions: map[identity][]Stored{}} }

func (m *memory) Documents(context.Context) ([]Stored, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var latest []Stored
	for _, v := range m.versions {
		latest = append(latest, v[len(v)-1])
	}
	return latest, m.revision, nil
}

func (m *memory) PutDocuments(_ context.Context, expect int64, changed []Stored) (int64, error) {
	if meddle := m.meddle; meddle != nil {
		m.meddle = nil
		meddle()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revision != expect {
		return 0, ErrChanged
	}
	for _, d := range changed {
		m.versions[d.identity()] = append(m.versions[d.identity()], d)
	}
	m.revision++
	return m.revision, nil
}

// server is a service over a store in memory, with everything it needs from
// outside fixed.
type server struct {
	*Service
	t      testing.TB
	store  *memory
	reg    *Registry
	env    map[string]string
	random *rand.ChaCha8
}

func newServer(t testing.TB) *server {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	sealer, err := workspace.NewSealer(make([]byte, workspace.SealerKeyBytes), random)
	if err != nil {
		t.Fatal(err)
	}
	store := newMemory()
	reg := NewRegistry(store, sealer)
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	return &server{
		Service: NewService(reg, random, now), t: t, store: store, reg: reg, random: random,
		env: map[string]string{"SHOP_TOKEN": shopToken, "SHOP_SECRET": shopSecret},
	}
}

const (
	shopToken  = "tok-9f2d7c51aa0e4bd8"
	shopSecret = "sec-31c9e07b5d2f4a66"
)

func (s *server) input(files ...File) Input {
	return Input{Files: files, Lookup: workspace.Lookup{
		Getenv: func(name string) (string, bool) {
			value, ok := s.env[name]
			return value, ok
		},
	}}
}

// apply applies a text that must be accepted.
func (s *server) apply(text string) Report {
	s.t.Helper()
	return s.applyFiles(File{Name: "test.yaml", Data: []byte(text)})
}

func (s *server) applyFiles(files ...File) Report {
	s.t.Helper()
	report, err := s.Apply(context.Background(), s.input(files...))
	if err != nil {
		s.t.Fatalf("apply: %v", err)
	}
	return report
}

// refuses applies a text that must be refused and gives the message.
func (s *server) refuses(text string) string {
	s.t.Helper()
	_, err := s.Apply(context.Background(), s.input(File{Name: "test.yaml", Data: []byte(text)}))
	if err == nil {
		s.t.Fatalf("accepted:\n%s", text)
	}
	return err.Error()
}

func (s *server) export() []byte {
	s.t.Helper()
	out, err := s.Export(context.Background(), "")
	if err != nil {
		s.t.Fatalf("export: %v", err)
	}
	return out
}

func actions(r Report) map[Action]int {
	count := map[Action]int{}
	for _, c := range r.Changes {
		count[c.Action]++
	}
	return count
}

// examples reads the documents of examples/movable-ink.
func examples(t testing.TB) []File {
	t.Helper()
	paths, err := filepath.Glob("../../examples/movable-ink/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	slices.Sort(paths)
	var files []File
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{Name: filepath.Base(path), Data: data})
	}
	return files
}

package document

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"platen/internal/fault"
	"platen/internal/workspace"
)

// Service applies and exports documents, for the command line and for the
// management API alike.
type Service struct {
	registry *Registry
	random   io.Reader
	now      func() time.Time
}

// NewService makes a service that puts into the registry's store and reloads the
// registry. Ids are drawn from random.
func NewService(registry *Registry, random io.Reader, now func() time.Time) *Service {
	return &Service{registry: registry, random: random, now: now}
}

// Input is what is applied.
type Input struct {
	Files  []File
	DryRun bool // tell what would change and change nothing
	// Lookup reads the environment variables and files that secrets refer to.
	Lookup workspace.Lookup
	// Scope is the only workspace that may be changed, "" for all of them.
	Scope string
}

// Report tells what an apply did, or would do.
type Report struct {
	DryRun   bool       `json:"dry_run"`
	Changes  []Change   `json:"changes"` // one for each document, in the order of their kinds
	Tokens   []NewToken `json:"tokens,omitempty"`
	Warnings []Warning  `json:"warnings,omitempty"`
}

// Change tells what became of one document.
type Change struct {
	Action    Action        `json:"action"`
	Kind      Kind          `json:"kind"`
	Workspace string        `json:"workspace"`
	Name      string        `json:"name"`
	ID        string        `json:"id,omitempty"` // of a campaign or a block
	Fields    []FieldChange `json:"fields,omitempty"`
	File      string        `json:"file"`
	Line      int           `json:"line"`
}

// Action is what happens to a document.
type Action string

// The actions.
const (
	Created   Action = "created"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
)

// NewToken is a token that was made for an API key. It is told this once.
type NewToken struct {
	Workspace string           `json:"workspace"`
	Name      string           `json:"name"`
	Token     workspace.Secret `json:"token"` // marshals redacted; whoever shows it reveals it
}

// Warning is something to consider in a document that was accepted.
type Warning struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// applyTries is how often an apply starts over when others put meanwhile.
const applyTries = 5

// Apply puts what differs from the stored documents, all of it or nothing, and
// makes it current. Documents that are not in the files stay as they are. The
// error is of type Problems where the files are wrong, a conflict where others
// kept changing the documents, or internal.
func (s *Service) Apply(ctx context.Context, in Input) (Report, error) {
	for range applyTries {
		report, err := s.apply(ctx, in)
		if !errors.Is(err, ErrChanged) {
			return report, err
		}
	}
	return Report{}, fault.New(fault.Conflict, "documents_changed", "others are changing the documents at the same time; apply again").Because(ErrChanged)
}

func (s *Service) apply(ctx context.Context, in Input) (Report, error) {
	docs, err := parse(in.Files)
	if err != nil {
		return Report{}, err
	}
	before, err := loadState(ctx, s.registry.store)
	if err != nil {
		return Report{}, err
	}
	p := planning{in: in, sealer: s.registry.sealer, random: s.random, now: s.now(), before: before.entries}
	if err := p.run(docs); err != nil {
		return Report{}, err
	}
	if in.DryRun || len(p.put) == 0 {
		return p.report, nil
	}
	if _, err := s.registry.store.PutDocuments(ctx, before.revision, p.put); err != nil {
		return Report{}, fmt.Errorf("put the documents: %w", err)
	}
	return p.report, s.registry.Reload(ctx)
}

// Export writes all documents, or those of one workspace, as YAML that changes
// nothing when it is applied: secrets are references or {keep: true}.
func (s *Service) Export(ctx context.Context, scope string) ([]byte, error) {
	state, err := loadState(ctx, s.registry.store)
	if err != nil {
		return nil, err
	}
	var entries []*entry
	for _, e := range state.entries {
		if scope == "" || e.doc.workspace == scope {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(a.doc.workspace, b.doc.workspace),
			cmp.Compare(slices.Index(kinds, a.doc.kind), slices.Index(kinds, b.doc.kind)),
			cmp.Compare(a.doc.name, b.doc.name),
		)
	})
	var out bytes.Buffer
	for i, e := range entries {
		if i > 0 {
			out.WriteString("---\n")
		}
		body, err := encode(e.doc.spec)
		if err != nil {
			return nil, err
		}
		out.Write(body)
	}
	return out.Bytes(), nil
}

// SecretRefs gives the references to environment variables and files that the
// secrets of some files name, so that a client can resolve them where it runs.
func SecretRefs(files []File) ([]workspace.SecretRef, error) {
	docs, err := parse(files)
	if err != nil {
		return nil, err
	}
	var refs []workspace.SecretRef
	for _, d := range docs {
		holder, ok := d.spec.(secretHolder)
		if !ok {
			continue
		}
		if ref, _ := holder.secretRef(); *ref != nil && !(*ref).Keep && !slices.Contains(refs, **ref) {
			refs = append(refs, **ref)
		}
	}
	return refs, nil
}

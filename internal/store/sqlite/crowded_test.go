package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// An e-mail that too many share is answered from the index: none of their parts is
// read for it.
func TestACrowdedEmailLoadsNobody(t *testing.T) {
	p := newPath(t, sqlite.Options{})
	const workspace = 3
	key := profile.Key{Workspace: workspace, Identifier: profile.Identifier{Kind: profile.Email, Value: "info@example.com"}}
	now := time.Now().UnixMicro()
	for i, shared := range []int{profile.MaxSharers, 1} {
		a := &ingest.Accept{Workspace: workspace, Received: now}
		for n := range shared {
			a.Items = append(a.Items, ingest.Item{Who: profile.Who{UserID: fmt.Sprintf("u%d-%d", i, n)}, At: now,
				Set: []profile.Setting{{Name: "email", Value: `"info@example.com"`}}})
		}
		if err := p.Submit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		found, err := p.store.Profile(t.Context(), workspace, profile.Who{UserID: "u0-0"}, now)
		if err != nil {
			t.Fatal(err)
		}
		err = p.store.Commit(t.Context(), ingest.Keys{Identifiers: []profile.Key{key}}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
			roots := s.Book.Lookup(key)
			s.Book.Part(found.Root.ID)
			_, missing := s.Book.Missing()
			if crowded := i > 0; (len(roots) == 0) != crowded || (len(missing) > 0) != crowded {
				t.Errorf("round %d: %d profiles are found, of one of them the part is missing: %v", i, len(roots), missing)
			}
			return ingest.Changes{}, ingest.Keys{}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

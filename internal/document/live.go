package document

import (
	"cmp"
	"fmt"
	"slices"

	"platen/internal/block"
	"platen/internal/campaign"
	"platen/internal/catalog"
	"platen/internal/workspace"
	"platen/liquid"
)

func newLive(sealer *workspace.Sealer) *Live {
	return &Live{
		sealer:          sealer,
		workspaces:      map[int64]*workspace.Workspace{},
		workspaceByName: map[string]*workspace.Workspace{},
		keys:            map[workspace.TokenFingerprint]*workspace.APIKey{},
		sources:         map[string]*Source{},
		credentials:     map[inWorkspace]*workspace.Credential{},
		campaigns:       map[string]*campaign.Campaign{},
		campaignByName:  map[inWorkspace]*campaign.Campaign{},
		triggered:       map[inWorkspace][]*campaign.Campaign{},
		blocks:          map[string]*block.Block{},
		blockByName:     map[inWorkspace]*block.Block{},
		catalogs:        map[inWorkspace]*catalog.Catalog{},
		promotionLists:  map[inWorkspace]*catalog.PromotionList{},
		snippets:        map[inWorkspace]*liquid.Template{},
	}
}

// compile makes a snapshot of stored documents.
func compile(stored []Stored, sealer *workspace.Sealer) (*Live, error) {
	l := newLive(sealer)
	docs := make([]*document, len(stored))
	for i := range stored {
		var err error
		if docs[i], err = decodeStored(stored[i]); err != nil {
			return nil, err
		}
		if s, ok := docs[i].spec.(*workspaceSpec); ok {
			l.addWorkspace(s.compile(stored[i].Workspace))
		}
	}
	for i, d := range docs {
		if err := l.add(stored[i], d.spec); err != nil {
			return nil, fmt.Errorf("stored %s %q: %w", stored[i].Kind, stored[i].Name, err)
		}
	}
	for _, campaigns := range l.triggered {
		slices.SortFunc(campaigns, func(a, b *campaign.Campaign) int { return cmp.Compare(a.ID, b.ID) })
	}
	return l, nil
}

func (l *Live) addWorkspace(w *workspace.Workspace) {
	l.workspaces[w.ID], l.workspaceByName[w.Name] = w, w
}

func (l *Live) add(stored Stored, s spec) error {
	if l.workspaces[stored.Workspace] == nil {
		return fmt.Errorf("there is no workspace %d", stored.Workspace)
	}
	switch s := s.(type) {
	case *apiKeySpec:
		return l.addKey(stored, s)
	case *sourceSpec:
		return l.addSource(stored, s)
	case *credentialSpec:
		return l.addCredential(stored, s)
	case *catalogSpec:
		l.catalogs[inWorkspace{stored.Workspace, s.Name}] = s.compile(stored.Workspace)
	case *promotionListSpec:
		l.promotionLists[inWorkspace{stored.Workspace, s.Name}] = s.compile(stored.Workspace)
	case *snippetSpec:
		l.snippets[inWorkspace{stored.Workspace, s.Name}] = s.template
	case *campaignSpec:
		l.addCampaign(s.compile(stored.Workspace, stored.ID, stored.Version))
	case *blockSpec:
		l.addBlock(s.compile(stored.Workspace, stored.ID))
	}
	return nil
}

func (l *Live) addKey(stored Stored, s *apiKeySpec) error {
	var f workspace.TokenFingerprint
	if len(stored.Secret) != len(f) {
		return fmt.Errorf("the fingerprint of its token has %d bytes", len(stored.Secret))
	}
	copy(f[:], stored.Secret)
	l.keys[f] = s.compile(stored.Workspace)
	return nil
}

func (l *Live) addSource(stored Stored, s *sourceSpec) error {
	password, err := workspace.ParseDigest(stored.Secret)
	if err != nil {
		return err
	}
	l.sources[s.Key] = &Source{
		Source:    s.compile(stored.Workspace, password),
		Workspace: l.workspaces[stored.Workspace],
		Mapping:   s.mapping,
	}
	return nil
}

func (l *Live) addCredential(stored Stored, s *credentialSpec) error {
	c := s.compile(stored.Workspace)
	secret, err := l.sealer.Open(stored.Secret, c.Binding())
	if err != nil {
		return err
	}
	c.Secret = secret
	l.credentials[inWorkspace{c.Workspace, c.Name}] = c
	return nil
}

func (l *Live) addCampaign(c *campaign.Campaign) {
	l.campaigns[c.ID] = c
	l.campaignByName[inWorkspace{c.Workspace, c.Name}] = c
	if c.State == campaign.Active {
		trigger := inWorkspace{c.Workspace, c.Trigger.Event}
		l.triggered[trigger] = append(l.triggered[trigger], c)
	}
}

func (l *Live) addBlock(b *block.Block) {
	l.blocks[b.PublicID] = b
	l.blockByName[inWorkspace{b.Workspace, b.Name}] = b
	if block.IsAlias(b.Name) {
		l.blocks[b.Name] = b
	}
}

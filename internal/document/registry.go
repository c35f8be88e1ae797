package document

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"platen/internal/block"
	"platen/internal/campaign"
	"platen/internal/catalog"
	"platen/internal/mapping"
	"platen/internal/workspace"
	"platen/liquid"
)

// Registry holds the compiled form of all stored documents. Readers take one
// snapshot and use it for a whole request; it never changes under them.
type Registry struct {
	store  Store
	sealer *workspace.Sealer

	reload  sync.Mutex // one reload at a time, so that none overtakes a newer one
	current atomic.Pointer[Live]
}

// NewRegistry makes a registry without documents; Reload fills it.
func NewRegistry(store Store, sealer *workspace.Sealer) *Registry {
	r := &Registry{store: store, sealer: sealer}
	r.current.Store(newLive(sealer))
	return r
}

// Current is the latest snapshot. It is never nil.
func (r *Registry) Current() *Live { return r.current.Load() }

// Reload compiles what is stored now and makes it current. On an error the
// snapshot before it stays.
func (r *Registry) Reload(ctx context.Context) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	stored, revision, err := r.store.Documents(ctx)
	if err != nil {
		return fmt.Errorf("read the documents: %w", err)
	}
	live, err := compile(stored, r.sealer)
	if err != nil {
		return err
	}
	live.revision = revision
	r.current.Store(live)
	return nil
}

// Source is a collector endpoint ready for use.
type Source struct {
	*workspace.Source
	Workspace *workspace.Workspace
	Mapping   *mapping.Set
}

// Live is a snapshot of all documents, compiled. It is immutable: callers must
// not change what it gives.
type Live struct {
	revision int64
	sealer   *workspace.Sealer

	workspaces      map[int64]*workspace.Workspace
	workspaceByName map[string]*workspace.Workspace
	keys            map[workspace.TokenFingerprint]*workspace.APIKey
	sources         map[string]*Source
	credentials     map[inWorkspace]*workspace.Credential
	campaigns       map[string]*campaign.Campaign
	campaignByName  map[inWorkspace]*campaign.Campaign
	triggered       map[inWorkspace][]*campaign.Campaign
	blocks          map[string]*block.Block // by public id and by alias
	blockByName     map[inWorkspace]*block.Block
	catalogs        map[inWorkspace]*catalog.Catalog
	promotionLists  map[inWorkspace]*catalog.PromotionList
	snippets        map[inWorkspace]*liquid.Template
}

// inWorkspace is a name that is unique within a workspace.
type inWorkspace struct {
	workspace int64
	name      string
}

// Revision is the revision of the store that the snapshot shows.
func (l *Live) Revision() int64 { return l.revision }

// Workspace finds a workspace by its number.
func (l *Live) Workspace(id int64) (*workspace.Workspace, bool) {
	w, ok := l.workspaces[id]
	return w, ok
}

// WorkspaceNamed finds a workspace by its name.
func (l *Live) WorkspaceNamed(name string) (*workspace.Workspace, bool) {
	w, ok := l.workspaceByName[name]
	return w, ok
}

// APIKey finds the key that a token opens.
func (l *Live) APIKey(token string) (*workspace.APIKey, bool) {
	k, ok := l.keys[l.sealer.Fingerprint(token)]
	return k, ok
}

// Source finds a collector endpoint by the key in its URL.
func (l *Live) Source(key string) (*Source, bool) {
	s, ok := l.sources[key]
	return s, ok
}

// Credential finds a credential of a workspace by its name.
func (l *Live) Credential(workspaceID int64, name string) (*workspace.Credential, bool) {
	c, ok := l.credentials[inWorkspace{workspaceID, name}]
	return c, ok
}

// LiveCampaigns gives the active campaigns of a workspace that an event of this
// name may trigger, in the order of their ids.
func (l *Live) LiveCampaigns(workspaceID int64, eventName string) []*campaign.Campaign {
	return l.triggered[inWorkspace{workspaceID, eventName}]
}

// Campaign finds a campaign by its id.
func (l *Live) Campaign(id string) (*campaign.Campaign, bool) {
	c, ok := l.campaigns[id]
	return c, ok
}

// CampaignNamed finds a campaign of a workspace by its name.
func (l *Live) CampaignNamed(workspaceID int64, name string) (*campaign.Campaign, bool) {
	c, ok := l.campaignByName[inWorkspace{workspaceID, name}]
	return c, ok
}

// Block finds a block by its public id or its alias.
func (l *Live) Block(publicIDOrAlias string) (*block.Block, bool) {
	b, ok := l.blocks[publicIDOrAlias]
	return b, ok
}

// BlockNamed finds a block of a workspace by its name.
func (l *Live) BlockNamed(workspaceID int64, name string) (*block.Block, bool) {
	b, ok := l.blockByName[inWorkspace{workspaceID, name}]
	return b, ok
}

// Catalog finds a catalog of a workspace by its name.
func (l *Live) Catalog(workspaceID int64, name string) (*catalog.Catalog, bool) {
	c, ok := l.catalogs[inWorkspace{workspaceID, name}]
	return c, ok
}

// PromotionList finds a list of promotion codes of a workspace by its name.
func (l *Live) PromotionList(workspaceID int64, name string) (*catalog.PromotionList, bool) {
	p, ok := l.promotionLists[inWorkspace{workspaceID, name}]
	return p, ok
}

// Snippet finds a snippet of a workspace by its name: text that messages use, as a
// template of the Braze dialect.
func (l *Live) Snippet(workspaceID int64, name string) (*liquid.Template, bool) {
	t, ok := l.snippets[inWorkspace{workspaceID, name}]
	return t, ok
}

// Workspaces gives all workspaces, by name.
func (l *Live) Workspaces() []*workspace.Workspace {
	return sorted(l.workspaces, func(w *workspace.Workspace) (bool, string) { return true, w.Name })
}

// Sources gives the sources of a workspace, by name.
func (l *Live) Sources(workspaceID int64) []*Source {
	return sorted(l.sources, func(s *Source) (bool, string) { return s.Workspace.ID == workspaceID, s.Name })
}

// Campaigns gives the campaigns of a workspace in all states, by name.
func (l *Live) Campaigns(workspaceID int64) []*campaign.Campaign {
	return sorted(l.campaigns, func(c *campaign.Campaign) (bool, string) { return c.Workspace == workspaceID, c.Name })
}

// Blocks gives the blocks of a workspace, by name.
func (l *Live) Blocks(workspaceID int64) []*block.Block {
	return sorted(l.blockByName, func(b *block.Block) (bool, string) { return b.Workspace == workspaceID, b.Name })
}

// sorted gives the values of a map that belong to a list, by name.
func sorted[K comparable, V any](m map[K]V, of func(V) (belongs bool, name string)) []V {
	var list []V
	for _, v := range m {
		if belongs, _ := of(v); belongs {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b V) int {
		_, x := of(a)
		_, y := of(b)
		return cmp.Compare(x, y)
	})
	return list
}

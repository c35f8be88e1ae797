package personalize

import (
	"context"
	"fmt"

	"platen/internal/catalog"
	"platen/internal/outbound"
	"platen/internal/workspace"
	"platen/liquid"
)

// Definitions are the documents that texts refer to. *document.Live is one.
type Definitions interface {
	Workspace(id int64) (*workspace.Workspace, bool)
	Credential(workspaceID int64, name string) (*workspace.Credential, bool)
	Catalog(workspaceID int64, name string) (*catalog.Catalog, bool)
	Snippet(workspaceID int64, name string) (*liquid.Template, bool)
	PromotionList(workspaceID int64, name string) (*catalog.PromotionList, bool)
}

// Library gives the texts of one workspace what it keeps for them: it is the
// liquid.Catalogs and, with the snippets, the liquid.Partials of a render. It is
// only read.
type Library struct {
	Definitions Definitions
	Workspace   int64
}

// CatalogItems implements liquid.Catalogs.
func (l *Library) CatalogItems(_ context.Context, name string, ids []string) (items []any, found bool, err error) {
	c, ok := l.Definitions.Catalog(l.Workspace, name)
	if !ok {
		return nil, false, nil
	}
	return c.Items(ids), true, nil
}

// CatalogSelection implements liquid.Catalogs.
func (l *Library) CatalogSelection(_ context.Context, name, selection string) (items []any, found bool, err error) {
	c, ok := l.Definitions.Catalog(l.Workspace, name)
	if !ok {
		return nil, false, nil
	}
	items, found = c.Selection(selection)
	return items, found, nil
}

// Partial implements liquid.Partials.
func (l *Library) Partial(_ context.Context, name string) (*liquid.Template, error) {
	snippet, _ := l.Definitions.Snippet(l.Workspace, name)
	return snippet, nil
}

// Egress is what the workspace may call: only public addresses when it is gone.
func (l *Library) Egress() outbound.Policy {
	if w, ok := l.Definitions.Workspace(l.Workspace); ok {
		return w.Egress
	}
	return outbound.Policy{}
}

// Credential finds what a request to this address shows to its host. The error is
// a *Refusal when there is no such credential, or it is bound to another host.
func (l *Library) Credential(name, address string) (*workspace.Credential, error) {
	c, ok := l.Definitions.Credential(l.Workspace, name)
	if !ok {
		return nil, &Refusal{CredentialGone,
			"the credential " + name + " was removed; apply it again, or take it out of the webhook"}
	}
	u, err := outbound.ParseURL(address)
	if err != nil {
		return nil, &Refusal{CredentialHost, fmt.Sprintf("the credential %s is bound to %s and the URL leads nowhere", name, c.Host)}
	}
	if !c.Admits(u) {
		return nil, &Refusal{CredentialHost,
			fmt.Sprintf("the credential %s is bound to %s and the URL leads to %s", name, c.Host, workspace.HostOf(u))}
	}
	return c, nil
}

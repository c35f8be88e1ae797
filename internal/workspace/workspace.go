// Package workspace holds the tenants and what opens their doors: workspaces,
// API keys, collector sources with their policies, credentials for what we call,
// and the handling of secrets.
package workspace

import (
	"slices"
	"strings"
	"time"

	"platen/internal/outbound"
)

// Workspace is a tenant: it has its own profiles, campaigns, sources, blocks and keys.
type Workspace struct {
	ID   int64 // given once, never given again
	Name string
	// Location is the company's time zone, UTC when none was set.
	Location *time.Location
	// LinkDomains are the hosts a block's link may lead to, in lower case. A
	// domain does not admit its subdomains unless it begins with "*.".
	LinkDomains []string
	// Egress says which private address ranges the workspace may call.
	Egress outbound.Policy
	// OpenIdentifier says what mi_u holds; OpenByUserID is the only way so far.
	OpenIdentifier OpenIdentifier
}

// OpenIdentifier names the identifier by which opens and clicks name a person.
type OpenIdentifier string

// OpenByUserID reads mi_u as the user id.
const OpenByUserID OpenIdentifier = "user_id"

// LinkAllowed says whether a block's link may lead to host, a host name with or
// without a port.
func (w *Workspace) LinkAllowed(host string) bool {
	host = strings.ToLower(host)
	name, _, _ := strings.Cut(host, ":")
	return slices.ContainsFunc(w.LinkDomains, func(domain string) bool {
		if parent, ok := strings.CutPrefix(domain, "*."); ok {
			return strings.HasSuffix(name, "."+parent)
		}
		return domain == host || domain == name
	})
}

// APIKey opens the engage REST and the management API of one workspace.
type APIKey struct {
	Workspace   int64
	Name        string
	Permissions []Permission
}

// Allows says whether the key may do what the permission names.
func (k *APIKey) Allows(p Permission) bool { return slices.Contains(k.Permissions, p) }

// Permission is a dotted name: the path of an engage endpoint, or Manage.
type Permission string

// The permissions that the program asks for in more than one place.
const (
	UsersTrack     Permission = "users.track"
	UsersIdentify  Permission = "users.identify"
	UsersExportIDs Permission = "users.export.ids"
	Manage         Permission = "manage" // the management API of the workspace
)

// Permissions gives all permission names, sorted: those of the engage API, after
// shared/spec/engage.md section 3, and Manage.
func Permissions() []Permission {
	return []Permission{
		"campaigns.data_series", "campaigns.details", "campaigns.list",
		"campaigns.trigger.schedule.create", "campaigns.trigger.schedule.delete", "campaigns.trigger.schedule.update",
		"campaigns.trigger.send",
		Manage,
		"messages.schedule.create", "messages.schedule.delete", "messages.schedule.update", "messages.send",
		"sends.data_series", "sends.id.create",
		"users.alias.new", "users.alias.update", "users.delete", UsersExportIDs, UsersIdentify, "users.merge", UsersTrack,
	}
}

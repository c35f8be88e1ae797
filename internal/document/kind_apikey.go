package document

import (
	"slices"

	"platen/internal/workspace"
)

type apiKeySpec struct {
	head        `yaml:",inline"`
	Token       *workspace.SecretRef   `yaml:"token,omitempty,flow"`
	Permissions []workspace.Permission `yaml:"permissions,flow"`
}

func decodeAPIKey(o *object, h head) spec {
	s := &apiKeySpec{head: h, Token: o.secret("token")}
	for _, n := range o.list("permissions", required) {
		text, ok := o.scalarText(n, "permissions")
		if !ok {
			continue
		}
		permission := workspace.Permission(text)
		switch {
		case !slices.Contains(workspace.Permissions(), permission):
			o.refuse(n, "unknown_value", "there is no permission %q; %s", text, didYouMean(text, permissionNames()))
		case !slices.Contains(s.Permissions, permission):
			s.Permissions = append(s.Permissions, permission)
		}
	}
	return s
}

func (s *apiKeySpec) compile(number int64) *workspace.APIKey {
	return &workspace.APIKey{Workspace: number, Name: s.Name, Permissions: s.Permissions}
}

func permissionNames() []string {
	var names []string
	for _, p := range workspace.Permissions() {
		names = append(names, string(p))
	}
	return names
}

package manage_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.anna()
	const own = `{"dry_run":true,"files":[{"name":"a.yaml","text":"kind: Block\nworkspace: shop\nname: new\nshow:\n  - items: {event: product_viewed}\n    layout: cards\nfallback: {title: New}\n"}]}`
	requests := []struct {
		name, method, path, body string
		// statuses for: the key of another workspace, the workspace's own key, the
		// server's own token
		foreign, own, admin int
	}{
		{"profile", "GET", "/api/v1/workspaces/shop/profiles/anna", "", 404, 200, 200},
		{"profile by e-mail", "GET", "/api/v1/workspaces/shop/profiles?email=anna%40example.com", "", 404, 200, 200},
		{"deliveries", "GET", "/api/v1/workspaces/shop/deliveries", "", 404, 200, 200},
		{"quarantine", "GET", "/api/v1/workspaces/shop/quarantine", "", 404, 200, 200},
		{"picture", "GET", "/api/v1/workspaces/shop/blocks/recent/picture?as=anna", "", 404, 200, 200},
		{"test", "POST", "/api/v1/workspaces/shop/campaigns/Viewed/test", `{"as":"anna"}`, 404, 200, 200},
		{"apply", "POST", "/api/v1/apply", own, 422, 200, 200},
		{"export of the workspace", "GET", "/api/v1/export?workspace=shop", "", 404, 200, 200},
		{"export", "GET", "/api/v1/export", "", 200, 200, 200},
		{"status of the whole server", "GET", "/api/v1/status", "", 403, 403, 200},
	}
	for _, r := range requests {
		for who, c := range map[string]struct {
			token string
			want  int
		}{
			"nobody":                        {"", 401},
			"an unknown token":              {"nonsense", 401},
			"a key without the permission":  {shopBackend, 403},
			"the key of another workspace":  {otherManager, r.foreign},
			"the workspace's own key":       {shopManager, r.own},
			"the server's own token":        {adminToken, r.admin},
			"the server's token, truncated": {adminToken[:len(adminToken)-1], 401},
		} {
			rec := w.ask(r.method, r.path, c.token, r.body)
			if rec.Code != c.want {
				t.Errorf("%s asks for %s: status %d, want %d: %s", who, r.name, rec.Code, c.want, rec.Body)
			}
			if challenge := rec.Header().Get("WWW-Authenticate"); (challenge != "") != (c.want == 401) {
				t.Errorf("%s asks for %s: status %d with WWW-Authenticate %q", who, r.name, rec.Code, challenge)
			}
			if rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("X-Request-Id") == "" {
				t.Errorf("%s asks for %s: headers %v", who, r.name, rec.Header())
			}
		}
	}
}

func TestAKeyOfTheWrongSchemeIsNoToken(t *testing.T) {
	w := newWorld(t)
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + adminToken, adminToken, "bearer " + adminToken + "x"} {
		r := w.request("GET", "/api/v1/status", "")
		r.Header.Set("Authorization", header)
		if rec := w.serve(r); rec.Code != http.StatusUnauthorized {
			t.Errorf("Authorization %q: status %d", header, rec.Code)
		}
	}
}

func TestAnotherWorkspaceLooksAsIfItDidNotExist(t *testing.T) {
	w := newWorld(t)
	foreign := w.ask("GET", "/api/v1/workspaces/shop/deliveries", otherManager, "")
	missing := w.ask("GET", "/api/v1/workspaces/nowhere/deliveries", otherManager, "")
	tell := func(body string) string {
		message, _, _ := strings.Cut(body, `,"request_id"`)
		return message
	}
	if got, want := tell(foreign.Body.String()), strings.Replace(tell(missing.Body.String()), "nowhere", "shop", 1); got != want {
		t.Errorf("a foreign workspace is answered with %s, a missing one with %s", got, want)
	}
}

func TestABlockOfAnotherWorkspaceIsNotShown(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"foreign", "00000000000000bb"} {
		if rec := w.ask("GET", "/api/v1/workspaces/shop/blocks/"+name+"/picture?as=anna", shopManager, ""); rec.Code != 404 {
			t.Errorf("block %s: status %d", name, rec.Code)
		}
	}
}

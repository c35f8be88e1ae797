package manage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"platen/internal/document"
	"platen/internal/manage"
)

// applies posts documents as one file, with the server's own token.
func (w *world) applies(text string, dryRun bool) manage.Applied {
	w.t.Helper()
	body, err := json.Marshal(manage.Apply{
		Files: []manage.ApplyFile{{Name: "test.yaml", Text: text}}, DryRun: dryRun,
		Env: map[string]string{
			"SHOP_MANAGER": shopManager, "SHOP_BACKEND": shopBackend, "OTHER_MANAGER": otherManager,
			"SHOP_PASSWORD": shopPassword, "RECEIVER_PASSWORD": hookPassword,
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var done manage.Applied
	w.read(w.ask(http.MethodPost, "/api/v1/apply", adminToken, string(body)), &done)
	return done
}

func TestApplyingAnExportChangesNothing(t *testing.T) {
	w := newWorld(t)
	exported := w.ask("GET", "/api/v1/export", adminToken, "").Body.String()
	for _, want := range []string{"kind: Workspace\nname: other", "name: backend", "name: Viewed", "kind: Credential"} {
		if !strings.Contains(exported, want) {
			t.Errorf("the export lacks %q", want)
		}
	}
	for _, secret := range []string{shopManager, shopBackend, otherManager, shopPassword, hookPassword} {
		if strings.Contains(exported, secret) {
			t.Errorf("the export shows the secret %s", secret)
		}
	}
	for _, c := range w.applies(exported, false).Changes {
		if c.Action != document.Unchanged {
			t.Errorf("%s %s %s: %v", c.Action, c.Kind, c.Name, c.Fields)
		}
	}
	if again := w.ask("GET", "/api/v1/export", adminToken, "").Body.String(); again != exported {
		t.Error("the second export differs from the first")
	}
}

func TestExportIsScoped(t *testing.T) {
	w := newWorld(t)
	own := w.ask("GET", "/api/v1/export", otherManager, "").Body.String()
	if !strings.Contains(own, "name: foreign") || strings.Contains(own, "shop") {
		t.Errorf("the key of the workspace other exports:\n%s", own)
	}
	if rec := w.ask("GET", "/api/v1/export?workspace=nowhere", adminToken, ""); rec.Code != 404 {
		t.Errorf("an unknown workspace: status %d, %q", rec.Code, rec.Body)
	}
}

const newKey = "kind: APIKey\nworkspace: shop\nname: fresh\npermissions: [manage]\n"

func TestANewTokenIsToldOnce(t *testing.T) {
	w := newWorld(t)
	if rehearsed := w.applies(newKey, true); len(rehearsed.Tokens) != 0 {
		t.Errorf("a dry run made tokens: %v", rehearsed.Tokens)
	}
	made := w.applies(newKey, false)
	if len(made.Tokens) != 1 || made.Tokens[0].Workspace != "shop" || made.Tokens[0].Name != "fresh" {
		t.Fatalf("tokens: %v", made.Tokens)
	}
	if rec := w.ask("GET", "/api/v1/workspaces/shop/deliveries", made.Tokens[0].Token, ""); rec.Code != 200 {
		t.Errorf("the new token opens nothing: status %d", rec.Code)
	}
	if again := w.applies(newKey, false); len(again.Tokens) != 0 {
		t.Errorf("the second apply tells tokens: %v", again.Tokens)
	}
}

func TestANewTokenIsToldEvenWhenTheDocumentsCannotBeLoaded(t *testing.T) {
	w := newWorld(t)
	w.unread.Store(true)
	made := w.applies(newKey, false)
	if len(made.Tokens) != 1 || made.Tokens[0].Token == "" {
		t.Errorf("tokens: %v", made.Tokens)
	}
	if !strings.Contains(made.NotLive, "restart") || strings.Contains(made.NotLive, "fire") {
		t.Errorf("not_live: %q", made.NotLive)
	}
	if !strings.Contains(w.logged.String(), "disk on fire") {
		t.Errorf("the log does not say why:\n%s", w.logged.String())
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.ask("GET", "/api/v1/export", adminToken, "").Body.String()
	done := w.applies("kind: Workspace\nname: other\ntimezone: Europe/Berlin\n", true)
	if !done.DryRun || len(done.Changes) != 1 || done.Changes[0].Action != document.Changed {
		t.Errorf("the dry run tells %+v", done)
	}
	if after := w.ask("GET", "/api/v1/export", adminToken, "").Body.String(); after != before {
		t.Error("the dry run changed the documents")
	}
}

func TestWrongDocumentsAreRefusedWithTheirPlaces(t *testing.T) {
	w := newWorld(t)
	text := "kind: Workspace\nname: shop\ntimezon: UTC\n---\nkind: Blok\nname: a\n"
	body, err := json.Marshal(manage.Apply{Files: []manage.ApplyFile{{Name: "a.yaml", Text: text}}})
	if err != nil {
		t.Fatal(err)
	}
	rec := w.ask("POST", "/api/v1/apply", adminToken, string(body))
	var refused struct {
		Message, Reason string
		Problems        []document.Problem
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &refused); err != nil || rec.Code != http.StatusUnprocessableEntity || refused.Reason != "bad_document" {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if len(refused.Problems) != 2 {
		t.Fatalf("problems: %v", refused.Problems)
	}
	for i, want := range []string{
		`a.yaml:3:1: kind Workspace has no field "timezon"; did you mean "timezone"?`,
		`a.yaml:5:7: there is no kind "Blok"; did you mean "Block"?`,
	} {
		if got := refused.Problems[i].String(); got != want {
			t.Errorf("problem %d: %s, want %s", i, got, want)
		}
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	const test = "/api/v1/workspaces/shop/campaigns/Viewed/test"
	w.anna()
	for _, c := range []struct {
		name, path, body string
		status           int
		reason, says     string
	}{
		{"nothing", "/api/v1/apply", "", 400, "malformed_json", "empty"},
		{"no JSON", "/api/v1/apply", "{\n \"files\": [}", 400, "malformed_json", `"line":2,"column":12`},
		{"more than JSON", "/api/v1/apply", `{"files":[]} x`, 400, "malformed_json", `"line":1`},
		{"an array", "/api/v1/apply", `[]`, 400, "wrong_type", "object"},
		{"null", "/api/v1/apply", `null`, 400, "wrong_type", "object"},
		{"an unknown member", "/api/v1/apply", `{"fles":[]}`, 400, "unknown_field", `\"fles\"`},
		{"a wrong type", "/api/v1/apply", `{"files":3}`, 400, "wrong_type", `"pointer":"/files"`},
		{"a wrong type within", "/api/v1/apply", `{"files":[{"name":1}]}`, 400, "wrong_type", `files.name`},
		{"no files", "/api/v1/apply", `{}`, 400, "no_files", "files"},
		{"too much", "/api/v1/apply", strings.Repeat(" ", manage.MaxBody+1), 413, "too_large", "67108864"},
		{"nobody", test, `{}`, 400, "missing_identity", "user id"},
		{"an unknown member of a test", test, `{"as":"anna","sned":true}`, 400, "unknown_field", "sned"},
		{"properties that are no object", test, `{"as":"anna","properties":[1]}`, 400, "wrong_type", `"pointer":"/properties"`},
		{"an unknown person", test, `{"as":"bert"}`, 404, "unknown_profile", "bert"},
		{"an unknown variant", test, `{"as":"anna","variant":"Second"}`, 404, "unknown_variant", "Second"},
		{"an unknown campaign", "/api/v1/workspaces/shop/campaigns/View/test", `{"as":"anna"}`, 404, "unknown_campaign", "View"},
	} {
		rec := w.ask("POST", c.path, adminToken, c.body)
		body := rec.Body.String()
		if rec.Code != c.status || !strings.Contains(body, `"reason":"`+c.reason+`"`) || !strings.Contains(body, c.says) {
			t.Errorf("%s: status %d: %s", c.name, rec.Code, body)
		}
		for _, internal := range []string{"json: ", "manage.", "Go ", "goroutine"} {
			if strings.Contains(body, internal) {
				t.Errorf("%s: the answer shows %q: %s", c.name, internal, body)
			}
		}
	}
}

// What was exported can be applied again, whatever a workspace holds.
func TestGreatExportsAreApplied(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		row := "<b>\"%d\"</b>\n" + strings.Repeat("y", 375)
		var text strings.Builder
		fmt.Fprintf(&text, "kind: Catalog\nworkspace: other\nname: c%d\nitems:\n", i)
		for item := range 9000 {
			fmt.Fprintf(&text, "  - {id: i%d, text: %q}\n", item, fmt.Sprintf(row, item))
		}
		w.applies(text.String(), false)
	}
	export := w.ask("GET", "/api/v1/export?workspace=other", adminToken, "").Body.String()
	if len(export) < 10<<20 {
		t.Fatalf("the export has %d bytes", len(export))
	}
	for _, change := range w.applies(export, false).Changes {
		if change.Action != document.Unchanged {
			t.Errorf("%s %s is %s", change.Kind, change.Name, change.Action)
		}
	}
}

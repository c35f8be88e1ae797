package document

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"platen/internal/campaign"
	"platen/internal/fault"
)

const workspaces = `
kind: Workspace
name: engage
---
kind: Workspace
name: content
---
`

// oneCampaign is a campaign with its id, name, percentages and body to fill in.
func oneCampaign(id, name, body string) string {
	text := "kind: Campaign\nworkspace: engage\nname: " + name + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	return text + fmt.Sprintf(`state: active
trigger: {event: Product Viewed}
variants:
  - {name: A, percent: 60, webhook: {url: "https://a.example", body: %q}}
  - {name: B, percent: 40, webhook: {url: "https://b.example"}}
`, body)
}

func TestApplyTellsWhatChanges(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces + oneCampaign("", "c", "one\ntwo\nthree\n"))
	changed := strings.NewReplacer("percent: 60", "percent: 70", "percent: 40", "percent: 20").
		Replace(oneCampaign("", "c", "one\nTWO\nthree\n")) + "control_percent: 10\n"
	dry := s.input(File{Name: "test.yaml", Data: []byte(changed)})
	dry.DryRun = true
	preview, err := s.Apply(context.Background(), dry)
	if err != nil {
		t.Fatal(err)
	}
	if !preview.DryRun {
		t.Error("the report of a dry run does not say so")
	}
	c, _ := s.reg.Current().CampaignNamed(1, "c")
	if c.Version != 1 || c.ControlPercent != 0 {
		t.Error("the dry run changed the campaign")
	}
	report := s.apply(changed)
	if !reflect.DeepEqual(report.Changes, preview.Changes) {
		t.Errorf("the dry run told\n%v\nand the apply\n%v", preview.Changes, report.Changes)
	}
	want := []FieldChange{
		{"variants[0].percent", "60", "70"},
		{"variants[0].webhook.body", "line 2: two", "line 2: TWO"},
		{"variants[1].percent", "40", "20"},
		{"control_percent", "", "10"},
	}
	if got := report.Changes[0]; got.Action != Changed || !reflect.DeepEqual(got.Fields, want) {
		t.Errorf("%s: got %v, want %v", got.Action, got.Fields, want)
	}
	c, _ = s.reg.Current().CampaignNamed(1, "c")
	if c.Version != 2 || c.ControlPercent != 10 {
		t.Errorf("version %d, control %d", c.Version, c.ControlPercent)
	}
	if again := s.apply(changed); actions(again)[Unchanged] != 1 || s.store.revision != 2 {
		t.Errorf("the same again: %v, revision %d", again.Changes, s.store.revision)
	}
	if undone := s.apply(oneCampaign("", "c", "one\ntwo\nthree\n")); undone.Changes[0].Fields[3] != (FieldChange{"control_percent", "10", ""}) {
		t.Errorf("undone: %v", undone.Changes[0].Fields)
	}
}

func TestIdsSurviveRenames(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces + oneCampaign("", "first", ""))
	before, _ := s.reg.Current().CampaignNamed(1, "first")

	report := s.apply(oneCampaign(before.ID, "second", ""))
	after, _ := s.reg.Current().Campaign(before.ID)
	if report.Changes[0].Action != Changed || report.Changes[0].Fields[0] != (FieldChange{"name", "first", "second"}) {
		t.Errorf("the rename is reported as %+v", report.Changes[0])
	}
	if after.Name != "second" || after.Variants[0].ID != before.Variants[0].ID || after.Variants[1].ID != before.Variants[1].ID {
		t.Errorf("after the rename: %+v", after)
	}
	if _, ok := s.reg.Current().CampaignNamed(1, "first"); ok {
		t.Error("the old name still leads somewhere")
	}

	// The name that was given up can be taken in the same apply, by another.
	s.apply(oneCampaign("", "second", "new") + "---\n" + oneCampaign(before.ID, "third", ""))
	third, _ := s.reg.Current().CampaignNamed(1, "third")
	second, _ := s.reg.Current().CampaignNamed(1, "second")
	if third.ID != before.ID || second.ID == before.ID {
		t.Errorf("third %s, second %s, want %s to be third", third.ID, second.ID, before.ID)
	}

	// A variant is known by its name as well, wherever it stands.
	s.apply(strings.NewReplacer("name: A", "name: C", "a.example", "c.example").Replace(oneCampaign("", "third", "")))
	third, _ = s.reg.Current().CampaignNamed(1, "third")
	if third.Variants[1].ID != before.Variants[1].ID || third.Variants[0].ID == before.Variants[0].ID {
		t.Errorf("variants %s and %s, before %s and %s", third.Variants[0].ID, third.Variants[1].ID, before.Variants[0].ID, before.Variants[1].ID)
	}

	if got := s.refuses(oneCampaign(before.ID, "second", "")); !strings.Contains(got, `the name "second" is taken by the Campaign `+second.ID) {
		t.Errorf("a name that is taken: %s", got)
	}
	stolen := strings.Replace(oneCampaign(before.ID, "mine", ""), "workspace: engage", "workspace: content", 1)
	if got := s.refuses(stolen); !strings.Contains(got, "is taken; leave it out") {
		t.Errorf("an id of another workspace: %s", got)
	}
	given := "0d9f9a0e-6a53-4d52-8a39-0d6f3c0f0a11"
	s.apply(oneCampaign(given, "brought along", ""))
	if c, ok := s.reg.Current().Campaign(given); !ok || c.Name != "brought along" {
		t.Error("an id that nobody has is not taken over")
	}
}

func TestLiveCampaigns(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces + oneCampaign("", "on", "") + "---\n" +
		strings.Replace(oneCampaign("", "off", ""), "state: active", "state: stopped", 1) + "---\n" +
		strings.Replace(oneCampaign("", "elsewhere", ""), "workspace: engage", "workspace: content", 1) + "---\n" +
		strings.Replace(oneCampaign("", "another event", ""), "Product Viewed", "Account Created", 1))
	live := s.reg.Current()
	names := func(found []*campaign.Campaign) (names []string) {
		for _, c := range found {
			names = append(names, c.Name)
		}
		return names
	}
	for _, c := range []struct {
		workspace int64
		event     string
		want      string
	}{
		{1, "Product Viewed", "[on]"}, {2, "Product Viewed", "[elsewhere]"}, {1, "Account Created", "[another event]"},
		{1, "product viewed", "[]"}, {3, "Product Viewed", "[]"},
	} {
		if got := fmt.Sprint(names(live.LiveCampaigns(c.workspace, c.event))); got != c.want {
			t.Errorf("%d, %s: %s, want %s", c.workspace, c.event, got, c.want)
		}
	}
}

func TestSnapshotsDoNotChange(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces)
	before := s.reg.Current()
	s.apply("kind: Workspace\nname: third\n")
	if _, ok := before.WorkspaceNamed("third"); ok {
		t.Error("a snapshot that was taken before shows the new workspace")
	}
	w, ok := s.reg.Current().WorkspaceNamed("third")
	if !ok || w.ID != 3 || s.reg.Current().Revision() != 2 {
		t.Errorf("the new snapshot: %+v, revision %d", w, s.reg.Current().Revision())
	}
}

func TestApplyStartsOverWhenOthersPut(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces)
	s.store.meddle = func() { s.apply("kind: Workspace\nname: theirs\n") }
	s.apply("kind: Workspace\nname: ours\n")
	theirs, _ := s.reg.Current().WorkspaceNamed("theirs")
	ours, _ := s.reg.Current().WorkspaceNamed("ours")
	if theirs == nil || ours == nil || theirs.ID != 3 || ours.ID != 4 {
		t.Errorf("theirs %+v, ours %+v", theirs, ours)
	}

	n := 0
	var meddle func()
	meddle = func() { // for ever
		n++
		s.store.mu.Lock()
		s.store.revision++
		s.store.mu.Unlock()
		s.store.meddle = meddle
	}
	s.store.meddle = meddle
	_, err := s.Apply(context.Background(), s.input(File{Name: "f", Data: []byte("kind: Workspace\nname: never\n")}))
	if fault.CodeOf(err) != fault.Conflict || n != applyTries {
		t.Errorf("after %d tries: %v", n, err)
	}
}

func TestScope(t *testing.T) {
	s := newServer(t)
	s.apply(workspaces + "kind: Workspace\nname: open\negress: {allow: [127.0.0.1]}\n")
	try := func(text string) string {
		in := s.input(File{Name: "f.yaml", Data: []byte(text)})
		in.Scope = "engage"
		if _, err := s.Apply(context.Background(), in); err != nil {
			return err.Error()
		}
		return ""
	}
	if got := try(oneCampaign("", "mine", "")); got != "" {
		t.Errorf("the own workspace: %s", got)
	}
	if got := try("kind: Workspace\nname: engage\nlink_domains: [a.example]\n"); got != "" {
		t.Errorf("the own workspace's settings: %s", got)
	}
	for text, want := range map[string]string{
		strings.Replace(oneCampaign("", "theirs", ""), "workspace: engage", "workspace: content", 1): `only workspace "engage" can be changed`,
		"kind: Workspace\nname: content\nlink_domains: [evil.example]\n":                             `only workspace "engage" can be changed`,
		"kind: Workspace\nname: new\n":                                    `only workspace "engage" can be changed`,
		"kind: Workspace\nname: engage\negress: {allow: [127.0.0.0/8]}\n": "egress is opened by who runs the server",
	} {
		if got := try(text); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	s.apply("kind: Workspace\nname: engage\negress: {allow: [127.0.0.0/8]}\n")
	if got := try("kind: Workspace\nname: engage\n"); !strings.Contains(got, "write it as egress: {allow: [127.0.0.0/8]} to leave it") {
		t.Errorf("egress left out: %q", got)
	}
	out, err := s.Export(context.Background(), "content")
	if err != nil || strings.Contains(string(out), "engage") || !strings.Contains(string(out), "name: content") {
		t.Errorf("the export of one workspace, %v:\n%s", err, out)
	}
}

func TestRegistryFindsByKeyTokenAndAlias(t *testing.T) {
	s := newServer(t)
	if s.reg.Current() == nil {
		t.Fatal("there is no snapshot before the first reload")
	}
	s.applyFiles(examples(t)...)
	live := s.reg.Current()

	source, ok := live.Source("shop-behavioral")
	if !ok || source.Name != "from-engage" || source.Workspace.Name != "content" || source.Mapping == nil {
		t.Fatalf("source: %+v", source)
	}
	if !source.Authenticate("shop", shopSecret) || source.Authenticate("shop", shopToken) {
		t.Error("the source does not check its password")
	}
	key, ok := live.APIKey(shopToken)
	if !ok || key.Name != "backend" || !key.Allows("users.track") || key.Allows("users.delete") {
		t.Errorf("key: %+v", key)
	}
	engage, _ := live.WorkspaceNamed("engage")
	if byNumber, ok := live.Workspace(engage.ID); !ok || byNumber != engage || engage.Location.String() != "America/New_York" {
		t.Errorf("workspace: %+v", engage)
	}
	credential, ok := live.Credential(engage.ID, "content-collector")
	if !ok || credential.Secret.Reveal() != shopSecret || credential.Host != "127.0.0.1:8080" {
		t.Errorf("credential: %+v", credential)
	}
	block, ok := live.Block("recently-viewed")
	if !ok || len(block.Show) != 1 || block.Fallback.Title == "" {
		t.Fatalf("block: %+v", block)
	}
	if byID, ok := live.Block(block.PublicID); !ok || byID != block {
		t.Error("the block is not found by its public id")
	}
	if got := live.Workspaces(); len(got) != 2 || got[0].Name != "content" {
		t.Errorf("workspaces: %v", got)
	}
	if got := live.Campaigns(engage.ID); len(got) != 3 || got[0].Name > got[1].Name || got[1].Name > got[2].Name {
		t.Errorf("campaigns: %v", got)
	}
	if len(live.Campaigns(source.Workspace.ID))+len(live.Sources(engage.ID))+len(live.Blocks(engage.ID)) != 0 {
		t.Error("a workspace lists what belongs to the other")
	}
	if len(live.Sources(source.Workspace.ID)) != 1 || len(live.Blocks(source.Workspace.ID)) != 1 {
		t.Error("a workspace does not list what belongs to it")
	}
	if _, ok := live.Source("shop"); ok {
		t.Error("a wrong source key finds something")
	}
	for _, token := range []string{"", shopSecret, shopToken[1:], shopToken + " "} {
		if _, ok := live.APIKey(token); ok {
			t.Errorf("the token %q opens something", token)
		}
	}
	if _, ok := live.Credential(engage.ID+1, "content-collector"); ok {
		t.Error("a credential is found from another workspace")
	}
}

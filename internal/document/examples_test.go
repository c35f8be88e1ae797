package document

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"platen/internal/campaign"
	"platen/internal/mapping"
	"platen/liquid"
)

// The profile of the seed's expected payloads, and its clock.
const (
	seedUser  = "5c3aa83113dd490100d3d8d7"
	seedEmail = "test@braze.com"
	seedZone  = "America/New_York"
)

var seedNow = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

func exampleCampaign(t testing.TB, s *server, name string) *campaign.Campaign {
	t.Helper()
	w, ok := s.reg.Current().WorkspaceNamed("engage")
	if !ok {
		t.Fatal("no workspace engage")
	}
	c, ok := s.reg.Current().CampaignNamed(w.ID, name+" to the Customer Data API")
	if !ok {
		t.Fatalf("no campaign %s", name)
	}
	return c
}

func render(c *campaign.Campaign, profile map[string]any, properties json.RawMessage) ([]byte, error) {
	event, err := liquid.FromJSON(properties)
	if err != nil {
		return nil, err
	}
	in := liquid.Input{Vars: map[string]any{liquid.ProfileVariables: profile, "event_properties": event}, Now: seedNow}
	r, err := c.Variants[0].Webhook.Render(context.Background(), in)
	if err != nil {
		return nil, err
	}
	return r.Body, nil
}

// TestExamplesSendTheSeedsPayloads renders each example for the seed's trigger and
// compares it with the seed's expected payload, by value and without the
// anonymous_id where the user_id is sent instead.
func TestExamplesSendTheSeedsPayloads(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	known := map[string]any{"user_id": seedUser, "email_address": seedEmail, "time_zone": seedZone}
	for _, c := range []struct {
		campaign, seed, user, anonymous string
	}{
		{"Product viewed", "product_viewed", seedUser, ""},
		{"Category viewed", "category_viewed", seedUser, ""},
		{"Account created", "identify", "mycustomerid123", hexMD5(seedEmail)},
	} {
		var trigger struct {
			Events []struct{ Properties json.RawMessage }
		}
		seed(t, c.seed+".trigger.json", &trigger)
		var want map[string]any
		seed(t, c.seed+".expected.json", &want)
		if delete(want, "anonymous_id"); c.anonymous != "" {
			want["anonymous_id"] = c.anonymous
		}
		known["user_id"] = c.user
		properties := trigger.Events[0].Properties
		if properties == nil {
			properties = json.RawMessage("{}")
		}
		body, err := render(exampleCampaign(t, s, c.campaign), known, properties)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%s: %v in\n%s", c.campaign, err, body)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", c.campaign, got, want)
		}
	}
}

// TestExamplesSendJSONForEveryInput draws people and events as no one expects
// them: what is sent is valid JSON, or nothing is sent and a reason is given.
func TestExamplesSendJSONForEveryInput(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", `"`, `13" screen`, `\`, "{{", "</script>", "1,99", "\n"}))
	value := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
		rapid.SampledFrom([]any{nil, true, false, 0, 1.99, []any{}, map[string]any{}, []any{map[string]any{"id": `"`}}, map[string]any{"color": `gre"en`}}),
	)
	names := []string{"id", "title", "url", "price", "image_url", "categories", "meta", "other"}
	for _, name := range []string{"Product viewed", "Category viewed", "Account created"} {
		c := exampleCampaign(t, s, name)
		rapid.Check(t, func(rt *rapid.T) {
			profile := map[string]any{}
			for _, attribute := range []string{"user_id", "email_address", "time_zone"} {
				if rapid.Bool().Draw(rt, "has "+attribute) {
					profile[attribute] = text.Draw(rt, attribute)
				}
			}
			properties, err := json.Marshal(rapid.MapOf(rapid.SampledFrom(names), value).Draw(rt, "properties"))
			if err != nil {
				rt.Fatal(err)
			}
			body, err := render(c, profile, properties)
			var why *campaign.Unsendable
			if errors.As(err, &why) && why.Reason == campaign.LiquidAbort {
				return
			}
			if err != nil || !json.Valid(body) {
				rt.Fatalf("%v, %s for %v and %s", err, body, profile, properties)
			}
		})
	}
}

// TestExamplesFitTogether maps what the campaigns send with the mappings of the
// source that receives it.
func TestExamplesFitTogether(t *testing.T) {
	s := newServer(t)
	s.applyFiles(examples(t)...)
	source, ok := s.reg.Current().Source("shop-behavioral")
	if !ok {
		t.Fatal("no source")
	}
	byEmail := map[string]any{"email_address": seedEmail}
	both := map[string]any{"email_address": seedEmail, "user_id": seedUser, "time_zone": seedZone}
	properties := `{"id":"1","title":"13\" screen","url":"https://www.example.com/1","price":1.99,"image_url":"https://www.example.com/1.png"}`
	for _, c := range []struct {
		campaign string
		profile  map[string]any
		want     mapping.Mapped
	}{
		{"Product viewed", byEmail, mapping.Mapped{Type: "track", Event: "product_viewed", AnonymousID: hexMD5(seedEmail)}},
		{"Product viewed", both, mapping.Mapped{Type: "track", Event: "product_viewed", UserID: seedUser, TimeZone: seedZone}},
		{"Category viewed", both, mapping.Mapped{Type: "track", Event: "category_viewed", UserID: seedUser, TimeZone: seedZone}},
		{"Account created", both, mapping.Mapped{Type: "identify", UserID: seedUser, AnonymousID: hexMD5(seedEmail), TimeZone: seedZone}},
	} {
		body, err := render(exampleCampaign(t, s, c.campaign), c.profile, json.RawMessage(properties))
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Mapping.Map(body, seedNow)
		if err != nil {
			t.Errorf("%s: %v", c.campaign, err)
			continue
		}
		if got.Type != c.want.Type || got.Event != c.want.Event || got.UserID != c.want.UserID ||
			got.AnonymousID != c.want.AnonymousID || got.TimeZone != c.want.TimeZone || !got.Time.Equal(seedNow) {
			t.Errorf("%s: got %+v", c.campaign, got)
		}
		if len(got.Warnings) > 0 {
			t.Errorf("%s: warnings %v", c.campaign, got.Warnings)
		}
	}
}

func hexMD5(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// seed reads a file of the seed, from PLATEN_SHARED or the folder beside the
// checkout.
func seed(t *testing.T, name string, into any) {
	t.Helper()
	shared := os.Getenv("PLATEN_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(shared, "seed", name))
	if os.IsNotExist(err) {
		t.Skipf("the seed is not here: %v (set PLATEN_SHARED)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

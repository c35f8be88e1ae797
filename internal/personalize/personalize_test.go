package personalize

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/profile"
	"platen/liquid"
)

// now is the fixed clock of the project's tests.
var now = time.Date(2009, time.November, 10, 23, 0, 0, 0, time.UTC)

func profileWith(attributes map[string]string, ids ...profile.Identifier) *profile.Profile {
	set := profile.Attributes{}
	for name, value := range attributes {
		set.Set(name, profile.Version{At: 1, Value: value}, 1)
	}
	return &profile.Profile{Root: &profile.Part{
		ID: 4711, Identifiers: ids, Own: profile.Facts{Attributes: set},
	}}
}

// u1 is the person of the acceptance vectors, shared/spec/engage.md section 2.6.
func u1() Context {
	return Context{
		Now: now,
		Profile: profileWith(map[string]string{
			"email":           `"a@b.c"`,
			"one":             `2`,
			"two":             `3`,
			"zip code":        `"10001"`,
			"bal":             `10`,
			"brands":          `["Nike","Converse"]`,
			"address":         `{"city":"NYC"}`,
			"cart_items":      `[{"id":"c1"},{"id":"c2"}]`,
			"flag":            `false`,
			"price":           `5.0`,
			"removed":         `null`,
			"home_city":       `"Köln"`,
			"dob":             `"1990-02-28"`,
			"phone":           `"+15551234"`,
			"time_zone":       `"America/New_York"`,
			"email_subscribe": `"opted_in"`,
		}, profile.Identifier{Kind: profile.UserID, Value: "u1"}),
		Event: &event.Event{Properties: json.RawMessage(
			`{"categories":[{"id":"Bathroom"}],"meta":{"color":"green"},"q":"say \"hi\"","price":1.990}`)},
		Campaign: Campaign{ID: "c-id", Name: "Spring", VariantID: "v-id", VariantName: "Variant 1", Dispatch: UnsentDispatch},
	}
}

func render(t *testing.T, c Context, source string) string {
	t.Helper()
	template, err := liquid.Parse(source, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	text, err := template.Render(context.Background(), c.Input())
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return text
}

func TestVariables(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{`{{${user_id}}}`, "u1"},
		{`{{${first_name}}}`, ""},
		{`Hi {{ ${first_name} | default: 'Valued User' }}`, "Hi Valued User"},
		{`{% if ${first_name} == null %}y{% endif %}`, "y"},
		{`{{${email_address} | md5}}`, "5d60d4e28066df254d5452f92c910092"},
		{`{{${city}}}|{{${date_of_birth}}}|{{${phone_number}}}|{{${time_zone}}}`, "Köln|1990-02-28|+15551234|America/New_York"},
		{`{{${braze_id}}}`, "000000000000000000001267"},
		{`{{${no_such_thing}}}`, ""},
		{`{{subscribed_state.${email_global}}}`, "opted_in"},
		{`{{most_recently_used_device.${os} | default: 'none'}}`, "none"},

		{`{{custom_attribute.${zip code}}}`, "10001"},
		{`{{custom_attribute.${address.city}}}`, "NYC"},
		{`{{custom_attribute.${address}.city}}`, "NYC"},
		{`{{custom_attribute.${cart_items[1].id}}}`, "c2"},
		{`{{custom_attribute.${price}}}`, "5.0"},
		{`{{custom_attribute.${removed} | default: 'gone'}}`, "gone"},
		{`{{custom_attribute.${flag} | default: 'x'}}`, "x"},
		{`{% assign p = {{custom_attribute.${bal} | plus: 50}} %}{{p}}`, "60"},
		{`{% for i in {{custom_attribute.${brands}}} limit:1 %}{{i}}{% endfor %}`, "Nike"},
		{`{% if {{custom_attribute.${missing}}} > 0 %}y{% else %}n{% endif %}`, "n"},
		{`{{custom_attribute}}`, ""},
		{`{% if custom_attribute == event_properties %}same{% else %}other{% endif %}`, "other"},

		{`{{event_properties.${categories}[0].id}}/{{event_properties.${meta}.color}}`, "Bathroom/green"},
		{`{{event_properties.${categories}[9].id}}`, ""},
		{`{{event_properties.${q} | json_escape}}`, `say \"hi\"`},
		{`{{event_properties.${price}}}`, "1.990"},

		{`{{campaign.${api_id}}}|{{campaign.${name}}}|{{campaign.${message_api_id}}}|{{campaign.${message_name}}}`, "c-id|Spring|v-id|Variant 1"},
		{`{{campaign.${dispatch_id}}}`, "dispatch_id_for_unsent_campaign"},
		{`{{'now' | date: '%s'}}`, "1257894000"},
	} {
		if got := render(t, u1(), test.source); got != test.want {
			t.Errorf("%s: got %q, want %q", test.source, got, test.want)
		}
	}
}

func TestUnknownPersonWithoutEvent(t *testing.T) {
	c := Context{Now: now, Profile: profileWith(nil, profile.Identifier{Kind: profile.AnonymousID, Value: "a1"})}
	for _, source := range []string{
		`{{${user_id}}}`, `{% if {{${user_id}}} %}known{% endif %}`, `{{${email_address}}}`,
		`{{event_properties.${title}}}`, `{{campaign.${name}}}`, `{{custom_attribute.${x}[0].y}}`,
	} {
		if got := render(t, c, source); got != "" {
			t.Errorf("%s: got %q, want nothing", source, got)
		}
	}
	c.Event = &event.Event{}
	if got := render(t, c, `{{event_properties.${title}}}`); got != "" {
		t.Errorf("an event without properties: got %q", got)
	}
}

// TestMembersCount makes sure that what was set under an anonymous id that was
// claimed is read as well.
func TestMembersCount(t *testing.T) {
	p := profileWith(map[string]string{"city": `"own"`})
	p.Root.Members = []event.ID{9}
	p.Root.Total = profile.Facts{Attributes: profile.Attributes{"city": {{At: 2, Value: `"of the member"`}}}}
	if got := render(t, Context{Now: now, Profile: p}, `{{custom_attribute.${city}}}`); got != "of the member" {
		t.Errorf("got %q", got)
	}
}

// TestOnlyWhatIsReadIsDecoded renders beside values that could not be decoded.
func TestOnlyWhatIsReadIsDecoded(t *testing.T) {
	c := u1()
	c.Event.Properties = json.RawMessage(`{broken`)
	c.Profile.Root.Own.Attributes["broken"] = []profile.Version{{Value: `{`}}
	if got := render(t, c, `{{custom_attribute.${one}}}`); got != "2" {
		t.Errorf("got %q", got)
	}
	if got := render(t, c, `{{custom_attribute.${broken}}}{{event_properties.${x}}}`); got != "" {
		t.Errorf("what cannot be read is not missing: %q", got)
	}
}

func TestTimeIsPrintedInUTC(t *testing.T) {
	c := u1()
	c.Now = now.In(time.FixedZone("", 9*60*60))
	if got := render(t, c, `{{'now' | date: '%Y-%m-%d %H:%M'}}`); got != "2009-11-10 23:00" {
		t.Errorf("got %q", got)
	}
}

func TestRandomBucketIsSpread(t *testing.T) {
	const people = 100_000
	var thousands [10]int
	for i := range people {
		b := randomBucket(event.ID(7_000_000_000_000_000 + i<<12))
		if b < 0 || b > 9999 {
			t.Fatalf("bucket %d", b)
		}
		thousands[b/1000]++
	}
	for i, n := range thousands {
		if n < people/10-600 || n > people/10+600 { // six standard deviations
			t.Errorf("buckets from %d000 on hold %d people", i, n)
		}
	}
	if got := render(t, u1(), `{{${random_bucket_number}}}`); got != "2024" {
		t.Errorf("the bucket of a profile changed: %s", got)
	}
}

func BenchmarkInput(b *testing.B) {
	template, err := liquid.Parse(`{"user_id":"{{${user_id}}}","id":"{{event_properties.${categories}[0].id}}","tz":"{{${time_zone}}}"}`,
		liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		b.Fatal(err)
	}
	c := u1()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Render(context.Background(), c.Input()); err != nil {
			b.Fatal(err)
		}
	}
}

package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/filter"
	"platen/internal/profile"
)

const testWorkspace = 7

// accept submits items received now and gives what became of them.
func (b *bench) accept(t *testing.T, items ...Item) []Outcome {
	t.Helper()
	a := &Accept{Workspace: testWorkspace, Source: "shop", Received: b.clock.UnixMicro(), Items: items}
	if err := b.Submit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if len(a.Outcomes) != len(items) {
		t.Fatalf("%d outcomes for %d items", len(a.Outcomes), len(items))
	}
	return a.Outcomes
}

func (b *bench) track(who profile.Who, name, properties string) Item {
	i := Item{Who: who, At: b.clock.UnixMicro(), Raw: []byte(properties),
		Event: &event.Event{Kind: event.Track, Name: name, At: b.clock, UserID: who.UserID, AnonymousID: who.AnonymousID}}
	if properties != "" {
		i.Event.Properties = json.RawMessage(properties)
	}
	return i
}

func (b *bench) claim(anonymous, user string, at time.Time) Item {
	return Item{Who: profile.Who{UserID: user, AnonymousID: anonymous}, Claim: true, At: at.UnixMicro(),
		Event: &event.Event{Kind: event.Identify, Name: "identify", At: at, UserID: user, AnonymousID: anonymous}}
}

func user(id string) profile.Who      { return profile.Who{UserID: id} }
func anonymous(id string) profile.Who { return profile.Who{AnonymousID: id} }

func keyed(i Item, id string) Item {
	k := NewSeenKey(testWorkspace, "shop", ByMessageID, id, 0)
	i.Key = &k
	return i
}

func TestAnEventIsStoredWithItsPlace(t *testing.T) {
	b := newBench().run(t)
	out := b.accept(t, b.track(user("u1"), "product_viewed", `{"id":"1"}`), b.track(user("u1"), "cart_added", ``), b.track(anonymous("a1"), "product_viewed", ``))
	events := b.store.all().Events
	if len(events) != 3 {
		t.Fatalf("%d events are stored", len(events))
	}
	for i, e := range events {
		if e.ID != out[i].Event || e.Workspace != testWorkspace || e.Source != "shop" || e.Part == 0 || i > 0 && e.ID <= events[i-1].ID {
			t.Errorf("event %d: %+v, outcome %+v", i, e, out[i])
		}
		if made := i != 1; out[i].Created != made {
			t.Errorf("event %d: a profile was made: %v", i, out[i].Created)
		}
	}
	if events[0].Part != events[1].Part || events[1].Part == events[2].Part {
		t.Errorf("the parts are %v, %v and %v", events[0].Part, events[1].Part, events[2].Part)
	}
}

func TestAnIdentifyIsOnTheTimelineAndInNoSummary(t *testing.T) {
	b := newBench().run(t)
	b.accept(t, b.track(anonymous("a1"), "product_viewed", ""), b.claim("a1", "u1", b.clock))
	if events := b.store.all().Events; len(events) != 2 || events[1].Kind != event.Identify {
		t.Fatalf("stored: %+v", events)
	}
	root := b.store.part(b.store.keys[profile.Key{Workspace: testWorkspace, Identifier: profile.Identifier{Kind: profile.UserID, Value: "u1"}}][0])
	if counts := root.Facts().Summary.Counts; len(counts) != 1 || counts[0].Name != "product_viewed" || counts[0].Total != 1 {
		t.Errorf("the user's counts are %+v", counts)
	}
}

func TestAChangeOfAttributesAloneLeavesNoEvent(t *testing.T) {
	b := newBench().run(t)
	item := Item{Who: user("u1"), At: b.clock.UnixMicro(), Set: []profile.Setting{{Name: "plan", Value: `"gold"`}}}
	out := b.accept(t, keyed(item, "m1"), keyed(item, "m1"))
	if !out[0].Created || out[0].Event != 0 || out[0].Duplicate || !out[1].Duplicate {
		t.Errorf("outcomes: %+v", out)
	}
	if all := b.store.all(); len(all.Events) != 0 || len(all.Seen) != 1 {
		t.Errorf("stored: %+v", all)
	}
}

func TestDuplicatesAreRecognised(t *testing.T) {
	b := newBench().run(t)
	item := func(id string) Item { return keyed(b.track(user("u1"), "ordered", ""), id) }
	first := b.accept(t, item("m1"), item("m1"), item("m2"))
	again := b.accept(t, item("m2"), item("m1"), item("m3"))
	for _, c := range []struct {
		got  Outcome
		want Outcome
	}{
		{first[1], Outcome{Event: first[0].Event, Duplicate: true}},
		{again[0], Outcome{Event: first[2].Event, Duplicate: true}},
		{again[1], Outcome{Event: first[0].Event, Duplicate: true}},
		{again[2], Outcome{Event: again[2].Event}},
	} {
		if c.got != c.want {
			t.Errorf("got %+v, expected %+v", c.got, c.want)
		}
	}
	if n := len(b.store.all().Events); n != 3 {
		t.Errorf("%d events are stored", n)
	}
}

func TestAKeyMayHoldForATime(t *testing.T) {
	b := newBench().run(t)
	send := func() Outcome {
		i := keyed(b.track(user("u1"), "ordered", ""), "same")
		i.KeyFor = 10 * time.Minute
		return b.accept(t, i)[0]
	}
	first := send()
	b.clock = b.clock.Add(10 * time.Minute)
	if o := send(); !o.Duplicate || o.Event != first.Event {
		t.Errorf("after 10 minutes: %+v", o)
	}
	b.clock = b.clock.Add(time.Second)
	second := send()
	if second.Duplicate {
		t.Errorf("after its time: %+v", second)
	}
	if o := send(); !o.Duplicate || o.Event != second.Event {
		t.Errorf("right after the second: %+v", o)
	}
}

func TestKeysOfDifferentOriginNeverMeet(t *testing.T) {
	made := map[SeenKey]string{}
	for _, workspace := range []int64{1, 2} {
		for _, scope := range []string{"a", "b", "a\x00"} {
			for _, by := range []SeenBy{ByIdempotencyKey, ByWebhookID, ByMessageID, ByContent} {
				for _, id := range []string{"x", "y", "\x00x"} {
					for index := range 3 {
						name := fmt.Sprintf("%d %q %c %q %d", workspace, scope, by, id, index)
						k := NewSeenKey(workspace, scope, by, id, index)
						if other, taken := made[k]; taken {
							t.Errorf("%s and %s have one key", name, other)
						}
						made[k] = name
					}
				}
			}
		}
	}
}

func TestWhatIsRefusedIsKept(t *testing.T) {
	b := newBench().run(t)
	for n := range profile.MaxClaimants {
		b.accept(t, b.claim("shared", fmt.Sprintf("u%d", n), b.clock))
	}
	long := bytes.Repeat([]byte("x"), MaxQuarantineBytes+1)
	byHandler := b.track(user("u1"), "product_viewed", string(long))
	byHandler.Event.Properties = nil
	byHandler.Refused = fault.Refused("too_old", "the event is old").In("/timestamp")
	unknown := b.track(user("nobody"), "product_viewed", `{"id":"1"}`)
	unknown.ExistingOnly = true
	out := b.accept(t, byHandler, unknown, b.claim("shared", "one too many", b.clock), keyed(b.track(user("u1"), "fine", ""), "m"))
	if out[3].Refused != nil || out[3].Event == 0 {
		t.Errorf("the good neighbour: %+v", out[3])
	}
	kept := b.store.all().Quarantined
	if len(kept) != 3 {
		t.Fatalf("%d are kept", len(kept))
	}
	for i, want := range []Quarantined{
		{Event: "product_viewed", Reason: "too_old", Message: "the event is old (at /timestamp)", Pointer: "/timestamp", Raw: long[:MaxQuarantineBytes]},
		{Event: "product_viewed", Reason: "unknown_profile", Raw: []byte(`{"id":"1"}`)},
		{Event: "identify", Reason: "blocked_id"},
	} {
		q := kept[i]
		if out[i].Refused == nil || out[i].Refused.Reason != want.Reason || out[i].Quarantine != q.ID || q.ID == 0 {
			t.Errorf("%s: outcome %+v, row %v", want.Reason, out[i], q.ID)
		}
		if q.Workspace != testWorkspace || q.Source != "shop" || q.Received != b.clock.UnixMicro() ||
			q.Event != want.Event || q.Reason != want.Reason || q.Pointer != want.Pointer || q.Message == "" ||
			want.Message != "" && q.Message != want.Message || !bytes.Equal(q.Raw, want.Raw) {
			t.Errorf("kept: %.200v\nexpected: %.200v", q, want)
		}
	}
	if kinds := b.store.all().Records; kinds[len(kinds)-1].Kind != profile.BlockedID {
		t.Errorf("the last identity record is %+v", kinds[len(kinds)-1])
	}
}

func TestARefusedEventIsNoDuplicateWhenItComesAgain(t *testing.T) {
	b := newBench().run(t)
	i := keyed(b.track(user("u1"), "ordered", ""), "m1")
	i.ExistingOnly = true
	if o := b.accept(t, i)[0]; o.Refused == nil {
		t.Fatalf("accepted: %+v", o)
	}
	b.accept(t, b.track(user("u1"), "first", ""))
	if o := b.accept(t, i)[0]; o.Refused != nil || o.Duplicate {
		t.Errorf("after the profile is there: %+v", o)
	}
}

func TestWhatWasLeftOutIsKeptOnceItsItemIsAccepted(t *testing.T) {
	b := newBench().run(t)
	item := func(user string) Item {
		i := keyed(b.track(profile.Who{UserID: user}, "ordered", `{}`), "of "+user)
		i.Left = fault.Refused("bad_country", "country was removed")
		return i
	}
	unknown := item("nobody")
	unknown.ExistingOnly = true
	for range 3 {
		b.accept(t, item("u1"))
	}
	b.accept(t, unknown)
	kept := b.store.all().Quarantined
	if len(kept) != 2 || kept[0].Reason != "bad_country" || kept[0].Event != "ordered" || string(kept[0].Raw) != "{}" || kept[1].Reason != "unknown_profile" {
		t.Errorf("kept: %+v", kept)
	}
}

func TestARefusalWithAKeyIsKeptOnce(t *testing.T) {
	b := newBench().run(t)
	refused := func(text string) Item {
		k := NewSeenKey(testWorkspace, "shop", ByRefusal, "m1"+text, 0)
		return Item{Raw: []byte(text), Key: &k, Refused: fault.Refused("bad_field", "time is missing")}
	}
	first, other := b.accept(t, refused("a"))[0], b.accept(t, refused("b"))[0]
	again := b.accept(t, refused("a"))[0]
	if first.Duplicate || other.Duplicate || !again.Duplicate || again.Quarantine != first.Quarantine || again.Refused == nil {
		t.Errorf("first %+v, other %+v, again %+v", first, other, again)
	}
	if mended := b.accept(t, keyed(b.track(user("u1"), "ordered", ""), "m1"))[0]; mended.Duplicate || mended.Event == 0 {
		t.Errorf("the mended one: %+v", mended)
	}
	if n := len(b.store.all().Quarantined); n != 2 {
		t.Errorf("%d are kept", n)
	}
}

// campaignOn is a live campaign on an event, for products above a price and
// people whose plan is gold.
func campaignOn(t *testing.T, name string) *campaign.Campaign {
	t.Helper()
	price, err := filter.NewNumeric(operand(t, filter.Property, "price"), filter.MoreThan, 9)
	if err != nil {
		t.Fatal(err)
	}
	gold, err := filter.NewTextual(operand(t, filter.Attribute, "plan"), filter.AnyOf, "gold")
	if err != nil {
		t.Fatal(err)
	}
	return &campaign.Campaign{ID: "c-" + name, Workspace: testWorkspace, State: campaign.Active,
		Trigger: campaign.Trigger{Event: name, Where: price}, Audience: gold}
}

func operand(t *testing.T, source filter.Source, text string) filter.Operand {
	t.Helper()
	o, err := filter.ParseOperand(source, text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestHitsAreStoredWithTheirEvent(t *testing.T) {
	b := newBench()
	b.campaigns = []*campaign.Campaign{campaignOn(t, "ordered")}
	b.run(t)
	gold := b.track(user("u1"), "ordered", `{"price":12}`)
	gold.Set = []profile.Setting{{Name: "plan", Value: `"gold"`}}
	out := b.accept(t,
		b.track(user("u1"), "ordered", `{"price":9}`), // cheap
		gold, // gold only from this event on
		b.track(user("u1"), "ordered", `{"price":10}`),
		b.track(user("u1"), "viewed", `{"price":10}`), // another event
		keyed(b.track(user("u1"), "ordered", `{"price":11}`), "m"),
		keyed(b.track(user("u1"), "ordered", `{"price":11}`), "m"), // a duplicate
	)
	hits := b.store.all().Hits
	if len(hits) != 3 {
		t.Fatalf("%d hits are stored: %+v", len(hits), hits)
	}
	for i, want := range []struct {
		outcome Outcome
		admits  bool
	}{{out[1], false}, {out[2], true}, {out[4], true}} {
		h := hits[i]
		if h.Event != want.outcome.Event || h.Campaign != "c-ordered" || h.Workspace != testWorkspace || h.Profile == 0 || h.ID <= h.Event {
			t.Errorf("hit %d: %+v of %+v", i, h, want.outcome)
		}
		if admits := h.Refused == ""; admits != want.admits {
			t.Errorf("hit %d: refused %q", i, h.Refused)
		}
	}
}

func TestAHitSeesTheNameThatTheEventBrings(t *testing.T) {
	known, err := filter.NewPlain(operand(t, filter.Field, "user_id"), filter.NotBlank)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench()
	b.campaigns = []*campaign.Campaign{{ID: "c", Trigger: campaign.Trigger{Event: "ordered"}, Audience: known}}
	b.run(t)
	for _, c := range []struct {
		who    profile.Who
		admits bool
	}{
		{user("u1"), true}, {anonymous("a1"), false},
		{profile.Who{Alias: profile.AliasOf("crm", "1").Value}, false}, {profile.Who{Email: "x@example.com"}, false},
	} {
		o := b.accept(t, b.track(c.who, "ordered", ""))[0]
		hits := b.store.all().Hits
		h := hits[len(hits)-1]
		if h.Event != o.Event || (h.Refused == "") != c.admits {
			t.Errorf("%+v: %+v", c.who, h)
		}
	}
}

func TestAHitIsOfTheUserWhomTheEventBelongsTo(t *testing.T) {
	b := newBench()
	b.campaigns = []*campaign.Campaign{{ID: "c", Trigger: campaign.Trigger{Event: "ordered"}}}
	b.run(t)
	known := b.accept(t, b.track(user("u1"), "ordered", ""), b.claim("a1", "u1", b.clock), b.track(anonymous("a1"), "ordered", ""))
	all := b.store.all()
	if len(all.Hits) != 2 || all.Hits[0].Profile != all.Hits[1].Profile {
		t.Errorf("outcomes %+v, hits %+v", known, all.Hits)
	}
	if all.Events[2].Part == all.Hits[1].Profile {
		t.Error("the event lies under the user, not under the anonymous id")
	}
}

func TestPhotosOfProductsAreQueued(t *testing.T) {
	b := newBench().run(t)
	var many strings.Builder
	for n := range 2 * maxPhotos {
		fmt.Fprintf(&many, `%s{"image_url":"https://x.example/%d.png"}`, map[bool]string{true: ","}[n > 0], n)
	}
	for properties, want := range map[string]int{
		`{"image_url":"https://x.example/a.png"}`: 1,
		`{"image_url":"https://x.example/a.png","products":[{"image_url":"https://x.example/b.png"},{"image_url":"https://x.example/a.png"},{"id":"1"}]}`: 2,
		`{"image_url":"https://x.example/a.png","products":"none"}`:                                                                                       1,
		`{"image_url":7,"products":[{"image_url":8},9,{"image_url":"https://x.example/a.png"}]}`:                                                          1,
		`{"image_url":" https://x.example/a.png\n"}`:                                                                                                      1,
		`{"image_url":""}`:                       0,
		`{"image_url":17}`:                       0,
		`{"title":"an \"image_url\" in a text"}`: 0,
		`{"products":[` + many.String() + `]}`:   maxPhotos,
	} {
		before := len(b.store.all().Photos)
		b.accept(t, b.track(user("u1"), "product_viewed", properties))
		if got := b.store.all().Photos[before:]; len(got) != want || want > 0 && (got[0].Workspace != testWorkspace || strings.TrimSpace(got[0].URL) != got[0].URL || got[0].Shown != b.clock.UnixMicro()) {
			t.Errorf("%.80s: %v", properties, got)
		}
	}
}

func TestCommittedTellsWhatIsLeftToDo(t *testing.T) {
	b := newBench()
	b.campaigns = []*campaign.Campaign{{ID: "c", Trigger: campaign.Trigger{Event: "ordered"}}}
	var told []Committed
	b.OnCommit(func(c Committed) { told = append(told, c) })
	b.run(t)
	b.accept(t, b.track(user("u1"), "ordered", `{"image_url":"https://x.example/a.png"}`))
	b.accept(t, b.track(anonymous("a1"), "viewed", ""), b.claim("a1", "u1", b.clock.Add(-time.Hour)))
	b.accept(t, b.claim("a1", "u2", b.clock.Add(-time.Minute)))
	if want := []Committed{{Commands: 1, Hits: 1, Photos: 1}, {Commands: 1}, {Commands: 1, Stale: true}}; !slices.Equal(told, want) {
		t.Errorf("told %+v, expected %+v", told, want)
	}
}

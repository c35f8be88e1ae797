package campaign

import (
	"encoding/json"
	"math"
	"testing"

	"platen/internal/event"
	"platen/internal/filter"
	"platen/internal/profile"
)

func TestChooseIsStableAndKeepsTheShares(t *testing.T) {
	c := &Campaign{
		ID: "5d1c1f6e-1f0b-4b61-9df7-0a4c5f6f8a11",
		Variants: []Variant{
			{ID: "a", Percent: 50}, {ID: "b", Percent: 30}, {ID: "none", Percent: 0}, {ID: "c", Percent: 10},
		},
		ControlPercent: 10,
	}
	const people = 100_000
	counts := map[string]int{}
	for i := range people {
		// Ids as the program gives them: close together, equal in their low bits.
		id := event.ID(7_000_000_000_000_000 + i<<12)
		v := c.Choose(id)
		if again := c.Choose(id); again != v {
			t.Fatalf("profile %d changed its variant", id)
		}
		name := "control"
		if v != nil {
			name = v.ID
		}
		counts[name]++
	}
	for name, percent := range map[string]float64{"a": 50, "b": 30, "c": 10, "control": 10, "none": 0} {
		share := percent / 100
		// Six standard deviations of a binomial share: chance alone never fails this.
		margin := 6 * math.Sqrt(share*(1-share)/people)
		if got := float64(counts[name]) / people; math.Abs(got-share) > margin {
			t.Errorf("%s has a share of %.4f, want %.2f ± %.4f", name, got, share, margin)
		}
	}
}

func TestChoiceDiffersBetweenCampaigns(t *testing.T) {
	half := func(id string) *Campaign {
		return &Campaign{ID: id, Variants: []Variant{{Percent: 50}, {Percent: 50}}}
	}
	a, b := half("a"), half("b")
	same := 0
	for id := event.ID(1); id <= 10_000; id++ {
		if (a.Choose(id) == &a.Variants[0]) == (b.Choose(id) == &b.Variants[0]) {
			same++
		}
	}
	if same < 4700 || same > 5300 {
		t.Errorf("two campaigns agree on %d of 10000 people, want about half", same)
	}
}

func TestTriggerAndAudience(t *testing.T) {
	price, err := filter.ParseOperand(filter.Property, "price")
	if err != nil {
		t.Fatal(err)
	}
	moreThan10, err := filter.NewNumeric(price, filter.MoreThan, 10)
	if err != nil {
		t.Fatal(err)
	}
	user, err := filter.ParseOperand(filter.Field, "user_id")
	if err != nil {
		t.Fatal(err)
	}
	known, err := filter.NewPlain(user, filter.NotBlank)
	if err != nil {
		t.Fatal(err)
	}
	c := &Campaign{Trigger: Trigger{Event: "Product Viewed", Where: moreThan10}, Audience: known}

	subject := func(properties string, ids ...profile.Identifier) *filter.Subject {
		return &filter.Subject{Identifiers: ids, Properties: json.RawMessage(properties)}
	}
	for _, test := range []struct{ event, properties, why string }{
		{"Product Viewed", `{"price": 11}`, ""},
		{"Product Viewed", `{"price": 9.5}`, "price is 9.5; it must be more than 10"},
		{"Product Viewed", ``, "price is blank; it must be more than 10"},
		{"Category Viewed", `{"price": 11}`, "the trigger is the event Product Viewed, not Category Viewed"},
	} {
		matches := c.Trigger.Matches(test.event, subject(test.properties))
		why := c.Trigger.WhyNot(test.event, subject(test.properties))
		if matches != (test.why == "") || why != test.why {
			t.Errorf("%s %s: %v, %q; want %q", test.event, test.properties, matches, why, test.why)
		}
	}

	ok, reason, detail := c.Admits(subject("", profile.Identifier{Kind: profile.AnonymousID, Value: "a"}))
	if ok || reason != NotInAudience || detail != "user_id is blank; it must not be blank" {
		t.Errorf("got %v, %s, %q", ok, reason, detail)
	}
	if ok, reason, detail := c.Admits(subject("", profile.Identifier{Kind: profile.UserID, Value: "u"})); !ok {
		t.Errorf("a known user is refused: %s, %s", reason, detail)
	}
}

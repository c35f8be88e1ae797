package block

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/filter"
	"platen/internal/profile"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// did makes an event of some minutes before noon. Ids grow with the order given.
func did(id event.ID, minutesAgo int, name, properties string) event.Event {
	e := event.Event{ID: id, Name: name, At: noon.Add(-time.Duration(minutesAgo) * time.Minute)}
	if properties != "" {
		e.Properties = json.RawMessage(properties)
	}
	return e
}

// personWho makes a profile whose summary knows the events.
func personWho(events ...event.Event) *profile.Profile {
	root := &profile.Part{ID: 1, Workspace: 1, Identifiers: []profile.Identifier{{Kind: profile.UserID, Value: "u1"}}}
	for _, e := range events {
		root.Own.Summary.Add(profile.Happening{ID: e.ID, Name: e.Name, At: e.At.UnixMicro(), Content: true})
	}
	return &profile.Profile{Root: root}
}

func titles(items []Item) string {
	var all []string
	for _, i := range items {
		all = append(all, i.Text("title"))
	}
	return strings.Join(all, " ")
}

func TestQuery(t *testing.T) {
	viewed := Query{Event: "viewed", Distinct: "id", Exclude: Exclude{Event: "ordered"}, Limit: 3}
	for name, c := range map[string]struct {
		query  Query
		events []event.Event
		want   string
	}{
		"newest first, whatever the order given": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"A"}`), did(2, 10, "viewed", `{"id":"b","title":"B"}`), did(3, 20, "viewed", `{"id":"c","title":"C"}`),
		}, "B C A"},
		"at one time the later accepted first": {viewed, []event.Event{
			did(1, 5, "viewed", `{"id":"a","title":"A"}`), did(2, 5, "viewed", `{"id":"b","title":"B"}`),
		}, "B A"},
		"other events are not shown": {viewed, []event.Event{
			did(1, 5, "searched", `{"id":"a","title":"A"}`), did(2, 6, "viewed", `{"id":"b","title":"B"}`),
		}, "B"},
		"of one id the newest": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"old"}`), did(2, 10, "viewed", `{"id":"a","title":"new"}`),
		}, "new"},
		"a number and a text are one id": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":7,"title":"old"}`), did(2, 10, "viewed", `{"id":"7","title":"new"}`),
		}, "new"},
		"without distinct every event": {Query{Event: "viewed", Limit: 3}, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"A"}`), did(2, 10, "viewed", `{"id":"a","title":"A"}`),
		}, "A A"},
		"what cannot be told apart is left out": {viewed, []event.Event{
			did(1, 30, "viewed", `{"title":"A"}`), did(2, 10, "viewed", `{"id":{"x":1},"title":"B"}`), did(3, 9, "viewed", ``),
		}, ""},
		"limit": {Query{Event: "viewed", Limit: 1}, []event.Event{
			did(1, 30, "viewed", `{"title":"A"}`), did(2, 10, "viewed", `{"title":"B"}`),
		}, "B"},
		"ordered later by its list": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"A"}`), did(2, 29, "viewed", `{"id":"b","title":"B"}`),
			did(3, 10, "ordered", `{"id":"order-1","products":[{"id":"x"},{"product_id":"a"}]}`),
		}, "B"},
		"ordered later by its own id": {viewed, []event.Event{
			did(1, 30, "viewed", `{"product_id":"a","id":"a","title":"A"}`), did(2, 10, "ordered", `{"product_id":"a"}`),
		}, ""},
		"an order's id is no product's": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"A"}`), did(2, 10, "ordered", `{"id":"a","products":[{"id":"b"}]}`),
		}, "A"},
		"ordered before it was viewed again": {viewed, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"old"}`), did(2, 20, "ordered", `{"products":[{"id":"a"}]}`), did(3, 10, "viewed", `{"id":"a","title":"again"}`),
		}, "again"},
		"what an order took makes room": {Query{Event: "viewed", Exclude: Exclude{Event: "ordered"}, Limit: 1}, []event.Event{
			did(1, 30, "viewed", `{"id":"a","title":"A"}`), did(2, 20, "viewed", `{"id":"b","title":"B"}`), did(3, 10, "ordered", `{"products":[{"id":"b"}]}`),
		}, "A"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Block{Show: []Rule{{Items: c.query}}}
			choice := b.Choose(personWho(c.events...), c.events, noon)
			if got := titles(choice.Items); got != c.want {
				t.Errorf("shows %q, want %q", got, c.want)
			}
			if (choice.Rule == 0) != (c.want != "") || (choice.Reason == NoItems) != (c.want == "") {
				t.Errorf("rule %d, reason %q", choice.Rule, choice.Reason)
			}
			used := 0
			for _, e := range choice.Rules[0].Events {
				if e.Used {
					used++
				}
				if e.Used == (e.Why != "") {
					t.Errorf("event %s: used %v, because %q", e.ID, e.Used, e.Why)
				}
			}
			if used != len(choice.Items) {
				t.Errorf("%d events are told to be used, %d are", used, len(choice.Items))
			}
		})
	}
}

func TestRules(t *testing.T) {
	recent := Rule{When: filter.Did{Event: "viewed", Within: time.Hour}, Items: Query{Event: "viewed", Limit: 1}}
	carted := Rule{When: filter.Did{Event: "added"}, Items: Query{Event: "added", Exclude: Exclude{Event: "ordered"}, Limit: 1}}
	always := Rule{Items: Query{Event: "viewed", Limit: 1}}
	viewed, longAgo := did(1, 30, "viewed", `{"title":"V"}`), did(1, 300, "viewed", `{"title":"V"}`)
	added, ordered := did(2, 20, "added", `{"id":"a","title":"A"}`), did(3, 10, "ordered", `{"id":"a"}`)

	for name, c := range map[string]struct {
		show   []Rule
		events []event.Event
		rule   int
		reason Reason
		whys   []string // in parts
	}{
		"the first that matches": {[]Rule{recent, carted}, []event.Event{viewed, added}, 0, "", []string{"condition holds", "rule 1 came first"}},
		"too long ago":           {[]Rule{recent, carted}, []event.Event{longAgo, added}, 1, "", []string{"more than 1h0m0s ago", "condition holds"}},
		"never":                  {[]Rule{recent, carted}, nil, NoRule, NoRuleMatched, []string{"viewed never happened", "added never happened"}},
		"matched but found nothing, falls to the next": {[]Rule{carted, always}, []event.Event{added, ordered, viewed}, 1, "",
			[]string{"holds, but no added is left", "no condition"}},
		"matched but found nothing": {[]Rule{carted}, []event.Event{added, ordered}, NoRule, NoItems, []string{"holds, but no added is left"}},
		"no rules":                  {nil, []event.Event{viewed}, NoRule, NoRuleMatched, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Block{Show: c.show}
			choice := b.Choose(personWho(c.events...), c.events, noon)
			if choice.Rule != c.rule || choice.Reason != c.reason {
				t.Errorf("rule %d for %q, want %d for %q", choice.Rule, choice.Reason, c.rule, c.reason)
			}
			if len(choice.Rules) != len(c.whys) {
				t.Fatalf("%d reports, want %d", len(choice.Rules), len(c.whys))
			}
			for i, r := range choice.Rules {
				if !strings.Contains(r.Why, c.whys[i]) || r.Taken != (i == c.rule) {
					t.Errorf("rule %d: taken %v, because %q, want %q", i, r.Taken, r.Why, c.whys[i])
				}
			}
		})
	}
	if c := (&Block{Show: []Rule{always}}).Choose(nil, nil, noon); c.Rule != NoRule || c.Reason != UnknownPerson || c.Items != nil {
		t.Errorf("for nobody: %+v", c)
	}
}

func TestWantedAreTheEventsThatRulesLookAt(t *testing.T) {
	b := &Block{Show: []Rule{
		{Items: Query{Event: "viewed", Limit: 1, Exclude: Exclude{Event: "ordered"}}},
		{Items: Query{Event: "added", Limit: 1}},
	}}
	person := personWho(did(1, 50, "viewed", ""), did(2, 40, "searched", ""), did(3, 30, "ordered", ""), did(4, 20, "added", ""))
	if got, want := b.Wanted(&person.Root.Own.Summary), []event.ID{4, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("wants %v, want %v", got, want)
	}
}

func TestItem(t *testing.T) {
	item := NewItem(did(1, 0, "viewed", `{"title":"Ä \"b\"","price":1.90,"count":-3,"yes":true,"none":null,"list":[1]}`))
	for property, want := range map[string]string{
		"title": `Ä "b"`, "price": "1.90", "count": "-3", "yes": "", "none": "", "list": "", "absent": "",
	} {
		if got := item.Text(property); got != want {
			t.Errorf("%s is %q, want %q", property, got, want)
		}
	}
	if v, ok := item.Value().(interface{ Get(string) (any, bool) }); !ok {
		t.Errorf("Liquid gets a %T", item.Value())
	} else if title, _ := v.Get("title"); title != `Ä "b"` {
		t.Errorf("Liquid reads %v", title)
	}
	if bare := NewItem(did(1, 0, "viewed", "")); bare.Text("title") != "" || bare.Value() == nil {
		t.Error("an event without properties is not an empty item")
	}
}

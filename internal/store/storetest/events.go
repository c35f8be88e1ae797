package storetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"platen/internal/campaign"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// manyEvents makes n events of a part, the first an hour old and each a second
// younger than the one before.
func (f *fixture) manyEvents(part event.ID, n int) []*event.Event {
	list := make([]*event.Event, n)
	for i := range list {
		list[i] = &event.Event{ID: f.ids.Next(), Workspace: workspace, Part: part, Kind: event.Track, Name: fmt.Sprint("event ", i),
			At: f.clock.Add(-time.Hour + time.Duration(i)*time.Second), Source: "shop"}
	}
	return list
}

func (f *fixture) manySeen(n int) []ingest.SeenRow {
	rows := make([]ingest.SeenRow, n)
	for i := range rows {
		id := f.ids.Next()
		rows[i] = ingest.SeenRow{Key: ingest.NewSeenKey(workspace, "test", ingest.ByMessageID, id.String(), i), Event: id}
	}
	return rows
}

// overDays stores events of a part on each of some days, a table and a half. The
// part is written on the first day only.
func (f *fixture) overDays(part event.ID, days int) (all []*event.Event) {
	for day := range days {
		list := f.manyEvents(part, TableRows*3/2)
		changes := ingest.Changes{Events: list}
		if day == 0 {
			changes.Parts = []*profile.Part{{ID: part, Workspace: workspace}}
		}
		f.commit(changes)
		all = append(all, list...)
		f.clock = f.clock.Add(24 * time.Hour)
	}
	return all
}

func values(list []*event.Event) []event.Event {
	all := make([]event.Event, len(list))
	for i, e := range list {
		all[i] = *e
	}
	return all
}

func newestFirst(list []*event.Event) []event.Event {
	all := values(list)
	slices.SortFunc(all, func(a, b event.Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	return all
}

func events(f *fixture) {
	at := time.Date(2009, 11, 10, 23, 0, 0, 123_456_000, time.UTC)
	full := event.Event{ID: f.ids.Next(), Workspace: workspace, Part: 5, Kind: event.Purchase, Name: "Ordered ☃", At: at, OwnTime: true,
		TimeZone: "America/New_York", UserID: "u1", AnonymousID: "a1", Properties: json.RawMessage(`{"title":"a \"b\" \u0000","n":1.10}`),
		Source: "engage", Mapping: "movable-ink/product_viewed"}
	bare := event.Event{ID: f.ids.Next(), Workspace: elsewhere, Part: 6, Kind: event.Track, At: time.UnixMicro(1).UTC()}
	f.commit(ingest.Changes{Events: []*event.Event{&full, &bare}, Changes: profile.Changes{
		Parts: []*profile.Part{{ID: 5, Workspace: workspace}, {ID: 6, Workspace: elsewhere}}}})
	for range 2 {
		got, err := f.store.Events(f.Context(), []event.ID{full.ID, bare.ID})
		f.must(err)
		f.same("events", got, []event.Event{full, bare})
		f.reopen()
	}
	for w, want := range map[int64]int64{workspace: 1, elsewhere: 1, 99: 0} {
		n, err := f.store.CountEvents(f.Context(), w)
		f.must(err)
		f.same(fmt.Sprint("events of workspace ", w), n, want)
	}
}

func eventsByID(f *fixture) {
	before := f.ids.Next()
	got, err := f.store.Events(f.Context(), []event.ID{before})
	f.must(err)
	f.same("of an empty store", len(got), 0)
	all := f.overDays(5, 3)
	unknown := f.ids.Next()
	for range 2 {
		ids := []event.ID{before, unknown}
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		got, err := f.store.Events(f.Context(), ids)
		f.must(err)
		slices.SortFunc(got, func(a, b event.Event) int { return cmp.Compare(a.ID, b.ID) })
		f.same("events of several tables", got, values(all))
		f.reopen()
	}
	var each []event.Event
	f.must(f.store.EachEvent(f.Context(), func(e *event.Event) error {
		each = append(each, *e)
		return nil
	}))
	f.same("each event", each, values(all))
	stop := errors.New("enough")
	if err := f.store.EachEvent(f.Context(), func(*event.Event) error { return stop }); !errors.Is(err, stop) {
		f.Errorf("a stop gives %v", err)
	}
}

func eventsOfAPart(f *fixture) {
	all := f.overDays(5, 3)
	identify := *all[0]
	identify.ID, identify.Kind = f.ids.Next(), event.Identify
	f.commit(ingest.Changes{Events: []*event.Event{&identify}})
	f.overDays(6, 1)
	var want []profile.Happening
	for _, e := range all {
		want = append(want, profile.Happening{ID: e.ID, Name: e.Name, At: e.At.UnixMicro(), Content: true})
	}
	byID := func(a, b profile.Happening) int { return cmp.Compare(a.ID, b.ID) }

	var got []profile.Happening
	f.must(f.store.PartHappenings(f.Context(), 5, func(h profile.Happening) error {
		got = append(got, h)
		return nil
	}))
	slices.SortFunc(got, byID)
	f.same("what counts", got, want)

	for _, read := range []int{0, 1, TableRows - 1, TableRows, TableRows + 1, len(all) - 1, len(all)} {
		since := ingest.Since{Part: 5}
		if read > 0 {
			since.After = all[read-1].ID
		}
		f.must(f.store.Commit(f.Context(), ingest.Keys{Since: []ingest.Since{since}}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
			got := slices.SortedFunc(slices.Values(s.Since[since]), byID)
			f.same(fmt.Sprint("since the event ", read), fmt.Sprint(got), fmt.Sprint(want[read:]))
			return ingest.Changes{}, ingest.Keys{}
		}))
	}
	stop := errors.New("enough")
	if err := f.store.PartHappenings(f.Context(), 5, func(profile.Happening) error { return stop }); !errors.Is(err, stop) {
		f.Errorf("a stop gives %v", err)
	}
}

func timeline(f *fixture) {
	five, six := f.overDays(5, 2), f.overDays(6, 2)
	tied := *six[3]
	tied.ID = f.ids.Next()
	six = append(six, &tied)
	f.commit(ingest.Changes{Events: []*event.Event{&tied}})
	for range 2 {
		for _, c := range []struct {
			name  string
			spans []profile.Span
			limit int
			want  []event.Event
		}{
			{"one part", []profile.Span{profile.Always(5)}, 100, newestFirst(five)},
			{"two parts", []profile.Span{profile.Always(5), profile.Always(6)}, 100, newestFirst(append(slices.Clone(five), six...))},
			{"the newest", []profile.Span{profile.Always(5), profile.Always(6)}, 5, newestFirst(six)[:5]},
			{"a stretch, its end excluded", []profile.Span{{Part: 5, From: five[2].At.UnixMicro(), To: five[4].At.UnixMicro()}}, 100, newestFirst(five[2:4])},
			{"stretches of several parts", []profile.Span{{Part: 5, From: five[2].At.UnixMicro(), To: five[4].At.UnixMicro()},
				{Part: 6, From: six[0].At.UnixMicro(), To: six[1].At.UnixMicro()}}, 100, []event.Event{*six[0], *five[3], *five[2]}},
			{"nobody", nil, 100, nil},
			{"a part without events", []profile.Span{profile.Always(4)}, 100, nil},
		} {
			got, err := f.store.Timeline(f.Context(), c.spans, c.limit)
			f.must(err)
			f.same(c.name, got, c.want)
		}
		f.reopen()
	}
}

// seen looks a key up.
func (f *fixture) seen(k ingest.SeenKey) (id event.ID) {
	f.Helper()
	f.must(f.store.Commit(f.Context(), ingest.Keys{Seen: []ingest.SeenKey{k}}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		var known bool
		if id, known = s.Seen[k]; !known {
			f.Error("a key that was asked for is not in the snapshot")
		}
		return ingest.Changes{}, ingest.Keys{}
	}))
	return id
}

func seenKeys(f *fixture) {
	var all []ingest.SeenRow
	for range 3 {
		rows := f.manySeen(TableRows * 3 / 2)
		f.commit(ingest.Changes{Seen: rows})
		all = append(all, rows...)
		f.clock = f.clock.Add(40 * time.Minute)
	}
	again := ingest.SeenRow{Key: all[1].Key, Event: f.ids.Next()} // after its time
	f.commit(ingest.Changes{Seen: []ingest.SeenRow{again}})
	all[1] = again
	for range 2 {
		for _, r := range all {
			f.same("a key", f.seen(r.Key), r.Event)
		}
		f.same("a new key", f.seen(ingest.SeenKey{1, 2, 3}), event.ID(0))
		f.reopen()
	}
}

// seenKeysAreForgotten does not ask for more than the design: a key is known for
// at least a day, and forgotten some time after.
func seenKeysAreForgotten(f *fixture) {
	start := f.clock
	forget := func() {
		f.Helper()
		for worked := true; worked; {
			var err error
			worked, err = f.store.ForgetSeen(f.clock)
			f.must(err)
		}
	}
	at := func(hours time.Duration) time.Time { return start.Add(hours * time.Hour) }
	old := f.manySeen(TableRows * 3 / 2)
	f.commit(ingest.Changes{Seen: old})
	f.clock = at(1)
	f.commit(ingest.Changes{Seen: f.manySeen(TableRows * 3 / 2)})
	f.clock = at(12)
	young := f.manySeen(TableRows * 3 / 2)
	f.commit(ingest.Changes{Seen: young})

	f.clock = at(24).Add(-time.Minute)
	forget()
	f.same("a key of not quite a day", f.seen(old[0].Key), old[0].Event)

	f.clock = at(36).Add(-time.Minute)
	f.commit(ingest.Changes{Seen: f.manySeen(1)})
	f.reopen()
	forget()
	f.same("another key of not quite a day", f.seen(young[0].Key), young[0].Event)

	f.clock = at(37) // whatever came next after the old ones is of yesterday
	forget()
	for range 2 {
		f.same("an old key", f.seen(old[0].Key), event.ID(0))
		f.reopen()
	}
	f.clock = at(61)
	forget()
	f.same("a key of two days", f.seen(young[0].Key), event.ID(0))
	again := ingest.SeenRow{Key: old[0].Key, Event: f.ids.Next()}
	f.commit(ingest.Changes{Seen: []ingest.SeenRow{again}})
	f.same("a key that came again", f.seen(again.Key), again.Event)
}

func idsGoOn(f *fixture) {
	for name, keep := range map[string]func(id event.ID){
		"event": func(id event.ID) {
			f.commit(ingest.Changes{Events: []*event.Event{{ID: id, Workspace: workspace, Part: 1, At: f.clock}},
				Changes: profile.Changes{Parts: []*profile.Part{{ID: 1, Workspace: workspace}}}})
		},
		"seen key": func(id event.ID) {
			f.commit(ingest.Changes{Seen: []ingest.SeenRow{{Key: ingest.SeenKey{9}, Event: id}}})
		},
		"part": func(id event.ID) {
			f.commit(ingest.Changes{Changes: profile.Changes{Parts: []*profile.Part{{ID: id, Workspace: workspace}}}})
		},
		"hit": func(id event.ID) { f.commit(ingest.Changes{Hits: []campaign.Hit{{ID: id, Workspace: workspace}}}) },
		"refused event": func(id event.ID) {
			f.commit(ingest.Changes{Quarantined: []ingest.Quarantined{{ID: id, Workspace: workspace}}})
		},
		"delivery": func(id event.ID) { f.plan(campaign.Delivery{ID: id, Workspace: workspace, State: campaign.NotSent}) },
		"impression": func(id event.ID) {
			f.must(f.store.Record(f.Context(), engagement.Batch{Impressions: []engagement.Impression{{ID: id, At: f.clock}}}))
		},
		"click": func(id event.ID) {
			f.must(f.store.Record(f.Context(), engagement.Batch{Clicks: []engagement.Click{{ID: id, At: f.clock}}}))
		},
	} {
		f.clock = f.clock.Add(time.Hour)
		last := f.ids.Next()
		keep(last)
		f.clock = f.clock.Add(-30 * time.Minute) // the clock was set back meanwhile
		f.reopen()
		if next := f.ids.Next(); next <= last {
			f.Errorf("after a %s with the id %v comes the id %v", name, last, next)
		}
		f.clock = f.clock.Add(time.Hour)
	}
}

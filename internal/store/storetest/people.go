package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// samePart compares a part with one that was written, in the stored form.
func (f *fixture) samePart(got, want *profile.Part) {
	f.Helper()
	if got == nil {
		f.Fatal("the part is not found")
	}
	f.same("columns of a part",
		[]any{got.ID, got.Workspace, got.Owner, got.Created, got.Updated, got.Stale},
		[]any{want.ID, want.Workspace, want.Owner, want.Created, want.Updated, want.Stale})
	if !bytes.Equal(profile.MarshalPart(got), profile.MarshalPart(want)) {
		f.Errorf("part:\n got %+v\nwant %+v", got, want)
	}
}

func parts(f *fixture) {
	f.same("an unknown user", f.profile(user("u1")), (*profile.Profile)(nil))
	made := f.apply(f.setting(user("u1"), "plan", `"gold"`))[0].Root
	f.samePart(f.profile(user("u1")).Root, made)

	f.clock = f.clock.Add(time.Minute)
	event := f.call(user("u1"))
	event.Event = &profile.Happening{ID: f.ids.Next(), Name: "viewed", Content: true}
	changed := f.apply(event, f.setting(user("u1"), "name", `"Zoë ☃"`))[0].Root
	if changed.ID != made.ID {
		f.Errorf("the user has part %v and then %v", made.ID, changed.ID)
	}
	f.reopen()
	f.samePart(f.profile(user("u1")).Root, changed)

	for _, who := range []profile.Who{anonymous("u1"), {Alias: "u1"}, user("U1"), user("u1 "), user("u")} {
		if p := f.profile(who); p != nil {
			f.Errorf("%+v is the profile %v", who, p.Root.ID)
		}
	}
	if p, err := f.store.Profile(f.Context(), elsewhere, user("u1"), f.now()); p != nil || err != nil {
		f.Errorf("in another workspace: %v, %v", p, err)
	}
	byID, err := f.store.ProfileByID(f.Context(), made.ID)
	f.must(err)
	f.samePart(byID.Root, changed)
	if p, err := f.store.ProfileByID(f.Context(), made.ID+1); p != nil || err != nil {
		f.Errorf("by an id that nobody has: %v, %v", p, err)
	}
}

func lookups(f *fixture) {
	f.apply(f.setting(user("u1"), "email", `"X@Example.com"`), f.setting(user("u1"), "phone", `"+1 555"`))
	byEmail := profile.Who{Email: " x@example.COM"}
	for range 2 {
		for _, who := range []profile.Who{byEmail, {Phone: "+1 555"}} {
			if p := f.profile(who); p == nil || p.UserID() != "u1" {
				f.Errorf("by %+v: %+v", who, p)
			}
		}
		f.reopen()
	}
	f.clock = f.clock.Add(time.Minute)
	f.apply(f.setting(user("u1"), "email", `"new@example.com"`))
	if p := f.profile(byEmail); p != nil {
		f.Errorf("by an e-mail that was replaced: %v", p.UserID())
	}
	f.clock = f.clock.Add(time.Minute)
	f.apply(f.setting(user("u2"), "email", `"new@example.com"`), f.setting(user("u2"), "email", `"new@example.com"`))
	if p := f.profile(profile.Who{Email: "new@example.com"}); p == nil || p.UserID() != "u2" {
		f.Errorf("of two with one e-mail: %+v", p)
	}
}

func brazeIDs(f *fixture) {
	made := f.apply(f.setting(anonymous("a1"), "plan", `"gold"`))[0].Root
	id := profile.BrazeIDOf(made.ID)
	if p := f.profile(profile.Who{BrazeID: id}); p == nil || p.Root.ID != made.ID {
		f.Errorf("by %s: %+v", id, p)
	}
	if p, err := f.store.Profile(f.Context(), elsewhere, profile.Who{BrazeID: id}, f.now()); p != nil || err != nil {
		f.Errorf("in another workspace: %v, %v", p, err)
	}
	for _, id := range []string{profile.BrazeIDOf(made.ID + 1), "x", strings.Repeat("f", 24)} {
		if p := f.profile(profile.Who{BrazeID: id}); p != nil {
			f.Errorf("by %s: %+v", id, p)
		}
	}
	again := f.apply(f.setting(profile.Who{BrazeID: id}, "plan", `"silver"`))[0]
	if again.Created || again.Root.ID != made.ID {
		f.Errorf("a call by braze_id made %+v", again)
	}
}

func mergedProfiles(f *fixture) {
	f.apply(f.setting(anonymous("a1"), "plan", `"gold"`))
	f.apply(f.setting(anonymous("a2"), "size", `"xl"`))
	f.apply(f.claim("a1", "u1"), f.claim("a2", "u1"))
	for range 2 {
		p := f.profile(user("u1"))
		if p == nil || len(p.Members) != 2 || len(p.Identifiers()) != 3 {
			f.Fatalf("the profile is %+v", p)
		}
		f.same("attributes", string(p.Root.Facts().Attributes.JSON()), `{"plan":"gold","size":"xl"}`)
		if a := f.profile(anonymous("a2")); a == nil || a.Root.ID != p.Root.ID {
			f.Errorf("the anonymous id leads to %+v", a)
		}
		f.reopen()
	}
}

func staleParts(f *fixture) {
	happening := func(who profile.Who, ago time.Duration) profile.Call {
		c := f.call(who)
		c.At, c.Event = f.now()-ago.Microseconds(), &profile.Happening{ID: f.ids.Next(), Name: "viewed"}
		return c
	}
	late := f.claim("a1", "u2")
	late.At -= time.Hour.Microseconds()
	f.apply(happening(anonymous("a1"), 90*time.Minute), happening(anonymous("a2"), time.Hour))
	f.apply(f.claim("a1", "u1"))
	stale, err := f.store.StaleParts(f.Context(), 10)
	f.must(err)
	f.same("stale parts before a late claim", len(stale), 0)
	part := f.apply(late)[0].Root.Members[0]
	f.reopen()
	stale, err = f.store.StaleParts(f.Context(), 10)
	f.must(err)
	if len(stale) != 1 || stale[0].ID != part || !stale[0].Stale {
		f.Fatalf("stale parts: %+v", stale)
	}
	f.must(f.store.Commit(f.Context(), ingest.Keys{Parts: []event.ID{part}}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		s.Book.TouchRebuild(part)
		if !s.Book.Complete() {
			keys, parts := s.Book.Missing()
			return ingest.Changes{}, ingest.Keys{Identifiers: keys, Parts: parts}
		}
		s.Book.Rebuild(s.Book.Part(part), func(func(profile.Happening) bool) {}, f.now())
		return ingest.Changes{Changes: s.Book.Changes()}, ingest.Keys{}
	}))
	stale, err = f.store.StaleParts(f.Context(), 10)
	f.must(err)
	f.same("stale parts after the repair", len(stale), 0)
}

func identityLog(f *fixture) {
	root := f.apply(f.claim("a1", "u1"))[0].Root
	f.apply(f.claim("a2", "u1"), f.claim("a3", "u2"))
	f.reopen()
	log, err := f.store.IdentityLog(f.Context(), root.ID)
	f.must(err)
	if len(log) != 2 {
		f.Fatalf("the log is %+v", log)
	}
	members := f.profile(user("u1")).Members
	for i, r := range log {
		r.Detail = ""
		f.same("record", r, profile.Record{Workspace: workspace, Part: members[i].ID, Into: root.ID,
			At: f.now() - time.Hour.Microseconds(), Kind: profile.Claimed})
	}
	ofMember, err := f.store.IdentityLog(f.Context(), members[1].ID)
	f.must(err)
	f.same("the log of a member", ofMember, log[1:])
}

// everything makes changes that hold rows of most kinds, about one user.
func (f *fixture) everything(user string) ingest.Changes {
	id := f.ids.Next()
	key := profile.Key{Workspace: workspace, Identifier: profile.Identifier{Kind: profile.UserID, Value: user}}
	part := &profile.Part{ID: id, Workspace: workspace, Identifiers: []profile.Identifier{key.Identifier}}
	return ingest.Changes{
		Changes:     profile.Changes{Parts: []*profile.Part{part}, Identifiers: []profile.IdentifierRow{{Key: key, Part: id}}},
		Events:      f.manyEvents(id, 3*TableRows+1),
		Seen:        f.manySeen(3*TableRows + 1),
		Quarantined: []ingest.Quarantined{{ID: f.ids.Next(), Workspace: workspace, Reason: "test"}},
		Photos:      []ingest.Photo{{Workspace: workspace, URL: "https://x.example/a.png"}},
	}
}

// failing makes changes that cannot be written: an identifier names two parts.
func failing(c ingest.Changes) ingest.Changes {
	c.Identifiers = append(c.Identifiers, c.Identifiers[0])
	return c
}

// fails commits changes that cannot be written.
func (f *fixture) fails(decide func(*ingest.Snapshot) (ingest.Changes, ingest.Keys)) {
	f.Helper()
	err := f.store.Commit(f.Context(), ingest.Keys{}, decide)
	if broken := new(ingest.DurabilityError); err == nil || errors.As(err, &broken) {
		f.Fatalf("an identifier of two parts gives %v", err)
	}
}

// empty checks that nothing of everything is stored.
func (f *fixture) empty() {
	f.Helper()
	if p := f.profile(user("u9")); p != nil {
		f.Errorf("a profile is left: %+v", p.Root)
	}
	n, err := f.store.CountEvents(f.Context(), workspace)
	f.must(err)
	rows, err := f.store.Quarantined(f.Context(), workspace, 10)
	f.must(err)
	queued, err := f.store.QueuedPhotos(f.Context(), f.clock, 10)
	f.must(err)
	f.same("events, quarantined and photos left", []int{int(n), len(rows), len(queued)}, []int{0, 0, 0})
}

func moreKeys(f *fixture) {
	a, b := f.apply(f.call(user("u1")))[0].Root, f.apply(f.call(user("u2")))[0].Root
	keyOf := func(id string) profile.Key {
		return profile.Key{Workspace: workspace, Identifier: profile.Identifier{Kind: profile.UserID, Value: id}}
	}
	rounds := 0
	f.must(f.store.Commit(f.Context(), ingest.Keys{Parts: []event.ID{a.ID}, Seen: []ingest.SeenKey{{1}}}, func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		rounds++
		_, seen := s.Seen[ingest.SeenKey{1}]
		if s.Book.Part(a.ID) == nil || !seen {
			f.Errorf("round %d lacks what was asked for first", rounds)
		}
		if rounds < 3 { // everything is given, and more is asked for: nothing may be written
			return f.everything("u9"), ingest.Keys{Identifiers: []profile.Key{keyOf(fmt.Sprint("u", rounds+1))}, Since: []ingest.Since{{Part: a.ID}}}
		}
		if p := s.Book.Find(keyOf("u2")); p == nil || p.ID != b.ID {
			f.Errorf("u2 is %+v", p)
		}
		if p := s.Book.Find(keyOf("u3")); p != nil || !s.Book.Complete() {
			f.Errorf("u3 is %+v", p)
		}
		if _, loaded := s.Since[ingest.Since{Part: a.ID}]; !loaded {
			f.Error("the events since were not loaded")
		}
		return ingest.Changes{}, ingest.Keys{}
	}))
	f.same("rounds", rounds, 3)
	f.empty()
}

func rollBack(f *fixture) {
	bad := failing(f.everything("u9"))
	for range 2 {
		f.fails(func(*ingest.Snapshot) (ingest.Changes, ingest.Keys) { return bad, ingest.Keys{} })
		f.empty()
	}
	stored := 0
	for _, user := range []string{"before a restart", "after it"} {
		f.clock = f.clock.Add(time.Second) // the ids of what failed may be given again
		good := f.everything(user)
		f.commit(good)
		stored += len(good.Events)
		n, err := f.store.CountEvents(f.Context(), workspace)
		f.must(err)
		f.same("events", n, int64(stored))
		f.same("a key", f.seen(good.Seen[0].Key), good.Seen[0].Event)
		f.same("a key of the failed commit", f.seen(bad.Seen[0].Key), event.ID(0))
		f.reopen()
	}
}

// rollBackOfAPerson holds that a failed decision leaves a profile as it was, also
// where the store keeps it in memory.
func rollBackOfAPerson(f *fixture) {
	f.apply(f.setting(user("u1"), "plan", `"gold"`))
	before := f.profile(user("u1")).Root
	f.fails(func(s *ingest.Snapshot) (ingest.Changes, ingest.Keys) {
		call := f.setting(user("u1"), "plan", `"silver"`)
		call.Received, call.At = f.now(), f.now()
		if s.Book.Touch(call); !s.Book.Complete() {
			keys, parts := s.Book.Missing()
			return ingest.Changes{}, ingest.Keys{Identifiers: keys, Parts: parts}
		}
		if _, err := s.Book.Apply(call); err != nil {
			f.Error(err)
		}
		bad := failing(f.everything("u9"))
		bad.Parts = append(bad.Parts, s.Book.Changes().Parts...)
		return bad, ingest.Keys{}
	})
	f.samePart(f.profile(user("u1")).Root, before)
	f.apply(f.setting(user("u1"), "size", `"xl"`))
	f.same("attributes", string(f.profile(user("u1")).Root.Facts().Attributes.JSON()), `{"plan":"gold","size":"xl"}`)
}

func panicInADecision(f *fixture) {
	func() {
		defer func() {
			if recover() == nil {
				f.Error("the panic was swallowed")
			}
		}()
		f.store.Commit(f.Context(), ingest.Keys{}, func(*ingest.Snapshot) (ingest.Changes, ingest.Keys) { panic("a bug") })
	}()
	f.empty()
	f.commit(f.everything("u9"))
	f.must(f.store.Ping(f.Context()))
}

func quarantine(f *fixture) {
	row := func(n int) ingest.Quarantined {
		return ingest.Quarantined{ID: f.ids.Next(), Workspace: workspace, Source: "shop", Received: f.now(), Event: fmt.Sprint("event ", n),
			Reason: "too_old", Message: "the event is old", Pointer: "/events/1/timestamp", Raw: []byte("{\"a\":\"\x00ü\"}")}
	}
	rows := []ingest.Quarantined{row(0), row(1), row(2)}
	other := ingest.Quarantined{ID: f.ids.Next(), Workspace: elsewhere}
	f.commit(ingest.Changes{Quarantined: append(rows, other)})
	f.reopen()
	got, err := f.store.Quarantined(f.Context(), workspace, 2)
	f.must(err)
	f.same("the newest", got, []ingest.Quarantined{rows[2], rows[1]})
	got, err = f.store.Quarantined(f.Context(), elsewhere, 2)
	f.must(err)
	f.same("of another workspace", got, []ingest.Quarantined{other})
}

package profile

import (
	"fmt"
	"slices"
	"testing"

	"platen/internal/event"
)

func TestNameNewUser(t *testing.T) {
	w := newWorld(t)
	alias := Who{Alias: AliasOf("newsletter", "n-1").Value}
	for id, subject := range map[string]Who{"from-email": email("e@example.com"), "from-phone": {Phone: "+49 1"}, "from-alias": alias} {
		made := w.do(track(subject, "x", 1))
		done, err := w.name(Naming{UserID: id, Subject: subject})
		if !done || err != nil {
			t.Fatalf("%s: %v, %v", id, done, err)
		}
		if p := w.whose(user(id)); p.Root.ID != made.Root.ID || len(p.Members) != 0 {
			t.Errorf("%s is not the profile that was there", id)
		}
		wantEqual(t, id, w.did(user(id)), []string{"x"})
		if done, err := w.name(Naming{UserID: id, Subject: subject}); done || err != nil {
			t.Errorf("%s again: %v, %v", id, done, err)
		}
		_, err = w.name(Naming{UserID: "another", Subject: subject})
		wantRefused(t, err, "already_identified")
	}
	var kinds []RecordKind
	for _, r := range w.log {
		kinds = append(kinds, r.Kind)
	}
	wantEqual(t, "records", kinds, []RecordKind{Identified, Identified, Identified})
}

func TestNameNobody(t *testing.T) {
	w := newWorld(t)
	if done, err := w.name(Naming{UserID: "u", Subject: email("nobody@example.com")}); done || err != nil {
		t.Errorf("nobody: %v, %v", done, err)
	}
	w.do(track(email("e@example.com"), "x", 1))
	_, err := w.name(Naming{UserID: "null", Subject: email("e@example.com")})
	wantRefused(t, err, "bad_identifier")
	if w.whose(user("u")) != nil || w.whose(user("null")) != nil {
		t.Error("a profile was made")
	}
}

func TestNameKnownUserTakesWhatIsLacking(t *testing.T) {
	w := newWorld(t)
	subject := email("e@example.com")
	w.do(set(subject, "plan", `"gold"`, 90), set(subject, "city", `"Ulm"`, 91), set(subject, "gone", `null`, 92),
		set(subject, "left", `"by the user"`, 93), track(subject, "by e-mail", 94))
	w.do(set(user("u"), "plan", `"free"`, 1), set(user("u"), "left", `null`, 2), track(user("u"), "known", 3))
	if done, err := w.name(Naming{UserID: "u", Subject: subject}); !done || err != nil {
		t.Fatal(done, err)
	}
	wantEqual(t, "attributes", w.attributes(user("u")), `{"city":"Ulm","email":"e@example.com","plan":"free"}`)
	wantEqual(t, "timeline", w.did(user("u")), []string{"by e-mail", "known"})
	if got := w.whose(user("u")).Root.Facts().Summary; got.Of("by e-mail").Total+got.Of("known").Total != 2 {
		t.Errorf("summary: %+v", got.Counts)
	}

	// The look-up finds the merged profile, and what it does goes to the root.
	placed := w.do(track(subject, "later", 100))
	if placed.Root.Identifier(UserID) != "u" || placed.Part.ID != placed.Root.ID {
		t.Errorf("an event by e-mail lies under %+v", placed.Part)
	}
	// What the user sets goes before what was inherited, at any time of its own,
	// and still does when totals are made anew.
	w.do(set(user("u"), "city", `"Bonn"`, -2*epoch/second), set(user("u"), "email", `null`, 51))
	want := `{"city":"Bonn","plan":"free"}`
	wantEqual(t, "after own values", w.attributes(user("u")), want)
	w.do(track(anonymous("a"), "x", 30), identify("a", "u", 10), identify("a", "v", 20))
	wantEqual(t, "after a refold", w.attributes(user("u")), want)
	if p := w.whose(subject); p != nil {
		t.Error("the e-mail that the user removed still finds the profile")
	}
}

func TestMergedTotalIsWhatItsPartsGive(t *testing.T) {
	w := newWorld(t)
	w.do(set(user("u"), "a", "1", 1), identify("a", "u", 10), set(anonymous("a"), "b", "2", 20), track(anonymous("a"), "x", 21))
	for i := range 3 {
		subject := email(fmt.Sprint(i, "@example.com"))
		w.do(set(subject, "a", "9", 99), set(subject, "b", "9", 99), set(subject, "c", fmt.Sprint(i), int64(50-i)), track(subject, "y", 22))
		if done, err := w.name(Naming{UserID: "u", Subject: subject}); !done || err != nil {
			t.Fatal(done, err)
		}
	}
	w.do(identify("a2", "u", 10), set(anonymous("a2"), "c", `"claimed"`, 1), set(anonymous("a2"), "d", "4", 1))
	p := w.whose(user("u"))
	wantEqual(t, "attributes", string(p.Root.Total.Attributes.JSON()), `{"a":1,"b":2,"c":"claimed","d":4,"email":"0@example.com"}`)
	anew := p.facts()
	wantEqual(t, "attributes made anew", anew.Attributes, p.Root.Total.Attributes)
	wantEqual(t, "summary made anew", anew.Summary, p.Root.Total.Summary)
}

func TestNameAnonymousProfileIsAClaim(t *testing.T) {
	for _, known := range []bool{false, true} {
		w := newWorld(t)
		if known {
			w.do(track(user("u"), "known", 1))
		}
		w.do(track(anonymous("a"), "before", 1), set(anonymous("a"), "email", `"e@example.com"`, 2))
		if done, err := w.name(Naming{UserID: "u", Subject: email("e@example.com")}); !done || err != nil {
			t.Fatal(done, err)
		}
		if p := w.whose(anonymous("a")); p.UserID() != "u" || !slices.Contains(w.did(user("u")), "before") {
			t.Errorf("the anonymous profile is of %q", p.UserID())
		}
		w.do(identify("a", "v", 3)) // a claim before the naming
		wantEqual(t, "v", w.did(user("v")), []string{"before"})
	}
}

func TestNameKeepsAliasLabelsApart(t *testing.T) {
	w := newWorld(t)
	alias := func(label, name string) Who { return Who{Alias: AliasOf(label, name).Value} }
	for _, a := range []Who{alias("crm", "1"), alias("crm", "2"), alias("shop", "1")} {
		w.do(track(a, "x", 1))
	}
	w.do(track(user("u"), "x", 1))
	for _, a := range []Who{alias("crm", "1"), alias("shop", "1")} {
		if done, err := w.name(Naming{UserID: "u", Subject: a}); !done || err != nil {
			t.Fatal(done, err)
		}
	}
	if placed := w.do(track(alias("crm", "1"), "x", 2)); placed.Part.ID != placed.Root.ID {
		t.Error("a merged part still grows")
	}
	_, err := w.name(Naming{UserID: "u", Subject: alias("crm", "2")})
	wantRefused(t, err, "alias_label_taken")
	wantEqual(t, "u", w.did(user("u")), []string{"x", "x", "x", "x"})
}

// TestNamesOfOneRequest: all namings are touched before any of them is done.
func TestNamesOfOneRequest(t *testing.T) {
	w := newWorld(t)
	alias := func(label, name string) Who { return Who{Alias: AliasOf(label, name).Value} }
	w.do(identify("a", "known", 1))
	namings := []struct {
		user    string
		subject Who
		want    string
	}{
		{"new", alias("crm", "1"), ""}, {"new", alias("shop", "1"), ""}, {"new", alias("crm", "2"), "alias_label_taken"},
		{"known", email("e@example.com"), ""}, {"known", alias("crm", "2"), ""}, {"known", alias("crm", "3"), "alias_label_taken"},
		{"new", email("e@example.com"), "already_identified"},
	}
	for _, n := range namings {
		w.do(track(n.subject, "x", 2))
	}
	b := NewBook(w.newID)
	touch := func() {
		for _, n := range namings {
			b.TouchNaming(Naming{Workspace: testWorkspace, UserID: n.user, Subject: n.subject, Received: w.now})
		}
	}
	w.fill(b, touch)
	for _, n := range namings {
		done, err := b.Name(Naming{Workspace: testWorkspace, UserID: n.user, Subject: n.subject, Received: w.now})
		wantRefused(t, err, n.want)
		if done != (n.want == "") || !b.Complete() {
			t.Errorf("%+v: done %v, complete %v", n, done, b.Complete())
		}
	}
	w.save(b)
	wantEqual(t, "new", w.did(user("new")), []string{"x", "x"})
	wantEqual(t, "known", w.did(user("known")), []string{"x", "x", "x", "x"})
}

func TestNamePrioritization(t *testing.T) {
	for _, c := range []struct {
		wishes []Priority
		want   string // the plan of who is chosen
	}{
		{[]Priority{PreferUnidentified, PreferRecent}, "c"},
		{[]Priority{PreferUnidentified, PreferOld}, "a"},
		{[]Priority{PreferUnidentified}, ""}, // two match
		{[]Priority{PreferIdentified}, "refused"},
		{[]Priority{PreferOld}, "a"},
		{[]Priority{PreferRecent}, "refused"},
		{nil, "refused"}, // the order of a call: the identified one
	} {
		w := newWorld(t)
		for i, who := range []Who{anonymous("a"), {Alias: AliasOf("l", "c").Value}, user("known")} {
			w.do(set(who, "plan", []string{`"a"`, `"c"`, `"known"`}[i], 1), set(who, "email", `"e@example.com"`, 1))
		}
		done, err := w.name(Naming{UserID: "new", Subject: email("E@example.com"), Prioritization: c.wishes})
		got := ""
		switch {
		case err != nil:
			wantRefused(t, err, "already_identified")
			got = "refused"
		case done:
			got = w.whose(user("new")).Root.Facts().Attributes.Text("plan")
		}
		wantEqual(t, fmt.Sprint(c.wishes), got, c.want)
	}
}

func TestSpans(t *testing.T) {
	part := func(id event.ID, identifier Identifier, claims ...Claim) *Part {
		return &Part{ID: id, Identifiers: []Identifier{identifier}, Claims: claims}
	}
	device := part(2, Identifier{AnonymousID, "a"}, Claim{10, "u"}, Claim{20, "v"}, Claim{30, "u"}, Claim{40, "u"}, Claim{50, "v"})
	once := part(3, Identifier{AnonymousID, "b"}, Claim{10, "v"})
	other := part(4, Identifier{UserID, "v"})
	const low, high = -1 << 63, 1<<63 - 1
	for name, c := range map[string]struct {
		profile Profile
		want    []Span
	}{
		"alone":                         {Profile{Root: other}, []Span{{4, low, high}}},
		"an anonymous id of nobody":     {Profile{Root: part(2, Identifier{AnonymousID, "a"})}, []Span{{2, low, high}}},
		"an anonymous id of somebody":   {Profile{Root: once}, nil},
		"runs of one user are one span": {Profile{Root: part(1, Identifier{UserID, "u"}), Members: []*Part{device}}, []Span{{1, low, high}, {2, low, 20}, {2, 30, 50}}},
		"a later claimant":              {Profile{Root: other, Members: []*Part{device, once}}, []Span{{4, low, high}, {2, 20, 30}, {2, 50, high}, {3, low, high}}},
		"no time of its own":            {Profile{Root: other, Members: []*Part{part(5, Identifier{AnonymousID, "c"}, Claim{10, "u"}, Claim{10, "v"}, Claim{10, "w"})}}, []Span{{4, low, high}}},
		"two users merged":              {Profile{Root: part(1, Identifier{UserID, "u"}), Members: []*Part{device, other}}, []Span{{1, low, high}, {2, low, high}, {4, low, high}}},
	} {
		wantEqual(t, name, c.profile.Spans(), c.want)
	}
}

// TestMergeCostsTheSame is rule 6: what a merge writes does not depend on how
// much the parts did.
func TestMergeCostsTheSame(t *testing.T) {
	type cost struct {
		written rows
		loaded  int
	}
	device, subject := anonymous("a"), email("e@example.com")
	names := []string{"viewed", "carted", "ordered"}
	merges := map[string]struct {
		who Who // did it all
		do  func(*world) error
	}{
		"claim": {device, func(w *world) error { _, err := w.try(identify("a", "u", 500)); return err }},
		"late claim": {device, func(w *world) error {
			w.do(identify("a", "v", 400))
			_, err := w.try(identify("a", "u", 2))
			return err
		}},
		"name":        {subject, func(w *world) error { _, err := w.name(Naming{UserID: "u", Subject: subject}); return err }},
		"name as new": {subject, func(w *world) error { _, err := w.name(Naming{UserID: "new", Subject: subject}); return err }},
	}
	measure := func(events int, who Who, merge func(*world) error) cost {
		w := newWorld(t)
		w.do(track(user("u"), "viewed", 1))
		b := NewBook(w.newID)
		for i := range events {
			c := w.receive(track(who, names[i%len(names)], int64(i%300)))
			c.Event.ID = event.ID(1000 + i)
			if i == 0 {
				w.fill(b, func() { b.Touch(c) })
			}
			if _, err := b.Apply(c); err != nil {
				t.Fatal(err)
			}
		}
		w.save(b)
		before := w.written
		w.loaded = 0
		if err := merge(w); err != nil {
			t.Fatal(err)
		}
		return cost{w.written.minus(before), w.loaded}
	}
	many := 1_000_000
	if testing.Short() || raceEnabled {
		many = 20_000
	}
	for name, merge := range merges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			few, lots := measure(10, merge.who, merge.do), measure(many, merge.who, merge.do)
			if lots.written.bytes > 8<<10 {
				t.Errorf("%d bytes are written", lots.written.bytes)
			}
			t.Logf("%d events: %+v", many, lots)
			few.written.bytes, lots.written.bytes = 0, 0
			if few != lots {
				t.Errorf("10 events: %+v, %d events: %+v", few, many, lots)
			}
		})
	}
}

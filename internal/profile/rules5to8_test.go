package profile

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"platen/internal/event"
)

func TestRule5TooManyClaimants(t *testing.T) {
	w := newWorld(t)
	w.do(track(anonymous("kiosk"), "x", 1))
	for i := range MaxClaimants {
		w.do(identify("kiosk", fmt.Sprint("u", i), int64(10+i)))
	}
	w.do(identify("kiosk", "u3", 500)) // a claimant may come back
	parts := len(w.parts)
	_, err := w.try(identify("kiosk", "one too many", 600))
	wantRefused(t, err, "blocked_id")
	if len(w.parts) != parts {
		t.Error("the refused claim made a profile")
	}
	if last := w.log[len(w.log)-1]; last.Kind != BlockedID {
		t.Errorf("the last record is %+v", last)
	}
	records := len(w.log)
	for _, c := range []Call{
		track(anonymous("kiosk"), "x", 700), identify("kiosk", "u3", 701), identify("kiosk", "another", 702),
		set(anonymous("kiosk"), "plan", `"x"`, 703),
		track(Who{BrazeID: BrazeIDOf(w.ids[Key{testWorkspace, Identifier{AnonymousID, "kiosk"}}])}, "x", 704),
	} {
		_, err := w.try(c)
		wantRefused(t, err, "blocked_id")
	}
	if len(w.log) != records {
		t.Error("the id was blocked more than once")
	}
	w.do(track(Who{UserID: "u3", AnonymousID: "kiosk"}, "known", 800)) // belongs to the user alone
	wantEqual(t, "u0 keeps what is its own", w.did(user("u0")), []string{"x"})
}

func TestRule5TooManyIdentifiers(t *testing.T) {
	w := newWorld(t)
	for i := 1; i < MaxIdentifiers; i++ {
		w.do(identify(fmt.Sprint("a", i), "u", int64(i)))
	}
	parts := len(w.parts)
	_, err := w.try(identify("one too many", "u", 5000))
	wantRefused(t, err, "too_many_identifiers")
	if len(w.parts) != parts {
		t.Error("the refused claim made a part")
	}
	w.do(identify("a7", "u", 5001)) // nothing new
	w.do(track(Who{Alias: AliasOf("l", "n").Value}, "x", 1))
	_, err = w.name(Naming{UserID: "u", Subject: Who{Alias: AliasOf("l", "n").Value}})
	wantRefused(t, err, "too_many_identifiers")
}

func TestRule5ClaimsAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range int64(500) { // a program that identifies at every page
		w.do(identify("a", "u1", 1000+2*i))
	}
	part := func() *Part { return w.part(w.ids[Key{testWorkspace, Identifier{AnonymousID, "a"}}]) }
	claims := part().Claims
	if len(claims) >= repeatedClaims {
		t.Errorf("%d claims of one user are kept", len(claims))
	}
	if first, last := claims[0].At, claims[len(claims)-1].At; first != epoch+1000*second || last != epoch+1998*second {
		t.Errorf("the first and the last claim are forgotten: %d, %d", first-epoch, last-epoch)
	}
	for i := range int64(MaxClaims) { // a tablet that two people share
		w.do(identify("a", "u"+strconv.FormatInt(1+i%2, 10), 5000+i))
		if len(part().Claims) == MaxClaims {
			break
		}
	}
	last := part().Claims[MaxClaims-1]
	_, err := w.try(identify("a", map[string]string{"u1": "u2", "u2": "u1"}[last.User], 9000))
	wantRefused(t, err, "too_many_claims")
	w.do(identify("a", last.User, 9000), Call{Who: Who{UserID: last.User, AnonymousID: "a"}, At: last.At, Claim: true})
}

func TestRule6MergeLeavesEventsWhereTheyAre(t *testing.T) {
	w := newWorld(t)
	placed := w.do(track(anonymous("a"), "before", 1))
	w.do(identify("a", "u", 10))
	after := w.do(track(anonymous("a"), "after", 20))
	if after.Part.ID != placed.Part.ID || after.Root.ID == placed.Part.ID {
		t.Error("an event of a claimed id is not written under the id's own part")
	}
	known := w.do(track(user("u"), "known", 30))
	if known.Part.ID != known.Root.ID {
		t.Error("what names the user is not written under the user's own part")
	}
	wantEqual(t, "timeline", w.did(user("u")), []string{"after", "before", "known"})
	if got := w.whose(user("u")).Root.Facts().Summary.Counts; len(got) != 3 {
		t.Errorf("summary: %+v", got)
	}
	wantEqual(t, "all parts", w.whose(user("u")).Root.All(), []event.ID{known.Root.ID, placed.Part.ID})
}

func TestRule7BrazeID(t *testing.T) {
	w := newWorld(t)
	u := w.do(track(user("u"), "one", 1))
	a := w.do(identify("a", "v", 1), track(anonymous("a"), "two", 2))
	w.do(track(Who{BrazeID: BrazeIDOf(u.Root.ID)}, "by braze_id", 3), track(Who{BrazeID: BrazeIDOf(a.Part.ID)}, "of the device", 4))
	wantEqual(t, "u", w.did(user("u")), []string{"by braze_id", "one"})
	wantEqual(t, "v", w.did(user("v")), []string{"of the device", "two"})
	for _, guess := range []string{BrazeIDOf(999), "not an id"} {
		_, err := w.try(track(Who{BrazeID: guess}, "x", 5))
		wantRefused(t, err, "unknown_profile")
	}
}

func TestExistingOnly(t *testing.T) {
	w := newWorld(t)
	for _, who := range []Who{user("u"), anonymous("a"), email("e@example.com"), {Alias: AliasOf("l", "n").Value}} {
		c := track(who, "x", 1)
		c.ExistingOnly = true
		_, err := w.try(c)
		wantRefused(t, err, "unknown_profile")
		w.do(track(who, "x", 2))
		if placed := w.do(c); placed.Created {
			t.Errorf("%+v: created", who)
		}
	}
}

func TestRule7LookUpOrder(t *testing.T) {
	shared := email("Shared@example.com")
	w := newWorld(t)
	by := func(at int64) string { return w.do(track(shared, "x", at)).Root.Identifier(UserID) }
	give := func(id string, at int64) { w.do(set(user(id), "email", `" shared@EXAMPLE.com "`, at)) }

	made := w.do(track(shared, "x", 1))
	if !made.Created || made.Root.Facts().Attributes.Text("email") != "Shared@example.com" || len(made.Root.Identifiers) != 0 {
		t.Errorf("an unmatched e-mail makes %+v", made.Root)
	}
	if again := w.do(track(shared, "x", 2)); again.Created || again.Root.ID != made.Root.ID {
		t.Error("the e-mail-only profile is not found again")
	}
	give("u1", 3)
	w.do(track(Who{BrazeID: BrazeIDOf(made.Root.ID)}, "x", 4))
	wantEqual(t, "identified before unidentified", by(4), "u1")
	give("u2", 5)
	wantEqual(t, "the one updated last", by(6), "u2")
	w.do(track(user("u1"), "x", 7))
	wantEqual(t, "the one updated last now", by(8), "u1")
	w.do(set(user("u1"), "email", "null", 9))
	wantEqual(t, "the only one that has it", by(10), "u2")
	w.do(set(user("u2"), "email", `"other@example.com"`, 11))
	if got := w.do(track(shared, "x", 12)); got.Root.ID != made.Root.ID {
		t.Error("the e-mail-only profile is not found when the others lost it")
	}
	w.checkLookups(w.all())
	w.do(set(Who{Phone: "+49 1"}, "plan", `"x"`, 1))
	if got := w.attributes(Who{Phone: " +49 1 "}); got != `{"phone":"+49 1","plan":"x"}` {
		t.Errorf("phone: %s", got)
	}
}

func TestRule7EmailOfAClaimedID(t *testing.T) {
	w := newWorld(t)
	w.do(identify("a", "u1", 10), identify("a", "u2", 20),
		set(anonymous("a"), "email", `"two@example.com"`, 25),
		set(anonymous("a"), "email", `"one@example.com"`, 15))
	for address, want := range map[string]string{"one@example.com": "u1", "two@example.com": "u2"} {
		if p := w.whose(email(address)); p == nil || p.UserID() != want {
			t.Errorf("%s does not find %s", address, want)
		}
	}
	w.do(set(user("u1"), "email", `"new@example.com"`, 30))
	if p := w.whose(email("one@example.com")); p != nil {
		t.Errorf("an e-mail that nobody has now finds %s", p.UserID())
	}
}

func TestRule7OneProfileOfSeveralParts(t *testing.T) {
	w := newWorld(t)
	for _, a := range []string{"a1", "a2"} {
		w.do(identify(a, "u", 1), set(anonymous(a), "email", `"e@example.com"`, 2))
	}
	b := NewBook(w.newID)
	var found []*Part
	w.fill(b, func() { found = b.Lookup(Key{testWorkspace, Identifier{Email, " E@Example.com"}}) })
	if len(found) != 1 || found[0].Identifier(UserID) != "u" {
		t.Errorf("two devices of one user are %d profiles", len(found))
	}
}

func TestRule7EmailWithinOneBook(t *testing.T) {
	w := newWorld(t)
	w.do(set(user("u1"), "email", `"e@example.com"`, 1))
	b := NewBook(w.newID)
	for _, c := range []Call{
		set(user("u1"), "email", `"new@example.com"`, 2), set(user("u2"), "email", `"e@example.com"`, 3),
		track(email("e@example.com"), "x", 4), track(email("new@example.com"), "y", 5),
	} {
		c = w.receive(c)
		w.fill(b, func() { b.Touch(c) })
		if _, err := w.write(b, c, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.save(b)
	wantEqual(t, "u2", w.did(user("u2")), []string{"x"})
	wantEqual(t, "u1", w.did(user("u1")), []string{"y"})
}

// An e-mail of very many people costs no look-up more than one of a few.
func TestRule7AnEmailOfTooMany(t *testing.T) {
	w := newWorld(t)
	const address = "info@example.com"
	give := func(i int) { w.do(set(user(fmt.Sprint("u", i)), "email", quote(address), 1)) }
	for i := range MaxSharers {
		give(i)
	}
	w.do(track(email(address), "x", 2))
	give(MaxSharers)
	w.loaded = 0
	_, err := w.try(track(email(address), "x", 3))
	wantRefused(t, err, "too_many_profiles")
	for _, wishes := range [][]Priority{nil, {PreferIdentified, PreferRecent}} {
		_, err = w.name(Naming{UserID: "new", Subject: email(address), Prioritization: wishes})
		wantRefused(t, err, "too_many_profiles")
	}
	if w.loaded > 0 {
		t.Errorf("%d parts were loaded", w.loaded)
	}
	w.do(set(user("u7"), "email", "null", 4))
	w.do(track(email(address), "x", 5))
}

// What is known of a crowded key is not all: removals in the same book do not
// make the rest of it the whole.
func TestRule7ACrowdedKeyStaysCrowdedInABook(t *testing.T) {
	w := newWorld(t)
	for i := range 2 * MaxSharers {
		w.do(set(user(fmt.Sprint("u", i)), "email", `"e@example.com"`, 1))
	}
	b := NewBook(w.newID)
	for i := range MaxSharers {
		c := w.receive(set(user(fmt.Sprint("u", i)), "email", "null", 2))
		by := w.receive(track(email("e@example.com"), "x", 3))
		w.fill(b, func() { b.Touch(c); b.Touch(by) })
		if _, err := w.write(b, c, 0); err != nil {
			t.Fatal(err)
		}
		_, err := w.write(b, by, 0)
		wantRefused(t, err, "too_many_profiles")
	}
	w.save(b)
	w.do(track(email("e@example.com"), "x", 4))
}

func TestRule8LastValueHolds(t *testing.T) {
	type setting struct {
		value string
		at    int64
	}
	for name, c := range map[string]struct {
		settings []setting
		want     string
	}{
		"the later time":                              {[]setting{{`"a"`, 2}, {`"b"`, 1}}, `{"n":"a"}`},
		"equal times, greater value":                  {[]setting{{`"a"`, 1}, {`"b"`, 1}}, `{"n":"b"}`},
		"equal times, same value spelled in two ways": {[]setting{{`{"x":1,"y":2}`, 1}, {`{"y":2,"x":1}`, 1}}, `{"n":{"y":2,"x":1}}`},
		"equal times, greater when keys are sorted":   {[]setting{{`{"b":1,"a":1}`, 1}, {`{"a":2}`, 1}}, `{"n":{"a":2}}`},
		"removed":                  {[]setting{{`"a"`, 1}, {`null`, 2}}, `{}`},
		"removed, then set before": {[]setting{{`null`, 2}, {`"a"`, 1}}, `{}`},
		"set after the removal":    {[]setting{{`null`, 1}, {`"a"`, 2}}, `{"n":"a"}`},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				for _, who := range []Who{user("u"), anonymous("a")} {
					w := newWorld(t)
					for _, s := range c.settings {
						w.do(set(who, "n", s.value, s.at))
					}
					wantEqual(t, fmt.Sprintf("%+v", who), w.attributes(who), c.want)
				}
				slices.Reverse(c.settings)
			}
		})
	}
}

func TestChangesActInTheOrderAccepted(t *testing.T) {
	increment := func(who Who, at int64) Call {
		return Call{Who: who, At: epoch + at*second, Set: []Setting{{Name: "n", Change: func(current string) (string, bool) {
			n, _ := strconv.Atoi(current)
			return strconv.Itoa(n + 1), n < 12
		}}}}
	}
	w := newWorld(t)
	w.do(set(user("u1"), "n", "8", 50), identify("a", "u1", 10), identify("a", "u2", 20))
	for range 6 { // all at one time that is long past, across 9 → 10; 12 is the last
		w.do(increment(user("u1"), 15))
		w.do(increment(anonymous("a"), 15))
	}
	wantEqual(t, "u1", w.attributes(user("u1")), `{"n":12}`)
	wantEqual(t, "u2, who owns later times of the device", w.attributes(user("u2")), `{}`)
	w.do(track(anonymous("a"), "x", 30), identify("a", "u3", 25)) // makes totals anew
	wantEqual(t, "u1 after", w.attributes(user("u1")), `{"n":12}`)
	wantEqual(t, "u3", w.attributes(user("u3")), `{}`)
}

package profile

import (
	"fmt"
	"testing"

	"platen/internal/fault"
)

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func wantRefused(t *testing.T, err error, reason string) {
	t.Helper()
	if fault.ReasonOf(err) != reason {
		t.Errorf("got %v, want the reason %q", err, reason)
	}
}

func TestRule1TwoNamespaces(t *testing.T) {
	w := newWorld(t)
	first := w.do(track(user("x"), "one", 1))
	if !first.Created {
		t.Error("the first sight of a user id does not create a profile")
	}
	if again := w.do(track(user("x"), "two", 2)); again.Created || again.Root.ID != first.Root.ID {
		t.Error("the second sight of a user id creates a profile")
	}
	if same := w.do(track(anonymous("x"), "three", 3)); !same.Created || same.Root.ID == first.Root.ID {
		t.Error("the anonymous id x is the user x")
	}
	w.do(track(Who{UserID: "x", AnonymousID: "y"}, "four", 4))
	wantEqual(t, "user x", w.did(user("x")), []string{"four", "one", "two"})
	wantEqual(t, "anonymous x", w.did(anonymous("x")), []string{"three"})
	wantEqual(t, "anonymous y, named beside a user without a claim", w.did(anonymous("y")), []string(nil))
}

func TestRule1Workspaces(t *testing.T) {
	b := NewBook(newWorld(t).newID)
	for _, workspace := range []int64{1, 2} {
		b.PutKey(Key{workspace, Identifier{UserID, "x"}})
		placed, err := b.Apply(Call{Workspace: workspace, Who: user("x")})
		if err != nil || !placed.Created || placed.Root.Workspace != workspace {
			t.Errorf("workspace %d: %+v, %v", workspace, placed, err)
		}
	}
}

func TestRule2Claims(t *testing.T) {
	w := newWorld(t)
	w.do(track(anonymous("a1"), "before", 1), track(anonymous("a2"), "other", 2))
	w.do(identify("a1", "u1", 10), identify("a2", "u1", 11), identify("new", "u1", 12))
	wantEqual(t, "timeline", w.did(user("u1")), []string{"before", "other"})
	wantEqual(t, "identifiers", w.whose(user("u1")).Identifiers(),
		[]Identifier{{UserID, "u1"}, {AnonymousID, "a1"}, {AnonymousID, "a2"}, {AnonymousID, "new"}})
	if got := w.whose(anonymous("a1")).UserID(); got != "u1" {
		t.Errorf("a1 is of %q", got)
	}
	w.do(track(Who{UserID: "u1", AnonymousID: "a3"}, "unlinked", 20))
	if got := len(w.whose(user("u1")).Members); got != 3 {
		t.Errorf("a track with both ids and no claim linked them: %d members", got)
	}
}

func TestRule2ClaimIsNotInTheFuture(t *testing.T) {
	w := newWorld(t)
	late := identify("a1", "u2", 0)
	late.At = w.now + 365*day // a sender's clock that runs ahead
	w.do(identify("a1", "u1", 1), late)
	claims := w.whose(user("u2")).Members[0].Claims
	if last := claims[len(claims)-1]; last.User != "u2" || last.At > w.now {
		t.Errorf("the claim counts from %d, its receipt was %d", last.At, w.now)
	}
}

func TestRule2ClaimNeedsBoth(t *testing.T) {
	w := newWorld(t)
	for _, who := range []Who{user("u1"), anonymous("a1")} {
		_, err := w.try(Call{Who: who, At: epoch, Claim: true})
		wantRefused(t, err, "missing_identity")
	}
	if len(w.parts) != 0 {
		t.Errorf("a refused call left %d parts", len(w.parts))
	}
}

func TestRule3ClaimsDivideTime(t *testing.T) {
	w := newWorld(t)
	for _, at := range []int64{5, 10, 15, 20, 25, 30, 35} {
		w.do(track(anonymous("a"), fmt.Sprint("at ", at), at))
	}
	wantEqual(t, "nobody's claim", w.did(anonymous("a")),
		[]string{"at 10", "at 15", "at 20", "at 25", "at 30", "at 35", "at 5"})
	w.do(identify("a", "u1", 10), identify("a", "u2", 20), identify("a", "u1", 30))
	wantEqual(t, "u1", w.did(user("u1")), []string{"at 10", "at 15", "at 30", "at 35", "at 5"})
	wantEqual(t, "u2", w.did(user("u2")), []string{"at 20", "at 25"})

	w.do(identify("a", "u3", 1)) // older than all
	wantEqual(t, "u1 after a late claim", w.did(user("u1")), []string{"at 10", "at 15", "at 30", "at 35"})
	wantEqual(t, "u3", w.did(user("u3")), []string{"at 5"})
}

func TestRule3EqualTimes(t *testing.T) {
	for _, order := range [][]string{{"u1", "u2"}, {"u2", "u1"}} {
		w := newWorld(t)
		for _, u := range order {
			w.do(identify("a", u, 10))
		}
		w.do(track(anonymous("a"), "before", 5), track(anonymous("a"), "at", 10))
		wantEqual(t, "u1, the first claimant", w.did(user("u1")), []string{"before"})
		wantEqual(t, "u2, the last claim at or before", w.did(user("u2")), []string{"at"})
	}
}

func TestRule3LateClaimSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		claims []Call
		moved  bool
		detail string
	}{
		"the first claim moves nothing": {[]Call{identify("a", "u1", 10)}, false, ""},
		"a claim after all":             {[]Call{identify("a", "u1", 10), identify("a", "u2", 60)}, false, ""},
		"the same user again":           {[]Call{identify("a", "u1", 40), identify("a", "u1", 20)}, false, ""},
		"the same claim again":          {[]Call{identify("a", "u1", 40), identify("a", "u1", 40)}, false, ""},
		"no time left": {[]Call{identify("a", "u1", 10), identify("a", "u3", 20), identify("a", "u2", 20)}, true,
			`from 2023-11-14T22:13:40Z on to user "u3" instead of "u1"`},
		"nothing in between": {[]Call{identify("a", "u1", 1), identify("a", "u2", 5), identify("a", "u1", 60), identify("a", "u3", 3)}, true,
			`from 2023-11-14T22:13:25Z on to user "u2" instead of "u1"`},
		"in between": {[]Call{identify("a", "u1", 10), identify("a", "u1", 40), identify("a", "u2", 20)}, true,
			`from 2023-11-14T22:13:40Z until 2023-11-14T22:14:00Z to user "u2" instead of "u1"`},
		"before the first": {[]Call{identify("a", "u1", 40), identify("a", "u2", 20)}, true,
			`before 2023-11-14T22:14:00Z to user "u2" instead of "u1"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.do(track(anonymous("a"), "x", 5), track(anonymous("a"), "x", 30), track(anonymous("a"), "x", 50))
			w.do(c.claims...)
			var moves []string
			for _, r := range w.log {
				if r.Kind == Moved {
					moves = append(moves, r.Detail)
				}
			}
			want := []string(nil)
			if c.moved {
				want = []string{`a late claim gives what anonymous id "a" did ` + c.detail}
			}
			wantEqual(t, "records", moves, want)
			wantEqual(t, "stale", w.isStale(), c.moved)
		})
	}
}

func TestRule3LateClaimMovesAttributesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.do(set(user("u1"), "plan", `"old"`, 1), identify("a", "u1", 10),
		set(anonymous("a"), "plan", `"gold"`, 30), set(anonymous("a"), "city", `"Ulm"`, 31))
	wantEqual(t, "u1", w.attributes(user("u1")), `{"city":"Ulm","plan":"gold"}`)
	w.do(identify("a", "u2", 20))
	wantEqual(t, "u1 after", w.attributes(user("u1")), `{"plan":"old"}`)
	wantEqual(t, "u2 after", w.attributes(user("u2")), `{"city":"Ulm","plan":"gold"}`)
}

// TestRule3SharesInOneBook: what one claimant does is not counted for another
// before anything is written.
func TestRule3SharesInOneBook(t *testing.T) {
	w := newWorld(t)
	b := NewBook(w.newID)
	for _, c := range []Call{identify("a", "u1", 10), track(anonymous("a"), "x", 11), identify("a", "u2", 20),
		track(anonymous("a"), "x", 12), track(anonymous("a"), "x", 21)} {
		c = w.receive(c)
		w.fill(b, func() { b.Touch(c) })
		if _, err := w.write(b, c, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.save(b)
	a := w.whose(user("u1")).Members[0]
	wantEqual(t, "the device", a.Own.Summary.Of("x").Total, 3)
	wantEqual(t, "u1", a.share("u1").Of("x").Total, 2)
	wantEqual(t, "u2", a.share("u2").Of("x").Total, 1)
}

// TestRule3ItemsOfOneRequest: items are touched before any of them is applied. A
// claim that is late only because of an item before it must not need more.
func TestRule3ItemsOfOneRequest(t *testing.T) {
	w := newWorld(t)
	w.do(track(anonymous("a"), "x", 5), identify("a", "u1", 10), identify("a", "u2", 20), identify("a", "u3", 30))
	items := sequence{track(anonymous("a"), "x", 50), identify("a", "u4", 25)}
	items.transact(w, []int{0, 1}, asItems)
	wantEqual(t, "u3", w.did(user("u3")), []string{"x"})
	wantEqual(t, "u4", w.whose(user("u4")).Identifiers(), []Identifier{{UserID, "u4"}, {AnonymousID, "a"}})
}

func TestRule3RebuildDividesSummary(t *testing.T) {
	w := newWorld(t)
	w.do(identify("a", "u1", 10))
	for at := range int64(10) {
		w.do(track(anonymous("a"), "x", 10*at))
	}
	w.do(identify("a", "u2", 50), track(anonymous("a"), "x", 95), track(anonymous("a"), "x", 11))
	before := w.whose(user("u2")).Root.Updated
	w.rebuild()
	for id, want := range map[string]Count{
		"u1": {Total: 6, First: epoch, Last: epoch + 40*second},
		"u2": {Total: 6, First: epoch + 50*second, Last: epoch + 95*second},
	} {
		facts := w.whose(user(id)).Root.Facts()
		got := facts.Summary.Of("x")
		if got.Total != want.Total || got.First != want.First || got.Last != want.Last || len(facts.Summary.Recent) != 6 {
			t.Errorf("%s: %+v", id, got)
		}
	}
	if after := w.whose(user("u2")).Root.Updated; after != before {
		t.Error("a background step changed when a profile was last updated")
	}
}

func TestRule4KnownUsersNeverMerge(t *testing.T) {
	w := newWorld(t)
	w.do(track(user("u1"), "one", 1), track(user("u2"), "two", 2),
		identify("a", "u1", 3), identify("a", "u2", 4), identify("a", "u1", 5),
		set(user("u1"), "email", `"same@example.com"`, 6), set(user("u2"), "email", `"same@example.com"`, 7))
	wantEqual(t, "u1", w.did(user("u1")), []string{"one"})
	wantEqual(t, "u2", w.did(user("u2")), []string{"two"})
	for _, r := range w.log {
		if r.Kind == Merged {
			t.Errorf("merged: %+v", r)
		}
	}
	_, err := w.name(Naming{UserID: "u1", Subject: email("same@example.com")})
	wantRefused(t, err, "already_identified")
}

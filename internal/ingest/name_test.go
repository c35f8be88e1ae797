package ingest

import (
	"testing"

	"platen/internal/fault"
	"platen/internal/profile"
)

func TestNameNamesAProfile(t *testing.T) {
	b := newBench().run(t)
	first := b.accept(t, b.track(profile.Who{Email: "x@example.com"}, "ordered", ""))
	item := func(user, email string) NameItem {
		return NameItem{Raw: []byte(user + " is " + email),
			Naming: profile.Naming{Workspace: testWorkspace, UserID: user, Subject: profile.Who{Email: email}, Received: b.clock.UnixMicro()}}
	}
	unread := item("u3", "")
	unread.Refused = fault.Refused("bad_email", "email is not an e-mail address").In("/email")
	n := &Name{Source: "engage", Items: []NameItem{item("u1", "X@example.com "), item("u2", "nobody@example.com"), item("null", "x@example.com"), unread}}
	if err := b.Submit(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if o := n.Outcomes; !o[0].Done || o[0].Refused != nil || o[1].Done || o[1].Refused != nil {
		t.Errorf("outcomes: %+v", o)
	}
	kept := b.store.all().Quarantined
	if len(kept) != 2 {
		t.Fatalf("%d are kept", len(kept))
	}
	for i, reason := range []string{"bad_identifier", "bad_email"} {
		o, q := n.Outcomes[2+i], kept[i]
		if o.Done || o.Refused == nil || o.Refused.Reason != reason || o.Quarantine != q.ID {
			t.Errorf("%s: outcome %+v, row %v", reason, o, q.ID)
		}
		if q.Workspace != testWorkspace || q.Source != "engage" || q.Received != b.clock.UnixMicro() || q.Reason != reason ||
			q.Message != o.Refused.Safe() || q.Pointer != o.Refused.Pointer || string(q.Raw) != string(n.Items[2+i].Raw) {
			t.Errorf("kept: %+v", q)
		}
	}
	after := b.accept(t, b.track(user("u1"), "ordered", ""))
	events := b.store.all().Events
	if after[0].Created || events[0].Part != events[1].Part {
		t.Errorf("before %+v, after %+v", first, after)
	}
}

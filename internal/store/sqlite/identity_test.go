package sqlite_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// TestPersonsAreAFunctionOfTheSetOfCalls plays random sequences of calls in
// several orders through the whole write path, each in a workspace of its own, and
// compares the persons that come out. What they should be is held against the
// rules in internal/profile; here it is the store that may lose or mix something.
func TestPersonsAreAFunctionOfTheSetOfCalls(t *testing.T) {
	sequences, orders := 300, 10
	if testing.Short() {
		sequences, orders = 40, 4
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	p := newPath(t, sqlite.Options{EventRows: 2000, RecentBytes: 50_000, LogPages: 200})
	now := time.Now()

	all := make([]sequence, sequences)
	for i := range all {
		all[i] = randomSequence(random, now)
		if i%2 == 0 { // at least: it happens in others too
			all[i].share(random)
		}
	}
	var playing sync.WaitGroup
	for i, s := range all {
		for order := range orders {
			shuffled := slices.Clone(s)
			random.Shuffle(len(s), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
			cuts := random.Uint64()
			playing.Go(func() { shuffled.play(t, p, int64(i*orders+order+1), order, cuts) })
		}
	}
	playing.Wait()
	repair := ingest.NewRepair(p.store, p.Writer)
	steps := 0
	for worked := true; worked; steps++ {
		var err error
		if worked, err = repair.Step(t.Context()); err != nil || steps > sequences*orders {
			t.Fatalf("after %d steps of the repair: %v", steps, err)
		}
	}
	if held, err := p.store.CheckCache(); err != nil || held == 0 {
		t.Errorf("of %d parts in memory: %v", held, err)
	}
	for i, s := range all {
		first := persons(t, p.store, int64(i*orders+1), now)
		if n := strings.Count(first, "event "); n != s.events() {
			t.Errorf("seed %d: %d of %d events belong to somebody:\n%s\n%s", seed, n, s.events(), s, first)
		}
		for order := 1; order < orders; order++ {
			if other := persons(t, p.store, int64(i*orders+order+1), now); other != first {
				t.Fatalf("seed %d: two orders of the calls\n%s\ngive the persons\n%s\nand\n%s", seed, s, first, other)
			}
		}
	}
}

// sequence is a set of calls with times of their own.
type sequence []ingest.Item

func randomSequence(r *rand.Rand, now time.Time) sequence {
	s := make(sequence, 4+r.IntN(6))
	minutes := r.Perm(100_000)
	for i := range s {
		at := now.Add(-time.Duration(1+minutes[i]) * time.Minute)
		set := []profile.Setting{{Name: []string{"email", "plan"}[r.IntN(2)], Value: []string{`"x@example.com"`, `"y@example.com"`, "null", "7"}[r.IntN(4)]}}
		name := fmt.Sprint("event ", i)
		switch kind := r.IntN(10); {
		case kind < 2:
			s[i] = track(anonymous(r.IntN(3)), name, at)
		case kind < 3:
			s[i] = track(user(r.IntN(3)), name, at)
		case kind < 4:
			both := anonymous(r.IntN(3))
			both.UserID = user(r.IntN(3)).UserID
			s[i] = track(both, name, at)
		case kind < 8:
			s[i] = claim(anonymous(r.IntN(3)).AnonymousID, user(r.IntN(3)).UserID, at)
		case kind < 9:
			s[i] = ingest.Item{Who: anonymous(r.IntN(3)), At: at.UnixMicro(), Set: set}
		default:
			s[i] = ingest.Item{Who: user(r.IntN(3)), At: at.UnixMicro(), Set: set}
		}
	}
	return s
}

// share makes two of the calls claims of two users on one anonymous id.
func (s sequence) share(r *rand.Rand) {
	id, users := anonymous(r.IntN(3)).AnonymousID, r.Perm(3)
	for i := range 2 {
		s[i] = claim(id, user(users[i]).UserID, time.UnixMicro(s[i].At))
	}
}

func (s sequence) events() (n int) {
	for _, i := range s {
		if i.Event != nil && i.Event.Kind == event.Track {
			n++
		}
	}
	return n
}

func (s sequence) String() string {
	var b strings.Builder
	for _, i := range s {
		fmt.Fprintf(&b, "  at %s [%s %s]", time.UnixMicro(i.At).UTC().Format(time.DateTime), i.Who.UserID, i.Who.AnonymousID)
		switch {
		case i.Claim:
			b.WriteString(" claim")
		case i.Event != nil:
			b.WriteString(" " + i.Event.Name)
		default:
			fmt.Fprintf(&b, " %s=%s", i.Set[0].Name, i.Set[0].Value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// play sends the calls: by turns one after the other, several in one request, or
// all at once, as they then meet in transactions.
func (s sequence) play(t *testing.T, p *path, workspace int64, how int, cuts uint64) {
	if how%3 == 2 {
		var all sync.WaitGroup
		for _, item := range s {
			all.Go(func() { p.accept(t, workspace, item) })
		}
		all.Wait()
		return
	}
	for len(s) > 0 {
		n := 1
		for how%3 == 1 && n < len(s) && cuts>>len(s)&1 == 0 {
			n++
			cuts = cuts>>7 | cuts<<57
		}
		p.accept(t, workspace, s[:n]...)
		s = s[n:]
	}
}

// persons describes everybody in a workspace, one a line: identifiers, events,
// attributes and what the summary counts.
func persons(t *testing.T, store *sqlite.Store, workspace int64, now time.Time) string {
	t.Helper()
	lines := map[string]bool{}
	for n := range 3 {
		for _, who := range []profile.Who{user(n), anonymous(n)} {
			p, err := store.Profile(t.Context(), workspace, who, now.UnixMicro())
			if err != nil {
				t.Fatal(err)
			}
			if p == nil {
				continue
			}
			events, err := store.Timeline(t.Context(), p.Spans(), 100)
			if err != nil {
				t.Fatal(err)
			}
			lines[describe(p, events)] = true // an anonymous id leads to its user's line
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}

func describe(p *profile.Profile, events []event.Event) string {
	var ids, did, counts []string
	for _, i := range p.Identifiers() {
		ids = append(ids, i.Value)
	}
	for _, e := range events {
		if e.Kind == event.Track {
			did = append(did, e.Name)
		}
	}
	facts := p.Root.Facts()
	for _, c := range facts.Summary.Counts {
		counts = append(counts, fmt.Sprintf("%s×%d@%d", c.Name[len("event "):], c.Total, c.First))
	}
	slices.Sort(ids)
	return fmt.Sprintf("  %v %v %s %v", ids, did, facts.Attributes.JSON(), counts)
}

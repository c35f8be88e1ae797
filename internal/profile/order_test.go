package profile

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var orderSeed = flag.Uint64("profile.seed", 0, "seed of TestOrderDoesNotMatter, 0 for a new one")

// TestOrderDoesNotMatter is the promise of the identity rules: for one set of
// calls with times of their own, each person is a function of the set. Every
// order is compared with the oracle, which knows the rules and no parts.
func TestOrderDoesNotMatter(t *testing.T) {
	const shards = 4
	sequences := 10_000 / shards
	if testing.Short() || raceEnabled {
		sequences = 600 / shards
	}
	seed := *orderSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, uint64(shard)))
			shared := 0
			for n := range sequences {
				s := randomSequence(r)
				if s.hasSharedID() {
					shared++
				}
				if f := s.check(t, r, true); f != nil {
					s, f = s.shrink(t, r, f)
					t.Fatalf("-profile.seed=%d, shard %d, sequence %d\n%s", seed, shard, n, s.explain(f))
				}
			}
			if shared*10 < sequences*3 {
				t.Errorf("only %d of %d sequences had an id with two claimants", shared, sequences)
			}
		})
	}
}

// sequence is a set of calls; the events carry their number.
type sequence []Call

var (
	testUsers     = []string{"u1", "u2", "u3"}
	testAnonymous = []string{"a1", "a2", "a3"}
	testEmails    = []string{"x@example.com", "y@example.com"}
)

func randomSequence(r *rand.Rand) sequence {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	s := make(sequence, 4+r.IntN(6))
	span := 100 * day
	if r.IntN(5) == 0 {
		span = 5 // equal times are decided by the rules as well
	}
	taken := map[int64]bool{}
	for i := range s {
		c := Call{At: epoch + r.Int64N(span)}
		for span > 5 && taken[c.At] {
			c.At++
		}
		taken[c.At] = true
		happening := &Happening{Name: pick([]string{"viewed", "carted", "ordered"}), Content: r.IntN(3) > 0}
		setting := []Setting{{Name: pick([]string{"email", "plan"})}}
		setting[0].Value = pick([]string{quote(testEmails[0]), quote(testEmails[1]), "null", "10", "9"})
		switch kind := r.IntN(20); {
		case kind < 4:
			c.Who, c.Event = anonymous(pick(testAnonymous)), happening
		case kind < 6:
			c.Who, c.Event = user(pick(testUsers)), happening
		case kind < 7:
			c.Who, c.Event = Who{UserID: pick(testUsers), AnonymousID: pick(testAnonymous)}, happening
		case kind < 13:
			c.Who, c.Claim = Who{UserID: pick(testUsers), AnonymousID: pick(testAnonymous)}, true
		case kind < 14: // a track under a policy that links
			c.Who, c.Claim, c.Event = Who{UserID: pick(testUsers), AnonymousID: pick(testAnonymous)}, true, happening
		case kind < 15: // an identify with traits
			c.Who, c.Claim, c.Set = Who{UserID: pick(testUsers), AnonymousID: pick(testAnonymous)}, true, setting
		case kind < 18:
			c.Who, c.Set = anonymous(pick(testAnonymous)), setting
		default:
			c.Who, c.Set = user(pick(testUsers)), setting
		}
		s[i] = c
	}
	return s
}

// hasSharedID says whether two users claim one anonymous id.
func (s sequence) hasSharedID() bool {
	claimants := map[string]string{}
	for _, c := range s {
		if !c.Claim {
			continue
		}
		if u, claimed := claimants[c.Who.AnonymousID]; claimed && u != c.Who.UserID {
			return true
		}
		claimants[c.Who.AnonymousID] = c.Who.UserID
	}
	return false
}

// delivery is how the calls of one order come in.
type delivery int

const (
	oneByOne delivery = iota // each in a transaction of its own
	grouped                  // several in one transaction, as the group commit does
	asItems                  // several as the items of one request: touched all, then applied all
	deliveries
)

func (d delivery) String() string { return [...]string{"one by one", "grouped", "as items"}[d] }

// failure is an order in which persons are not what the rules say.
type failure struct {
	order     []int
	delivery  delivery
	batches   uint64
	got, want string
}

// check tries orders and gives the first that fails. In a quick check every
// order comes in one way only, in turn.
func (s sequence) check(t testing.TB, r *rand.Rand, quick bool) *failure {
	want := s.expected()
	n := 0
	var failed *failure
	s.orders(r, func(order []int) bool {
		n++
		for d := range deliveries {
			if quick && int(d) != n%int(deliveries) {
				continue
			}
			batches := r.Uint64()
			w := newWorld(t)
			s.play(w, order, d, batches)
			if got, want := w.differs(want, d); got != want {
				failed = &failure{slices.Clone(order), d, batches, got, want}
				return false
			}
		}
		return true
	})
	return failed
}

// orders yields all orders of up to five calls, else 60 of them.
func (s sequence) orders(r *rand.Rand, yield func([]int) bool) {
	order := make([]int, len(s))
	for i := range order {
		order[i] = i
	}
	if len(s) > 5 {
		for range 60 {
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			if !yield(order) {
				return
			}
		}
		return
	}
	var permute func(k int) bool
	permute = func(k int) bool {
		if k == len(order) {
			return yield(order)
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			if !permute(k + 1) {
				return false
			}
			order[k], order[i] = order[i], order[k]
		}
		return true
	}
	permute(0)
}

// play sends the calls in an order. The bits of batches say after which calls a
// transaction ends.
func (s sequence) play(w *world, order []int, d delivery, batches uint64) {
	for len(order) > 0 {
		n := 1
		for d != oneByOne && n < len(order) && batches>>(len(order)-n)&1 == 0 {
			n++
		}
		s.transact(w, order[:n], d)
		order = order[n:]
	}
}

// differs compares everybody with what is expected: identifiers, events and
// attributes at once (items of one request may leave attributes to Rebuild), and
// the summaries after Rebuild.
func (w *world) differs(expected expectation, d delivery) (got, want string) {
	if w.isStale() && d != asItems {
		if got := describe(w.everybody(), false); got != expected.atOnce {
			return got, expected.atOnce
		}
	}
	w.rebuild()
	return describe(w.everybody(), true), expected.rebuilt
}

func (s sequence) transact(w *world, numbers []int, d delivery) {
	b := NewBook(w.newID)
	calls := make([]Call, len(numbers))
	for n, i := range numbers {
		calls[n] = w.receive(s[i])
	}
	if d == asItems {
		w.fill(b, func() {
			for _, c := range calls {
				b.Touch(c)
			}
		})
	}
	for n, c := range calls {
		if d != asItems {
			w.fill(b, func() { b.Touch(c) })
		}
		if _, err := w.write(b, c, numbers[n]); err != nil {
			w.t.Fatalf("%s: %v", describeCall(c), err)
		}
	}
	w.save(b)
}

// shrink leaves out calls as long as some order still fails.
func (s sequence) shrink(t testing.TB, r *rand.Rand, f *failure) (sequence, *failure) {
	for i := 0; i < len(s); i++ {
		fewer := slices.Delete(slices.Clone(s), i, i+1)
		if still := fewer.check(t, r, false); still != nil {
			return fewer.shrink(t, r, still)
		}
	}
	return s, f
}

// explain writes the failing order for people.
func (s sequence) explain(f *failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "these calls, %s (batches %b):\n", f.delivery, f.batches)
	for _, i := range f.order {
		fmt.Fprintf(&b, "  %d: %s\n", i, describeCall(s[i]))
	}
	fmt.Fprintf(&b, "give\n%s\nand should give\n%s", f.got, f.want)
	return b.String()
}

func describeCall(c Call) string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %d", c.At-epoch)
	if c.Claim {
		fmt.Fprintf(&b, " claim %s is %s", c.Who.AnonymousID, c.Who.UserID)
	} else {
		fmt.Fprintf(&b, " under [%s %s]", c.Who.UserID, c.Who.AnonymousID)
	}
	if c.Event != nil {
		fmt.Fprintf(&b, " track %s", c.Event.Name)
	}
	for _, set := range c.Set {
		fmt.Fprintf(&b, " set %s=%s", set.Name, set.Value)
	}
	return b.String()
}

package profile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"platen/internal/event"
)

// happenings draws events with different ids over some months.
func happenings() *rapid.Generator[[]Happening] {
	one := rapid.Custom(func(t *rapid.T) Happening {
		return Happening{
			ID:      event.ID(rapid.Int64Range(1, 1<<40).Draw(t, "id")),
			Name:    rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
			At:      rapid.OneOf(rapid.Int64Range(-40*day, 40*day), rapid.SampledFrom([]int64{0, day})).Draw(t, "at"),
			Content: rapid.Bool().Draw(t, "content"),
		}
	})
	return rapid.SliceOfNDistinct(one, 0, 150, func(h Happening) event.ID { return h.ID })
}

func summaryOf(events []Happening) Summary {
	var s Summary
	for _, h := range events {
		s.Add(h)
	}
	return s
}

func folded(parts ...Summary) Summary {
	var s Summary
	for _, p := range parts {
		s.Fold(p)
	}
	return s
}

// TestSummaryIsOfTheSet is the algebra: however events are divided and in
// whatever order they are folded, the summary is that of the set.
func TestSummaryIsOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := happenings().Draw(t, "events")
		want := summaryOf(events)
		if got := summaryOf(rapid.Permutation(events).Draw(t, "order")); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order: %+v, want %+v", got, want)
		}
		i := rapid.IntRange(0, len(events)).Draw(t, "i")
		j := rapid.IntRange(i, len(events)).Draw(t, "j")
		a, b, c := summaryOf(events[:i]), summaryOf(events[i:j]), summaryOf(events[j:])
		for name, got := range map[string]Summary{
			"a+b+c": folded(a, b, c), "c+b+a": folded(c, b, a), "a+(b+c)": folded(a, folded(b, c)), "(c+a)+b": folded(folded(c, a), b),
		} {
			if len(events) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %+v, want %+v", name, got, want)
			}
		}
	})
}

// TestSummaryCounts compares with plain counting.
func TestSummaryCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := happenings().Draw(t, "events")
		s := summaryOf(events)
		byName := map[string][]Happening{}
		var recent []Ref
		for _, h := range events {
			byName[h.Name] = append(byName[h.Name], h)
			if h.Content {
				recent = append(recent, Ref{h.ID, h.At, h.Name})
			}
		}
		slices.SortFunc(recent, func(x, y Ref) int { // newest first, later id first
			if x.At != y.At {
				return int(y.At - x.At)
			}
			return int(y.ID - x.ID)
		})
		if want := recent[:min(len(recent), SummaryRecent)]; !slices.Equal(s.Recent, want) {
			t.Fatalf("recent: %v, want %v", s.Recent, want)
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			checkCount(t, s.Of(name), byName[name])
		}
		if len(s.Counts) != len(byName) || s.Of("never").Total != 0 {
			t.Fatalf("%d counts of %d names", len(s.Counts), len(byName))
		}
	})
}

func checkCount(t *rapid.T, c Count, events []Happening) {
	first, last := events[0].At, events[0].At
	for _, h := range events {
		first, last = min(first, h.At), max(last, h.At)
	}
	if c.Total != int64(len(events)) || c.First != first || c.Last != last {
		t.Fatalf("%s: %d from %d to %d, want %d from %d to %d", c.Name, c.Total, c.First, c.Last, len(events), first, last)
	}
	now := time.UnixMicro(last).UTC()
	for days := 1; days <= SummaryDays; days++ {
		from := now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
		var want int64
		for _, h := range events {
			if !time.UnixMicro(h.At).Before(from) {
				want++
			}
		}
		if got := c.Since(now, days); got != want {
			t.Fatalf("%s: %d in %d days, want %d", c.Name, got, days, want)
		}
	}
}

func TestSinceForgetsWithTime(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := summaryOf([]Happening{{Name: "x", At: noon.UnixMicro()}, {Name: "x", At: noon.AddDate(0, 0, -29).UnixMicro()}})
	for _, c := range []struct{ later, days, want int }{
		{0, 1, 1}, {0, 29, 1}, {0, 30, 2}, {1, 1, 0}, {1, 2, 1}, {1, 30, 1}, {29, 30, 1}, {30, 30, 0}, {-1, 30, 1},
	} {
		if got := s.Of("x").Since(noon.AddDate(0, 0, c.later), c.days); got != int64(c.want) {
			t.Errorf("%d days later, over %d days: %d, want %d", c.later, c.days, got, c.want)
		}
	}
}

func TestSummaryIsBounded(t *testing.T) {
	var s Summary
	for i := range SummaryNames + 50 {
		s.Add(Happening{ID: event.ID(i + 1), Name: fmt.Sprintf("name %03d", i), At: int64(i), Content: true})
	}
	if len(s.Counts) != SummaryNames || len(s.Recent) != SummaryRecent {
		t.Fatalf("%d names, %d recent", len(s.Counts), len(s.Recent))
	}
	s.Add(Happening{ID: 1000, Name: "name 007", At: 1000})
	if got := s.Of("name 007").Total; got != 2 {
		t.Errorf("a name that is counted stops at %d", got)
	}
	// What is not counted still has a place in time.
	s.Add(Happening{ID: 1001, Name: "not counted", At: 5000, Content: true})
	if first, last, ok := s.Bounds(); first != 0 || last != 5000 || !ok {
		t.Errorf("bounds %d to %d, %v", first, last, ok)
	}
	if _, _, ok := new(Summary).Bounds(); ok {
		t.Error("an empty summary has bounds")
	}
}

func TestDaysOfExtremeTimes(t *testing.T) {
	for _, times := range [][]int64{{-1 << 63, 1<<63 - 1}, {1<<63 - 1, -1 << 63}, {-1, 0}} {
		s := summaryOf([]Happening{{Name: "x", At: times[0]}, {Name: "x", At: times[1]}})
		c := s.Of("x")
		if c.Total != 2 || c.First != min(times[0], times[1]) || c.Day != dayOf(c.Last) || c.Days[0] != 1 {
			t.Errorf("%v: %+v", times, c)
		}
	}
	if dayOf(-1) != -1 || dayOf(0) != 0 || dayOf(day-1) != 0 || dayOf(day) != 1 || dayOf(-day) != -1 || dayOf(-day-1) != -2 {
		t.Error("days do not begin at midnight UTC")
	}
}

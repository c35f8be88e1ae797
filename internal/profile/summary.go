package profile

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"platen/internal/event"
)

// The bounds of a summary.
const (
	SummaryDays   = 30  // daily counts kept of each event name
	SummaryRecent = 50  // events that can be found again without a scan
	SummaryNames  = 200 // event names counted apart; further ones are not counted
)

// Summary is what a profile did, in a size that does not grow with it. All its
// operations commute, so it is a function of the set of events, unless these
// have more than SummaryNames names: then the names that came first are counted.
type Summary struct {
	Counts []Count // sorted by name
	Recent []Ref   // newest first
}

// Count is how often and when one event happened.
type Count struct {
	Name        string
	Total       int64
	First, Last int64 // unix microseconds
	// Days[i] is the count of the day Day-i (days since 1970-01-01 UTC).
	Day  int32
	Days [SummaryDays]uint32
}

// Ref points to one stored event.
type Ref struct {
	ID   event.ID
	At   int64 // unix microseconds
	Name string
}

// Happening is what the summary needs of one event.
type Happening struct {
	ID   event.ID
	Name string
	At   int64 // unix microseconds
	// Content says that a block may want to show it; it is then kept in Recent.
	Content bool
}

const dayMicros = int64(24 * time.Hour / time.Microsecond)

func dayOf(micros int64) int32 {
	d := micros / dayMicros
	if micros%dayMicros < 0 {
		d--
	}
	return int32(d)
}

// Add counts one event.
func (s *Summary) Add(h Happening) {
	if c := s.count(h.Name); c != nil {
		one := Count{Name: h.Name, Total: 1, First: h.At, Last: h.At, Day: dayOf(h.At)}
		one.Days[0] = 1
		c.fold(one)
	}
	if h.Content {
		s.remember(Ref{ID: h.ID, At: h.At, Name: h.Name})
	}
}

// Fold adds what another summary counted. The two must not share events.
func (s *Summary) Fold(other Summary) {
	for _, o := range other.Counts {
		if c := s.count(o.Name); c != nil {
			c.fold(o)
		}
	}
	for _, r := range other.Recent {
		s.remember(r)
	}
}

// Of gives the count of one event name; its Total is 0 when it never happened.
func (s *Summary) Of(name string) Count {
	if i, ok := s.find(name); ok {
		return s.Counts[i]
	}
	return Count{Name: name}
}

// Since is how often the event happened on the last n UTC days (1 to 30) up to
// and with the day of now.
func (c Count) Since(now time.Time, n int) int64 {
	today := dayOf(now.UnixMicro())
	var sum int64
	for i, v := range c.Days {
		if day := c.Day - int32(i); day <= today && day > today-int32(n) {
			sum += int64(v)
		}
	}
	return sum
}

// Bounds gives the times of the first and last event that it knows of, ok false
// when there is none.
func (s *Summary) Bounds() (first, last int64, ok bool) {
	first, last = math.MaxInt64, math.MinInt64
	for _, c := range s.Counts {
		first, last, ok = min(first, c.First), max(last, c.Last), true
	}
	for _, r := range s.Recent { // may have names that are not counted
		first, last, ok = min(first, r.At), max(last, r.At), true
	}
	return first, last, ok
}

// find is a binary search. It is written out because package slices would copy
// whole counts, and this runs for every ref of every part that is stored.
func (s *Summary) find(name string) (int, bool) {
	low, high := 0, len(s.Counts)
	for low < high {
		middle := (low + high) / 2
		switch order := strings.Compare(s.Counts[middle].Name, name); {
		case order == 0:
			return middle, true
		case order < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// count finds or makes the count of a name, nil when there are too many names.
func (s *Summary) count(name string) *Count {
	i, ok := s.find(name)
	if !ok {
		if len(s.Counts) >= SummaryNames {
			return nil
		}
		s.Counts = slices.Insert(s.Counts, i, Count{Name: name})
	}
	return &s.Counts[i]
}

func (c *Count) fold(o Count) {
	if o.Total == 0 {
		return
	}
	if c.Total == 0 {
		*c = o
		return
	}
	c.Total += o.Total
	c.First = min(c.First, o.First)
	c.Last = max(c.Last, o.Last)
	if o.Day > c.Day {
		c.Day, c.Days, o.Day, o.Days = o.Day, o.Days, c.Day, c.Days
	}
	for i, v := range o.Days {
		if at := int(c.Day) - int(o.Day) + i; at < SummaryDays {
			c.Days[at] += v
		}
	}
}

// remember keeps the newest refs, newest first; the later id first where two
// have the same time.
func (s *Summary) remember(r Ref) {
	i, _ := slices.BinarySearchFunc(s.Recent, r, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
	})
	if i >= SummaryRecent {
		return
	}
	if len(s.Recent) >= SummaryRecent {
		s.Recent = s.Recent[:SummaryRecent-1]
	}
	s.Recent = slices.Insert(s.Recent, i, r)
}

// clone copies what Add and Fold would write to.
func (s *Summary) clone() Summary {
	return Summary{Counts: slices.Clone(s.Counts), Recent: slices.Clone(s.Recent)}
}

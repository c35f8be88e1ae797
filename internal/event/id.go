package event

import (
	"fmt"
	"sync"
	"time"
)

// ID is an identifier that sorts by the time it was given: 41 bits of
// milliseconds since 2020-01-01 UTC, 10 bits of node, 12 bits of sequence. An
// event's ID begins with its receipt time, so it names the table the event
// lies in. Zero means "none".
type ID int64

const (
	idNodeBits = 10
	idSeqBits  = 12
	idEpochMs  = 1577836800000 // 2020-01-01T00:00:00Z
	idTextLen  = 13
	// Crockford's base32 in lower case: no i, l, o, u.
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
)

// Time is when the identifier was given, to the millisecond.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(id)>>(idNodeBits+idSeqBits) + idEpochMs).UTC()
}

// String is the identifier as 13 characters that sort as the identifier does.
func (id ID) String() string {
	var b [idTextLen]byte
	v := uint64(id)
	for i := idTextLen - 1; i >= 0; i-- {
		b[i] = idAlphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}

// ParseIDText reads what String wrote.
func ParseIDText(s string) (ID, error) {
	if len(s) != idTextLen {
		return 0, fmt.Errorf("an id has %d characters, this one %d", idTextLen, len(s))
	}
	var v uint64
	for i := 0; i < len(s); i++ {
		d := digitOf(s[i])
		if d < 0 || (i == 0 && d > 7) {
			return 0, fmt.Errorf("an id holds only the characters %s", idAlphabet)
		}
		v = v<<5 | uint64(d)
	}
	return ID(v), nil
}

func digitOf(c byte) int {
	for i := range len(idAlphabet) {
		if idAlphabet[i] == c {
			return i
		}
	}
	return -1
}

// FirstID is the least identifier given at or after t.
func FirstID(t time.Time) ID {
	ms := t.UnixMilli() - idEpochMs
	if ms < 0 {
		ms = 0
	}
	return ID(ms << (idNodeBits + idSeqBits))
}

// IDs gives identifiers that only grow, also when the clock steps back. It is
// safe for use by many goroutines.
type IDs struct {
	now  func() time.Time
	node int64

	mu   sync.Mutex
	last int64 // milliseconds and sequence of the last identifier, without node
}

// NewIDs makes a source of identifiers for one node (0 to 1023). Two nodes on
// one store must not share a number.
func NewIDs(now func() time.Time, node int) *IDs {
	return &IDs{now: now, node: int64(node) & (1<<idNodeBits - 1)}
}

// Next gives the next identifier. More than 4,096 in one millisecond borrow
// from the next.
func (g *IDs) Next() ID {
	ms := g.now().UnixMilli() - idEpochMs
	g.mu.Lock()
	next := ms << idSeqBits
	if next <= g.last {
		next = g.last + 1
	}
	g.last = next
	g.mu.Unlock()
	return ID(next>>idSeqBits<<(idNodeBits+idSeqBits) | g.node<<idSeqBits | next&(1<<idSeqBits-1))
}

// Resume makes sure that everything given from now on is greater than id, which
// a store found to be its greatest.
func (g *IDs) Resume(id ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if last := int64(id)>>(idNodeBits+idSeqBits)<<idSeqBits | int64(id)&(1<<idSeqBits-1); last > g.last {
		g.last = last
	}
}

package sqlite

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"platen/internal/event"
)

// rowsOf writes the states that parts went through, a row for each commit.
func rowsOf(commits [][]*storedPart) (rows [][]byte) {
	held := map[event.ID]*storedPart{}
	for _, parts := range commits {
		var row []byte
		for _, p := range parts {
			row = appendRecent(row, p, held[p.id])
		}
		for _, p := range parts {
			held[p.id] = p
		}
		rows = append(rows, row)
	}
	return rows
}

// heldAfter reads rows one after the other.
func heldAfter(t *testing.T, rows [][]byte) map[event.ID]*storedPart {
	t.Helper()
	held := map[event.ID]*storedPart{}
	for _, row := range rows {
		err := eachRecent(row, func(id event.ID) *storedPart { return held[id] }, func(p *storedPart) { held[p.id] = p })
		if err != nil {
			t.Fatal(err)
		}
	}
	return held
}

func sameParts(t *testing.T, got, want *storedPart) {
	t.Helper()
	if got == nil || got.id != want.id || got.workspace != want.workspace || got.owner != want.owner || got.created != want.created ||
		got.updated != want.updated || got.lastEvent != want.lastEvent || got.stale != want.stale || !bytes.Equal(got.data, want.data) {
		t.Fatalf("read %+v\nwrote %+v", got, want)
	}
}

// change makes the next state of a part: a piece of it replaced, and a piece at its
// end dropped, as the oldest of the events in its summary.
func change(r *rand.Rand, p storedPart) *storedPart {
	p.updated += r.Int64N(1e6) - 1000
	p.lastEvent += event.ID(r.Int64N(1 << 30))
	if r.IntN(20) == 0 {
		p.owner, p.stale = event.ID(r.Int64()), r.IntN(2) == 0
	}
	from := r.IntN(len(p.data) + 1)
	to := from + r.IntN(len(p.data)-from+1)/4
	piece := make([]byte, r.IntN(30))
	for i := range piece {
		piece[i] = byte(r.IntN(4)) // alike pieces are found in the wrong place
	}
	end := len(p.data) - r.IntN(len(p.data)-to+1)/8
	p.data = slices.Concat(p.data[:from], piece, p.data[to:end])
	return &p
}

func TestRecentRowsGiveBackEveryState(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		latest := map[event.ID]*storedPart{}
		var commits [][]*storedPart
		for range 12 {
			var parts []*storedPart
			for id := event.ID(1); id <= 5; id++ {
				if r.IntN(2) == 0 {
					continue
				}
				p := latest[id]
				if p == nil {
					p = &storedPart{id: id, workspace: 3, created: r.Int64(), updated: r.Int64(), data: make([]byte, r.IntN(200))}
				}
				latest[id] = change(r, *p)
				parts = append(parts, latest[id])
			}
			commits = append(commits, parts)
		}
		held := heldAfter(t, rowsOf(commits))
		for id, want := range latest {
			sameParts(t, held[id], want)
		}
	}
}

// What an event changes of a person with a long history is a small part of it.
func TestAChangeTakesLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	before := &storedPart{id: 1 << 50, workspace: 1, created: 1 << 50, updated: 1 << 50, lastEvent: 1 << 50, data: make([]byte, 700)}
	for i := range before.data {
		before.data[i] = byte(r.IntN(256))
	}
	after := *before
	after.updated += 1e6
	after.lastEvent += 1 << 40
	after.data = slices.Concat(before.data[:60], []byte("a new event"), before.data[60:690])
	if n := len(appendRecent(nil, &after, before)); n > 60 {
		t.Errorf("the change takes %d bytes", n)
	}
}

// A change whose beginning was removed is passed over: the part is in its table, or
// in a later generation.
func TestAChangeOfNothingIsPassedOver(t *testing.T) {
	first := &storedPart{id: 1, data: []byte("a part with some length to it")}
	second, third := *first, *first
	second.updated, third.updated = 1, 2
	other := &storedPart{id: 2, data: []byte("other")}
	rows := rowsOf([][]*storedPart{{first}, {&second, other}, {&third}})
	held := heldAfter(t, rows[1:])
	if held[1] != nil {
		t.Errorf("read %+v", held[1])
	}
	sameParts(t, held[2], other)
}

func TestADamagedRowIsRefused(t *testing.T) {
	first := &storedPart{id: 1, workspace: 1, data: bytes.Repeat([]byte("part"), 20)}
	second := *first
	second.data = append(bytes.Clone(first.data), "and more"...)
	rows := rowsOf([][]*storedPart{{first}, {&second}})
	for n, row := range rows {
		for cut := 1; cut < len(row); cut++ {
			err := eachRecent(row[:cut], func(event.ID) *storedPart { return first }, func(*storedPart) {})
			if err == nil {
				t.Errorf("row %d cut after %d bytes is read", n, cut)
			}
		}
	}
	short := &storedPart{id: 1, data: []byte("x")}
	if eachRecent(rows[1], func(event.ID) *storedPart { return short }, func(*storedPart) {}) == nil {
		t.Error("a change of another part's length is read")
	}
}

func FuzzRecentRow(f *testing.F) {
	first := &storedPart{id: 1, workspace: 1, data: bytes.Repeat([]byte("part"), 20)}
	second := *first
	second.data = append(bytes.Clone(first.data), "and more"...)
	for _, row := range rowsOf([][]*storedPart{{first}, {&second}}) {
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		eachRecent(row, func(event.ID) *storedPart { return first }, func(*storedPart) {})
	})
}

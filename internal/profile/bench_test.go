package profile

import (
	"fmt"
	"testing"
	"time"

	"platen/internal/event"
)

// busyPart is a profile as the write path meets it: 5 event names, 50 recent
// events, some attributes.
func busyPart() *Part {
	w := &world{}
	b := NewBook(w.newID)
	p := b.create(testWorkspace, epoch, Identifier{UserID, "customer-000123"})
	for i := range 120 {
		at := epoch + int64(i)*day/4
		p.Own.Summary.Add(Happening{ID: event.FirstID(time.UnixMicro(at)), Name: fmt.Sprintf("event_name_%d", i%5), At: at, Content: true})
	}
	for i := range 6 {
		p.Own.Attributes.Set(fmt.Sprintf("attribute_%d", i), Version{epoch, `"some value"`}, 1)
	}
	return p
}

// BenchmarkTrack is what one track event of a known user costs the write path
// beside the store, in a transaction of 64: the stored part read, changed and
// written.
func BenchmarkTrack(b *testing.B) {
	const batch = 64
	data := MarshalPart(busyPart())
	calls := make([]Call, batch)
	for i := range calls {
		calls[i] = Call{Workspace: testWorkspace, Who: user(fmt.Sprintf("customer-%06d", i)), At: epoch + 31*day, Received: epoch + 31*day,
			Event: &Happening{ID: 1 << 51, Name: "event_name_3", Content: true}}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for n := 0; n < b.N; n += batch {
		book := NewBook(nil)
		for _, c := range calls {
			book.Touch(c)
		}
		keys, _ := book.Missing()
		for i, k := range keys {
			part := &Part{ID: event.ID(i + 1), Workspace: testWorkspace}
			if err := UnmarshalPart(data, part); err != nil {
				b.Fatal(err)
			}
			book.PutKey(k, part.ID)
			book.PutPart(part)
		}
		for _, c := range calls {
			book.Touch(c)
			if _, err := book.Apply(c); err != nil {
				b.Fatal(err)
			}
		}
		changed := book.Changes().Parts
		if len(changed) != batch {
			b.Fatalf("%d parts changed", len(changed))
		}
		for _, p := range changed {
			MarshalPart(p)
		}
	}
}

func BenchmarkMarshal(b *testing.B) {
	p := busyPart()
	b.ReportAllocs()
	for b.Loop() {
		MarshalPart(p)
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	data := MarshalPart(busyPart())
	b.ReportAllocs()
	for b.Loop() {
		if err := UnmarshalPart(data, &Part{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply is the decision alone, in one book as a large batch has it.
func BenchmarkApply(b *testing.B) {
	p := busyPart()
	book := NewBook(nil)
	key := Key{testWorkspace, p.Identifiers[0]}
	book.PutKey(key, p.ID)
	book.PutPart(p)
	c := Call{Workspace: testWorkspace, Who: user(key.Value), At: epoch + 31*day, Received: epoch + 31*day,
		Event: &Happening{ID: 1 << 51, Name: "event_name_3", Content: true}}
	b.ReportAllocs()
	for b.Loop() {
		c.Event.ID++
		book.Touch(c)
		if _, err := book.Apply(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	who := Who{UserID: "customer-000123", AnonymousID: "1f3870be274f6c49b3e31a0c6728957f"}
	b.ReportAllocs()
	for b.Loop() {
		if err := who.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

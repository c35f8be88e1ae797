package event

import (
	"testing"
	"time"
)

func TestIDsGrowAlsoWhenTheClockStepsBack(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	ids := NewIDs(func() time.Time { return now }, 3)
	last := ID(0)
	for i := range 10_000 {
		if i == 5_000 {
			now = now.Add(-time.Minute)
		}
		id := ids.Next()
		if id <= last {
			t.Fatalf("id %d after %d", id, last)
		}
		last = id
	}
}

func TestIDTimeAndText(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	ids := NewIDs(func() time.Time { return at }, 1023)
	id := ids.Next()
	if !id.Time().Equal(at) {
		t.Errorf("time %v, want %v", id.Time(), at)
	}
	if id < FirstID(at) || id >= FirstID(at.Add(time.Millisecond)) {
		t.Errorf("id %d lies outside its millisecond", id)
	}
	back, err := ParseIDText(id.String())
	if err != nil || back != id {
		t.Errorf("%q read back as %d, %v; want %d", id, back, err, id)
	}
	for _, bad := range []string{"", "0", "zzzzzzzzzzzzz", "000000000000u", "00000000000000"} {
		if got, err := ParseIDText(bad); err == nil {
			t.Errorf("ParseIDText(%q) = %d, want an error", bad, got)
		}
	}
}

func TestIDsResumeAfterWhatIsStored(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	stored := NewIDs(func() time.Time { return now.Add(time.Hour) }, 0).Next()
	ids := NewIDs(func() time.Time { return now }, 0)
	ids.Resume(stored)
	if id := ids.Next(); id <= stored {
		t.Errorf("id %d is not after the stored %d", id, stored)
	}
}

package profile

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"platen/internal/event"
)

// parts draws anything that the fields of a part can hold.
func parts() *rapid.Generator[*Part] {
	return rapid.Custom(func(t *rapid.T) *Part {
		p := &Part{
			Blocked: rapid.Bool().Draw(t, "blocked"), Stale: rapid.Bool().Draw(t, "stale"),
			Identifiers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Identifier {
				return Identifier{Kind(rapid.Uint8().Draw(t, "kind")), rapid.String().Draw(t, "value")}
			}), 0, 5).Draw(t, "identifiers"),
			Claims: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Claim {
				return Claim{rapid.Int64().Draw(t, "at"), rapid.String().Draw(t, "user")}
			}), 0, 5).Draw(t, "claims"),
			Members: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.ID { return event.ID(rapid.Int64().Draw(t, "id")) }), 0, 5).Draw(t, "members"),
			Own:     facts().Draw(t, "own"),
			Shares: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Share {
				return Share{rapid.String().Draw(t, "user"), summaries().Draw(t, "summary")}
			}), 0, 3).Draw(t, "shares"),
		}
		if len(p.Members) > 0 {
			p.Total = facts().Draw(t, "total")
		}
		return p
	})
}

func facts() *rapid.Generator[Facts] {
	version := rapid.Custom(func(t *rapid.T) Version {
		return Version{rapid.Int64().Draw(t, "at"), rapid.String().Draw(t, "value")}
	})
	return rapid.Custom(func(t *rapid.T) Facts {
		return Facts{
			Attributes: rapid.MapOfN(rapid.String(), rapid.SliceOfN(version, 0, 4), 0, 4).Draw(t, "attributes"),
			Summary:    summaries().Draw(t, "summary"),
		}
	})
}

func summaries() *rapid.Generator[Summary] {
	happening := rapid.Custom(func(t *rapid.T) Happening {
		return Happening{ID: event.ID(rapid.Int64().Draw(t, "id")), Name: rapid.String().Draw(t, "name"),
			At: rapid.Int64().Draw(t, "at"), Content: rapid.Bool().Draw(t, "content")}
	})
	return rapid.Custom(func(t *rapid.T) Summary {
		s := Summary{Counts: []Count{}, Recent: []Ref{}}
		for _, h := range rapid.SliceOfN(happening, 0, 10).Draw(t, "events") {
			s.Add(h)
		}
		if len(s.Counts) > 1 && rapid.Bool().Draw(t, "uncounted") {
			s.Counts = s.Counts[1:] // a ref may have a name that is not counted
		}
		return s
	})
}

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := parts().Draw(t, "part")
		data := MarshalPart(p)
		var back Part
		if err := UnmarshalPart(data, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*p, back) {
			t.Fatalf("%+v\nreads back as\n%+v", *p, back)
		}
		if again := MarshalPart(&back); !bytes.Equal(again, data) {
			t.Fatal("a part has two stored forms")
		}
		// Nothing shorter or longer is a part.
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if UnmarshalPart(data[:cut], new(Part)) == nil {
			t.Fatalf("the first %d of %d bytes are read as a part", cut, len(data))
		}
		if UnmarshalPart(append(data, 0), new(Part)) == nil {
			t.Fatal("a byte too many is read over")
		}
	})
}

func TestUnmarshalKeepsColumns(t *testing.T) {
	p := Part{ID: 1, Workspace: 2, Owner: 3, Created: 4, Updated: 5}
	if err := UnmarshalPart(MarshalPart(&Part{ID: 9, Owner: 9, Updated: 9}), &p); err != nil {
		t.Fatal(err)
	}
	if p.ID != 1 || p.Workspace != 2 || p.Owner != 3 || p.Created != 4 || p.Updated != 5 {
		t.Errorf("%+v", p)
	}
}

func TestUnmarshalOtherForms(t *testing.T) {
	for _, data := range [][]byte{nil, {0}, {2}, {0xff}, bytes.Repeat([]byte{0xff}, 20)} {
		if err := UnmarshalPart(data, new(Part)); err == nil {
			t.Errorf("%x is read as a part", data)
		}
	}
}

// FuzzUnmarshalPart: nothing that a damaged file holds makes the program panic,
// neither when it is read nor when the part is used.
func FuzzUnmarshalPart(f *testing.F) {
	busy := busyPart()
	f.Add(MarshalPart(busy))
	busy.Members, busy.Total = []event.ID{5, 6}, busy.Own
	busy.Claims = []Claim{{1, "u"}, {2, "v"}}
	busy.Shares = []Share{{"u", busy.Own.Summary}, {"v", Summary{}}}
	f.Add(MarshalPart(busy))
	f.Add(MarshalPart(&Part{Own: Facts{Summary: Summary{Counts: []Count{{Name: "x", Total: 1, Day: math.MinInt32}}}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &Part{ID: 1}
		if UnmarshalPart(data, p) != nil {
			return
		}
		var back Part
		if err := UnmarshalPart(MarshalPart(p), &back); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		profile := &Profile{Root: p, Members: []*Part{&back}}
		profile.Spans()
		total := profile.facts()
		total.Summary.Add(Happening{ID: 7, Name: "x", At: epoch, Content: true})
		total.Summary.Fold(p.Facts().Summary)
		total.Attributes.JSON()
	})
}

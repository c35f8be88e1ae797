package storetest

import (
	"errors"
	"time"

	"platen/internal/asset"
	"platen/internal/document"
	"platen/internal/engagement"
	"platen/internal/ingest"
)

func documents(f *fixture) {
	docs, revision, err := f.store.Documents(f.Context())
	f.must(err)
	if len(docs) != 0 || revision != 0 {
		f.Fatalf("an empty store has %v at revision %d", docs, revision)
	}
	shop := document.Stored{Workspace: 1, Kind: document.KindWorkspace, ID: "shop", Name: "shop", Version: 1, Body: []byte("kind: Workspace\n"), Updated: f.clock}
	source := document.Stored{Workspace: 1, Kind: document.KindSource, ID: "s", Name: "s", Version: 1, Body: []byte("kind: Source\n"), Secret: []byte{0, 1, 2}, Updated: f.clock}
	first, err := f.store.PutDocuments(f.Context(), revision, []document.Stored{shop, source})
	f.must(err)
	if first <= revision {
		f.Errorf("the revision goes from %d to %d", revision, first)
	}
	renamed := source
	renamed.Name, renamed.Version, renamed.Secret, renamed.Updated = "other name", 2, nil, f.clock.Add(time.Second)
	if _, err := f.store.PutDocuments(f.Context(), revision, []document.Stored{renamed}); !errors.Is(err, document.ErrChanged) {
		f.Errorf("a put on an old revision gives %v", err)
	}
	f.sameDocuments(first, shop, source)
	second, err := f.store.PutDocuments(f.Context(), first, []document.Stored{renamed})
	f.must(err)
	if second <= first {
		f.Errorf("the revision goes from %d to %d", first, second)
	}
	f.sameDocuments(second, shop, renamed)
	f.reopen()
	f.sameDocuments(second, shop, renamed)
	if _, err := f.store.PutDocuments(f.Context(), second, []document.Stored{renamed}); err == nil || errors.Is(err, document.ErrChanged) {
		f.Errorf("a version that is stored already gives %v", err)
	}
	f.sameDocuments(second, shop, renamed)
}

func (f *fixture) sameDocuments(revision int64, want ...document.Stored) {
	f.Helper()
	docs, r, err := f.store.Documents(f.Context())
	f.must(err)
	f.same("revision", r, revision)
	f.same("how many documents", len(docs), len(want))
	byID := map[string]document.Stored{}
	for _, d := range docs {
		byID[d.ID] = d
	}
	for _, w := range want {
		f.same("document "+w.ID, byID[w.ID], w)
	}
}

func photos(f *fixture) {
	a := ingest.Photo{Workspace: workspace, URL: "https://x.example/a.png", Shown: f.clock.UnixMicro() - 1}
	b := ingest.Photo{Workspace: elsewhere, URL: "https://x.example/a.png", Shown: f.clock.UnixMicro()}
	f.commit(ingest.Changes{Photos: []ingest.Photo{b, a, b}})
	f.sameQueue(f.clock.Add(-time.Microsecond), asset.Photo{Workspace: a.Workspace, URL: a.URL, State: asset.Queued})
	f.sameQueue(f.clock, asset.Photo{Workspace: a.Workspace, URL: a.URL, State: asset.Queued}, asset.Photo{Workspace: b.Workspace, URL: b.URL, State: asset.Queued})

	later := asset.Photo{Workspace: workspace, URL: a.URL, State: asset.Queued, Attempts: 1, Next: f.clock.Add(time.Minute), Error: "timed out"}
	ready := asset.Photo{Workspace: elsewhere, URL: b.URL, State: asset.Ready, Attempts: 1, Fetched: f.clock, Picture: []byte{0x89, 'P', 'N', 'G', 0}}
	f.must(f.store.SavePhoto(f.Context(), later))
	f.must(f.store.SavePhoto(f.Context(), ready))
	f.commit(ingest.Changes{Photos: []ingest.Photo{a, b}}) // shown again: nothing is fetched twice
	f.reopen()
	f.sameQueue(f.clock.Add(time.Minute - time.Microsecond))
	f.sameQueue(f.clock.Add(time.Minute), asset.Photo{Workspace: workspace, URL: a.URL, State: asset.Queued, Attempts: 1})

	p, ok, err := f.store.Photo(f.Context(), elsewhere, b.URL)
	f.must(err)
	f.same("a photo that is there", []any{ok, p}, []any{true, ready})
	p, ok, err = f.store.Photo(f.Context(), workspace, a.URL)
	f.must(err)
	if !ok || p.State != asset.Queued || p.Error != "timed out" || p.Picture != nil {
		f.Errorf("a photo that waits: %v %+v", ok, p)
	}

	failed := asset.Photo{Workspace: workspace, URL: a.URL, State: asset.Failed, Attempts: 5, Fetched: f.clock, Error: "answered 404"}
	f.must(f.store.SavePhoto(f.Context(), failed))
	a.Shown = f.clock.Add(ingest.PhotoAgain).UnixMicro()
	f.commit(ingest.Changes{Photos: []ingest.Photo{a}})
	f.sameQueue(f.clock)
	a.Shown++
	f.commit(ingest.Changes{Photos: []ingest.Photo{a}})
	f.sameQueue(time.UnixMicro(a.Shown - 1))
	f.sameQueue(time.UnixMicro(a.Shown), asset.Photo{Workspace: workspace, URL: a.URL, State: asset.Queued})
	if _, ok, err := f.store.Photo(f.Context(), workspace, "https://x.example/none.png"); ok || err != nil {
		f.Errorf("a photo that nothing showed: %v, %v", ok, err)
	}
}

func (f *fixture) sameQueue(now time.Time, want ...asset.Photo) {
	f.Helper()
	got, err := f.store.QueuedPhotos(f.Context(), now, 10)
	f.must(err)
	f.same("how many photos wait", len(got), len(want))
	for i := range want {
		if i < len(got) {
			got[i].Next, got[i].Error = time.Time{}, "" // may be told or not
		}
	}
	f.same("photos that wait", got, append([]asset.Photo(nil), want...))
	if len(want) > 1 {
		got, err := f.store.QueuedPhotos(f.Context(), now, 1)
		f.must(err)
		f.same("how many photos at most", len(got), 1)
	}
}

func shown(f *fixture) {
	row := engagement.Shown{Block: "b", Person: "u1", Params: "p", At: f.clock, Links: []string{"https://x.example/1", ""}}
	newer, older := row, row
	newer.At, newer.Links = f.clock.Add(time.Second), []string{"https://x.example/2"}
	older.At, older.Links = f.clock.Add(-time.Second), nil
	f.must(f.store.Record(f.Context(), engagement.Batch{
		Shown: []engagement.Shown{row},
		Impressions: []engagement.Impression{
			{ID: f.ids.Next(), Workspace: workspace, Block: "b", Person: "u1", At: f.clock, Rule: 1},
			{ID: f.ids.Next(), Workspace: workspace, Block: "b", Person: "{{u}}", At: f.clock, Rule: -1, Reason: "merge tag"},
		},
		Clicks: []engagement.Click{{ID: f.ids.Next(), Workspace: workspace, Block: "b", Person: "u1", At: f.clock, Destination: "https://x.example/1", Reason: "r"}},
	}))
	f.sameShown(row)
	f.must(f.store.Record(f.Context(), engagement.Batch{Shown: []engagement.Shown{newer, older}}))
	f.reopen()
	f.sameShown(newer)
	for _, key := range [][3]string{{"x", "u1", "p"}, {"b", "u2", "p"}, {"b", "u1", "x"}} {
		if _, ok, err := f.store.Shown(f.Context(), key[0], key[1], key[2]); ok || err != nil {
			f.Errorf("%v: %v, %v", key, ok, err)
		}
	}
	// A batch is stored whole or not at all.
	again := engagement.Impression{ID: f.ids.Next(), At: f.clock}
	last := newer
	last.At = newer.At.Add(time.Second)
	if err := f.store.Record(f.Context(), engagement.Batch{Impressions: []engagement.Impression{again, again}, Shown: []engagement.Shown{last}}); err == nil {
		f.Error("one id for two impressions is accepted")
	}
	f.sameShown(newer)
}

func (f *fixture) sameShown(want engagement.Shown) {
	f.Helper()
	got, ok, err := f.store.Shown(f.Context(), want.Block, want.Person, want.Params)
	f.must(err)
	f.same("shown", []any{ok, got}, []any{true, want})
}

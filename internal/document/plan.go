package document

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"platen/internal/workspace"
)

// planning turns what is stored and what is applied into what has to be put.
type planning struct {
	in     Input
	sealer *workspace.Sealer
	random io.Reader
	now    time.Time

	before map[identity]*entry
	after  map[identity]*entry    // before, with all of docs
	given  map[identity]*document // what this apply has placed so far
	claims map[identity]bool      // stored documents that are named by their id in this apply

	put    []Stored
	report Report
}

// run plans all documents. The error is of type Problems, or internal.
func (p *planning) run(docs []*document) error {
	p.after, p.given, p.claims = maps.Clone(p.before), map[identity]*document{}, map[identity]bool{}
	p.report = Report{DryRun: p.in.DryRun}
	for _, kind := range kinds {
		if err := p.placeAll(ofKind(docs, kind)); err != nil {
			return err
		}
	}
	p.check()
	return problemsOf(docs).orNil()
}

// placeAll places the documents of one kind: those that state their id first, so
// that a name they give up can be taken by another.
func (p *planning) placeAll(docs []*document) error {
	for _, stated := range []bool{true, false} {
		for _, d := range docs {
			if (d.spec.statedID() != "") != stated {
				continue
			}
			if err := p.place(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func ofKind(docs []*document, kind Kind) []*document {
	return slices.DeleteFunc(slices.Clone(docs), func(d *document) bool { return d.kind != kind })
}

// problemsOf gathers what the files' readers found.
func problemsOf(docs []*document) Problems {
	var all Problems
	seen := map[*reader]bool{}
	for _, d := range docs {
		if !seen[d.in] {
			seen[d.in] = true
			all = append(all, d.in.problems...)
		}
	}
	return all
}

// place finds out which stored document d is a new version of, and what changes.
func (p *planning) place(d *document) error {
	number, ok := p.numberOf(d)
	if !ok {
		return nil
	}
	id, ok, err := p.identify(d, number)
	if !ok || err != nil {
		return err
	}
	if first := p.given[id]; first != nil {
		d.refuse("/name", "duplicate_document", "%s %q is here twice, first at %s", d.kind, d.name, first.place())
		return nil
	}
	p.given[id] = d
	secret, ok, err := p.settleSecret(d, number, p.before[id])
	if !ok || err != nil {
		return err
	}
	return p.compare(d, id, secret)
}

// numberOf finds the number of the document's workspace; a new workspace gets
// the next. Numbers are never given twice, since documents are never removed.
func (p *planning) numberOf(d *document) (int64, bool) {
	if p.in.Scope != "" && d.workspace != p.in.Scope {
		d.refuse("/workspace", "forbidden", "only workspace %q can be changed with this key", p.in.Scope)
		return 0, false
	}
	names, highest := []string{}, int64(0)
	for id, e := range p.after {
		if id.kind != KindWorkspace {
			continue
		}
		if e.stored.Name == d.workspace {
			return id.workspace, true
		}
		names, highest = append(names, e.stored.Name), max(highest, id.workspace)
	}
	if d.kind == KindWorkspace {
		return highest + 1, true
	}
	slices.Sort(names)
	d.refuse("/workspace", "unknown_workspace", "there is no workspace %q; %s", d.workspace, didYouMean(d.workspace, names))
	return 0, false
}

// identify gives the identity of a document. Kinds with an id of their own state
// it, or take that of the stored document of their name, or get a new one.
func (p *planning) identify(d *document, number int64) (id identity, ok bool, err error) {
	id = identity{d.kind, number, d.name}
	if d.kind != KindCampaign && d.kind != KindBlock {
		return id, true, nil
	}
	if id.id = d.spec.statedID(); id.id != "" {
		if p.belongsElsewhere(id) {
			d.refuse("/id", "id_taken", "the id %s is taken; leave it out to be given another", id.id)
			return id, false, nil
		}
		p.claims[id] = true
	} else if id.id = p.idOfName(d, number); id.id == "" {
		if id.id, err = p.newID(d.kind); err != nil {
			return id, false, err
		}
	}
	return id, true, p.assign(d, id)
}

// belongsElsewhere says whether another workspace has this id.
func (p *planning) belongsElsewhere(id identity) bool {
	for other := range p.after {
		if other.kind == id.kind && other.id == id.id && other.workspace != id.workspace {
			return true
		}
	}
	return false
}

// idOfName finds the document of this name: one of this apply, which d then
// doubles, or the stored one, unless another of this apply names it by its id.
func (p *planning) idOfName(d *document, number int64) string {
	for id, other := range p.given {
		if id.kind == d.kind && id.workspace == number && other.name == d.name {
			return id.id
		}
	}
	for id, e := range p.before {
		if id.kind == d.kind && id.workspace == number && e.stored.Name == d.name && !p.claims[id] {
			return id.id
		}
	}
	return ""
}

func (p *planning) newID(kind Kind) (string, error) {
	if kind == KindBlock {
		var b [8]byte
		if _, err := io.ReadFull(p.random, b[:]); err != nil {
			return "", fmt.Errorf("draw an id: %w", err)
		}
		return hex.EncodeToString(b[:]), nil
	}
	id, err := uuid.NewRandomFromReader(p.random)
	if err != nil {
		return "", fmt.Errorf("draw an id: %w", err)
	}
	return id.String(), nil
}

// assign writes the ids into the document, those of variants as well: a variant
// keeps the id of the stored one with its name.
func (p *planning) assign(d *document, id identity) error {
	switch s := d.spec.(type) {
	case *blockSpec:
		s.ID = id.id
	case *campaignSpec:
		s.ID = id.id
		return p.assignVariants(s, p.before[id])
	}
	return nil
}

func (p *planning) assignVariants(s *campaignSpec, old *entry) error {
	taken, byName := map[string]bool{}, map[string]string{}
	for _, v := range s.Variants {
		taken[v.ID] = true
	}
	if old != nil {
		for _, v := range old.doc.spec.(*campaignSpec).Variants {
			byName[v.Name] = v.ID
		}
	}
	for i := range s.Variants {
		v := &s.Variants[i]
		if v.ID == "" && !taken[byName[v.Name]] {
			v.ID = byName[v.Name]
		}
		if v.ID == "" {
			id, err := p.newID(KindCampaign)
			if err != nil {
				return err
			}
			v.ID = id
		}
		s.campaign.Variants[i].ID = v.ID
	}
	return nil
}

// compare notes what a document changes.
func (p *planning) compare(d *document, id identity, secret settled) error {
	body, err := encode(d.spec)
	if err != nil {
		return err
	}
	next := Stored{
		Workspace: id.workspace, Kind: d.kind, ID: id.id, Name: d.name,
		Version: 1, Body: body, Secret: secret.stored, Updated: p.now,
	}
	change := Change{Action: Created, Kind: d.kind, Workspace: d.workspace, Name: d.name, File: d.in.file, Line: d.root.Line}
	old := p.before[id]
	if old != nil {
		next.Version = old.stored.Version + 1
		if change.Action, change.Fields, err = difference(old, d, next, secret); err != nil {
			return err
		}
	}
	if id.id != d.name && (old != nil || !p.in.DryRun) { // a dry run gives no new ids: they would be others the next time
		change.ID = id.id
	}
	p.report.Changes = append(p.report.Changes, change)
	if change.Action == Unchanged {
		p.after[id] = &entry{old.stored, d}
		return nil
	}
	p.after[id] = &entry{next, d}
	p.put = append(p.put, next)
	// A document that could not be read again would keep the server from starting.
	_, err = decodeStored(next)
	return err
}

// difference tells what a new version changes.
func difference(old *entry, d *document, next Stored, secret settled) (Action, []FieldChange, error) {
	before, err := encode(old.doc.spec)
	if err != nil {
		return "", nil, err
	}
	if bytes.Equal(before, next.Body) && bytes.Equal(old.stored.Secret, next.Secret) {
		return Unchanged, nil, nil
	}
	fields, err := tellChanges(old.doc.spec, d.spec)
	if secret.changed {
		fields = append(fields, FieldChange{Field: secret.field, Before: "(secret)", After: "(another secret)"})
	}
	return Changed, fields, err
}

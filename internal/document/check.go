package document

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"platen/internal/block"
)

// check reports what does not fit together once all documents are in place. Only
// what this apply brings or touches is looked at.
func (p *planning) check() {
	for _, id := range inOrder(p.given) {
		d, e := p.given[id], p.after[id]
		if e == nil || e.doc != d {
			continue // it was refused before
		}
		switch s := d.spec.(type) {
		case *workspaceSpec:
			p.checkEgress(d, s, p.before[id])
		case *apiKeySpec:
			p.checkToken(d, e)
		case *sourceSpec:
			p.checkKey(d, id, s)
		case *credentialSpec:
			p.checkUses(d, id, s)
		case *catalogSpec:
			p.checkSelectionsKept(d, id, s)
		case *snippetSpec:
			p.checkTexts(d, id)
			p.checkNesting(d, id, s)
		case *campaignSpec:
			p.checkName(d, id)
			p.checkCredentials(d, id, s)
			p.checkTexts(d, id)
		case *blockSpec:
			p.checkName(d, id)
			p.checkAlias(d, id)
			p.checkTexts(d, id)
		}
	}
	p.checkLinks()
}

// inOrder gives the keys of a map in an order that is always the same, so that
// people are told the same each time.
func inOrder[V any](m map[identity]V) []identity {
	return slices.SortedFunc(maps.Keys(m), func(a, b identity) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)),
			cmp.Compare(a.workspace, b.workspace),
			cmp.Compare(a.id, b.id),
		)
	})
}

// others gives all other documents of a kind.
func (p *planning) others(id identity) []*entry {
	var found []*entry
	for other, e := range p.after {
		if other.kind == id.kind && other != id {
			found = append(found, e)
		}
	}
	return found
}

// checkEgress holds that a key of one workspace cannot open the server's own
// network to it.
func (p *planning) checkEgress(d *document, s *workspaceSpec, old *entry) {
	if p.in.Scope == "" {
		return
	}
	var stored []netip.Prefix
	if old != nil {
		stored = old.doc.spec.(*workspaceSpec).policy.Allow
	}
	switch {
	case old != nil && slices.Equal(stored, s.policy.Allow):
	case len(s.policy.Allow) == 0 && len(stored) > 0:
		d.refuse("/egress", "forbidden", "this would close the egress that is open now; only who runs the server can: write it as %s to leave it", egressText(stored))
	default:
		d.refuse("/egress", "forbidden", "egress is opened by who runs the server: platen apply on its machine")
	}
}

func egressText(allow []netip.Prefix) string {
	texts := make([]string, len(allow))
	for i, prefix := range allow {
		texts[i] = prefix.String()
	}
	return "egress: {allow: [" + strings.Join(texts, ", ") + "]}"
}

func (p *planning) checkToken(d *document, e *entry) {
	for _, other := range p.others(e.stored.identity()) {
		// Both are keyed hashes, nil in a dry run that would make a token.
		if len(e.stored.Secret) > 0 && string(other.stored.Secret) == string(e.stored.Secret) {
			d.refuse("/token", "token_taken", "another API key has this token; each needs its own")
			return
		}
	}
}

func (p *planning) checkKey(d *document, id identity, s *sourceSpec) {
	for _, other := range p.others(id) {
		if other.doc.spec.(*sourceSpec).Key == s.Key {
			d.refuse("/key", "key_taken", "the key %q is taken by another source of this server; keys are part of the URL", s.Key)
			return
		}
	}
}

func (p *planning) checkName(d *document, id identity) {
	for _, other := range p.others(id) {
		if other.stored.Workspace == id.workspace && other.stored.Name == d.name {
			d.refuse("/name", "name_taken", "the name %q is taken by the %s %s", d.name, d.kind, other.stored.ID)
			return
		}
	}
}

func (p *planning) checkAlias(d *document, id identity) {
	if !block.IsAlias(d.name) {
		return
	}
	for _, other := range p.others(id) {
		if other.stored.Workspace != id.workspace && other.stored.Name == d.name {
			d.refuse("/name", "name_taken", "the name %q is part of the block's URL and taken by another workspace; choose another", d.name)
			return
		}
	}
}

// checkCredentials holds that each webhook's credential exists and stays at home.
func (p *planning) checkCredentials(d *document, id identity, s *campaignSpec) {
	for i, v := range s.campaign.Variants {
		w := v.Webhook
		if w.Credential == "" {
			continue
		}
		pointer := fmt.Sprintf("/variants/%d/webhook", i)
		credential := identity{KindCredential, id.workspace, w.Credential}
		e := p.after[credential]
		if e == nil && p.given[credential] != nil {
			continue // it is here and was refused itself
		}
		if e == nil {
			d.refuse(pointer+"/credential", "unknown_credential", "workspace %q has no credential %q; %s",
				d.workspace, w.Credential, didYouMean(w.Credential, p.namesOf(KindCredential, id.workspace)))
			continue
		}
		bound := e.doc.spec.(*credentialSpec).Host
		switch host, literal := w.LiteralHost(); {
		case !literal:
			d.refuse(pointer+"/url", "credential_host", "a URL with a credential needs its host as plain text before any Liquid: "+
				"the credential %q is for %s alone", w.Credential, bound)
		case host != bound:
			d.refuse(pointer+"/url", "credential_host", "the credential %q is for %s and is not sent to %s", w.Credential, bound, host)
		}
	}
}

// checkUses holds that a changed credential still fits the stored campaigns that
// name it; campaigns of this apply are checked themselves.
func (p *planning) checkUses(d *document, id identity, s *credentialSpec) {
	for _, other := range inOrder(p.after) {
		e := p.after[other]
		c, ok := e.doc.spec.(*campaignSpec)
		if !ok || other.workspace != id.workspace || p.given[other] != nil {
			continue
		}
		for _, v := range c.campaign.Variants {
			host, _ := v.Webhook.LiteralHost()
			if v.Webhook.Credential == d.name && host != s.Host {
				d.refuse("/host", "credential_host", "the campaign %q sends this credential to %s; change both together", e.stored.Name, host)
			}
		}
	}
}

// namesOf gives the names of all documents of a kind that is known by its names.
func (p *planning) namesOf(kind Kind, number int64) []string {
	var names []string
	for id := range p.after {
		if id.kind == kind && id.workspace == number {
			names = append(names, id.id)
		}
	}
	slices.Sort(names)
	return names
}

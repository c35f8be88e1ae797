package document

import (
	"strings"

	"platen/internal/block"
)

// checkLinks holds that the links of blocks do not come, through snippets, to a tag
// that only messages may have: for what this apply brings, be it the block or a
// snippet on the way.
func (p *planning) checkLinks() {
	for _, id := range inOrder(p.after) {
		e := p.after[id]
		if id.kind != KindBlock {
			continue
		}
		for _, t := range e.doc.liquidTexts() {
			for _, use := range t.Uses().Snippets {
				way, tag := p.wayToMessageTag(use.Name, id.workspace, map[string]bool{})
				if tag == "" {
					continue
				}
				text := textCheck{p, e.doc, id.workspace, t.at}
				if p.given[id] == e.doc {
					text.refuse(use.Span, "message_tag", "the snippet %s has %s, which %s", strings.Join(way, " → "), tag, block.NotInLinks)
				} else {
					p.refuseOnWay(way, id.workspace, e.stored.Name, tag)
				}
			}
		}
	}
}

// refuseOnWay reports the last snippet on the way that this apply brings; without
// one the way was there before.
func (p *planning) refuseOnWay(way []string, workspace int64, blockName, tag string) {
	for i := len(way) - 1; i >= 0; i-- {
		if d := p.given[identity{KindSnippet, workspace, way[i]}]; d != nil {
			d.refuse("/text", "message_tag", "the link of the block %q uses this snippet (%s), and so comes to %s, which %s",
				blockName, strings.Join(way, " → "), tag, block.NotInLinks)
			return
		}
	}
}

// wayToMessageTag follows the snippets that one uses to the first that has a tag
// only messages may have: the names from the first to that one, and the tag.
func (p *planning) wayToMessageTag(from string, workspace int64, seen map[string]bool) (way []string, tag string) {
	e := p.after[identity{KindSnippet, workspace, from}]
	if e == nil || seen[from] {
		return nil, ""
	}
	seen[from] = true
	if tag, _ := block.MessageTag(e.doc.spec.(*snippetSpec).template); tag != "" {
		return []string{from}, tag
	}
	for _, next := range p.snippetsIn(from, workspace) {
		if way, tag := p.wayToMessageTag(next, workspace, seen); tag != "" {
			return append([]string{from}, way...), tag
		}
	}
	return nil, ""
}

package document

import (
	"strings"
	"testing"
)

const linkedBlock = "---\nkind: Block\nworkspace: shop\nname: b\nshow: [{items: {event: product_viewed}}]\nfallback: {title: x}\n" +
	"link: 'https://x.example/{{content_blocks.${outer}}}'\n"

// The link of a block has no calls, codes or extras, whatever snippets it uses.
func TestLinksUseNoMessageTagsThroughSnippets(t *testing.T) {
	list := "---\nkind: PromotionList\nworkspace: shop\nname: p\ncodes: [a]\n"
	for tag, text := range map[string]string{
		"connected_content": "{% connected_content https://a.example/ %}",
		"promotion":         "{% promotion('p') %}",
		"message_extras":    "{% message_extras :key k :value v %}",
	} {
		inner, plain, outer := snippet("inner", text), snippet("inner", "x"), snippet("outer", "{{content_blocks.${inner}}}")

		s := newServer(t)
		want := `test.yaml:6:43: the snippet outer → inner has ` + tag + `, which is for messages; the link of a block can use catalogs and snippets`
		if got := s.refuses(shop + list + inner + outer + linkedBlock); !strings.Contains(got, tag+", which is for messages") {
			t.Errorf("all at once: %s", got)
		}
		s.apply(shop + list + inner + outer)
		if got := s.refuses(strings.TrimPrefix(linkedBlock, "---\n")); !strings.Contains(got, want) {
			t.Errorf("a block that comes later: %s", got)
		}
		s.apply(plain + linkedBlock)
		want = `test.yaml:5:7: the link of the block "b" uses this snippet (outer → inner), and so comes to ` + tag + `, which is for messages`
		if got := s.refuses(inner); !strings.Contains(got, want) {
			t.Errorf("a snippet that changes: %s", got)
		}
		s.apply(snippet("other", text))
		want = `the link of the block "b" uses this snippet (outer → other), and so comes to ` + tag
		if got := s.refuses(snippet("outer", "{{content_blocks.${other}}}")); !strings.Contains(got, want) {
			t.Errorf("a snippet that uses another: %s", got)
		}
		s.apply(inner + outer + strings.Replace(linkedBlock, "${outer}", "${none}", 1) + snippet("none", "x"))
	}
}

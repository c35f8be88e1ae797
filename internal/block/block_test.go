package block

import (
	"context"
	"errors"
	"strings"
	"testing"

	"platen/liquid"
)

func TestRenderLink(t *testing.T) {
	items := liquid.Input{Vars: map[string]any{"items": []any{map[string]any{"url": "https://www.example.com/p/1"}}}}
	for link, want := range map[string]string{
		"":                        "",
		"{{ items[0].url }}":      "https://www.example.com/p/1",
		"\n {{ items[0].url }}\n": "https://www.example.com/p/1",
		"{{ items[1].url }}":      "",
	} {
		b := &Block{Link: link}
		if err := b.Compile(); err != nil {
			t.Fatal(err)
		}
		if got, err := b.RenderLink(context.Background(), items); got != want || err != nil {
			t.Errorf("%q: %q, %v", link, got, err)
		}
	}
	if err := (&Block{Link: "{{ items"}).Compile(); err == nil {
		t.Error("a broken link is accepted")
	}
	if _, err := new(Block).RenderLink(context.Background(), items); err == nil {
		t.Error("a block renders that was not compiled")
	}
}

// TestLinksAreNoMessages has the tags of which a block's link takes none.
func TestLinksAreNoMessages(t *testing.T) {
	for tag, text := range map[string]string{
		"connected_content": "{% connected_content https://a.example/ %}",
		"promotion":         "{% promotion('spring') %}",
		"message_extras":    "{% message_extras :key k :value v %}",
	} {
		err := (&Block{Link: "\n{% if items %}" + text + "{% endif %}"}).Compile()
		var place *liquid.Error
		if !errors.As(err, &place) || place.Pos.Line != 2 || place.Pos.Column != 15 || !strings.HasPrefix(place.Message, tag+" is for messages") {
			t.Errorf("%s: got %v", text, err)
		}
	}
	b := &Block{Link: "{% catalog_items pages home %}{{content_blocks.${base}}}{{items[0].path}}"}
	if err := b.Compile(); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]struct{ id, alias bool }{
		"0123456789abcdef":      {id: true},
		"0123456789ABCDEF":      {alias: true},
		"0123456789abcde":       {alias: true},
		"recently-viewed":       {alias: true},
		"Recently_Viewed2":      {alias: true},
		"recently viewed":       {},
		"-x":                    {},
		"a/b":                   {},
		"a.png":                 {},
		"":                      {},
		strings.Repeat("a", 64): {alias: true},
		strings.Repeat("a", 65): {},
	} {
		if IsPublicID(name) != want.id || IsAlias(name) != want.alias {
			t.Errorf("%q: id %v, alias %v", name, IsPublicID(name), IsAlias(name))
		}
	}
}

package block

import (
	"context"
	"errors"
	"strings"

	"platen/liquid"
)

// Compile parses the block's Liquid. The error is a *liquid.Error with its place
// in Link. A block must be compiled before its link is rendered, and once only.
//
// A link is rendered at every open, within the time that a picture has: it takes
// catalogs and snippets, but nothing that calls out, gives codes away or is kept
// with a message.
func (b *Block) Compile() error {
	link, err := liquid.Parse(b.Link, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		return err
	}
	if err := onlyMessages(link); err != nil {
		return err
	}
	b.link = link
	return nil
}

// onlyMessages finds the first tag that only a message may have. The error is a
// *liquid.Error.
func onlyMessages(t *liquid.Template) (err error) {
	liquid.Walk(t.Root(), func(n liquid.Node) {
		var tag string
		switch n.(type) {
		case *liquid.ConnectedContent:
			tag = "connected_content"
		case *liquid.Promotion:
			tag = "promotion"
		case *liquid.MessageExtras:
			tag = "message_extras"
		}
		if tag != "" && err == nil {
			err = &liquid.Error{Kind: liquid.KindSyntax, Pos: n.Pos(), Text: tag,
				Message: tag + " is for messages; the link of a block can use catalogs and snippets, but no connected content, codes or extras"}
		}
	})
	return err
}

// RenderLink gives the address that a click leads to, "" for none. What is not a
// *liquid.Error is the program's own mistake.
func (b *Block) RenderLink(ctx context.Context, in liquid.Input) (string, error) {
	if b.link == nil {
		return "", errors.New("render of a block that was not compiled")
	}
	address, err := b.link.Render(ctx, in)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(address), nil
}

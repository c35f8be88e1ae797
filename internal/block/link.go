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
	if tag, at := MessageTag(link); tag != "" {
		return &liquid.Error{Kind: liquid.KindSyntax, Pos: at, Text: tag, Message: tag + " " + NotInLinks}
	}
	b.link = link
	return nil
}

// NotInLinks says why a tag cannot be used, behind its name.
const NotInLinks = "is for messages; the link of a block can use catalogs and snippets, but no connected content, codes or extras"

// MessageTag finds the first tag of a template that only a message may have, and
// where it stands. It is "" when there is none; snippets are not looked into.
func MessageTag(t *liquid.Template) (tag string, at liquid.Pos) {
	liquid.Walk(t.Root(), func(n liquid.Node) {
		if tag == "" {
			tag, at = messageTag(n), n.Pos()
		}
	})
	return tag, at
}

func messageTag(n liquid.Node) string {
	switch n.(type) {
	case *liquid.ConnectedContent:
		return "connected_content"
	case *liquid.Promotion:
		return "promotion"
	case *liquid.MessageExtras:
		return "message_extras"
	}
	return ""
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

package block

import (
	"context"
	"errors"
	"strings"

	"platen/liquid"
)

// Compile parses the block's Liquid. The error is a *liquid.Error with its place
// in Link. A block must be compiled before its link is rendered, and once only.
func (b *Block) Compile() error {
	link, err := liquid.Parse(b.Link, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		return err
	}
	b.link = link
	return nil
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

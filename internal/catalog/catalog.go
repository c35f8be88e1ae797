// Package catalog holds what a workspace keeps for its messages beside profiles:
// catalogs of items, and lists of promotion codes.
package catalog

import "time"

// PromotionList is a list of codes of which each is given to one message.
type PromotionList struct {
	Workspace int64
	Name      string
	Codes     []string  // distinct, in the order in which they are given
	Expires   time.Time // from then on none is given; zero for never
}

package content

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"platen/internal/block"
)

// The query parameters that are not the content's own.
const (
	paramPerson = "mi_u" // who the person is, shared/spec/collector-and-content.md section 4
	paramItem   = "item" // which of the items is shown alone, from 1
)

// Request asks for what a block shows to one person. A picture and its link are
// asked for with equal requests.
type Request struct {
	Block  *block.Block
	Person string     // mi_u as it was sent
	Item   int        // the item that is shown alone, from 1; WholePicture for all, else there is none
	Params url.Values // the other query parameters
	Format Format     // of the picture
	Now    time.Time
}

// WholePicture asks for all items in one picture.
const WholePicture = 0

// badItem is an item that is no number.
const badItem = -1

// NewRequest makes a request of an address's query.
func NewRequest(b *block.Block, query url.Values, format Format, now time.Time) Request {
	r := Request{Block: b, Person: query.Get(paramPerson), Params: url.Values{}, Format: format, Now: now}
	for name, values := range query {
		if name != paramPerson && name != paramItem {
			r.Params[name] = values
		}
	}
	if text := query.Get(paramItem); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			n = badItem
		}
		r.Item = n
	}
	return r
}

// pairing names what was shown under the request's parameters as the given item.
// A picture and its link are paired by having the same ones. What mail tools add
// to links alone, to follow campaigns, does not part them.
func (r Request) pairing(item int) string {
	shared := url.Values{paramItem: {strconv.Itoa(item)}}
	for name, values := range r.Params {
		if !strings.HasPrefix(name, "utm_") {
			shared[name] = values
		}
	}
	sum := sha256.Sum256([]byte(shared.Encode())) // sorted by name
	return hex.EncodeToString(sum[:16])
}

// variables are the parameters as Liquid and explain output see them: of each
// the first value.
func (r Request) variables() map[string]any {
	vars := make(map[string]any, len(r.Params))
	for name := range r.Params {
		vars[name] = r.Params.Get(name)
	}
	return vars
}

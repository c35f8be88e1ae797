package engage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"platen/internal/fault"
	"platen/internal/ingest"
)

const trackPath = "/users/track"

// source is what stands in the place of a collector's source.
const source = "engage"

// maxObjects is how many objects one array of /users/track may hold.
const maxObjects = 75

// trackArrays are the arrays of a request in the order in which they act. Each
// reader makes an item of one object, and notes what it had to leave out of it.
var trackArrays = []struct {
	name    string
	read    func(o object, received time.Time) (ingest.Item, []*fault.Error, error)
	counter func(*answer) **int
}{
	{"attributes", readAttributes, func(a *answer) **int { return &a.Attributes }},
	{"events", readEvent, func(a *answer) **int { return &a.Events }},
	{"purchases", readPurchase, func(a *answer) **int { return &a.Purchases }},
}

const noValidData = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."

// track stores the objects of one request, each on its own.
func (h *Handler) track(ctx context.Context, c call) (answer, error) {
	b := batch{call: c}
	if err := b.read(); err != nil {
		return answer{}, err
	}
	accept := ingest.Accept{Workspace: c.workspace, Source: source, Received: c.received.UnixMicro(), Items: b.items}
	if len(b.items) > 0 {
		if err := h.writer.Submit(ctx, &accept); err != nil {
			return answer{}, err
		}
	}
	return b.report(accept.Outcomes), nil
}

// batch is the objects of one request on their way to the write path.
type batch struct {
	call
	items   []ingest.Item // one for each object
	origins []origin      // of the items
}

// origin says where in the request an item comes from.
type origin struct {
	array, index int
	refused      error // by a reader; nil else
}

// read takes the request apart into items. An error speaks of the whole request.
func (b *batch) read() error {
	for i, array := range trackArrays {
		list, err := arrayIn(b.body, array.name, maxObjects)
		if err != nil {
			return err
		}
		for index, raw := range list {
			b.add(origin{array: i, index: index}, raw)
		}
	}
	return nil
}

// arrayIn reads an array of a request; an absent one is empty.
func arrayIn(body object, name string, most int) (list []json.RawMessage, err error) {
	if json.Unmarshal(body[name], &list) != nil && body.sent(name) {
		return nil, fault.New(fault.Invalid, "wrong_type", "'%s' must be an array of objects", name)
	}
	if len(list) > most {
		return nil, fault.New(fault.Invalid, "too_many", "Max Input Length Exceeded: '%s' holds %d objects, at most %d are taken in one request", name, len(list), most)
	}
	return list, nil
}

// add reads one object.
func (b *batch) add(from origin, raw json.RawMessage) {
	nth := len(b.items)
	item, left, err := b.item(from, raw)
	if err != nil {
		from.refused = err
		b.put(from, ingest.Item{Raw: raw, Refused: fault.From(err), Key: b.key(ingest.ByRefusal, string(raw), nth)})
		return
	}
	item.Raw = raw
	item.Key = b.key(ingest.ByIdempotencyKey, "", nth)
	if len(left) > 0 {
		item.Left = joined(left)
	}
	if item.Event == nil {
		item.At += int64(nth) // of attributes sent at once the later ones hold
	}
	b.put(from, item)
}

// key recognises the nth object when its request comes again, nil without an
// Idempotency-Key. What is refused is recognised by its text as well.
func (b *batch) key(by ingest.SeenBy, text string, nth int) *ingest.SeenKey {
	if b.idempotency == "" {
		return nil
	}
	key := ingest.NewSeenKey(b.workspace, trackPath, by, b.idempotency+text, nth)
	return &key
}

func (b *batch) item(from origin, raw json.RawMessage) (ingest.Item, []*fault.Error, error) {
	array := trackArrays[from.array]
	o, ok := objectOf(raw)
	if !ok {
		return ingest.Item{}, nil, fault.Refused("wrong_type", "each of '%s' must be an object", array.name)
	}
	return array.read(o, b.received)
}

// joined makes one fault of what was left out of an object, so that an object
// has one row in quarantine however much is wrong with it.
func joined(left []*fault.Error) *fault.Error {
	const told = 5
	all := *left[0]
	for _, f := range left[1:min(len(left), told)] {
		all.Message += "; " + f.Message
	}
	if more := len(left) - told; more > 0 {
		all.Message += fmt.Sprintf("; and %d more", more)
	}
	if len(left) > 1 {
		all.Pointer = "" // it would name the first alone
	}
	return &all
}

func (b *batch) put(from origin, item ingest.Item) {
	b.items = append(b.items, item)
	b.origins = append(b.origins, from)
}

// report tells what became of the objects. Good ones are stored whatever the
// others are; only a request without any good one is an error.
func (b *batch) report(outcomes []ingest.Outcome) answer {
	a := answer{status: http.StatusCreated, Message: "success"}
	processed := make([]int, len(trackArrays))
	any := false
	for i, o := range outcomes {
		from := b.origins[i]
		switch {
		case o.Refused == nil || b.skipped(i, o):
			processed[from.array]++
			any = true
		default:
			a.Errors = append(a.Errors, from.problem(o))
		}
	}
	if !any {
		return answer{status: http.StatusBadRequest, Message: noValidData, Errors: a.Errors}
	}
	for i, array := range trackArrays {
		if b.body.sent(array.name) {
			*array.counter(&a) = &processed[i]
		}
	}
	return a
}

// skipped says that an object had nobody to act on and asked for no more: it is
// processed, as by the original. A row in quarantine tells of it.
func (b *batch) skipped(i int, o ingest.Outcome) bool {
	return b.items[i].ExistingOnly && o.Refused.Reason == "unknown_profile"
}

func (from *origin) problem(o ingest.Outcome) problem {
	text := o.Refused.Safe()
	if from.refused != nil {
		text = textOf(from.refused)
	}
	return problem{Type: text, Array: trackArrays[from.array].name, Index: &from.index}
}

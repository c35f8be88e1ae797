package block

import (
	"encoding/json"

	"platen/internal/event"
	"platen/liquid"
)

// Item is one event that a rule picked to be shown.
type Item struct {
	Event event.Event

	properties map[string]json.RawMessage
}

// NewItem makes an item of an event. Properties that are no JSON object are as
// good as none.
func NewItem(e event.Event) Item {
	i := Item{Event: e}
	if json.Unmarshal(e.Properties, &i.properties) != nil {
		i.properties = nil
	}
	return i
}

// Text gives a property that is a text, or a number as the sender wrote it; ""
// when it is missing or anything else.
func (i Item) Text(property string) string { return textOf(i.properties[property]) }

// Value is the item as Liquid sees it: its properties in the sender's order.
func (i Item) Value() any {
	if len(i.Event.Properties) > 0 {
		if value, err := liquid.FromJSON(i.Event.Properties); err == nil {
			return value
		}
	}
	return &liquid.Map{}
}

// idProperties are the names under which senders give a product its id
// (shared/spec/collector-and-content.md section 3).
var idProperties = []string{"id", "product_id", "sku"}

// about gives the ids of the products that an event was about: those in its list
// of products, or else its own. The id of an event with a list is not a product's
// but an order's.
func (i Item) about() []string {
	var products []map[string]json.RawMessage
	if json.Unmarshal(i.properties["products"], &products) != nil || len(products) == 0 {
		return idsOf(i.properties)
	}
	var ids []string
	for _, p := range products {
		ids = append(ids, idsOf(p)...)
	}
	return ids
}

func idsOf(properties map[string]json.RawMessage) []string {
	var ids []string
	for _, name := range idProperties {
		if id := textOf(properties[name]); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// textOf reads a JSON text or number.
func textOf(value json.RawMessage) string {
	if len(value) == 0 {
		return ""
	}
	switch c := value[0]; {
	case c == '"':
		var text string
		if json.Unmarshal(value, &text) != nil {
			return ""
		}
		return text
	case c == '-' || '0' <= c && c <= '9':
		return string(value)
	}
	return ""
}

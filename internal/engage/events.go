package engage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
)

// purchaseName is the name under which purchases lie on the timeline. One row is
// one purchase object: its quantity says for how many purchases it stands, and
// its properties lie beside product_id, price, currency and quantity, which are
// reserved names.
const purchaseName = "purchase"

// The bounds of properties (spec 4.1).
const (
	maxProperties = 256
	maxQuantity   = 100
)

// The names that properties may not have.
var (
	reservedInEvents    = []string{"time", "event_name"}
	reservedInPurchases = []string{"time", "product_id", "quantity", "event_name", "price", "currency"}
)

// readEvent reads one object of the events array.
func readEvent(o object, received time.Time) (ingest.Item, []*fault.Error, error) {
	item, err := readTarget(o)
	if err != nil {
		return item, nil, err
	}
	name, err := readName(o)
	if err != nil {
		return item, nil, err
	}
	e := &event.Event{Kind: event.Track, Name: name, UserID: item.Who.UserID}
	item.Event = e
	if err := setTime(&item, o, received); err != nil {
		return item, nil, err
	}
	properties, left, err := readProperties(o["properties"], reservedInEvents)
	if err != nil {
		return item, nil, err
	}
	if properties != nil {
		e.Properties = encodeMembers(properties)
	}
	return item, left, nil
}

// readPurchase reads one object of the purchases array.
func readPurchase(o object, received time.Time) (ingest.Item, []*fault.Error, error) {
	item, err := readTarget(o)
	if err != nil {
		return item, nil, err
	}
	product, err := readProduct(o)
	if err != nil {
		return item, nil, err
	}
	e := &event.Event{Kind: event.Purchase, Name: purchaseName, UserID: item.Who.UserID}
	item.Event = e
	if err := setTime(&item, o, received); err != nil {
		return item, nil, err
	}
	properties, left, err := readProperties(o["properties"], reservedInPurchases)
	if err != nil {
		return item, nil, err
	}
	e.Properties = encodeMembers(append(product, properties...))
	return item, left, nil
}

func readName(o object) (string, error) {
	if !o.sent("name") {
		return "", missing("name")
	}
	name, ok := textIn(o["name"])
	name = strings.TrimSpace(name)
	if !ok || name == "" || tooLong(name) {
		return "", notValid("name", "is a string of 1 to %d characters", maxText)
	}
	return name, nil
}

// setTime gives an item its time. A time in the future becomes the receipt, as by
// the original.
func setTime(item *ingest.Item, o object, received time.Time) error {
	if !o.sent("time") {
		return missing("time")
	}
	at, err := readTime(o["time"])
	if err != nil {
		return notValid("time", "is a time in ISO 8601, as in 2026-01-31T15:04:05Z")
	}
	own := !at.After(received)
	if !own {
		at = received
	}
	item.Event.At, item.Event.OwnTime = at.UTC().Truncate(time.Microsecond), own
	item.At = item.Event.At.UnixMicro()
	return nil
}

// readProduct reads the required fields of a purchase, as the members under which
// they are kept.
func readProduct(o object) ([]member, error) {
	for _, field := range []string{"product_id", "currency", "price"} {
		if !o.sent(field) {
			return nil, missing(field)
		}
	}
	id, err := event.ParseID(o["product_id"]) // integers are taken, as by the original
	if err != nil || id == "" || tooLong(id) {
		return nil, notValid("product_id", "is a string of 1 to %d characters", maxText)
	}
	code, _ := textIn(o["currency"])
	currency := strings.ToUpper(code)
	if !currencies[currency] {
		return nil, notValid("currency", "is a code of ISO 4217, as USD")
	}
	if !isNumber(o["price"]) {
		return nil, notValid("price", "is a number")
	}
	quantity, err := readQuantity(o)
	if err != nil {
		return nil, err
	}
	return []member{
		{"product_id", json.RawMessage(quote(id))},
		{"price", o["price"]},
		{"currency", json.RawMessage(quote(currency))},
		{"quantity", json.RawMessage(strconv.Itoa(quantity))},
	}, nil
}

func readQuantity(o object) (int, error) {
	if !o.sent("quantity") {
		return 1, nil
	}
	n, err := strconv.ParseFloat(string(o["quantity"]), 64)
	if err != nil || n < 1 || n > maxQuantity || n != float64(int(n)) {
		return 0, notValid("quantity", "is a whole number from 1 to %d", maxQuantity)
	}
	return int(n), nil
}

// readProperties reads the properties of an event or a purchase. Of more than
// maxProperties the first are kept, as by the original.
func readProperties(raw json.RawMessage, reserved []string) ([]member, []*fault.Error, error) {
	if absent(raw) {
		return nil, nil, nil
	}
	properties, ok := membersOf(raw)
	if !ok {
		return nil, nil, badProperties("properties are a JSON object")
	}
	var left []*fault.Error
	if n := len(properties); n > maxProperties {
		properties = properties[:maxProperties]
		left = append(left, fault.Refused("too_many_properties",
			"the object has %d properties; only the first %d were kept", n, maxProperties).In("/properties"))
	}
	for _, p := range properties {
		if err := checkProperty(p, reserved); err != nil {
			return nil, nil, badProperties("the property %.40q %v", p.name, err)
		}
	}
	if size := len(compact(raw)); size > event.MaxPropertiesBytes {
		return nil, nil, badProperties("the properties have %d bytes, at most %d are taken", size, event.MaxPropertiesBytes)
	}
	return properties, left, nil
}

func checkProperty(p member, reserved []string) error {
	text, _ := textIn(p.value)
	switch {
	case p.name == "" || tooLong(p.name):
		return fmt.Errorf("needs a name of 1 to %d characters", maxText)
	case strings.HasPrefix(p.name, "$"):
		return fmt.Errorf("has a name that begins with a dollar sign")
	case slices.Contains(reserved, p.name):
		return fmt.Errorf("has a reserved name; reserved are %s", strings.Join(reserved, ", "))
	case tooLong(text):
		return fmt.Errorf("has more than %d characters", maxText)
	}
	return nil
}

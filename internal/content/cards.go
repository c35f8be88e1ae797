package content

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"platen/internal/block"
	"platen/internal/render"
)

// cardOf turns an item into what a card shows of it, without its photo. The names
// are those of the e-commerce schema and, after them, what other senders write
// (shared/spec/collector-and-content.md section 3).
func cardOf(i block.Item) render.CardItem {
	return render.CardItem{
		Title:    firstText(i, "title", "name"),
		Price:    priceText(i.Text("price"), i.Text("currency")),
		Subtitle: subtitle(i),
	}
}

func firstText(i block.Item, properties ...string) string {
	for _, p := range properties {
		if text := strings.TrimSpace(i.Text(p)); text != "" {
			return text
		}
	}
	return ""
}

// subtitle is the brand, or else the title of the first category. The id of a
// category is not for people.
func subtitle(i block.Item) string {
	if brand := firstText(i, "brand"); brand != "" {
		return brand
	}
	var p struct {
		Categories []struct {
			Title string `json:"title"`
		} `json:"categories"`
	}
	if json.Unmarshal(i.Event.Properties, &p) != nil || len(p.Categories) == 0 {
		return ""
	}
	return p.Categories[0].Title
}

// symbols are the currencies that are written before the amount.
var symbols = map[string]string{"USD": "$", "EUR": "€", "GBP": "£"}

var (
	plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	oneDecimal  = regexp.MustCompile(`\.[0-9]$`)
)

// priceText writes an amount for people: 1.99 in USD is $1.99, in CHF 1.99 CHF.
// Senders drop trailing zeros, so 12.5 in USD is $12.50. Without a currency it
// stays the number that was sent, and what is no number was written for people.
func priceText(amount, currency string) string {
	amount, currency = strings.TrimSpace(amount), strings.ToUpper(strings.TrimSpace(currency))
	if strings.ContainsAny(amount, "eE") {
		if f, err := strconv.ParseFloat(amount, 64); err == nil {
			amount = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	if currency == "" || !plainNumber.MatchString(amount) {
		return amount
	}
	if oneDecimal.MatchString(amount) {
		amount += "0"
	}
	symbol, ok := symbols[currency]
	if !ok {
		return amount + " " + currency
	}
	if rest, negative := strings.CutPrefix(amount, "-"); negative {
		return "-" + symbol + rest
	}
	return symbol + amount
}

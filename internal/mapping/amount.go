package mapping

import (
	"strings"
	"unicode"
)

// amount is a decimal amount read from text.
type amount struct {
	number   string // as JSON writes it
	currency bool   // a symbol or code stood beside it
	regroup  bool   // its commas, points or blanks had to be interpreted
}

// maxAmountLength bounds the text of an amount; real ones are far shorter.
const maxAmountLength = 40

// parseAmount reads an amount as shops print it: 1.99, "$1.99", "1,99 €",
// "1,299.00", "1.299,00", "1 299". It works on the digits and never goes through
// a float.
//
// Of two different separators the last one is the decimal point. A lone comma is a
// decimal point unless exactly three digits follow it, as in 1,299; a lone point
// always is one, because that is how machines write numbers.
func parseAmount(text string) (amount, bool) {
	if len(text) > maxAmountLength {
		return amount{}, false
	}
	digits, negative, currency := stripCurrency(text)
	a := amount{currency: currency}
	whole, fraction, ok := "", "", true
	if whole, fraction, a.regroup, ok = splitAmount(digits); !ok {
		return amount{}, false
	}
	a.number = strings.TrimLeft(whole, "0")
	if a.number == "" {
		a.number = "0"
	}
	if fraction != "" {
		a.number += "." + fraction
	}
	if negative {
		a.number = "-" + a.number
	}
	return a, true
}

// stripCurrency takes signs, symbols and codes off both ends.
func stripCurrency(text string) (digits string, negative, currency bool) {
	isAround := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.Is(unicode.Sc, r)
	}
	text = strings.TrimSpace(text)
	for {
		before := text
		if rest, ok := strings.CutPrefix(text, "-"); ok && !negative {
			text, negative = rest, true
		}
		text = strings.TrimSpace(strings.TrimPrefix(text, "+"))
		if bare := strings.TrimSpace(strings.TrimFunc(text, isAround)); bare != text {
			text, currency = bare, true
		}
		if text == before {
			return text, negative, currency
		}
	}
}

// splitAmount separates the digits before and after the decimal point.
func splitAmount(s string) (whole, fraction string, regrouped, ok bool) {
	point := decimalPoint(s)
	if point < 0 {
		whole = s
	} else {
		whole, fraction = s[:point], s[point+1:]
		regrouped = s[point] == ','
	}
	plain := strings.Map(func(r rune) rune {
		if r == ',' || r == '.' || r == '\'' || r == '’' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, whole)
	if plain != whole {
		if !wellGrouped(whole) {
			return "", "", false, false
		}
		regrouped = true
	}
	if plain+fraction == "" || strings.Trim(plain+fraction, "0123456789") != "" {
		return "", "", false, false
	}
	return plain, fraction, regrouped, true
}

// decimalPoint is the index of the decimal point, -1 when there is none.
func decimalPoint(s string) int {
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return -1
	}
	sep := s[last : last+1]
	if strings.Count(s, sep) > 1 {
		return -1 // 1.299.000: only grouping
	}
	mixed := strings.ContainsAny(strings.ReplaceAll(s, sep, ""), ".,'’")
	if sep == "," && !mixed && len(s)-last-1 == 3 && strings.Trim(s[:last], "0") != "" {
		return -1
	}
	return last
}

// wellGrouped tells whether the separators of s stand before groups of three
// digits, or of two as in India, and not anywhere.
func wellGrouped(s string) bool {
	groups := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	for i, group := range groups[min(1, len(groups)):] {
		lastGroup := i == len(groups)-2
		if len(group) != 3 && (lastGroup || len(group) != 2) {
			return false
		}
	}
	return len(groups) > 0 && s[0] >= '0' && s[0] <= '9'
}

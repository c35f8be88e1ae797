package liquid

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits bounds the numbers a template may write or compute. Ruby has no
// bound, and so can be made to spend minutes on one number.
const maxDigits = 1000

var errDigits = exceeded("this number has more than " + strconv.Itoa(maxDigits) + " digits")

// A number is a value that can be computed with: a whole number or an exact
// decimal. Ruby's Liquid computes with decimals too, which is why 10.1 minus 2.2
// is 7.9 here, and turns the result into a float at the end.
//
// Nearly all numbers are small: digits with the point moved left by scale. Those
// that are not are in large or exact.
type number struct {
	digits  int64
	scale   int
	decimal bool     // prints as a float even if it is whole
	large   *big.Int // a whole number beyond 64 bits
	exact   *big.Rat // a decimal that does not fit digits and scale
}

// maxScale is the greatest scale of a small number: 10^18 fits 64 bits.
const maxScale = 18

// powers are the powers of ten up to maxScale.
var powers = func() (p [maxScale + 1]int64) {
	p[0] = 1
	for i := 1; i <= maxScale; i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

func wholeNumber(n int64) number { return number{digits: n} }

func decimalNumber(r *big.Rat) number { return number{decimal: true, exact: r} }

// largeNumber makes a number of a result, and refuses one that is too long.
func largeNumber(n *big.Int) (number, error) {
	if n.IsInt64() {
		return wholeNumber(n.Int64()), nil
	}
	if n.BitLen() > maxDigits*10/3 {
		return number{}, errDigits
	}
	return number{large: n}, nil
}

// toNumber reads a value as a number. Text counts as far as it is one at its
// beginning; everything else is 0.
func toNumber(v any) (number, error) {
	switch v := normal(v).(type) {
	case int64:
		return wholeNumber(v), nil
	case *big.Int:
		return largeNumber(v)
	case float64:
		return floatNumber(v)
	case json.Number:
		return jsonNumber(string(v))
	case string:
		return textNumber(v)
	}
	return number{}, nil
}

// floatNumber is the decimal that a float prints as.
func floatNumber(f float64) (number, error) {
	// A decimal of at most 15 digits that rounds to f is the shortest one.
	const most, scales = 1e15, 9
	for scale, power := 0, 1.0; scale <= scales; scale, power = scale+1, 10*power {
		digits := math.Round(f * power)
		if math.Abs(digits) < most && digits/power == f {
			return number{digits: int64(digits), scale: scale, decimal: true}, nil
		}
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok {
		return number{}, failed("this number is not finite")
	}
	return decimalNumber(r), nil
}

func jsonNumber(text string) (number, error) {
	switch {
	case isWholeText(text):
		return wholeText(text)
	case isDecimal(text) && len(text) <= maxDigits:
		return decimalText(text)
	}
	// An exponent could ask for a number of any size: a float bounds it.
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return number{}, failed("this number is too large")
	}
	return floatNumber(f)
}

// isWholeText reports whether a number in JSON is written as a whole one.
func isWholeText(number string) bool { return !strings.ContainsAny(number, ".eE") }

// textNumber reads text as Ruby's Liquid does: a decimal if all of it is one,
// else the whole number it begins with, in which single underscores may stand.
func textNumber(text string) (number, error) {
	text = trimSpace(text)
	if isDecimal(text) {
		return decimalText(text)
	}
	sign := 0
	if text != "" && (text[0] == '-' || text[0] == '+') {
		sign = 1
	}
	n := sign
	for n < len(text) && (isDigit(text[n]) || text[n] == '_' && n > sign && text[n-1] != '_') {
		n++
	}
	if n == sign {
		return number{}, nil
	}
	return wholeText(strings.ReplaceAll(text[:n], "_", ""))
}

func isDecimal(text string) bool {
	text = strings.TrimPrefix(text, "-")
	whole, fraction, found := strings.Cut(text, ".")
	return found && allDigits(whole) && allDigits(fraction)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// decimalText reads text that isDecimal knows to be a decimal.
func decimalText(text string) (number, error) {
	if len(text) > maxDigits {
		return number{}, errDigits
	}
	if len(text) <= maxScale {
		whole, fraction, _ := strings.Cut(text, ".")
		digits, err := strconv.ParseInt(whole+fraction, 10, 64)
		return number{digits: digits, scale: len(fraction), decimal: true}, err
	}
	r, _ := new(big.Rat).SetString(text)
	return decimalNumber(r), nil
}

// wholeText reads digits with or without a sign.
func wholeText(text string) (number, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return wholeNumber(n), nil
	}
	if len(text) > maxDigits {
		return number{}, errDigits
	}
	n, _ := new(big.Int).SetString(text, 10)
	return largeNumber(n)
}

// value is the number as a value of a template.
func (n number) value() any {
	switch {
	case n.large != nil:
		return n.large
	case !n.decimal:
		return n.digits
	}
	// The quotient of two numbers that a float holds exactly is rounded once.
	const exactFloat = 1 << 53
	if n.exact == nil && n.digits < exactFloat && n.digits > -exactFloat {
		return float64(n.digits) / float64(powers[n.scale])
	}
	f, _ := n.rat().Float64()
	return f
}

// rat is the number as a fraction.
func (n number) rat() *big.Rat {
	if n.exact != nil {
		return n.exact
	}
	if n.large != nil {
		return new(big.Rat).SetInt(n.large)
	}
	return big.NewRat(n.digits, powers[n.scale])
}

// int is a whole number of any size.
func (n number) int() *big.Int {
	if n.large != nil {
		return n.large
	}
	return big.NewInt(n.digits)
}

// weight is about how many bytes an operation builds for the number: none for a
// small one.
func (n number) weight() int {
	const temporaries = 4
	switch {
	case n.large != nil:
		return temporaries * n.large.BitLen() / 8
	case n.exact != nil:
		return temporaries * (n.exact.Num().BitLen() + n.exact.Denom().BitLen()) / 8
	}
	return 0
}

func (n number) small() bool { return n.large == nil && n.exact == nil }

func (n number) sign() int {
	switch {
	case n.exact != nil:
		return n.exact.Sign()
	case n.large != nil:
		return n.large.Sign()
	}
	return cmp.Compare(n.digits, 0)
}

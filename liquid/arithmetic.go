package liquid

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
)

var errZero = failed("divided by 0")

// aligned gives two small numbers the same scale; ok is false when they are not
// small or do not fit.
func aligned(a, b number) (x, y int64, scale int, ok bool) {
	if !a.small() || !b.small() {
		return 0, 0, 0, false
	}
	scale = max(a.scale, b.scale)
	x, fits := multiply(a.digits, powers[scale-a.scale])
	y, ok = multiply(b.digits, powers[scale-b.scale])
	return x, y, scale, ok && fits
}

// multiply multiplies; ok is false when the product does not fit.
func multiply(a, b int64) (product int64, ok bool) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	return a * b, high == 0 && low <= math.MaxInt64
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func (n number) compare(m number) int {
	if x, y, _, ok := aligned(n, m); ok {
		return cmp.Compare(x, y)
	}
	return n.rat().Cmp(m.rat())
}

func (n number) plus(m number) (number, error) {
	decimal := n.decimal || m.decimal
	if x, y, scale, ok := aligned(n, m); ok {
		if sum := x + y; (sum > x) == (y > 0) {
			return number{digits: sum, scale: scale, decimal: decimal}, nil
		}
	}
	if decimal {
		return decimalNumber(new(big.Rat).Add(n.rat(), m.rat())), nil
	}
	return largeNumber(new(big.Int).Add(n.int(), m.int()))
}

func (n number) minus(m number) (number, error) { return n.plus(m.negative()) }

// negative is the number with the other sign. It has no more digits.
func (n number) negative() number {
	switch {
	case n.exact != nil:
		return decimalNumber(new(big.Rat).Neg(n.exact))
	case n.large != nil || n.digits == math.MinInt64 && !n.decimal:
		return number{large: new(big.Int).Neg(n.int())}
	case n.digits == math.MinInt64:
		return decimalNumber(new(big.Rat).Neg(n.rat()))
	}
	n.digits = -n.digits
	return n
}

func (n number) times(m number) (number, error) {
	decimal := n.decimal || m.decimal
	if n.small() && m.small() && n.scale+m.scale <= maxScale {
		if product, ok := multiply(n.digits, m.digits); ok {
			return number{digits: product, scale: n.scale + m.scale, decimal: decimal}, nil
		}
	}
	if decimal {
		return decimalNumber(new(big.Rat).Mul(n.rat(), m.rat())), nil
	}
	return largeNumber(new(big.Int).Mul(n.int(), m.int()))
}

// over divides: whole numbers downwards to a whole one, as Ruby does.
func (n number) over(m number) (number, error) {
	if m.sign() == 0 {
		return number{}, errZero
	}
	if n.decimal || m.decimal {
		return decimalNumber(new(big.Rat).Quo(n.rat(), m.rat())), nil
	}
	return largeNumber(floorDiv(n.int(), m.int()))
}

// modulo is what is left of a division downwards: it has the divisor's sign.
func (n number) modulo(m number) (number, error) {
	if m.sign() == 0 {
		return number{}, errZero
	}
	if n.decimal || m.decimal {
		quotient := new(big.Rat).Quo(n.rat(), m.rat())
		product := new(big.Rat).SetInt(floorDiv(quotient.Num(), quotient.Denom()))
		product.Mul(product, m.rat())
		return decimalNumber(product.Sub(n.rat(), product)), nil
	}
	product := floorDiv(n.int(), m.int())
	product.Mul(product, m.int())
	return largeNumber(product.Sub(n.int(), product))
}

func floorDiv(a, b *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Sign() != 0 && rest.Sign() != b.Sign() {
		quotient.Sub(quotient, big.NewInt(1))
	}
	return quotient
}

func (n number) abs() number {
	if n.sign() >= 0 {
		return n
	}
	return n.negative()
}

// floor is the greatest whole number that is not greater.
func (n number) floor() number {
	if !n.decimal {
		return n
	}
	r := n.rat()
	m, _ := largeNumber(floorDiv(r.Num(), r.Denom())) // no more digits than n has
	return m
}

func (n number) ceil() number { return n.negative().floor().negative().reduced() }

// reduced brings a large number that fits back to 64 bits.
func (n number) reduced() number {
	if n.large != nil && n.large.IsInt64() {
		return wholeNumber(n.large.Int64())
	}
	return n
}

// truncated is the whole part of a number.
func (n number) truncated() number {
	if n.sign() < 0 {
		return n.ceil()
	}
	return n.floor()
}

// round rounds half away from zero to so many digits after the point, and to a
// whole number when there are none.
func (n number) round(places int) number {
	if !n.decimal && places >= 0 {
		return n
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(places, -places))), nil))
	if places < 0 {
		scale.Inv(scale)
	}
	scaled := new(big.Rat).Mul(n.rat(), scale)
	scaled.Add(scaled, big.NewRat(int64(scaled.Sign()), 2))
	rounded := new(big.Rat).SetInt(new(big.Int).Quo(scaled.Num(), scaled.Denom()))
	rounded.Quo(rounded, scale)
	if places > 0 {
		return decimalNumber(rounded)
	}
	m, _ := largeNumber(rounded.Num()) // no more digits than n has
	return m
}

// clamp is the number cut to a whole one of 64 bits.
func (n number) clamp() int64 {
	n = n.truncated()
	switch {
	case n.large == nil:
		return n.digits
	case n.large.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

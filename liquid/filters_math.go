package liquid

func init() {
	registerFilters(
		newFilter("plus", 1, 1, "Adds a number.", `{{ 10.1 | plus: 2.2 }}`, "12.3", arithmetic(number.plus)),
		newFilter("minus", 1, 1, "Takes a number away.", `{{ 10.1 | minus: 2.2 }}`, "7.9", arithmetic(number.minus)),
		newFilter("times", 1, 1, "Multiplies by a number.", `{{ 3 | times: 2 }}`, "6", arithmetic(number.times)),
		newFilter("divided_by", 1, 1, "Divides by a number; two whole numbers give a whole one.", `{{ 15 | divided_by: 2 }} {{ 15 | divided_by: 2.0 }}`, "7 7.5", arithmetic(number.over)),
		newFilter("modulo", 1, 1, "Gives what is left of a division.", `{{ 7 | modulo: 3 }}`, "1", arithmetic(number.modulo)),
		newFilter("at_least", 1, 1, "Gives the number, or the argument if that is greater.", `{{ 1 | at_least: 3 }}`, "3", arithmetic(atLeast)),
		newFilter("at_most", 1, 1, "Gives the number, or the argument if that is smaller.", `{{ 5 | at_most: 3 }}`, "3", arithmetic(atMost)),
		newFilter("abs", 0, 0, "Drops the sign.", `{{ -5 | abs }}`, "5", onNumber(number.abs)),
		newFilter("ceil", 0, 0, "Rounds up to a whole number.", `{{ 1.2 | ceil }}`, "2", onNumber(number.ceil)),
		newFilter("floor", 0, 0, "Rounds down to a whole number.", `{{ 1.8 | floor }}`, "1", onNumber(number.floor)),
		newFilter("round", 0, 1, "Rounds to so many digits after the point (default 0).", `{{ 5.666 | round: 2 }}`, "5.67", filterRound),
		brazeFilter("number_with_delimiter", 0, 0, "Puts a comma between each three digits.", `{{ 123456.789 | number_with_delimiter }}`, "123,456.789", numberWithDelimiter),
		brazeFilter("money", 0, 0, "Prints a number with two digits after the point.", `{{ 17.8 | money }}`, "17.80", filterMoney),
	)
}

// arithmetic makes a filter of an operation on two numbers.
func arithmetic(op func(a, b number) (number, error)) applyFunc {
	return func(s *Scope, in any, args []any) (any, error) {
		a, err := toNumber(in)
		if err != nil {
			return nil, err
		}
		b, err := toNumber(args[0])
		if err != nil {
			return nil, err
		}
		if err := s.build(a.weight() + b.weight()); err != nil {
			return nil, err
		}
		result, err := op(a, b)
		if err != nil {
			return nil, err
		}
		return result.value(), nil
	}
}

func atLeast(a, b number) (number, error) {
	if a.compare(b) < 0 {
		return b, nil
	}
	return a, nil
}

func atMost(a, b number) (number, error) {
	if a.compare(b) > 0 {
		return b, nil
	}
	return a, nil
}

// onNumber makes a filter of a function of one number.
func onNumber(f func(number) number) applyFunc {
	return func(_ *Scope, in any, _ []any) (any, error) {
		n, err := toNumber(in)
		if err != nil {
			return nil, err
		}
		return f(n).value(), nil
	}
}

func filterRound(s *Scope, in any, args []any) (any, error) {
	n, err := toNumber(in)
	if err != nil {
		return nil, err
	}
	var digits number
	if len(args) > 0 {
		if digits, err = toNumber(args[0]); err != nil {
			return nil, err
		}
	}
	places := max(min(digits.clamp(), maxDigits), -maxDigits)
	// Powers of ten with so many digits are built on the way.
	const perDigit = 16
	if err := s.build(perDigit * int(max(places, -places))); err != nil {
		return nil, err
	}
	return n.round(int(places)).value(), nil
}

// numberWithDelimiter leaves alone what is not a number as a whole.
func numberWithDelimiter(s *Scope, in any, _ []any) (any, error) {
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	from := 0
	if text != "" && text[0] == '-' {
		from = 1
	}
	end := from
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end < len(text) && !isDecimal(text[from:]) {
		return text, nil
	}
	out := make([]byte, 0, len(text)+len(text)/3)
	for i := range len(text) {
		if i > from && i < end && (end-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, text[i])
	}
	return string(out), nil
}

func filterMoney(s *Scope, in any, _ []any) (any, error) {
	if in == nil {
		return nil, nil
	}
	n, err := toNumber(in)
	if err != nil {
		return nil, err
	}
	return n.rat().FloatString(2), nil
}

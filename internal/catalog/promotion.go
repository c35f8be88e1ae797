package catalog

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"platen/internal/fault"
)

// The bounds of a list of promotion codes.
const (
	MaxCodes     = 100_000
	MaxCodeRunes = 256
)

// PromotionList is a list of codes of which each is given to one message.
type PromotionList struct {
	Workspace int64
	Name      string
	Codes     []string  // distinct, in the order in which they are given
	Expires   time.Time // from then on none is given; zero for never
}

// CheckCodes gives what is wrong with the codes of a list, each pointing to one of
// them as /12. The messages never repeat a code.
func CheckCodes(codes []string) []*fault.Error {
	if len(codes) > MaxCodes {
		return []*fault.Error{fault.Refused("too_many", "the list has %d codes; at most %d are kept", len(codes), MaxCodes)}
	}
	var problems []*fault.Error
	firstWith := make(map[string]int, len(codes))
	for i, code := range codes {
		first, twice := firstWith[code]
		f := checkCode(code)
		if twice {
			f = fault.Refused("duplicate_code", "code %d is that of number %d already; each code is given to one message", i+1, first+1)
		} else {
			firstWith[code] = i
		}
		if f != nil && len(problems) < maxProblems {
			problems = append(problems, f.In(fmt.Sprintf("/%d", i)))
		}
	}
	return problems
}

func checkCode(code string) *fault.Error {
	switch {
	case strings.TrimSpace(code) == "":
		return fault.Refused("bad_code", "a code must not be empty")
	case strings.TrimSpace(code) != code:
		return fault.Refused("bad_code", "a code must not begin or end with a space")
	case utf8.RuneCountInString(code) > MaxCodeRunes:
		return fault.Refused("bad_code", "a code can have at most %d characters", MaxCodeRunes)
	case strings.ContainsFunc(code, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.Refused("bad_code", "a code must not have control characters")
	}
	return nil
}

// isHeading says whether the first line is what programs write above a column.
func isHeading(line string) bool {
	switch strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(line)) {
	case "code", "codes", "coupon", "coupons", "couponcode", "promocode", "promotioncode", "voucher", "vouchers", "vouchercode":
		return true
	}
	return false
}

// ReadCodes reads codes from text with one code in each line, as CSV of one column
// without a header, and the line of each. Empty lines are left out. The error is a
// *fault.Error with its place in the text.
func ReadCodes(text string) (codes []string, lines []int, err error) {
	text = withoutMark(text)
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return codes, lines, nil
		}
		if err != nil {
			return nil, nil, csvFault(text, err)
		}
		if len(record) > 1 {
			line, column := r.FieldPos(1)
			return nil, nil, fault.Refused("bad_csv", "there are %d columns; codes stand alone, one in each line", len(record)).
				At(line, runeColumn(text, line, column))
		}
		if code := strings.TrimSpace(record[0]); code != "" {
			line, _ := r.FieldPos(0)
			if len(codes) == 0 && isHeading(code) {
				return nil, nil, fault.Refused("heading", "the first line is %q, which a customer would get as a code; begin with the first code", code).At(line, 1)
			}
			codes, lines = append(codes, code), append(lines, line)
		}
	}
}

package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"platen/internal/fault"
)

func TestReadCodes(t *testing.T) {
	if codes, _, err := ReadCodes("\ufeffA1\r\n\n \"B,2\"\n  C3  \n"); err == nil {
		t.Errorf("a quote behind a space was read as %q", codes)
	}
	codes, lines, err := ReadCodes("\ufeffA1\r\n\n\"B,2\"\n  C3  \n")
	if err != nil || !slices.Equal(codes, []string{"A1", "B,2", "C3"}) || !slices.Equal(lines, []int{1, 3, 4}) {
		t.Errorf("%q in lines %v, %v", codes, lines, err)
	}
	_, _, err = ReadCodes("A1\né,C\n")
	if f := fault.From(err); f.Line != 2 || f.Column != 3 || f.Reason != "bad_csv" {
		t.Errorf("two columns: %v", err)
	}
}

// An export's heading must not be given to a customer.
func TestReadCodesRefusesAHeading(t *testing.T) {
	for _, heading := range []string{"code", "Codes", "PROMO_CODE", "coupon code"} {
		_, _, err := ReadCodes("\n" + heading + "\nA1\n")
		if f := fault.From(err); f.Reason != "heading" || f.Line != 2 {
			t.Errorf("%q: %v", heading, err)
		}
	}
	if codes, _, err := ReadCodes("A1\ncode\n"); err != nil || len(codes) != 2 {
		t.Errorf("a code of that name further down: %q, %v", codes, err)
	}
}

func TestCheckCodes(t *testing.T) {
	if problems := CheckCodes([]string{"A", "B", strings.Repeat("é", MaxCodeRunes)}); problems != nil {
		t.Error(problems)
	}
	problems := CheckCodes([]string{"A", "", " B", strings.Repeat("x", MaxCodeRunes+1), "A", "C\x00"})
	var at []string
	for _, f := range problems {
		at = append(at, f.Pointer+" "+f.Reason)
		if strings.Contains(f.Message, "xx") {
			t.Errorf("the message repeats a code: %s", f.Message)
		}
	}
	if got := strings.Join(at, ", "); got != "/1 bad_code, /2 bad_code, /3 bad_code, /4 duplicate_code, /5 bad_code" {
		t.Error(got)
	}
	many := make([]string, MaxCodes+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if problems := CheckCodes(many[:MaxCodes]); problems != nil {
		t.Error(problems)
	}
	if problems := CheckCodes(many); len(problems) != 1 || problems[0].Reason != "too_many" {
		t.Error(problems)
	}
}

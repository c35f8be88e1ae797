package engage

import (
	"fmt"
	"strings"
	"testing"
)

// arrayOf is a JSON array of n items.
func arrayOf(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// Operations cost what is held and sent: a value that is nested in what is held is
// not read again for each of them.
func TestOperationsOnObjectsDoNotMultiply(t *testing.T) {
	held := `[{"k":` + arrayOf(4000, func(int) string { return `"aaaaaaaaaaaaaaaaaaaa"` }) + `}]`
	allocations := func(name, rest string, n int) float64 {
		f, err := operation(decode(`{"`+name+`":`+arrayOf(n, func(i int) string {
			return fmt.Sprintf(`{"$identifier_key":"k","$identifier_value":%d%s}`, i, rest)
		})+`}`).(map[string]any), true)
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(3, func() { f(held) })
	}
	for name, rest := range map[string]string{"$remove": "", "$update": `,"$new_object":{"a":1}`} {
		if one, many := allocations(name, rest, 1), allocations(name, rest, maxItems); many > one+maxItems {
			t.Errorf("%s: one operation makes %v allocations, %d make %v", name, one, maxItems, many)
		}
	}
}

// Updates that match many large objects write no more than a bound.
func TestUpdatesWriteSoMuch(t *testing.T) {
	update := func(n, size int) change {
		f, err := operation(decode(`{"$update":`+arrayOf(n, func(i int) string {
			return `{"$identifier_key":"id","$identifier_value":1,"$new_object":{"id":1,"c":"` + strings.Repeat("x", size) + `"}}`
		})+`}`).(map[string]any), false)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	held := arrayOf(10, func(int) string { return `{"id":1}` })
	if _, ok := update(2, maxNested/10-20)(held); !ok {
		t.Error("two updates of all objects of the largest array are not made")
	}
	if _, ok := update(3, maxNested/10-20)(held); ok {
		t.Error("the third is made")
	}
}

func TestWeightIsOfTheText(t *testing.T) {
	for _, text := range []string{`{"a":[1,2.50,"x",true,null],"b":{},"c":{"d":"e"}}`, `[]`, `"ä"`, `-1e9`, `{"a":{"b":{"c":[[[]]]}}}`} {
		if w := weight(decode(text)); w > len(text) || w < len(text)*3/4 {
			t.Errorf("%s has the weight %d and %d bytes", text, w, len(text))
		}
	}
}

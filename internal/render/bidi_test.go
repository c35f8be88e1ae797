package render

import (
	"slices"
	"testing"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
)

func TestFirstStrong(t *testing.T) {
	for text, want := range map[string]Direction{
		"":                        DirectionAuto,
		"123 $ – …":               DirectionAuto,
		"Wipes":                   LeftToRight,
		"12 כיסא IKEA":            RightToLeft,
		"IKEA כיסא":               LeftToRight,
		"«قهوة»":                  RightToLeft,
		"\u200F100":               RightToLeft,
		"\u200Eכיסא":              LeftToRight,
		"\u2068שלום\u2069 Wipes":  LeftToRight, // an isolate does not count
		"\u2068Wipes\u2069, שלום": RightToLeft,
	} {
		if got := firstStrong([]rune(text)); got != want {
			t.Errorf("%q: direction %d, want %d", text, got, want)
		}
	}
}

func TestVisualOrder(t *testing.T) {
	for _, test := range []struct{ levels, want []int }{
		{nil, nil},
		{[]int{0, 0}, []int{0, 1}},
		{[]int{1, 1, 1}, []int{2, 1, 0}},
		{[]int{0, 1, 1, 0}, []int{0, 2, 1, 3}},
		{[]int{0, 1, 2, 1, 0}, []int{0, 3, 2, 1, 4}},       // a number in right-to-left text
		{[]int{1, 2, 2, 1}, []int{3, 1, 2, 0}},             // Latin words in right-to-left text
		{[]int{0, 1, 2, 3, 2, 1}, []int{0, 5, 2, 3, 4, 1}}, // nested
	} {
		if got := visualOrder(test.levels); !slices.Equal(got, test.want) {
			t.Errorf("levels %v: order %v, want %v", test.levels, got, test.want)
		}
	}
}

// TestLevelRuns looks at numbers in particular: one that follows right-to-left
// text belongs to it even where left-to-right text comes next.
func TestLevelRuns(t *testing.T) {
	for _, test := range []struct {
		text string
		base di.Direction
		want []levelRun
	}{
		{"abc", di.DirectionLTR, []levelRun{{0, 3, 0}}},
		{"a של 12.5% b", di.DirectionLTR, []levelRun{{0, 2, 0}, {2, 5, 1}, {5, 10, 2}, {10, 12, 0}}},
		{"של 12 b", di.DirectionRTL, []levelRun{{0, 3, 1}, {3, 5, 2}, {5, 6, 1}, {6, 7, 2}}},
	} {
		var p bidi.Paragraph
		if got := levelRuns(&p, []rune(test.text), test.base); !slices.Equal(got, test.want) {
			t.Errorf("%q: %v, want %v", test.text, got, test.want)
		}
	}
}

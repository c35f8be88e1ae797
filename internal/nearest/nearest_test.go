package nearest

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"kitten", "sitting", 3},
		{"trigger", "trigegr", 1}, // a swap is one mistake
		{"größe", "grösse", 2},    // characters count, not bytes
		{strings.Repeat("a", 100), strings.Repeat("a", 64), 0},
		{strings.Repeat("日", 1000), strings.Repeat("本", 1000), 64},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%.10q, %.10q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%.10q, %.10q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestWord(t *testing.T) {
	known := []string{"name", "timezone", "link_domains", "egress", "open_identifier"}
	for word, want := range map[string]string{
		"egres": "egress", "Egress": "egress", "time_zone": "timezone", "timezon": "timezone",
		"linkdomains": "link_domains", "nmae": "name", "nam": "name",
		"completely different": "", "x": "", "": "",
	} {
		got, ok := Word(word, known)
		if got != want || ok != (want != "") {
			t.Errorf("Word(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
	if near, ok := Word("x", nil); ok {
		t.Errorf("of no words %q is near", near)
	}
}

package loosejson

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"platen/internal/fault"
)

func nested(depth int) string {
	return strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth)
}

func TestCheckAcceptsJSON(t *testing.T) {
	for _, body := range []string{
		`{}`, `[]`, `0`, `-1.5e+3`, `"é\u00e9\n"`, `null`,
		" {\r\n\t\"a\" : [1, {\"b\":true}] } \n",
		`{"url":"https://example.com//x","c":", ]"}`,
		nested(MaxDepth),
		`["[[[[", ` + strings.Repeat(`[], `, 100) + `"\"{{"]`,
	} {
		if err := Check([]byte(body)); err != nil {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestCheckNamesTheMistake(t *testing.T) {
	tests := []struct {
		name, body   string
		line, column int
		contains     string
	}{
		{"empty", ``, 1, 1, "found an empty text where a value was expected"},
		{"cut off", "{\n  \"a\": [1,", 2, 11, "found the end of the text where a value was expected; send the text whole"},
		{"cut off in a string", `{"a": "b`, 1, 7, "inside the string that begins here"},
		{"comment", "// hello\n{}", 1, 1, "JSON has no comments"},
		{"missing comma", "{\n \"a\": 1\n \"é\": 2\n}", 3, 2, `where "," or "}" was expected; add the comma`},
		{"missing comma after wide characters", `{"é€😀": 1 "b": 2}`, 1, 11, "found a double quote"},
		{"trailing comma", `{"a": 1,}`, 1, 8, `found a comma before "}"`},
		{"trailing comma in an array", "[1,\n]", 1, 3, `found a comma before "]"`},
		{"two commas", `[1,,2]`, 1, 4, `found "," where a value was expected`},
		{"single quotes", `{'a': 1}`, 1, 2, "use straight double quotes"},
		{"bare name", `{a: 1}`, 1, 2, `found "a" where a property name in double quotes was expected`},
		{"no colon", `{"a" 1}`, 1, 6, `":" after the property name`},
		{"Python", `{"a": None}`, 1, 7, "write null"},
		{"word", `{"a": yes}`, 1, 7, `found "yes" where a value was expected`},
		{"leading zero", `{"a": 01}`, 1, 7, `found "01" where a number was expected`},
		{"lone minus", `[-]`, 1, 2, `found "-" where a number`},
		{"two numbers run together", `[1-2]`, 1, 2, `found "1-2"`},
		{"raw line break", "{\"a\": \"b\n\"}", 1, 9, `found a line break inside a string`},
		{"raw control byte", "[\"\x01\"]", 1, 3, `write it as \u0001`},
		{"bad escape", `["\x"]`, 1, 3, `begins no escape`},
		{"bad unicode escape", `["\u12G4"]`, 1, 3, "four hexadecimal digits"},
		{"not UTF-8", "{\"a\": \"\xff\"}", 1, 8, "0xff, which is not UTF-8"},
		{"byte order mark", "\xef\xbb\xbf{}", 1, 1, "a byte order mark"},
		{"two values", `{} {}`, 1, 4, "several events go into one array"},
		{"wrong bracket", `[1}`, 1, 3, `found "}" where "," or "]" was expected`},
		{"too deep", nested(MaxDepth + 1), 1, MaxDepth + 1, "nested deeper than 64"},
		{"typographic quotes", "{“a”: 1}", 1, 2, "straight double quotes"},
		{"NUL", "[\x00]", 1, 2, "U+0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check([]byte(tt.body))
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a fault", err)
			}
			if f.Code != fault.Invalid || f.Reason != "malformed_json" {
				t.Errorf("got %s/%s", f.Code, f.Reason)
			}
			if f.Line != tt.line || f.Column != tt.column {
				t.Errorf("got %d:%d, want %d:%d", f.Line, f.Column, tt.line, tt.column)
			}
			if !strings.Contains(f.Message, tt.contains) {
				t.Errorf("message %q does not hold %q", f.Message, tt.contains)
			}
		})
	}
}

func TestMend(t *testing.T) {
	tests := []struct {
		name, body, want string
		kinds            []Kind
		places           [][2]int
	}{
		{"comment lines", "// one\n  // two\r\n{}\n// end", "{}\n",
			[]Kind{CommentLine, CommentLine, CommentLine}, [][2]int{{1, 1}, {2, 3}, {4, 1}}},
		{"comments inside", "[1,\n// \"x\"\n2]", "[1,\n2]", []Kind{CommentLine}, [][2]int{{2, 1}}},
		{"missing comma in an object", "{\"é\": 1\n\"b\": 2}", "{\"é\": 1,\n\"b\": 2}", []Kind{MissingComma}, [][2]int{{1, 8}}},
		{"missing commas in an array", `[1 "a" {} [] true -2]`, `[1, "a", {}, [], true, -2]`,
			[]Kind{MissingComma, MissingComma, MissingComma, MissingComma, MissingComma},
			[][2]int{{1, 3}, {1, 7}, {1, 10}, {1, 13}, {1, 18}}},
		{"trailing commas", "{\"a\": [1,],\n}", "{\"a\": [1]\n}", []Kind{TrailingComma, TrailingComma}, [][2]int{{1, 9}, {1, 11}}},
		{"comment after a trailing comma", "[1,\n// last\n]", "[1\n]", []Kind{TrailingComma, CommentLine}, [][2]int{{1, 3}, {2, 1}}},
		{"comment in place of a comma", "[1\n// and\n2]", "[1,\n2]", []Kind{MissingComma, CommentLine}, [][2]int{{1, 3}, {2, 1}}},
		{"strings stay", `["// no", "a, ]", "b" "c",]`, `["// no", "a, ]", "b", "c"]`,
			[]Kind{MissingComma, TrailingComma}, [][2]int{{1, 22}, {1, 26}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := Mend([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			var kinds []Kind
			var places [][2]int
			for _, w := range warnings {
				kinds = append(kinds, w.Kind)
				places = append(places, [2]int{w.Line, w.Column})
				if w.Message == "" {
					t.Errorf("%s has no message", w.Kind)
				}
			}
			if !slices.Equal(kinds, tt.kinds) || !slices.Equal(places, tt.places) {
				t.Errorf("got %v at %v, want %v at %v", kinds, places, tt.kinds, tt.places)
			}
		})
	}
}

// A text full of mistakes ends at the first one too many; see MaxMends.
func TestMendEnds(t *testing.T) {
	spaced := func(mends int) []byte { return []byte("[" + strings.Repeat("1 ", mends) + "1]") }
	mended, warnings, err := Mend(spaced(MaxMends))
	if err != nil || len(warnings) != MaxMends || len(mended) != len(spaced(MaxMends))+MaxMends {
		t.Errorf("%d mends: %d warnings, %v", MaxMends, len(warnings), err)
	}
	last := warnings[MaxMends-1]
	if last.Line != 1 || last.Column != 2*MaxMends+1 {
		t.Errorf("the last mend is at %d:%d", last.Line, last.Column)
	}
	for name, body := range map[string][]byte{
		"missing commas":  spaced(MaxMends + 1),
		"trailing commas": []byte("[" + strings.Repeat("[1,],", MaxMends) + "[1,]]"),
		"comment lines":   []byte(strings.Repeat("//\n", MaxMends+1) + "1"),
	} {
		_, warnings, err := Mend(body)
		f := fault.From(err)
		if f == nil || f.Reason != "malformed_json" || f.Line == 0 || warnings != nil || !strings.Contains(f.Message, "1000 mistakes before it were mended") {
			t.Errorf("%s: %d warnings, %v", name, len(warnings), err)
		}
	}
}

func TestMendLeavesTheRestAlone(t *testing.T) {
	tests := []struct {
		body         string
		line, column int
	}{
		{"// c\n{\"a\": 1,, \"b\": 2}", 2, 9},
		{"{\"a\": 1, // same line\n\"b\": 2}", 1, 10},
		{"{\"a\": 1 /* c */}", 1, 9},
		{"// c\n// d\n{\"a\": 'b',}", 3, 7},
		{`{,}`, 1, 2},
		{`[1:2]`, 1, 3},
		{`{"title": "The "best" one"}`, 1, 17},
		{"{\"a\": \"\n// in a string\n\"}", 1, 8},
		{`{} {}`, 1, 4},
	}
	for _, tt := range tests {
		_, _, err := Mend([]byte(tt.body))
		f := fault.From(err)
		if f == nil || f.Reason != "malformed_json" || f.Line != tt.line || f.Column != tt.column {
			t.Errorf("%q: got %v, want a fault at %d:%d", tt.body, err, tt.line, tt.column)
		}
	}
}

// rendered is what the seed's product webhook makes for a profile with a user id:
// the Liquid tags leave empty lines, the comments and commas stay as written.
const rendered = `// Converts the timestamp of "now" to seconds since 1970 and assigns it to a local variable "timestamp"


// Example of md5 hashing the email address to use as the anonymous_id


// Condition logic to determine which identifier to use. If an external_id is available use that, otherwise use the anonymous_id



{
  "user_id": "5c3aa83113dd490100d3d8d7"
  "event": "product_viewed",
  "properties": {
    "categories": [
      {
        "id": "Bathroom",
        "url": "https://example.com/cat/bathroom"
      }
    ],
    "price": "1.99"
  },
  "timestamp": "1257894000",
  "timezone": "America/New_York",
  "type": "track",
}
`

func TestMendRenderedSeedWebhook(t *testing.T) {
	mended, warnings, err := Mend([]byte(rendered))
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		UserID     string `json:"user_id"`
		Event      string
		Type       string
		Properties struct {
			Categories []struct{ URL string }
		}
	}
	if err := json.Unmarshal(mended, &body); err != nil {
		t.Fatal(err)
	}
	if body.UserID != "5c3aa83113dd490100d3d8d7" || body.Event != "product_viewed" || body.Type != "track" ||
		body.Properties.Categories[0].URL != "https://example.com/cat/bathroom" {
		t.Errorf("got %+v", body)
	}
	want := []Warning{
		{Line: 1, Column: 1, Kind: CommentLine}, {Line: 4, Column: 1, Kind: CommentLine}, {Line: 7, Column: 1, Kind: CommentLine},
		{Line: 12, Column: 40, Kind: MissingComma}, {Line: 25, Column: 18, Kind: TrailingComma},
	}
	for i := range warnings {
		warnings[i].Message = ""
	}
	if !slices.Equal(warnings, want) {
		t.Errorf("got %v\nwant %v", warnings, want)
	}
	if err := Check([]byte(rendered)); fault.From(err).Line != 1 {
		t.Errorf("strict: got %v", err)
	}
}

// The comment lines of rendered are those of the shared template, so that the
// test above cannot drift from what people copy.
func TestRenderedFollowsTheSeed(t *testing.T) {
	shared := os.Getenv("PLATEN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	template, err := os.ReadFile(filepath.Join(shared, "seed", "product_viewed.webhook.liquid"))
	if err != nil {
		t.Skipf("no shared seed files: %v", err)
	}
	for line := range strings.Lines(string(template)) {
		if strings.HasPrefix(line, "//") && !strings.Contains(rendered, line) {
			t.Errorf("rendered lacks %q", line)
		}
	}
}

func FuzzMend(f *testing.F) {
	for _, seed := range []string{rendered, `{"a":1 "b":[1,2,],}`, "// x\n[]", `"\ud800"`, "[1\xff]", nested(70), `[1e5 -0 .5]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		valid := json.Valid(body) && utf8.Valid(body) && !deep(body)
		s := scanner{src: body}
		if err := s.document(); (err == nil) != valid {
			t.Fatalf("the scanner says %v, encoding/json says valid=%v", err, valid)
		}
		mended, warnings, err := Mend(body)
		switch {
		case valid && (err != nil || len(warnings) > 0 || !bytes.Equal(mended, body)):
			t.Fatalf("valid JSON was changed: %v %v", warnings, err)
		case err != nil:
			place := fault.From(err)
			if place.Line < 1 || place.Column < 1 || place.Line > bytes.Count(body, []byte("\n"))+1 {
				t.Fatalf("a mistake out of the text: %v", err)
			}
		default:
			if err := Check(mended); err != nil {
				t.Fatalf("mended to %q: %v", mended, err)
			}
			if !valid && len(warnings) == 0 {
				t.Fatal("mended without a warning")
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	body, _, err := Mend([]byte(rendered))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMend(b *testing.B) {
	b.SetBytes(int64(len(rendered)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Mend([]byte(rendered)); err != nil {
			b.Fatal(err)
		}
	}
}

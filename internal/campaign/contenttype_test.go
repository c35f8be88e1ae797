package campaign

import "testing"

func TestInferContentType(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"a":1}`, "application/json"},
		{"\n [1, 2] \n", "application/json"},
		{`{"a":1,}`, "text/plain; charset=utf-8"},
		{"// a comment\n{}", "text/plain; charset=utf-8"},
		{"to=%2B15551234&text=Your+order", "application/x-www-form-urlencoded"},
		{"to=&text=", "application/x-www-form-urlencoded"},
		{"a=100%", "text/plain; charset=utf-8"},
		{"a = b", "text/plain; charset=utf-8"},
		{"1 + 1 = 2", "text/plain; charset=utf-8"},
		{"hello", "text/plain; charset=utf-8"},
		{"<a href=\"x=y\"/>", "text/plain; charset=utf-8"},
		{"123", "text/plain; charset=utf-8"},
		{" \n", ""},
		{"", ""},
	} {
		r := &Request{Body: []byte(test.body)}
		r.InferContentType()
		got := ""
		for _, line := range r.Header {
			got += line[1]
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.body, got, test.want)
		}
	}
}

func TestContentTypeOfTheDefinitionStays(t *testing.T) {
	r := &Request{Body: []byte(`{}`), Header: [][2]string{{"content-type", "application/vnd.api+json"}}}
	r.InferContentType()
	if len(r.Header) != 1 || r.Header[0][1] != "application/vnd.api+json" {
		t.Errorf("got %v", r.Header)
	}
}

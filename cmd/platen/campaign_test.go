package main

import (
	"strings"
	"testing"

	"platen/internal/manage"
)

// A test tells all that a message has beside its request.
func TestTriedShowsWhatIsOutsideTheRequest(t *testing.T) {
	tried := manage.Tried{Request: &manage.Request{Method: "POST", URL: "https://a.example", Body: "{}"}}
	const request = "POST https://a.example\n\n{}\n"
	var out strings.Builder
	if printTried(&out, tried); out.String() != request {
		t.Errorf("nothing outside: %q", out.String())
	}
	tried.Outside = manage.Outside{
		Extras: map[string]string{"b": "2", "a": "1"},
		Failed: []manage.Call{
			{Method: "GET", URL: "https://b.example/?id=…", Status: 404, Millis: 12.4, Why: "the status is no success"},
			{Method: "POST", URL: "https://c.example/", Millis: 2000, Why: "no answer within 2s"},
		},
	}
	out.Reset()
	printTried(&out, tried)
	want := request + "\nmessage extra a: 1\nmessage extra b: 2\n" +
		"no connected content from GET https://b.example/?id=… (status 404, 12 ms): the status is no success\n" +
		"no connected content from POST https://c.example/ (2000 ms): no answer within 2s\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// What a server would refuse for its size is refused before it is sent.
func TestBodiesAreBounded(t *testing.T) {
	apply := func(size int) manage.Apply {
		return manage.Apply{Files: []manage.ApplyFile{{Name: "f", Text: strings.Repeat("<", size)}}}
	}
	if b, err := encodeBody(apply(manage.MaxBody - 200)); err != nil || len(b) > manage.MaxBody {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := encodeBody(apply(manage.MaxBody)); err == nil || !strings.Contains(err.Error(), "apply fewer files at a time") {
		t.Error(err)
	}
}

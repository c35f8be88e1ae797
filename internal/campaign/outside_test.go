package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"platen/internal/personalize"
	"platen/liquid"
)

// failing is all that Liquid asks from outside, which fails.
type failing struct{ err error }

func (f failing) Fetch(context.Context, liquid.FetchRequest) (liquid.FetchResponse, error) {
	return liquid.FetchResponse{}, f.err
}

func (f failing) Code(context.Context, string) (string, error) { return "", f.err }

func (f failing) Partial(context.Context, string) (*liquid.Template, error) {
	return liquid.Parse("line\n{% promotion('x') %}", liquid.Options{Dialect: liquid.Braze})
}

// TestWhatLiesOutside tells what is final from what may be another time.
func TestWhatLiesOutside(t *testing.T) {
	refusal := &personalize.Refusal{Reason: personalize.PromotionExhausted, Detail: "every code is given"}
	later := &personalize.Unavailable{Detail: "not there"}
	broken := errors.New("the disk is on fire")
	for _, c := range []struct {
		body string
		err  error
		want error // wrapped, or an *Unsendable that is equal
	}{
		{" {% promotion('x') %}", refusal, &Unsendable{PromotionExhausted, "the body, line 1, column 2: every code is given"}},
		{"{% connected_content https://a.example/ %}", refusal, &Unsendable{PromotionExhausted, "the body, line 1, column 1: every code is given"}},
		{"{{content_blocks.${footer}}}", refusal, &Unsendable{PromotionExhausted, "the body, footer, line 2, column 1: every code is given"}},
		{"{% connected_content https://a.example/ %}", later, later},
		{"{% promotion('x') %}", broken, broken},
	} {
		w := compiled(t, Webhook{URL: "https://a.example/", Body: c.body})
		outside := failing{c.err}
		_, err := w.Render(t.Context(), liquid.Input{Fetcher: outside, Codes: outside, Partials: outside})
		var no *Unsendable
		if errors.As(err, &no) {
			if fmt.Sprint(no) != fmt.Sprint(c.want) {
				t.Errorf("%s: got %v, want %v", c.body, no, c.want)
			}
			continue
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.body, err, c.want)
		}
	}
	w := compiled(t, Webhook{URL: "https://a.example/", Body: "{% promotion('x') %}"})
	var no *Unsendable
	if _, err := w.Render(t.Context(), liquid.Input{}); !errors.As(err, &no) || no.Reason != RenderError {
		t.Errorf("where there is nothing outside: %v", err)
	}
}

func TestTheLatestCallsAreKept(t *testing.T) {
	d := &Delivery{}
	for i := range 3 * MaxCalls {
		before := slices.Clone(d.Calls)
		d.AddCalls([]personalize.Call{{Status: i}})
		if len(d.Calls) > MaxCalls || d.Calls[len(d.Calls)-1].Status != i {
			t.Fatalf("after %d calls %d are kept: %+v", i+1, len(d.Calls), before)
		}
	}
	if d.AddCalls(nil); len(d.Calls) != MaxCalls || d.Calls[0].Status != 2*MaxCalls {
		t.Errorf("%d are kept, from %d on", len(d.Calls), d.Calls[0].Status)
	}
}

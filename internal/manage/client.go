package manage

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// Answer is what a server answered a request with.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Ask sends a request and reads the whole answer, both within a time. A redirect is
// not followed: it would carry the token elsewhere, and the demo wants to see it.
func Ask(req *http.Request, within time.Duration) (Answer, error) {
	client := http.Client{
		Timeout:       within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return Answer{resp.StatusCode, resp.Header, body}, nil
}

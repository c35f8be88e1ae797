package engage

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	s := newServer(t)
	const body = `{"attributes":[{"external_id":"u1","color":"red"}]}`
	tests := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		message                  string // part of it
	}{
		{"good", "POST", "/users/track", body, nil, 201, "success"},
		{"any case of the scheme", "POST", "/users/track", body, []string{"Authorization", "bearer  " + goodKey}, 201, "success"},
		{"no key", "POST", "/users/track", body, []string{"Authorization", ""}, 401, "Invalid API key: none was sent"},
		{"another scheme", "POST", "/users/track", body, []string{"Authorization", "Basic " + goodKey}, 401, "Invalid API key: none was sent"},
		{"wrong key", "POST", "/users/track", body, []string{"Authorization", "Bearer secret-of-someone-else"}, 401, "Invalid API key: secr… is not known here"},
		{"short wrong key", "POST", "/users/track", body, []string{"Authorization", "Bearer tiny"}, 401, "Invalid API key: the one sent is too short to be one"},
		{"the key goes before the body", "POST", "/users/track", `{`, []string{"Authorization", "Bearer x"}, 401, "Invalid API key"},
		{"permission", "POST", "/users/identify", `{}`, []string{"Authorization", "Bearer " + trackKey}, 403, "Access Denied"},
		{"unknown path", "POST", "/users/merge", body, nil, 404, "POST /users/track"},
		{"unknown path, any method", "GET", "/users/x/y", "", nil, 404, "no such endpoint"},
		{"method", "GET", "/users/track", "", nil, 405, "POST"},
		{"method", "DELETE", "/users/identify", "", nil, 405, "POST"},
		{"too large", "POST", "/users/track", `{"a":"` + strings.Repeat("x", MaxBody) + `"}`, nil, 413, "4194304 bytes"},
		{"malformed", "POST", "/users/track", "{\n  \"events\": [}", nil, 400, "line 2, column 14"},
		{"empty", "POST", "/users/track", "", nil, 400, "the body is empty"},
		{"not an object", "POST", "/users/identify", "[]", nil, 400, "not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.do(tt.method, tt.path, tt.body, tt.headers...)
			var a sent
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != tt.status || !strings.Contains(a.Message, tt.message) {
				t.Errorf("answer %d %s; want %d with %q", w.Code, w.Body, tt.status, tt.message)
			}
			for _, header := range []string{"X-Request-Id", "X-Runtime", "Content-Type"} {
				if w.Header().Get(header) == "" {
					t.Errorf("the answer has no header %s", header)
				}
			}
			if allow := w.Header().Get("Allow"); (allow == "POST") != (tt.status == 405) {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
	if q := s.quarantined(); len(q) != 0 {
		t.Errorf("%d rows in quarantine, want none: nothing was decoded", len(q))
	}
}

// A secret never goes into an answer, also not in part when the part is most of it.
func TestHintShowsLittle(t *testing.T) {
	for _, token := range []string{"a", "abcd", "abcdefgh", "0123456789abcde", "0123456789abcdef", "ééééééééééé", strings.Repeat("k", 500)} {
		if h := hint(token); len(h) > 4 || len(h)*4 > len(token) {
			t.Errorf("hint(%q) = %q", token, h)
		}
	}
}

func TestStoppingServerSaysWhenToComeBack(t *testing.T) {
	s := newServer(t)
	s.stop()
	for path, body := range map[string]string{
		"/users/track":    `{"attributes":[{"external_id":"u1"}]}`,
		"/users/identify": `{"emails_to_identify":[{"external_id":"u1","email":"a@b.co"}]}`,
	} {
		w := s.do(http.MethodPost, path, body)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("POST %s: %d, Retry-After %q: %s", path, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
}

package outbound

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestBadURLs(t *testing.T) {
	n := newNetwork(t, hello)
	for kind, urls := range map[Kind][]string{
		BadURL: {
			"", "/path", "shop.example/path", "file:///etc/passwd", "http:shop.example", "http://", "http:///path", "http://:80/",
			"http://user:hunter2/x@shop.example/", "http://shop.example:0/", "http://shop.example:65536/", "http://shop.example:hunter2/",
			"http://shop.example/\nhunter2", "http://[fe80::1%25eth0]/", "http://[::1", "http://shop.example/%zzhunter2", "http://sh op.example/",
		},
		Denied: {
			"ftp://shop.example/", "gopher://shop.example/", "https://user:hunter2@shop.example/?token=hunter2", "http://user@shop.example/",
		},
	} {
		for _, url := range urls {
			_, err := n.client(t).Do(t.Context(), Request{URL: url})
			e := wantKind(t, err, kind)
			if strings.Contains(e.Error(), "hunter2") || strings.Contains(e.Message, "token") {
				t.Errorf("%q: the error tells a secret: %s", url, e.Error())
			}
		}
	}
	n.wantDialled(t)
}

func TestMessagesHoldNoPartOfTheURLButTheHost(t *testing.T) {
	n := newNetwork(t, hello)
	n.name("inside.example", addrs(private))
	n.name("broken.example", addrs(publicA))
	n.hosts[publicA] = saying("hunter2\r\n\r\n")
	for _, host := range []string{"inside.example", "broken.example", "nowhere.example"} {
		_, err := n.client(t).Do(t.Context(), Request{URL: "http://" + host + "/hunter2?token=hunter2#hunter2"})
		e, ok := err.(*Error)
		if !ok {
			t.Fatalf("%s: error is %v", host, err)
		}
		if !strings.Contains(e.Message, host) || strings.Contains(e.Message, "hunter2") {
			t.Errorf("%s: message is %q", host, e.Message)
		}
	}
}

func TestBadRequests(t *testing.T) {
	n := newNetwork(t, hello)
	for name, c := range map[string]struct {
		r    Request
		kind Kind
	}{
		"method":      {Request{Method: "GET /x HTTP/1.1\r\nX:"}, BadRequest},
		"tunnel":      {Request{Method: "CONNECT"}, BadRequest},
		"name":        {Request{Header: http.Header{"X Y": {"1"}}}, BadRequest},
		"empty name":  {Request{Header: http.Header{"": {"1"}}}, BadRequest},
		"value":       {Request{Header: http.Header{"X-Token": {"hunter2\r\nX-Other: 1"}}}, BadRequest},
		"long header": {Request{Header: http.Header{"X-Token": {strings.Repeat("x", maxRequestHeadBytes)}}}, BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			c.r.URL = "http://93.184.215.14/"
			_, err := n.client(t).Do(t.Context(), c.r)
			e := wantKind(t, err, c.kind)
			if strings.Contains(e.Error(), "hunter2") {
				t.Errorf("the error tells a header's value: %s", e.Error())
			}
			if e.Host != "93.184.215.14" {
				t.Errorf("the error is about the host %q", e.Host)
			}
		})
	}
	n.wantDialled(t)
}

func TestHeaders(t *testing.T) {
	n := newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Host", r.Host)
		json.NewEncoder(w).Encode(r.Header)
	}))
	given := http.Header{
		"content-type": {"text/plain"}, "X-Two": {"a", "b"}, "Host": {"other.example"}, "connection": {"close"},
		"Transfer-Encoding": {"chunked"}, "Content-Length": {"999"}, "Upgrade": {"websocket"},
	}
	c := n.client(t, func(o *Options) { o.UserAgent = "Platen/test" })
	for name, step := range map[string]struct{ userAgent, want string }{
		"default": {"", "Platen/test"}, "own": {"Shop/1", "Shop/1"},
	} {
		t.Run(name, func(t *testing.T) {
			header := given.Clone()
			if step.userAgent != "" {
				header["user-agent"] = []string{step.userAgent}
			}
			before := header.Clone()
			got, err := c.Do(t.Context(), Request{URL: "http://93.184.215.14/", Header: header})
			if err != nil {
				t.Fatal(err)
			}
			var seen http.Header
			if err := json.Unmarshal(got.Body, &seen); err != nil {
				t.Fatal(err)
			}
			want := http.Header{
				"Host": {"93.184.215.14"}, "Content-Type": {"text/plain"}, "X-Two": {"a", "b"},
				"User-Agent": {step.want}, "Accept-Encoding": {"identity"},
			}
			if !reflect.DeepEqual(seen, want) {
				t.Errorf("the server saw %v, want %v", seen, want)
			}
			if !reflect.DeepEqual(header, before) {
				t.Errorf("the caller's header was changed to %v", header)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Authorization", "Basic c2hvcDpodW50ZXIy", "Basic [redacted]"},
		{"Authorization", "hunter2", "[redacted]"},
		{"Authorization", "Secret hunter2", "[redacted]"},
		{"Authorization", "Bearer hunter2", "Bearer [redacted]"},
		{"Proxy-Authorization", "Bearer hunter2", "Bearer [redacted]"},
		{"Cookie", "id=hunter2", "[redacted]"},
		{"Set-Cookie", "id=hunter2; Path=/", "[redacted]"},
		{"X-Api-Key", "hunter2", "[redacted]"},
		{"x-shopify-access-token", "hunter2", "[redacted]"},
		{"X_Secret", "hunter2", "[redacted]"},
		{"Content-Type", "application/json", "application/json"},
		{"Idempotency-Key", "order-7", "order-7"},
		{"X-Author", "Keynes", "Keynes"},
		{"Webhook-Id", "msg_1", "msg_1"},
	} {
		if got := Redact(c.name, c.value); got != c.want {
			t.Errorf("%s: %s is shown as %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

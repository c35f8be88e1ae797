package workspace

import "testing"

func TestRedact(t *testing.T) {
	const secret = `pa"ss/w&ö`
	basic := &Credential{Kind: Basic, Username: "u", Secret: NewSecret(secret)}
	for _, test := range []struct {
		name       string
		credential *Credential
		text, want string
	}{
		{"of nobody", nil, secret, secret},
		{"without a secret", &Credential{Kind: Bearer}, "any text", "any text"},
		{"the decoded pair", basic, "u:" + secret + "!", "u:[secret]!"},
		{"the header", basic, "Basic dTpwYSJzcy93JsO2", "Basic [secret]"},
		{"in JSON", basic, `{"a":"pa\"ss\/w\u0026\u00f6"}`, `{"a":"[secret]"}`},
		{"in a URL", basic, "?a=pa%22ss%2Fw%26%C3%B6&b=c", "?a=[secret]&b=c"},
		{"in HTML", basic, "<b>pa&quot;ss/w&amp;ö</b>", "<b>[secret]</b>"},
		{"a scheme in the secret", &Credential{Kind: Header, HeaderName: "X-A", Secret: NewSecret("Token t0k")}, "t0k Token t0k", "[secret] [secret]"},
		{"nothing to hide", basic, "pass", "pass"},
	} {
		text := []byte(test.text)
		if got := test.credential.Redact(text); string(got) != test.want || string(text) != test.text {
			t.Errorf("%s: got %s, want %s; the text is %s", test.name, got, test.want, text)
		}
	}
}

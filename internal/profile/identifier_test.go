package profile

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"platen/internal/event"
	"platen/internal/fault"
)

func TestRule5RefusesNobody(t *testing.T) {
	nobody := []string{
		" ", "\t\n", "null", "NULL", "Null", " null ", "undefined", "0", "None", "NaN", "[object Object]",
		"{{${user_id}}}", "{{ customer.id }}", "x{{id}}", "{% if a %}", "${user_id}",
		"%%email%%", "%%emailaddr%%", "id-%%memberid%%", "*|EMAIL|*", "*|UNIQID|*", "*|FNAME|*",
		"a\x00b", strings.Repeat("x", MaxValueBytes+1),
	}
	for _, empty := range []string{"", "null", "NULL", "undefined", "0", "None", "NaN", "[object Object]", "{{${email_address}}}", "%%email%%", "*|EMAIL|*", "*|email|*"} {
		nobody = append(nobody,
			fmt.Sprintf("%x", md5.Sum([]byte(empty))),
			fmt.Sprintf("%X", sha1.Sum([]byte(empty))),
			fmt.Sprintf("%x", sha256.Sum256([]byte(empty))))
	}
	for _, value := range nobody {
		for _, who := range []Who{{UserID: value}, {AnonymousID: value}, {Alias: AliasOf("label", value).Value},
			{Email: value}, {Phone: value}, {UserID: "u1", AnonymousID: value}} {
			if err := who.Check(); fault.ReasonOf(err) != "bad_identifier" {
				t.Errorf("%+v: got %v", who, err)
			} else if fault.From(err).Status() != 422 {
				t.Errorf("%+v: status %d", who, fault.From(err).Status())
			}
		}
	}
}

func TestRule5AcceptsNames(t *testing.T) {
	for _, value := range []string{
		"1", "00", "u1", "o'neil", "a%b", "100%", "a|b", "*", "{", "}", "$", "null-1", "Nullius", "日本",
		"d41d8cd98f00b204e9800998ecf84270", // one digit beside md5 of nothing
		fmt.Sprintf("%x", md5.Sum([]byte("ada@example.com"))), strings.Repeat("x", MaxValueBytes),
	} {
		for _, who := range []Who{{UserID: value}, {AnonymousID: value}} {
			if err := who.Check(); err != nil {
				t.Errorf("%+v: %v", who, err)
			}
		}
	}
}

func TestCheckAliases(t *testing.T) {
	for alias, ok := range map[string]bool{
		AliasOf("newsletter", "n-1").Value: true,
		AliasOf("", "n-1").Value:           false,
		AliasOf("newsletter", " ").Value:   false,
		AliasOf("a\x00b", "c").Value:       false, // would be the alias c\x00… of a
		"no-divider":                       false,
	} {
		if err := (Who{Alias: alias}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", alias, err)
		}
	}
	label, name := AliasParts(AliasOf("newsletter", "n-1").Value)
	if label != "newsletter" || name != "n-1" {
		t.Errorf("AliasParts gives %q, %q", label, name)
	}
}

func TestCheckNamesNobody(t *testing.T) {
	if err := (Who{}).Check(); fault.ReasonOf(err) != "missing_identity" {
		t.Errorf("got %v", err)
	}
}

func TestNormalLookup(t *testing.T) {
	if got := NormalLookup(Email, " Ada@Example.COM "); got != "ada@example.com" {
		t.Errorf("e-mail: %q", got)
	}
	if got := NormalLookup(Phone, " +49 1X "); got != "+49 1X" {
		t.Errorf("phone: %q", got)
	}
}

func TestBrazeIDReadsBack(t *testing.T) {
	for _, id := range []event.ID{1, 4096, 1<<62 + 5} {
		text := BrazeIDOf(id)
		if back, ok := PartOfBrazeID(text); !ok || back != id || len(text) != 24 {
			t.Errorf("%d: %q reads as %d, %v", id, text, back, ok)
		}
	}
	for _, text := range []string{"", "1", strings.Repeat("0", 24), strings.Repeat("f", 24), strings.Repeat("g", 24), strings.Repeat("0", 25)} {
		if id, ok := PartOfBrazeID(text); ok {
			t.Errorf("%q reads as %d", text, id)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[Kind]string{UserID: "user_id", AnonymousID: "anonymous_id", Alias: "user_alias",
		BrazeID: "braze_id", Email: "email", Phone: "phone", 0: "unknown"} {
		if kind.String() != want {
			t.Errorf("kind %d is %q, not %q", kind, kind, want)
		}
	}
}

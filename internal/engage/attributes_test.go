package engage

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Each step is one attributes object, without the external_id of the user.
func TestAttributeChanges(t *testing.T) {
	big := strings.Repeat("x", maxNested)
	tests := []struct {
		name  string
		steps []string
		want  string // all attributes afterwards
		left  string // the reason of the only row in quarantine, "" for none
	}{
		{"types", []string{`"s":"é<&>","n":1.50,"t":true,"f":false,"d":"2026-01-02T03:04:05Z","a":["x",2]`},
			`{"a":["x",2],"d":"2026-01-02T03:04:05Z","f":false,"n":1.50,"s":"é<&>","t":true}`, ""},
		{"null removes", []string{`"a":1,"b":2`, `"a":null`}, `{"b":2}`, ""},
		{"names are trimmed and case counts", []string{`" Zip Code ":"1","zip code":"2"`}, `{"Zip Code":"1","zip code":"2"}`, ""},
		{"fields are trimmed too", []string{`" first_name":"Jo"`}, `{"first_name":"Jo"}`, ""},
		{"inc of nothing", []string{`"n":{"inc":3}`}, `{"n":3}`, ""},
		{"inc", []string{`"n":5`, `"n":{"inc":-7}`}, `{"n":-2}`, ""},
		{"inc of a fraction", []string{`"n":1.25`, `"n":{"inc":1}`}, `{"n":2.25}`, ""},
		{"inc beyond 64 bits", []string{`"n":9223372036854775807`, `"n":{"inc":1}`}, `{"n":9.223372036854776e+18}`, ""},
		{"inc of a text", []string{`"n":"five"`, `"n":{"inc":1}`}, `{"n":"five"}`, ""},
		{"an object named inc is a value", []string{`"n":{"inc":"x"}`}, `{"n":{"inc":"x"}}`, ""},
		{"duplicates collapse", []string{`"a":["x","y","x",1,1.0,true,true]`}, `{"a":["y","x",1.0,true]}`, ""},
		{"add moves to the end", []string{`"a":["x","y"]`, `"a":{"add":["x","z","z"]}`}, `{"a":["y","x","z"]}`, ""},
		{"add to nothing", []string{`"a":{"add":["x"]}`}, `{"a":["x"]}`, ""},
		{"remove", []string{`"a":["x",1,"y"]`, `"a":{"remove":["x",1.0,"w"]}`}, `{"a":["y"]}`, ""},
		{"add, then remove", []string{`"a":["x"]`, `"a":{"add":["y","z"],"remove":["y"]}`}, `{"a":["x","z"]}`, ""},
		{"remove from nothing", []string{`"a":{"remove":["x"]},"b":{"$remove":[]},"subscription_groups":[],"c":1`}, `{"c":1}`, ""},
		{"remove the last", []string{`"a":["x"]`, `"a":{"remove":["x"]}`}, `{"a":[]}`, ""},
		{"add to a text", []string{`"a":"x"`, `"a":{"add":["y"]}`}, `{"a":"x"}`, ""},
		{"text and number differ", []string{`"a":["1"]`, `"a":{"add":[1]}`}, `{"a":["1",1]}`, ""},
		{"objects are replaced", []string{`"o":{"a":1,"b":2}`, `"o":{"a":3}`}, `{"o":{"a":3}}`, ""},
		{"objects are merged", []string{`"o":{"a":{"x":1,"y":2},"b":2}`, `"_merge_objects":true,"o":{"a":{"x":3,"y":null},"c":[1]}`},
			`{"o":{"a":{"x":3},"b":2,"c":[1]}}`, ""},
		{"merging into nothing", []string{`"_merge_objects":true,"o":{"a":{"x":1,"y":null}}`}, `{"o":{"a":{"x":1}}}`, ""},
		{"merging into a number", []string{`"o":7`, `"_merge_objects":true,"o":{"a":1}`}, `{"o":{"a":1}}`, ""},
		{"dates inside", []string{`"o":{"born":{"$time":"1980-01-01"},"l":[{"$time":"2020-02-02"}]}`}, `{"o":{"born":"1980-01-01","l":["2020-02-02"]}}`, ""},
		{"a bad date inside", []string{`"o":{"a":1}`, `"o":{"born":{"$time":"spring"}},"c":1`}, `{"c":1,"o":{"a":1}}`, "bad_nested_value"},
		{"a key with a dot", []string{`"o":{"a.b":1},"c":1`}, `{"c":1}`, "bad_nested_value"},
		{"a key with a space, deep", []string{`"o":[{"a":{"b c":1}}],"c":1`}, `{"c":1}`, "bad_nested_value"},
		{"too large", []string{`"o":{"a":"` + big + `"},"c":1`}, `{"c":1}`, "too_large"},
		{"merged too large", []string{`"o":{"a":"` + big[:60000] + `"}`, `"_merge_objects":true,"o":{"b":"` + big[:60000] + `"}`},
			`{"o":{"a":"` + big[:60000] + `"}}`, ""},
		{"array of objects: add, remove, update", []string{
			`"cars":[{"id":1,"c":"red"},{"id":2,"c":"blue"}]`,
			`"cars":{"$add":[{"id":3,"c":"green"}],"$remove":[{"$identifier_key":"id","$identifier_value":1}],
				"$update":[{"$identifier_key":"id","$identifier_value":3,"$new_object":{"id":3,"c":"gold"}}]}`},
			`{"cars":[{"c":"blue","id":2},{"c":"gold","id":3}]}`, ""},
		{"update replaces", []string{`"cars":[{"id":1,"c":"red"}]`,
			`"cars":{"$update":[{"$identifier_key":"id","$identifier_value":1.0,"$new_object":{"d":4}}]}`}, `{"cars":[{"d":4}]}`, ""},
		{"update merges", []string{`"cars":[{"id":1,"c":"red"}]`,
			`"_merge_objects":true,"cars":{"$update":[{"$identifier_key":"id","$identifier_value":1,"$new_object":{"d":4}}]}`},
			`{"cars":[{"c":"red","d":4,"id":1}]}`, ""},
		{"equal objects stay", []string{`"cars":[{"id":1},{"id":1}]`}, `{"cars":[{"id":1},{"id":1}]}`, ""},
		{"a bad operation drops all of it", []string{`"cars":[{"id":1}]`,
			`"c":1,"cars":{"$add":[{"id":2}],"$remove":[{"id":1}]}`}, `{"c":1,"cars":[{"id":1}]}`, "bad_nested_value"},
		{"an identifier value that is no scalar", []string{`"cars":[{"id":[1]}]`,
			`"c":1,"cars":{"$remove":[{"$identifier_key":"id","$identifier_value":[1]}]}`}, `{"c":1,"cars":[{"id":[1]}]}`, "bad_nested_value"},
		{"remove by several keys", []string{`"cars":[{"id":1},{"id":"1"},{"no":1},{"id":2,"no":3},4]`,
			`"cars":{"$remove":[{"$identifier_key":"id","$identifier_value":1},{"$identifier_key":"no","$identifier_value":3}]}`},
			`{"cars":[{"id":"1"},{"no":1},4]}`, ""},
		{"updates follow each other", []string{`"cars":[{"id":1},{"id":2}]`,
			`"cars":{"$update":[{"$identifier_key":"id","$identifier_value":1,"$new_object":{"id":2}},
				{"$identifier_key":"id","$identifier_value":2,"$new_object":{"id":3}},
				{"$identifier_key":"id","$identifier_value":1,"$new_object":{"id":4}}]}`}, `{"cars":[{"id":3},{"id":3}]}`, ""},
		{"an update of nearly all that fits", []string{`"cars":[{"id":1},{"id":1}]`,
			`"cars":{"$update":[{"$identifier_key":"id","$identifier_value":1,"$new_object":{"c":"` + big[:50000] + `"}}]}`},
			`{"cars":[{"c":"` + big[:50000] + `"},{"c":"` + big[:50000] + `"}]}`, ""},
		{"an update without object", []string{`"c":1,"cars":{"$update":[{"$identifier_key":"id","$identifier_value":1}]}`}, `{"c":1}`, "bad_nested_value"},
		{"subscription groups", []string{
			`"subscription_groups":[{"subscription_group_id":"g1","subscription_state":"subscribed"},{"subscription_group_id":"g2","subscription_state":"subscribed"}]`,
			`"subscription_groups":[{"subscription_group_id":"g1","subscription_state":"unsubscribed"}]`},
			`{"subscription_groups":[{"subscription_group_id":"g2","subscription_state":"subscribed"},{"subscription_group_id":"g1","subscription_state":"unsubscribed"}]}`, ""},
		{"subscription groups, one twice", []string{
			`"subscription_groups":[{"subscription_group_id":"g1","subscription_state":"subscribed"},{"subscription_group_id":"g1","subscription_state":"unsubscribed"}]`},
			`{"subscription_groups":[{"subscription_group_id":"g1","subscription_state":"unsubscribed"}]}`, ""},
		{"time zones", []string{`"time_zone":"Europe/Berlin"`}, `{"time_zone":"Europe/Berlin"}`, ""},
		{"time zones of Rails", []string{`"time_zone":"Pacific Time (US & Canada)"`}, `{"time_zone":"America/Los_Angeles"}`, ""},
		{"time zones of Rails by city", []string{`"time_zone":"Buenos Aires"`}, `{"time_zone":"America/Buenos_Aires"}`, ""},
		{"unknown time zones are ignored", []string{`"time_zone":"Europe/Berlin"`, `"time_zone":"Local"`}, `{"time_zone":"Europe/Berlin"}`, "bad_time_zone"},
		{"countries", []string{`"country":"de"`}, `{"country":"DE"}`, ""},
		{"unknown countries remove", []string{`"country":"DE"`, `"country":"Narnia"`}, `{}`, "bad_country"},
		{"e-mail removed", []string{`"email":" A@b.co "`, `"email":null`}, `{}`, ""},
	}
	s := newServer(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			user := "u" + strconv.Itoa(i)
			before := len(s.quarantined())
			for _, step := range tt.steps {
				a := s.send("/users/track", `{"attributes":[{"external_id":"`+user+`",`+step+`}]}`, http.StatusCreated)
				if *a.Attributes != 1 || len(a.Errors) > 0 {
					t.Errorf("answer %+v", a)
				}
			}
			if got := s.attributes(user); got != tt.want {
				t.Errorf("attributes\n%.300s\nwant\n%.300s", got, tt.want)
			}
			rows := s.quarantined()
			rows = rows[:len(rows)-before] // the newest come first
			if len(rows) > 1 || len(rows) == 1 && rows[0].Reason != tt.left || len(rows) == 0 && tt.left != "" {
				t.Errorf("quarantine %+v, want reason %q", rows, tt.left)
			}
		})
	}
}

func TestANameStandsOnce(t *testing.T) {
	s := newServer(t)
	a := s.send("/users/track", `{"attributes":[{"external_id":"u1","a":{"inc":1}," a":{"inc":1}}]}`, http.StatusBadRequest)
	if len(a.Errors) != 1 || a.Errors[0].Type != "'a' is not valid" {
		t.Errorf("answer %+v", a)
	}
}

func TestAttributesHaveSoManyBytes(t *testing.T) {
	s := newServer(t)
	value := `["` + strings.Repeat("x", maxNested-10) + `"]`
	a := s.send("/users/track", `{"attributes":[{"external_id":"u1","a":`+value+`,"b":`+value+`},{"external_id":"u1","c":`+value+`},
		{"external_id":"u1","c":{"add":`+value+`}},{"external_id":"u1","d":1}]}`, http.StatusCreated)
	if *a.Attributes != 2 || len(a.Errors) != 2 || !strings.Contains(a.Errors[0].Type, "bytes") {
		t.Errorf("answer %+v", a)
	}
	rows := s.quarantined()
	if len(rows) != 2 || rows[0].Reason != "attributes_too_large" || rows[1].Reason != "attributes_too_large" {
		t.Errorf("quarantine %+v", rows)
	}
}

func TestArraysKeepTheNewest(t *testing.T) {
	items := make([]any, maxItems+5)
	for i := range items {
		items[i] = json.Number(strconv.Itoa(i))
	}
	kept := appendItems(items[:10], items[10:])
	if len(kept) != maxItems || kept[len(kept)-1] != items[len(items)-1] || kept[0] != items[5] {
		t.Errorf("%d items, first %v, last %v", len(kept), kept[0], kept[len(kept)-1])
	}
}

// A decision may be made twice, so a change must not remember anything.
func TestChangesArePure(t *testing.T) {
	operations := []string{
		`{"inc":2}`, `{"add":["b",{"k":1}],"remove":["a"]}`,
		`{"$add":[{"id":9,"in":{"a":1}}],"$remove":[{"$identifier_key":"id","$identifier_value":8}],
			"$update":[{"$identifier_key":"id","$identifier_value":9,"$new_object":{"id":8,"in":{"b":2}}}]}`,
	}
	values := []string{"", `"text"`, `1`, `["a","b"]`, `[{"id":8},{"id":7}]`, `{"id":1}`}
	for _, o := range operations {
		f, err := operation(decode(o).(map[string]any), true)
		if err != nil || f == nil {
			t.Fatalf("%s: %v", o, err)
		}
		for _, current := range values {
			first, ok := f(current)
			second, again := f(current)
			if first != second || ok != again {
				t.Errorf("%s on %s gives %s, then %s", o, current, first, second)
			}
		}
	}
}

func TestZonesOfRailsExist(t *testing.T) {
	for rails, iana := range railsZones {
		if !isZone(iana) {
			t.Errorf("%s: there is no zone %s", rails, iana)
		}
		if isZone(rails) {
			t.Errorf("%s is a name of the IANA database", rails)
		}
	}
	for _, name := range []string{"", "Local", "UTC", "../UTC", "Europe", "Paris", "New York", "Hong Kong", "Europe/Nowhere", "\x00"} {
		iana, ok := findZone(name)
		known := map[string]string{"UTC": "UTC", "Paris": "Europe/Paris", "New York": "America/New_York", "Hong Kong": "Asia/Hong_Kong"}
		if iana != known[name] || ok != (known[name] != "") {
			t.Errorf("findZone(%q) = %q, %v", name, iana, ok)
		}
	}
}

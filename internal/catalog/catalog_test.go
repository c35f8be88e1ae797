package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"platen/internal/fault"
	"platen/liquid"
)

const products = `id,name,price,sale,tags,details,launch,zip
p1,Mug,12.50,true,"[""kitchen"",""gift""]","{""color"":""red""}",2026-01-01,01234
p2,"Cup, ""small""",9,false,"[""kitchen""]",,2026-03-01T10:00:00Z,10001
p3,Lamp,,,,,,
p4,Table,120.00,false,[],{},2025-01-01,
`

var productFields = []Field{{"tags", Array}, {"details", Object}, {"launch", Time}}

func fromCSV(t *testing.T, text string, fields []Field, selections ...Selection) *Catalog {
	t.Helper()
	table, err := ReadCSV(text)
	if err != nil {
		t.Fatal(err)
	}
	c, problems := New("products", table, fields, selections)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

// render prints a template over the items with these ids.
func render(t *testing.T, items []any, template string) string {
	t.Helper()
	parsed, err := liquid.Parse(template, liquid.Options{Dialect: liquid.Braze})
	if err != nil {
		t.Fatal(err)
	}
	out, err := parsed.Render(t.Context(), liquid.Input{Vars: map[string]any{"items": items}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestItemsOfCSVHaveTheirTypes(t *testing.T) {
	c := fromCSV(t, products, productFields)
	if got := fmt.Sprint(c.fields); got != "[id name price sale tags details launch zip]" || c.Len() != 4 {
		t.Errorf("%d items with fields %s", c.Len(), got)
	}
	items := c.Items([]string{"p2", "none", "p1", "p3"})
	if len(items) != 3 {
		t.Fatalf("%d items", len(items))
	}
	for template, want := range map[string]string{
		"{{items[0].name}}":            `Cup, "small"`,
		"{{items[1].price}}":           "12.50", // as it was written
		"{{items[0].price | plus: 1}}": "10",
		"{% if items[1].sale %}y{% endif %}{% if items[0].sale %}n{% endif %}": "y",
		"{{items[1].tags | join: '+'}}":                                        "kitchen+gift",
		"{{items[1].details.color}}":                                           "red",
		"{{items[1].zip}}":                                                     "01234",
		"{{items[0].launch}}":                                                  "2026-03-01T10:00:00Z",
		"[{{items[2].price}}{{items[2].tags}}]":                                "[]",
	} {
		if got := render(t, items, template); got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
	if again := c.Items([]string{"p1"}); again[0] != items[1] {
		t.Error("an item is made anew for each use")
	}
}

func TestItemsOfJSON(t *testing.T) {
	for name, text := range map[string]string{
		"array": `[{"id": 1, "n": 1.50, "deep": {"a": [1, null]}}, {"id": "x-2", "n": null}]`,
		"lines": "{\"id\": 1, \"n\": 1.50, \"deep\": {\"a\": [1, null]}}\n\n{\"id\": \"x-2\", \"n\": null}\n",
		"mark":  "\ufeff" + `[{"id": 1, "n": 1.50, "deep": {"a": [1, null]}}, {"id": "x-2"}]`,
	} {
		table, err := ReadJSON(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c, problems := New("c", table, nil, nil)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", name, problems)
		}
		got := render(t, c.Items([]string{"x-2", "1"}), "{{items[1].n}} {{items[1].deep.a[0]}} {{items[0].id}} {{items | size}}")
		if got != "1.50 1 x-2 2" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestDeclaredTextTakesPlainValues(t *testing.T) {
	table, err := ReadJSON(`[{"id":"a","s":1.0},{"id":"b","s":true},{"id":"c","s":"x"},{"id":"d","s":100000000.5},{"id":"e","s":1.50}]`)
	if err != nil {
		t.Fatal(err)
	}
	c, problems := New("c", table, []Field{{"s", Text}}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := render(t, c.Items([]string{"a", "b", "c", "d", "e"}), "{{items | map: 's' | join: ' '}}"); got != "1.0 true x 100000000.5 1.50" {
		t.Error(got)
	}
	for _, item := range c.items {
		if value, _ := item.(*liquid.Map).Get("s"); fmt.Sprintf("%T", value) != "string" {
			t.Errorf("%v is of type %T", value, value)
		}
	}
}

func TestSelections(t *testing.T) {
	n := func(text string) any { v, _ := liquid.FromJSON([]byte(text)); return v }
	for _, c := range []struct {
		name  string
		where []Condition
		want  string
	}{
		{"equals number", []Condition{{"price", Equals, n("12.5")}}, "p1"},
		{"not equal", []Condition{{"price", NotEqual, n("9")}}, "p1 p3 p4"},
		{"greater", []Condition{{"price", GreaterThan, n("12")}}, "p1 p4"},
		{"less", []Condition{{"price", LessThan, n("100")}}, "p1 p2"},
		{"boolean", []Condition{{"sale", Equals, false}}, "p2 p4"},
		{"text", []Condition{{"name", Equals, "mug"}}, ""},
		{"contains", []Condition{{"name", Contains, "u"}}, "p1 p2"},
		{"includes", []Condition{{"tags", Includes, "gift"}}, "p1"},
		{"includes number", []Condition{{"tags", Includes, n("1")}}, ""},
		{"blank", []Condition{{"tags", Blank, nil}}, "p3 p4"},
		{"not blank", []Condition{{"details", NotBlank, nil}}, "p1"},
		{"time", []Condition{{"launch", GreaterThan, "2026-01-01"}}, "p2"},
		{"both", []Condition{{"price", LessThan, n("100")}, {"sale", Equals, true}}, "p1"},
		{"none", nil, "p1 p2 p3 p4"},
	} {
		got := fromCSV(t, products, productFields, Selection{Name: "s", Where: c.where, Limit: 50})
		if ids := idsOf(got, "s"); ids != c.want {
			t.Errorf("%s: %q, want %q", c.name, ids, c.want)
		}
	}
	for _, c := range []struct {
		sort       string
		descending bool
		limit      int
		want       string
	}{
		{"price", false, 50, "p2 p1 p4 p3"},
		{"price", true, 50, "p4 p1 p2 p3"}, // without a value: last in either direction
		{"price", true, 2, "p4 p1"},
		{"launch", false, 3, "p4 p1 p2"},
		{"name", true, 50, "p4 p1 p3 p2"},
		{"sale", false, 50, "p2 p4 p1 p3"},
		{"", false, 1, "p1"},
	} {
		got := fromCSV(t, products, productFields, Selection{Name: "s", Sort: c.sort, Descending: c.descending, Limit: c.limit})
		if ids := idsOf(got, "s"); ids != c.want {
			t.Errorf("sorted by %s: %q, want %q", c.sort, ids, c.want)
		}
	}
	c := fromCSV(t, products, productFields)
	if _, ok := c.Selection("s"); ok {
		t.Error("a selection that nobody made")
	}
}

func idsOf(c *Catalog, selection string) string {
	items, _ := c.Selection(selection)
	var ids []string
	for _, item := range items {
		id, _ := item.(*liquid.Map).Get("id")
		ids = append(ids, id.(string))
	}
	return strings.Join(ids, " ")
}

// Every mistake in data is told with its place in the text.
func TestMistakesInData(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{"nothing", "", `1:1 there is no line with the names of the fields`},
		{"no id", "sku,name\n1,a\n", `1:1 the first line names the fields, and one of them must be "id"`},
		{"a name", "id,my field\n", `1:4 "my field" is no name of a field`},
		{"a name twice", "id,é,é\n", `1:4 "é" is no name`},
		{"names twice", "id,a,a\n", `1:6 there are two fields with the name "a"`},
		{"cells", "id,a\n1\n", `2:1 this row has another number of cells`},
		{"quote", "id,a\n1,\"x\"y\n", `2:5 a cell that begins with a quote`},
		{"bare quote", "id,a\n1,x\"y\n", `2:4 a cell with a quote in it`},
		{"without id", "id,a\nx,1\n,2\n", `3:1 item 2: it has no "id"`},
		{"bad id", "a,id\né é,x y\n", `2:5 item 1: an id can have`},
		{"twice", "id\nx\ny\nx\n", `4:1 item 3: its id "x" is that of item 1 already`},
		{"number", "id,n\nx,1\ny,007\n", `3:3 item 2: the field n must be a number as 12 or 1.99, but is "007"`},
		{"boolean", "id,b\nx,yes\n", `2:3 item 1: the field b must be true or false, but is "yes"`},
		{"time", "id,t\nx,soon\n", `2:3 item 1: the field t must be a time`},
		{"array", "id,l\nx,{}\n", `2:3 item 1: the field l must be a JSON array`},
		{"long", "id,s\nx," + strings.Repeat("é", MaxValueRunes+1) + "\n", `2:3 item 1: the field s has more than 5000 characters`},
	} {
		table, err := ReadCSV(c.csv)
		problems := []*fault.Error{}
		if err != nil {
			problems = append(problems, fault.From(err))
		} else {
			_, problems = New("c", table, []Field{{"n", Number}, {"b", Boolean}, {"t", Time}, {"l", Array}}, nil)
		}
		if len(problems) != 1 || !strings.HasPrefix(told(problems[0]), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, tellAll(problems), c.want)
		}
	}
	for _, c := range []struct{ name, json, want string }{
		{"nothing", `[`, `1:2 this is not JSON: unexpected end of JSON input`},
		{"syntax", "[{\"id\": 1},\n {\"id\" 2}]", `2:8 this is not JSON: invalid character '2'`},
		{"no object", "[{\"id\": 1},\n  2]", `2:3 an item must be a JSON object`},
		{"more", `[{"id": 1}] x`, `1:13 this is not JSON`},
		{"more items", `[{"id": 1}] {"id": 2}`, `1:13 this is not JSON: invalid character '{'`},
		{"a bracket more", "{\"id\": 1}\n ]", `2:2 this is not JSON`},
		{"a line", "{\"id\": 1}\n {\"id\": }", `2:9 this is not JSON`},
		{"deep", `[{"id": 1, "d": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}]`, `1:2 this item is nested too deep`},
		{"mixed", "[{\"id\": 1, \"v\": 1},\n{\"id\": 2, \"v\": \"1\"}, {\"id\": 3, \"v\": 3}]", `2:1 item 2: the field v is of type string, but the type of the field is number`},
		{"type", `[{"id": 1, "n": "1"}]`, `1:2 item 1: the field n is of type string, but the type of the field is number`},
		{"id", `[{"id": 1.5}]`, `1:2 item 1: an id can have`},
		{"null", `[{"id": null}]`, `1:2 item 1: it has no "id"`},
	} {
		table, err := ReadJSON(c.json)
		problems := []*fault.Error{}
		if err != nil {
			problems = append(problems, fault.From(err))
		} else {
			_, problems = New("c", table, []Field{{"n", Number}}, nil)
		}
		if len(problems) != 1 || !strings.HasPrefix(told(problems[0]), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, tellAll(problems), c.want)
		}
	}
}

func told(f *fault.Error) string { return fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Message) }

func tellAll(problems []*fault.Error) (all []string) {
	for _, f := range problems {
		all = append(all, told(f))
	}
	return all
}

func TestMistakesInSelectionsPointToThem(t *testing.T) {
	table, err := ReadCSV(products)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		selection Selection
		pointer   string
		says      string
	}{
		{Selection{Name: "on sale", Limit: 1}, "/selections/0/name", "no name of a selection"},
		{Selection{Name: "s", Limit: 51}, "/selections/0/limit", "from 1 to 50"},
		{Selection{Name: "s", Limit: 1, Sort: "cost"}, "/selections/0/sort/field", `no field "cost"; it has id, name, price`},
		{Selection{Name: "s", Limit: 1, Sort: "tags"}, "/selections/0/sort/field", "cannot be sorted"},
		{Selection{Name: "s", Limit: 1, Where: []Condition{{"cost", Blank, nil}}}, "/selections/0/where/0/field", "no field"},
		{Selection{Name: "s", Limit: 1, Where: []Condition{{"name", GreaterThan, "a"}}}, "/selections/0/where/0/is", "no meaning"},
		{Selection{Name: "s", Limit: 1, Where: []Condition{{"name", Includes, "a"}}}, "/selections/0/where/0/is", "no meaning"},
		{Selection{Name: "s", Limit: 1, Where: []Condition{{"name", Blank, nil}, {"price", Equals, "9"}}}, "/selections/0/where/1/value", "cannot be compared"},
		{Selection{Name: "s", Limit: 1, Where: []Condition{{"launch", LessThan, "soon"}}}, "/selections/0/where/0/value", "cannot be compared"},
		{Selection{Name: "s", Limit: 1, Where: slices.Repeat([]Condition{{"name", Blank, nil}}, 11)}, "/selections/0/where", "at most 10"},
	} {
		_, problems := New("c", table, productFields, []Selection{c.selection})
		if len(problems) != 1 || problems[0].Pointer != c.pointer || !strings.Contains(problems[0].Message, c.says) {
			t.Errorf("%+v: got %v, want %s at %s", c.selection, problems, c.says, c.pointer)
		}
	}
	twice := []Selection{{Name: "s", Limit: 1}, {Name: "s", Limit: 1}}
	if _, problems := New("c", table, productFields, twice); len(problems) != 1 || problems[0].Pointer != "/selections/1/name" {
		t.Errorf("a name twice: %v", problems)
	}
	if _, problems := New("c", table, []Field{{"id", Number}, {"a b", Text}, {"x", Text}, {"x", Text}}, nil); len(problems) != 3 {
		t.Errorf("fields: %v", tellAll(problems))
	}
}

func TestCatalogsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("id\n")
	for i := range MaxItems {
		fmt.Fprintf(&b, "%d\n", i)
	}
	if c := fromCSV(t, b.String(), nil); c.Len() != MaxItems || len(c.Items([]string{"9999"})) != 1 {
		t.Errorf("%d items", c.Len())
	}
	if _, err := ReadCSV(b.String() + "x\n"); fault.ReasonOf(err) != "too_many" {
		t.Errorf("an item more: %v", err)
	}
	if _, err := ReadJSON(strings.Repeat(" ", MaxBytes+1)); fault.ReasonOf(err) != "too_large" {
		t.Errorf("a text that is too large: %v", err)
	}
	if _, err := ReadCSV("id" + strings.Repeat(",x", MaxFields)); fault.ReasonOf(err) != "too_many" {
		t.Errorf("too many fields: %v", err)
	}
	rows := make([]*liquid.Map, 2)
	for i := range rows {
		rows[i] = &liquid.Map{}
		rows[i].Set("id", fmt.Sprint(i))
		for f := range MaxFields / 2 {
			rows[i].Set(fmt.Sprintf("f%d_%d", i, f), "x")
		}
	}
	if _, problems := New("c", NewTable(rows), nil, nil); len(problems) != 1 || problems[0].Pointer != "/data/1" {
		t.Errorf("too many fields of rows: %v", problems)
	}
	bad := make([]*liquid.Map, 100)
	for i := range bad {
		bad[i] = &liquid.Map{}
	}
	if _, problems := New("c", NewTable(bad), nil, nil); len(problems) != maxProblems {
		t.Errorf("%d problems", len(problems))
	}
}

// Whole numbers are compared digit by digit, and with others by their value.
func TestSelectionsByGreatNumbers(t *testing.T) {
	table, err := ReadJSON(`[{"id": "a", "n": 9007199254740993}, {"id": "b", "n": 9007199254740992}, {"id": "c", "n": 2.0}, {"id": "d", "n": 2.5}]`)
	if err != nil {
		t.Fatal(err)
	}
	selections := []Selection{
		{Name: "equal", Limit: 5, Where: []Condition{{"n", Equals, int64(9007199254740992)}}},
		{Name: "greater", Limit: 5, Where: []Condition{{"n", GreaterThan, int64(9007199254740992)}}},
		{Name: "two", Limit: 5, Where: []Condition{{"n", Equals, int64(2)}}},
		{Name: "half", Limit: 5, Where: []Condition{{"n", Equals, 2.5}}},
		{Name: "sorted", Limit: 5, Sort: "n"},
	}
	c, problems := New("c", table, nil, selections)
	if len(problems) > 0 {
		t.Fatal(tellAll(problems))
	}
	for name, want := range map[string]string{"equal": "b", "greater": "a", "two": "c", "half": "d", "sorted": "cdba"} {
		items, _ := c.Selection(name)
		if got := render(t, items, "{{ items | map: 'id' | join: '' }}"); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Nothing at all is a mistake; no items are written as [].
func TestBlankJSON(t *testing.T) {
	for _, text := range []string{"", " \n\t", "\ufeff\r\n"} {
		if table, err := ReadJSON(text); table != nil || fault.ReasonOf(err) != "bad_json" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadJSON(" []\n"); err != nil {
		t.Error(err)
	}
}

package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"platen/internal/campaign"
	"platen/internal/catalog"
	"platen/internal/personalize"
	"platen/liquid"
)

const shop = `
kind: Workspace
name: shop
---
`

func snippet(name, text string) string {
	return fmt.Sprintf("---\nkind: Snippet\nworkspace: shop\nname: %s\ntext: %q\n", name, text)
}

func TestSnippetsGoOneLevelDeep(t *testing.T) {
	s := newServer(t)
	report := s.apply(shop + snippet("inner", "x") + snippet("middle", "{{content_blocks.${inner}}}"))
	if len(report.Warnings) != 0 {
		t.Errorf("two levels: %v", report.Warnings)
	}
	report = s.apply(snippet("outer", "one {{content_blocks.${middle}}}"))
	want := []Warning{{"test.yaml", 5, 29, `messages that use this snippet do not show "inner", which "middle" uses: snippets within snippets go one level deep`}}
	if !reflect.DeepEqual(report.Warnings, want) {
		t.Errorf("got %v, want %v", report.Warnings, want)
	}
	if got := s.refuses(snippet("inner", "{{content_blocks.${outer}}}")); !strings.Contains(got, "a snippet cannot use itself: inner → outer → middle → inner") {
		t.Errorf("a cycle with what is stored: %s", got)
	}
}

// A selection that a stored document uses goes only together with its use.
func TestUsedSelectionsStay(t *testing.T) {
	s := newServer(t)
	products := func(selection string) string {
		return "---\nkind: Catalog\nworkspace: shop\nname: products\nselections: [{name: " + selection + "}]\nitems: [{id: a}]\n"
	}
	s.apply(shop + products("reduced") + snippet("s", "{% catalog_selection_items products reduced %}"))
	if got := s.refuses(products("other")); !strings.Contains(got, `test.yaml:5:13: the snippet "s" uses the selection "reduced", which is not here any more`) {
		t.Error(got)
	}
	s.apply(products("other") + snippet("s", "{% catalog_selection_items products other %}"))
	c, _ := s.reg.Current().Catalog(1, "products")
	if items, ok := c.Selection("other"); !ok || len(items) != 1 {
		t.Errorf("the selection has %v", items)
	}
}

// The report of an apply never shows a code; the export has to.
func TestCodesAreNotTold(t *testing.T) {
	s := newServer(t)
	list := func(codes string) string {
		return "kind: PromotionList\nworkspace: shop\nname: welcome\n" + codes + "\n"
	}
	s.apply(shop + list("codes: [hunter2, hunter3]"))
	report := s.apply(list("csv: |\n  hunter2\n  hunter4"))
	if got := fmt.Sprint(report); strings.Contains(got, "hunter") || !strings.Contains(got, "2 codes (") {
		t.Errorf("the report is %s", got)
	}
	if f := report.Changes[0].Fields; len(f) != 1 || f[0].Field != "codes" || f[0].Before == f[0].After {
		t.Errorf("the changes are %v", f)
	}
	if !strings.Contains(string(s.export()), "csv: |\n  hunter2\n  hunter4\n") {
		t.Errorf("the export is\n%s", s.export())
	}
}

func TestManyChangesAreToldInPart(t *testing.T) {
	s := newServer(t)
	items := func(first, count int) string {
		var b strings.Builder
		b.WriteString("kind: Catalog\nworkspace: shop\nname: c\nitems:\n")
		for i := range count {
			fmt.Fprintf(&b, "  - {id: i%d, n: %d}\n", first+i, i)
		}
		return b.String()
	}
	s.apply(shop + items(0, 300))
	fields := s.apply(items(1, 300)).Changes[0].Fields
	if last := fields[len(fields)-1]; len(fields) != maxFieldChanges+1 || last.After != "and 200 more" {
		t.Errorf("%d changes, the last is %v", len(fields), last)
	}
}

func TestLargestCatalog(t *testing.T) {
	var b strings.Builder
	b.WriteString("kind: Catalog\nworkspace: shop\nname: large\nitems:\n")
	for i := range catalog.MaxItems {
		fmt.Fprintf(&b, " - {id: i%d}\n", i)
	}
	s := newServer(t)
	s.apply(shop + b.String())
	c, _ := s.reg.Current().Catalog(1, "large")
	if c.Len() != catalog.MaxItems {
		t.Fatalf("%d items", c.Len())
	}
	if _, err := parse([]File{{Name: "f", Data: []byte(b.String() + " - {id: more}\n")}}); err == nil || !strings.Contains(err.Error(), "at most 10000") {
		t.Errorf("an item more: %v", err)
	}
}

// The form that is stored may be longer than what was given, and is read all the same.
func TestStoredDocumentsHaveAnySize(t *testing.T) {
	body := "kind: Workspace\nname: shop\n" + strings.Repeat("#", MaxFileBytes)
	if _, err := decodeStored(Stored{Workspace: 1, Kind: KindWorkspace, ID: "shop", Name: "shop", Version: 1, Body: []byte(body)}); err != nil {
		t.Error(err)
	}
}

func TestInline(t *testing.T) {
	files := fstest.MapFS{
		"a.csv":        {Data: []byte("\ufeffid,name\r\nx,\"a \"\"b\"\" \\ é\u2028\t😀\"\r\n")},
		"below/b.json": {Data: []byte(`[{"id": "y"}]`)},
		"codes.txt":    {Data: []byte("A\nB\n")},
		"latin.csv":    {Data: []byte("id\n\xe9\n")},
		"bad.csv":      {Data: []byte("id,n\nx,1\ny\n")},
	}
	read := func(name string) ([]byte, error) { return fs.ReadFile(files, name) }
	in := shop + `kind: Catalog
workspace: shop
file:  'a.csv'   # a comment
name: a
---
{kind: Catalog, workspace: shop, name: b, file: below/b.json}
---
kind: PromotionList
workspace: shop
name: codes
file: "codes.txt"
---
kind: Credential
workspace: shop
name: x
host: a.example
bearer: {token: {file: token.txt}}
`
	out, err := Inline(File{Name: "test.yaml", Data: []byte(in)}, read)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(out.Data), "\n") != strings.Count(in, "\n") || !strings.Contains(string(out.Data), "# a comment\n") ||
		!strings.Contains(string(out.Data), "{file: token.txt}") {
		t.Errorf("got\n%s", out.Data)
	}
	s := newServer(t)
	parts := strings.SplitN(string(out.Data), "---\nkind: Credential", 2)
	s.apply(parts[0])
	a, _ := s.reg.Current().Catalog(1, "a")
	b, _ := s.reg.Current().Catalog(1, "b")
	codes, _ := s.reg.Current().PromotionList(1, "codes")
	if got := evaluate(t, "{{i.name}}", map[string]any{"i": a.Items([]string{"x"})[0]}); got != "a \"b\" \\ é\u2028\t😀" {
		t.Errorf("the name is %q", got)
	}
	if b.Len() != 1 || len(codes.Codes) != 2 {
		t.Errorf("%d items and %d codes", b.Len(), len(codes.Codes))
	}
	if strings.Contains(string(s.export()), "file:") {
		t.Error("the export names files")
	}

	bad := "kind: Catalog\nworkspace: shop\nname: a\nfile: %s\n---\nkind: Workspace\nnam: b\n"
	for name, want := range map[string]string{
		"gone.csv":    "test.yaml:4:7: cannot read gone.csv: open gone.csv: file does not exist",
		"a.xlsx":      `test.yaml:4:7: the data of a Catalog is read from files that end in .csv, .json, .jsonl, and not from "a.xlsx"`,
		"latin.csv":   "test.yaml:4:7: latin.csv is not in UTF-8; save it so and apply again",
		`"\x61.csv"`:  "test.yaml:4:7: write the name of the file in one line and without escapes",
		">-\n  a.csv": "test.yaml:4:7: write the name of the file in one line and without escapes",
	} {
		_, err := Inline(File{Name: "test.yaml", Data: fmt.Appendf(nil, bad, name)}, read)
		var problems Problems
		if !errors.As(err, &problems) || !strings.HasPrefix(problems[0].String(), want) || len(problems) != 1 {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	// Places behind what was put in stay, and mistakes in it are told with theirs.
	out, err = Inline(File{Name: "test.yaml", Data: fmt.Appendf(nil, bad, "bad.csv")}, read)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parse([]File{out})
	want := "test.yaml:4:6: this row has another number of cells than the first line (line 3, column 1 of the text)\n" +
		"test.yaml:6:1: kind Workspace needs \"name\"\n" +
		"test.yaml:7:1: kind Workspace has no field \"nam\"; did you mean \"name\"?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	for _, text := range []string{"file: [", "kind: Catalog\nfile: [a]\n", "", "- file: a.csv\n", "kind: [Catalog]\nfile: a.csv\n"} {
		if out, err := Inline(File{Name: "f", Data: []byte(text)}, read); err != nil || string(out.Data) != text {
			t.Errorf("%q became %q, %v", text, out.Data, err)
		}
	}
}

// FuzzInline holds that what is put in reads back as it was, whatever it is.
func FuzzInline(f *testing.F) {
	f.Add("a,\"b\"\n\r\t\\ \x00\u0085\ufffe\U0010ffff")
	f.Fuzz(func(t *testing.T, text string) {
		in := File{Name: "f", Data: []byte("kind: Catalog\nfile: a.csv\n")}
		out, err := Inline(in, func(string) ([]byte, error) { return []byte(text), nil })
		if err != nil {
			return
		}
		r := newReader(out)
		docs := r.documents()
		want := strings.TrimPrefix(text, "\ufeff")
		if len(docs) != 1 || string(docs[0].spec.(*catalogSpec).CSV) != want {
			t.Fatalf("%q became %q", text, out.Data)
		}
	})
}

// outside plays what a message asks for beyond the documents.
type outside struct {
	asked  []string
	extras map[string]string
}

func (o *outside) Fetch(_ context.Context, r liquid.FetchRequest) (liquid.FetchResponse, error) {
	o.asked = append(o.asked, r.Method+" "+r.URL)
	return liquid.FetchResponse{Status: 200, Body: []byte(`{"left": 7}`)}, nil
}

func (o *outside) Code(_ context.Context, list string) (string, error) { return "code of " + list, nil }

// TestLiquidExamples applies examples/liquid as platen apply does, and renders its
// campaign, which uses every tag that asks for something from outside.
func TestLiquidExamples(t *testing.T) {
	folder := os.DirFS("../../examples/liquid")
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var files []File
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Inline(File{Name: name, Data: data}, func(name string) ([]byte, error) { return fs.ReadFile(folder, filepath.ToSlash(name)) })
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	s := newServer(t)
	report := s.applyFiles(files...)
	if len(report.Warnings) > 0 {
		t.Errorf("warnings: %v", report.Warnings)
	}
	live := s.reg.Current()
	c, _ := live.CampaignNamed(1, "About the product you saw")

	asked := &outside{extras: map[string]string{}}
	library := &personalize.Library{Definitions: live, Workspace: 1}
	input := func(product string) liquid.Input {
		return liquid.Input{
			Vars: map[string]any{
				liquid.ProfileVariables: map[string]any{"first_name": "Ana", "email_address": "ana@example.com"},
				"event_properties":      map[string]any{"id": product},
			},
			Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Catalogs: library, Partials: library, Fetcher: asked, Codes: asked,
			Extra: func(key, value string) { asked.extras[key] = value },
		}
	}
	request, err := c.Variants[0].Webhook.Render(t.Context(), input("lamp"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(request.Body, &got); err != nil {
		t.Fatalf("%v in\n%s", err, request.Body)
	}
	want := map[string]any{
		"to": "ana@example.com", "left": 7.0, "code": "code of welcome",
		"text": `Hello Ana, you looked at Desk lamp, 13" for $49.00 instead of $69.00.`,
		"reduced": []any{
			map[string]any{"name": "Red mug", "url": "https://shop.example.com/p/mug-red"},
			map[string]any{"name": `Desk lamp, 13"`, "url": "https://shop.example.com/p/lamp"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if fmt.Sprint(asked.asked) != "[GET https://stock.example.com/v1/items/lamp]" || asked.extras["product"] != "lamp" {
		t.Errorf("asked %v, kept %v", asked.asked, asked.extras)
	}
	var why *campaign.Unsendable
	if _, err := c.Variants[0].Webhook.Render(t.Context(), input("gone")); !errors.As(err, &why) || why.Reason != campaign.LiquidAbort {
		t.Errorf("a product that is not in the catalog: %v", err)
	}
}

// A workspace holds many catalogs of the greatest size, and its export can be applied.
func TestExportOfGreatCatalogs(t *testing.T) {
	s := newServer(t)
	s.apply(shop)
	for i := range 3 {
		row := "  i%d," + strings.Repeat("x", 380) + "\n"
		var b strings.Builder
		fmt.Fprintf(&b, "kind: Catalog\nworkspace: shop\nname: c%d\ncsv: |\n  id,text\n", i)
		for item := range 9000 {
			fmt.Fprintf(&b, row, item)
		}
		s.apply(b.String())
	}
	report := s.applyFiles(File{Name: "export.yaml", Data: s.export()})
	if got := actions(report); got[Unchanged] != 4 || len(report.Changes) != 4 {
		t.Errorf("applying the export: %v", got)
	}
}

// A document is bounded by what it says, in whatever form.
func TestDocumentsHaveABoundedSize(t *testing.T) {
	s := newServer(t)
	s.apply(shop)
	large := strings.Repeat("x", 5000)
	items := "kind: Catalog\nworkspace: shop\nname: c\nitems:\n" + strings.Repeat("  - {id: a, text: "+large+"}\n", catalog.MaxBytes/len(large)+1)
	if got := s.refuses(items); !strings.Contains(got, "test.yaml:5:3: the items have ") {
		t.Errorf("items: %.200s", got)
	}
	list := "kind: PromotionList\nworkspace: shop\nname: c\ncsv: " + strings.Repeat("x", maxDocumentBytes) + "\n"
	if got := s.refuses(list); !strings.Contains(got, "test.yaml:1:1: kind PromotionList has ") {
		t.Errorf("a list: %.200s", got)
	}
}

// A boolean may be written as YAML 1.1 does when its tag says so.
func TestTaggedBooleans(t *testing.T) {
	s := newServer(t)
	s.apply(shop + "kind: Catalog\nworkspace: shop\nname: c\nitems: [{id: a, on: !!bool yes, off: !!bool no}]\n")
	c, _ := s.reg.Current().Catalog(1, "c")
	if got := evaluate(t, "{{i.on}} {{i.off}}", map[string]any{"i": c.Items([]string{"a"})[0]}); got != "true false" {
		t.Errorf("got %s", got)
	}
	export := string(s.export())
	if !strings.Contains(export, "on: true") || !strings.Contains(export, "off: false") {
		t.Errorf("the export is\n%s", export)
	}
	if got := s.refuses("kind: Catalog\nworkspace: shop\nname: d\nitems: [{id: a, on: !!bool maybe}]\n"); !strings.Contains(got, "test.yaml:4:21: \"maybe\" is neither true nor false") {
		t.Error(got)
	}
}

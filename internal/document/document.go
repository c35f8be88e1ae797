// Package document turns YAML files into the definitions that the program works
// by, and back: it reads them strictly, compares them with what is stored, puts
// the differences, exports all of it, and holds the compiled whole in a Registry.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"platen/internal/catalog"
)

// Kind is a kind of document.
type Kind string

// The kinds of this version.
const (
	KindWorkspace     Kind = "Workspace"
	KindAPIKey        Kind = "APIKey"
	KindSource        Kind = "Source"
	KindCredential    Kind = "Credential"
	KindCatalog       Kind = "Catalog"
	KindPromotionList Kind = "PromotionList"
	KindSnippet       Kind = "Snippet"
	KindCampaign      Kind = "Campaign"
	KindBlock         Kind = "Block"
)

// kinds lists the kinds in the order in which they are applied and exported: what
// others name comes first.
var kinds = []Kind{
	KindWorkspace, KindAPIKey, KindSource, KindCredential,
	KindCatalog, KindPromotionList, KindSnippet, KindCampaign, KindBlock,
}

// laterKinds belong to the format and not to this version.
var laterKinds = []Kind{"Segment", "Layout", "Asset"}

// The bounds of what is read, in bytes. A file is as large as an export of many
// catalogs; a document as one catalog of the greatest size, and what it says beside
// its data. The size of a document is that of its texts, however they are written.
const (
	MaxFileBytes     = 64 << 20
	maxDocumentBytes = catalog.MaxBytes + 1<<20
)

// File is a file of documents: YAML, several of them with --- between.
type File struct {
	Name string // for messages
	Data []byte
}

// document is one document of a file.
type document struct {
	kind      Kind
	workspace string // name; of a Workspace its own
	name      string
	spec      spec

	root *yaml.Node
	in   *reader
}

// spec is what a document says beyond its head, read and checked by itself. It
// marshals to the YAML of the whole document.
type spec interface {
	// statedID is the id that the document states, "" for none.
	statedID() string
}

// head is what every document begins with.
type head struct {
	Kind      Kind   `yaml:"kind"`
	Workspace string `yaml:"workspace,omitempty"`
	Name      string `yaml:"name"`
}

// statedID of a kind that is named by its name alone.
func (head) statedID() string { return "" }

// parse reads the documents of all files. The error is of type Problems and holds
// every mistake; the documents that could be read are returned beside it.
func parse(files []File) ([]*document, error) {
	var docs []*document
	var problems Problems
	for _, f := range files {
		r := newReader(f)
		if len(f.Data) > MaxFileBytes {
			r.refuseAt(1, 1, "too_large", "the file has %d bytes; at most %d are read", len(f.Data), MaxFileBytes)
		} else {
			docs = append(docs, r.documents()...)
		}
		problems = append(problems, r.problems...)
	}
	return docs, problems.orNil()
}

func (r *reader) documents() []*document {
	var docs []*document
	decoder := yaml.NewDecoder(bytes.NewReader(r.data))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			r.refuseSyntax(err)
			return docs // behind a syntax error nothing can be trusted
		}
		if d := r.document(&node); d != nil {
			docs = append(docs, d)
		}
	}
}

// document reads one document, nil when it is empty or its kind is not known.
func (r *reader) document(node *yaml.Node) *document {
	root := node.Content[0]
	if root.ShortTag() == "!!null" {
		return nil
	}
	if size := textBytes(root); size > maxDocumentBytes {
		r.refuse(root, "too_large", "%s has %d bytes; at most %d are kept", describe(root), size, maxDocumentBytes)
		return nil
	}
	o := r.object(root, describe(root))
	kind := Kind(o.text("kind", required))
	decode, ok := decoders[kind]
	if !ok {
		if kind != "" {
			r.refuse(o.node("kind"), "unknown_kind", "%s", unknownKind(kind))
		}
		return nil
	}
	d := &document{kind: kind, root: root, in: r}
	h := head{Kind: kind}
	if kind == KindWorkspace {
		h.Name = o.name("name", workspaceName, "letters, digits, dots, dashes and underscores")
		d.workspace = h.Name
	} else {
		h.Workspace = o.text("workspace", required)
		h.Name = o.plainName("name")
		d.workspace = h.Workspace
	}
	d.name = h.Name
	d.spec = decode(o, h)
	o.done()
	return d
}

// describe names a document in messages.
func describe(root *yaml.Node) string {
	if kind := nodeAt(root, "/kind"); kind != nil && kind.Value != "" {
		return "kind " + kind.Value
	}
	return "a document"
}

func unknownKind(kind Kind) string {
	if slices.Contains(laterKinds, kind) {
		return fmt.Sprintf("this version does not know kind %s yet; it knows %s", kind, strings.Join(kindNames(), ", "))
	}
	return fmt.Sprintf("there is no kind %q; %s", kind, didYouMean(string(kind), kindNames()))
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return names
}

// decoders read the rest of a document, behind its head.
var decoders = map[Kind]func(*object, head) spec{
	KindWorkspace:     decodeWorkspace,
	KindAPIKey:        decodeAPIKey,
	KindSource:        decodeSource,
	KindCredential:    decodeCredential,
	KindCatalog:       decodeCatalog,
	KindPromotionList: decodePromotionList,
	KindSnippet:       decodeSnippet,
	KindCampaign:      decodeCampaign,
	KindBlock:         decodeBlock,
}

// syntaxError is how the YAML library words its errors. For these of its parser,
// and for no others, it counts the lines from 0; where something is not closed it
// names the line in which that was opened.
var (
	syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	parserError = regexp.MustCompile(`^did not find expected (key|node content|'-' indicator|',' or '[]}]')`)
)

func (r *reader) refuseSyntax(err error) {
	line, message := 1, err.Error()
	if m := syntaxError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if parserError.MatchString(message) {
				line = min(line+1, len(r.lines))
			}
		}
	}
	r.refuseAt(line, 1, "bad_yaml", "this is not YAML: %s", message)
}

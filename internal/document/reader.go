package document

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"platen/internal/fault"
	"platen/internal/workspace"
)

// reader reads one file and collects what is wrong in it.
type reader struct {
	file     string
	data     []byte
	lines    Lines
	problems Problems
}

// newReader leaves a byte order mark out, which would shift the first line.
func newReader(f File) *reader {
	data := bytes.TrimPrefix(f.Data, []byte("\ufeff"))
	return &reader{file: f.Name, data: data, lines: SplitLines(string(data))}
}

// maxMembers is how many members an object and how many items a list may have. It
// is the number of texts that a condition may list (see package filter).
const maxMembers = 256

// maxProblems is how many mistakes of one file are told.
const maxProblems = 100

func (r *reader) refuseAt(line, column int, reason, format string, args ...any) {
	switch {
	case len(r.problems) > maxProblems:
		return
	case len(r.problems) == maxProblems:
		reason, format, args = "too_many_problems", "here and elsewhere in this file is more to mend; mend the others first", nil
	}
	r.problems = append(r.problems, Problem{r.file, fault.Refused(reason, format, args...).At(line, column)})
}

func (r *reader) refuse(at *yaml.Node, reason, format string, args ...any) {
	r.refuseAt(at.Line, at.Column, reason, format, args...)
}

// pass reports an error of another package, which is a *fault.Error where it is
// made for people, at a place of the file.
func (r *reader) pass(at *yaml.Node, err error) {
	f := fault.From(err)
	r.refuse(at, f.Reason, "%s", f.Message)
}

// object is a mapping of YAML whose members are read by name. Each getter makes
// its member known; done reports those that nobody asked for.
type object struct {
	*reader
	at      *yaml.Node
	what    string // for messages
	members map[string]*yaml.Node
	keys    []*yaml.Node
	known   []string // in the order in which they were asked for
	isKnown map[string]bool
}

// need says whether a member may be absent.
type need bool

const (
	required need = true
	optional need = false
)

// object reads a mapping. Anything else is reported and read as an empty one, so
// that the caller need not care; its required members are then not reported too.
func (r *reader) object(n *yaml.Node, what string) *object {
	o := &object{reader: r, at: n, what: what, members: map[string]*yaml.Node{}, isKnown: map[string]bool{}}
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "wrong_type", "%s must be written as names and values, but is %s", what, shape(n))
		o.at = nil
		return o
	}
	if members := len(n.Content) / 2; members > maxMembers {
		r.refuse(n, "too_many", "%s has %d names; at most %d are read", what, members, maxMembers)
		o.at = nil
		return o
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if _, twice := o.members[key.Value]; twice {
			r.refuse(key, "duplicate_field", "%s has %q twice", what, key.Value)
			continue
		}
		o.members[key.Value] = value
		o.keys = append(o.keys, key)
	}
	return o
}

// done reports the members that are not known.
func (o *object) done() {
	for _, key := range o.keys {
		if !o.isKnown[key.Value] {
			o.refuse(key, "unknown_field", "%s has no field %q; %s", o.what, key.Value, didYouMean(key.Value, o.known))
		}
	}
}

// node gives a member, nil when it is absent or null.
func (o *object) node(name string) *yaml.Node {
	if !o.isKnown[name] {
		o.isKnown[name] = true
		o.known = append(o.known, name)
	}
	n := o.members[name]
	switch {
	case n == nil || n.ShortTag() == "!!null":
		return nil
	case n.Kind == yaml.AliasNode:
		o.refuse(n, "alias", "anchors and aliases are not read; write the value of *%s out", n.Value)
		return nil
	}
	return n
}

// want gives a member and reports a required one that is absent.
func (o *object) want(name string, need need) *yaml.Node {
	n, given := o.node(name), o.members[name]
	refused := given != nil && given.Kind == yaml.AliasNode // and reported already
	if n == nil && need == required && o.at != nil && !refused {
		o.refuse(o.at, "missing_field", "%s needs %q", o.what, name)
	}
	return n
}

// notYet refuses a member that belongs to the format and not to this version.
func (o *object) notYet(name, what string) {
	if n := o.node(name); n != nil {
		o.refuse(n, "not_yet", "this version does not know %s yet", what)
	}
}

// text gives a text of one line, "" when it is absent.
func (o *object) text(name string, need need) string {
	line := o.freeText(name, need)
	if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		o.refuse(o.node(name), "bad_text", "%q must be one line without control characters", name)
		return ""
	}
	return line
}

// freeText gives a text of any lines and characters, "" when it is absent.
func (o *object) freeText(name string, need need) string {
	n := o.want(name, need)
	if n == nil {
		return ""
	}
	text, ok := o.scalarText(n, name)
	if ok && text == "" && need == required {
		o.refuse(n, "missing_field", "%q must not be empty", name)
	}
	return text
}

func (r *reader) scalarText(n *yaml.Node, name string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		return n.Value, true
	}
	if n.Kind == yaml.ScalarNode {
		r.refuse(n, "wrong_type", "%q must be text, but %s is %s; write it in quotes", name, n.Value, shape(n))
		return "", false
	}
	r.refuse(n, "wrong_type", "%q must be text, but is %s", name, shape(n))
	return "", false
}

// workspaceName is strict because names of workspaces stand in URLs.
var workspaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// name gives a required text that matches a pattern, which allowed describes.
func (o *object) name(field string, pattern *regexp.Regexp, allowed string) string {
	text := o.text(field, required)
	if text != "" && !pattern.MatchString(text) {
		o.refuse(o.node(field), "bad_name", "%q may hold only %s, and at most 64 of them; %.80q does not", field, allowed, text)
	}
	return text
}

// maxNameRunes bounds the names that people choose freely.
const maxNameRunes = 200

// plainName gives a required text that can stand in a line.
func (o *object) plainName(field string) string {
	text := o.text(field, required)
	switch {
	case text == "":
	case strings.TrimSpace(text) != text:
		o.refuse(o.node(field), "bad_name", "%q must not begin or end with a space", field)
	case utf8.RuneCountInString(text) > maxNameRunes:
		o.refuse(o.node(field), "bad_name", "%q must have at most %d characters", field, maxNameRunes)
	}
	return text
}

// texts gives a list of texts, without those that are none.
func (o *object) texts(name string, need need) []string {
	var texts []string
	for _, n := range o.list(name, need) {
		if text, ok := o.scalarText(n, name); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// list gives the items of a list. An alias among them is reported and left out.
func (o *object) list(name string, need need) []*yaml.Node {
	n := o.want(name, need)
	if n == nil {
		return nil
	}
	return o.items(n, name, maxMembers)
}

// items gives at most so many items of a list.
func (r *reader) items(n *yaml.Node, name string, most int) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.refuse(n, "wrong_type", "%q must be a list, but is %s", name, shape(n))
		return nil
	}
	if len(n.Content) > most {
		r.refuse(n, "too_many", "%q has %d items; at most %d are read", name, len(n.Content), most)
		return nil
	}
	return slices.DeleteFunc(slices.Clone(n.Content), func(item *yaml.Node) bool {
		if item.Kind == yaml.AliasNode {
			r.refuse(item, "alias", "anchors and aliases are not read; write the value of *%s out", item.Value)
			return true
		}
		return false
	})
}

// child gives a member that is an object itself, nil when it is absent.
func (o *object) child(name, what string, need need) *object {
	n := o.want(name, need)
	if n == nil {
		return nil
	}
	return o.object(n, what)
}

// whole gives a whole number between two bounds, fallback when it is absent.
func (o *object) whole(name string, least, most, fallback int) int {
	n := o.node(name)
	if n == nil {
		return fallback
	}
	var v int
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&v) != nil {
		o.refuse(n, "wrong_type", "%q must be a whole number, but is %s", name, shape(n))
		return fallback
	}
	if v < least || v > most {
		o.refuse(n, "out_of_range", "%q must be from %d to %d, but is %d", name, least, most, v)
		return fallback
	}
	return v
}

// truth gives a yes or no, no when it is absent.
func (o *object) truth(name string) bool {
	n := o.node(name)
	if n == nil {
		return false
	}
	var v bool
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&v) != nil {
		o.refuse(n, "wrong_type", "%q must be true or false, but is %s", name, shape(n))
	}
	return v
}

// choice gives one of some words, fallback when it is absent.
func (o *object) choice(name, fallback string, words ...string) string {
	text := o.text(name, optional)
	switch {
	case text == "":
		return fallback
	case !slices.Contains(words, text):
		o.refuse(o.node(name), "unknown_value", "%q cannot be %q; %s", name, text, didYouMean(text, words))
		return fallback
	}
	return text
}

// duration gives a duration, fallback when it is absent. Where off is allowed the
// word gives 0.
func (o *object) duration(name string, fallback time.Duration, offAllowed bool) time.Duration {
	text := o.text(name, optional)
	switch {
	case text == "":
		return fallback
	case text == "off" && offAllowed:
		return 0
	}
	d, err := parseDuration(text)
	if err != nil {
		o.refuse(o.node(name), "bad_duration", "%q is no duration: %s", name, err)
		return fallback
	}
	return d
}

// secret gives a reference to a secret, nil when it is absent.
func (o *object) secret(name string) *workspace.SecretRef {
	n := o.node(name)
	if n == nil {
		return nil
	}
	const wayOut = "write {env: NAME} or {file: PATH}, or {keep: true} once it is stored"
	if n.Kind == yaml.ScalarNode {
		// The value is not repeated: it may be the secret.
		o.refuse(n, "plain_secret", "%q must not stand in a document; %s", name, wayOut)
		return nil
	}
	s := o.object(n, "a secret")
	ref := &workspace.SecretRef{Env: s.text("env", optional), File: s.text("file", optional), Keep: s.truth("keep")}
	s.done()
	ways := 0
	for _, given := range []bool{ref.Env != "", ref.File != "", ref.Keep} {
		if given {
			ways++
		}
	}
	if ways != 1 && s.at != nil {
		o.refuse(n, "bad_secret", "%q needs exactly one source; %s", name, wayOut)
		return nil
	}
	return ref
}

// shape names what a node is, for people.
func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "names and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "empty"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

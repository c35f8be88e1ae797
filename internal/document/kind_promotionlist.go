package document

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"platen/internal/catalog"
	"platen/internal/fault"
)

type promotionListSpec struct {
	head    `yaml:",inline"`
	Expires string `yaml:"expires,omitempty"`
	// The codes, in the one form in which they were given.
	Codes []string `yaml:"codes,omitempty"`
	CSV   text     `yaml:"csv,omitempty"`

	list *catalog.PromotionList // without workspace
}

func decodePromotionList(o *object, h head) spec {
	s := &promotionListSpec{head: h}
	var expires time.Time
	if n := o.node("expires"); n != nil {
		s.Expires, expires = o.instant(n, "expires")
	}
	s.list = &catalog.PromotionList{Name: h.Name, Codes: o.codes(s), Expires: expires}
	return s
}

func (s *promotionListSpec) compile(number int64) *catalog.PromotionList {
	l := *s.list
	l.Workspace = number
	return &l
}

// told is what an apply tells of a list: its codes are worth money, and output of
// programs ends up in logs.
func (s *promotionListSpec) told() any {
	hash := sha256.New()
	for _, code := range s.list.Codes {
		fmt.Fprintln(hash, code)
	}
	return struct {
		head    `yaml:",inline"`
		Expires string `yaml:"expires,omitempty"`
		Codes   string `yaml:"codes"`
	}{s.head, s.Expires, fmt.Sprintf("%d codes (%x)", len(s.list.Codes), hash.Sum(nil)[:4])}
}

// codes reads the codes from the one form in which they are given.
func (o *object) codes(s *promotionListSpec) []string {
	switch form := o.oneForm("codes", "csv", "file"); form {
	case "codes":
		return o.codeList(s, o.node(form))
	case "csv":
		return o.codeLines(s, o.node(form))
	case "file":
		o.refuseFile(form)
	}
	return nil
}

func (o *object) codeList(s *promotionListSpec, n *yaml.Node) []string {
	items := o.items(n, "codes", catalog.MaxCodes)
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
			// The value is not repeated: it is a code.
			o.refuse(item, "wrong_type", "a code must be text, but is %s; write it in quotes", shape(item))
			return nil
		}
		s.Codes = append(s.Codes, item.Value)
	}
	if len(s.Codes) == 0 && n.Kind == yaml.SequenceNode {
		o.refuse(n, "missing_field", "a list needs at least one code")
	}
	for _, f := range catalog.CheckCodes(s.Codes) {
		o.refuse(nearestNode(n, f.Pointer), f.Reason, "%s", f.Message)
	}
	return s.Codes
}

func (o *object) codeLines(s *promotionListSpec, n *yaml.Node) []string {
	s.CSV = text(o.freeText("csv", required))
	codes, lines, err := catalog.ReadCodes(string(s.CSV))
	if err != nil {
		f := fault.From(err)
		o.refuseIn(n, f.Line, f.Column, f.Reason, f.Message)
		return nil
	}
	if len(codes) == 0 && s.CSV != "" {
		o.refuse(n, "missing_field", "a list needs at least one code")
	}
	for _, f := range catalog.CheckCodes(codes) {
		line := 1
		if i, err := strconv.Atoi(f.Pointer[min(1, len(f.Pointer)):]); err == nil {
			line = lines[i]
		}
		o.refuseIn(n, line, 1, f.Reason, f.Message)
	}
	return codes
}

// instant reads a point in time, which needs its zone.
func (o *object) instant(n *yaml.Node, field string) (string, time.Time) {
	if n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!str" || n.ShortTag() == "!!timestamp") {
		if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
			return n.Value, t
		}
	}
	o.refuse(n, "bad_time", "%q must be a time with its zone, as 2026-12-31T23:59:59Z or 2026-12-31T23:59:59-05:00", field)
	return "", time.Time{}
}

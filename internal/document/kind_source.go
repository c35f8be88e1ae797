package document

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"platen/internal/fault"
	"platen/internal/mapping"
	"platen/internal/workspace"
)

type sourceSpec struct {
	head     `yaml:",inline"`
	Key      string               `yaml:"key"`
	Username string               `yaml:"username"`
	Password *workspace.SecretRef `yaml:"password,flow"`
	Presets  []string             `yaml:"presets,omitempty,flow"`
	Mappings []mappingSpec        `yaml:"mappings,omitempty"`
	Policies *policiesSpec        `yaml:"policies,omitempty"`

	mapping  *mapping.Set
	policies workspace.Policies
}

type mappingSpec struct {
	Event  string          `yaml:"event"`
	Match  text            `yaml:"match"`
	Fields map[string]text `yaml:"fields,omitempty"`
	Draft  bool            `yaml:"draft,omitempty"`
}

// policiesSpec holds only what differs from the defaults.
type policiesSpec struct {
	MaxAge string      `yaml:"max_age,omitempty"`
	JSON   string      `yaml:"json,omitempty"`
	Links  string      `yaml:"links,omitempty"`
	Dedupe *dedupeSpec `yaml:"dedupe,omitempty,flow"`
}

type dedupeSpec struct {
	Content string `yaml:"content,omitempty"`
}

var sourceKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func decodeSource(o *object, h head) spec {
	s := &sourceSpec{
		head:     h,
		Key:      o.name("key", sourceKey, "letters, digits, dashes and underscores"),
		Username: o.text("username", required),
		Password: o.secret("password"),
		Presets:  o.texts("presets", optional),
		Mappings: o.mappings("mappings"),
	}
	o.want("password", required)
	if strings.Contains(s.Username, ":") {
		o.refuse(o.node("username"), "bad_name", `"username" must not hold a colon: Basic auth ends the name with it`)
	}
	if o.at != nil && len(s.Presets)+len(s.Mappings) == 0 {
		o.refuse(o.at, "missing_field", "%s needs presets or mappings; without them every event is refused as unmapped", o.what)
	}
	s.mapping = o.compileMappings(s)
	s.policies = o.policies("policies")
	s.Policies = policiesBeside(s.policies, workspace.DefaultPolicies())
	return s
}

func (s *sourceSpec) compile(number int64, password workspace.Digest) *workspace.Source {
	return &workspace.Source{
		Workspace: number, Name: s.Name, Key: s.Key,
		Username: s.Username, Password: password, Policies: s.policies,
	}
}

func (o *object) mappings(field string) []mappingSpec {
	var specs []mappingSpec
	for _, n := range o.list(field, optional) {
		m := o.object(n, "a mapping")
		spec := mappingSpec{Event: m.text("event", required), Match: text(m.freeText("match", required)), Draft: m.truth("draft")}
		if fields := m.node("fields"); fields != nil {
			spec.Fields = map[string]text{}
			f := m.object(fields, "fields")
			for _, key := range f.keys {
				spec.Fields[key.Value] = text(f.freeText(key.Value, required))
			}
		}
		m.done()
		specs = append(specs, spec)
	}
	return specs
}

// compileMappings reports the first mapping or preset that does not compile.
func (o *object) compileMappings(s *sourceSpec) *mapping.Set {
	own := make([]mapping.Spec, len(s.Mappings))
	for i, m := range s.Mappings {
		own[i] = mapping.Spec{Event: m.Event, Match: string(m.Match), Fields: map[string]string{}, Draft: m.Draft}
		for field, expression := range m.Fields {
			own[i].Fields[field] = string(expression)
		}
	}
	set, err := mapping.Compile(s.Presets, own)
	if err == nil {
		return set
	}
	f := fault.From(err)
	n := nodeAt(o.at, f.Pointer)
	if n == nil || f.Line == 0 || n.Kind != yaml.ScalarNode {
		if n == nil {
			n = o.at
		}
		o.pass(n, err)
		return nil
	}
	o.refuseIn(n, f.Line, f.Column, f.Reason, f.Message)
	return nil
}

func (o *object) policies(field string) workspace.Policies {
	p := workspace.DefaultPolicies()
	c := o.child(field, field, optional)
	if c == nil {
		return p
	}
	p.MaxAge = c.duration("max_age", p.MaxAge, true)
	p.JSON = workspace.JSONPolicy(c.choice("json", string(p.JSON), string(workspace.StrictJSON), string(workspace.LenientJSON)))
	p.Links = workspace.LinkPolicy(c.choice("links", string(p.Links), string(workspace.LinkByIdentify), string(workspace.LinkByTrack)))
	if d := c.child("dedupe", "dedupe", optional); d != nil {
		p.DedupeContent = d.duration("content", 0, true)
		d.done()
	}
	c.done()
	return p
}

// policiesBeside writes what differs from the defaults, nil for nothing.
func policiesBeside(p, defaults workspace.Policies) *policiesSpec {
	if p == defaults {
		return nil
	}
	s := &policiesSpec{}
	if p.MaxAge != defaults.MaxAge {
		s.MaxAge = durationOrOff(p.MaxAge)
	}
	if p.JSON != defaults.JSON {
		s.JSON = string(p.JSON)
	}
	if p.Links != defaults.Links {
		s.Links = string(p.Links)
	}
	if p.DedupeContent != defaults.DedupeContent {
		s.Dedupe = &dedupeSpec{durationOrOff(p.DedupeContent)}
	}
	return s
}

func durationOrOff(d time.Duration) string {
	if d == 0 {
		return "off"
	}
	return formatDuration(d)
}

package document

import (
	"net/netip"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // time zones must not depend on what the machine has installed

	"platen/internal/outbound"
	"platen/internal/workspace"
)

type workspaceSpec struct {
	head           `yaml:",inline"`
	TimeZone       string      `yaml:"timezone,omitempty"`
	LinkDomains    []string    `yaml:"link_domains,omitempty,flow"`
	Egress         *egressSpec `yaml:"egress,omitempty,flow"`
	OpenIdentifier string      `yaml:"open_identifier,omitempty"`

	location *time.Location
	policy   outbound.Policy
}

type egressSpec struct {
	Allow []netip.Prefix `yaml:"allow"`
}

func decodeWorkspace(o *object, h head) spec {
	s := &workspaceSpec{head: h, TimeZone: o.text("timezone", optional), location: time.UTC}
	if s.TimeZone != "" {
		s.location = o.location("timezone", s.TimeZone)
	}
	s.LinkDomains = o.domains("link_domains")
	if e := o.child("egress", "egress", optional); e != nil {
		s.policy = e.policy("allow")
		e.done()
		if len(s.policy.Allow) > 0 {
			s.Egress = &egressSpec{s.policy.Allow}
		}
	}
	s.OpenIdentifier = o.choice("open_identifier", "", string(workspace.OpenByUserID))
	return s
}

func (s *workspaceSpec) compile(number int64) *workspace.Workspace {
	return &workspace.Workspace{
		ID:             number,
		Name:           s.Name,
		Location:       s.location,
		LinkDomains:    s.LinkDomains,
		Egress:         s.policy,
		OpenIdentifier: workspace.OpenByUserID,
	}
}

// location finds a time zone. Local would mean another one on each machine.
func (o *object) location(field, name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		o.refuse(o.node(field), "bad_timezone", "there is no time zone %q; write it as America/New_York or UTC", name)
		return time.UTC
	}
	return location
}

var domain = regexp.MustCompile(`^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?$`)

// domains gives host names in lower case.
func (o *object) domains(field string) []string {
	var domains []string
	for _, n := range o.list(field, optional) {
		text, ok := o.scalarText(n, field)
		if !ok {
			continue
		}
		text = strings.ToLower(text)
		if !domain.MatchString(text) {
			o.refuse(n, "bad_domain", "%q is no domain; write it as www.example.com, or *.example.com for all below it", text)
			continue
		}
		domains = append(domains, text)
	}
	return domains
}

// policy reads each range by itself, so that every bad one is reported.
func (o *object) policy(field string) outbound.Policy {
	var policy outbound.Policy
	for _, n := range o.list(field, required) {
		text, ok := o.scalarText(n, field)
		if !ok {
			continue
		}
		one, err := outbound.ParsePolicy([]string{text})
		if err != nil {
			o.pass(n, err)
		}
		policy.Allow = append(policy.Allow, one.Allow...)
	}
	return policy
}

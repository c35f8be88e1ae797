package document

import (
	"net/http"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"

	"platen/internal/campaign"
)

type campaignSpec struct {
	head           `yaml:",inline"`
	ID             string        `yaml:"id"`
	State          string        `yaml:"state"`
	Trigger        triggerSpec   `yaml:"trigger"`
	Audience       *condition    `yaml:"audience,omitempty"`
	Variants       []variantSpec `yaml:"variants"`
	ControlPercent int           `yaml:"control_percent,omitempty"`

	campaign *campaign.Campaign // without workspace, ids and version
}

type triggerSpec struct {
	Event string     `yaml:"event"`
	Where *condition `yaml:"where,omitempty"`
}

type variantSpec struct {
	ID      string      `yaml:"id"`
	Name    string      `yaml:"name"`
	Percent int         `yaml:"percent"`
	Webhook webhookSpec `yaml:"webhook"`

	at *yaml.Node
}

type webhookSpec struct {
	URL        text        `yaml:"url"`
	Method     string      `yaml:"method"`
	Headers    headersSpec `yaml:"headers,omitempty"`
	Credential string      `yaml:"credential,omitempty"`
	Body       text        `yaml:"body,omitempty"`
}

// headersSpec keeps the order of the document.
type headersSpec []campaign.Header

// MarshalYAML writes the headers as names and values.
func (h headersSpec) MarshalYAML() (any, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, line := range h {
		n.Content = append(n.Content, textNode(line.Name), textNode(line.Value))
	}
	return n, nil
}

func decodeCampaign(o *object, h head) spec {
	s := &campaignSpec{
		head: h,
		ID:   o.uuid("id"),
		State: o.choice("state", string(campaign.Draft),
			string(campaign.Draft), string(campaign.Active), string(campaign.Stopped), string(campaign.Archived)),
		Audience: o.condition("audience", audienceConditions),
	}
	o.notYet("schedule", "scheduled campaigns")
	o.notYet("api", "campaigns that are triggered over the API")
	if len(o.list("conversions", optional)) > 0 {
		o.notYet("conversions", "conversions")
	}
	if t := o.child("trigger", "trigger", required); t != nil {
		s.Trigger = triggerSpec{Event: t.text("event", required), Where: t.condition("where", triggerConditions)}
		t.done()
	}
	before := len(o.problems)
	s.ControlPercent = o.whole("control_percent", 0, 100, 0)
	for _, n := range o.list("variants", required) {
		s.Variants = append(s.Variants, o.variant(n))
	}
	if len(o.problems) == before { // else percentages would be reported that nobody wrote
		o.checkVariants(s)
	}
	s.campaign = s.definition()
	o.refuseTemplates(s.campaign.Compile(), s)
	return s
}

// uuid gives a UUID in its usual form, "" when it is absent.
func (o *object) uuid(field string) string {
	text := o.text(field, optional)
	if text == "" {
		return ""
	}
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(id.String()) {
		o.refuse(o.node(field), "bad_id", "%.80q is no UUID; leave it out to be given one", text)
		return ""
	}
	return id.String()
}

func (o *object) variant(n *yaml.Node) variantSpec {
	v := o.object(n, "a variant")
	s := variantSpec{ID: v.uuid("id"), Name: v.plainName("name"), Percent: v.whole("percent", 0, 100, 0), at: n}
	v.want("percent", required)
	if w := v.child("webhook", "webhook", required); w != nil {
		s.Webhook = webhookSpec{
			URL:        text(w.freeText("url", required)),
			Method:     w.choice("method", campaign.Methods()[0], campaign.Methods()...),
			Headers:    w.headers("headers"),
			Credential: w.text("credential", optional),
			Body:       text(w.freeText("body", optional)),
		}
		if s.Webhook.Method == http.MethodGet && s.Webhook.Body != "" {
			w.refuse(w.node("body"), "unused_field", `a GET carries no body; remove "body" or choose another method`)
		}
		w.done()
	}
	v.done()
	return s
}

// ownHeaders are the headers that a document cannot set, each with what sets it.
var ownHeaders = map[string]string{
	"Authorization":       "write a kind: Credential and name it in credential:, so that the secret stands in no document",
	"Proxy-Authorization": "requests go through no proxy",
	"Webhook-Id":          "it is set to an id that is the same at every retry",
	"Host":                "it follows from the URL",
	"Content-Length":      "it follows from the body",
	"Transfer-Encoding":   "it follows from the body",
	"Connection":          "connections are kept by the program",
}

func (o *object) headers(field string) headersSpec {
	c := o.child(field, field, optional)
	if c == nil {
		return nil
	}
	var lines headersSpec
	seen := map[string]bool{}
	for _, key := range c.keys {
		line := campaign.Header{Name: key.Value, Value: c.freeText(key.Value, required)}
		canonical := http.CanonicalHeaderKey(key.Value)
		if why, own := ownHeaders[canonical]; own {
			c.refuse(key, "bad_header", "the header %s cannot be set here: %s", key.Value, why)
		}
		if !httpguts.ValidHeaderFieldName(key.Value) {
			c.refuse(key, "bad_header", "%q is not a name that a header can have", key.Value)
		}
		if seen[canonical] {
			c.refuse(key, "duplicate_field", "the header %s is there twice", canonical)
		}
		seen[canonical] = true
		lines = append(lines, line)
	}
	return lines
}

// checkVariants reports what is wrong with the variants taken together.
func (o *object) checkVariants(s *campaignSpec) {
	n := o.node("variants")
	if n == nil {
		return
	}
	if len(s.Variants) == 0 || len(s.Variants) > campaign.MaxVariants {
		o.refuse(n, "out_of_range", "a campaign has 1 to %d variants, here are %d", campaign.MaxVariants, len(s.Variants))
		return
	}
	names, ids, sum := map[string]bool{}, map[string]bool{}, s.ControlPercent
	for _, v := range s.Variants {
		sum += v.Percent
		if v.Name != "" && names[v.Name] {
			o.refuse(v.at, "duplicate_name", "there are two variants with the name %q", v.Name)
		}
		if v.ID != "" && ids[v.ID] {
			o.refuse(v.at, "duplicate_id", "there are two variants with the id %s", v.ID)
		}
		names[v.Name], ids[v.ID] = true, true
	}
	if sum != 100 {
		o.refuse(n, "bad_percent", "the percentages of all variants and control_percent must make 100, not %d", sum)
	}
}

// statedID is the campaign's UUID.
func (s *campaignSpec) statedID() string { return s.ID }

func (s *campaignSpec) definition() *campaign.Campaign {
	c := &campaign.Campaign{
		Name:           s.Name,
		State:          campaign.CampaignState(s.State),
		Trigger:        campaign.Trigger{Event: s.Trigger.Event, Where: s.Trigger.Where.expr()},
		Audience:       s.Audience.expr(),
		ControlPercent: s.ControlPercent,
	}
	for _, v := range s.Variants {
		c.Variants = append(c.Variants, campaign.Variant{
			ID: v.ID, Name: v.Name, Percent: v.Percent,
			Webhook: campaign.Webhook{
				URL: string(v.Webhook.URL), Method: v.Webhook.Method, Headers: v.Webhook.Headers,
				Credential: v.Webhook.Credential, Body: string(v.Webhook.Body),
			},
		})
	}
	return c
}

func (s *campaignSpec) compile(number int64, id string, version int) *campaign.Campaign {
	c := *s.campaign
	c.Workspace, c.ID, c.Version = number, id, version
	return &c
}

// refuseTemplates reports texts that are not Liquid, at their places.
func (o *object) refuseTemplates(found []campaign.TemplateError, s *campaignSpec) {
	for _, e := range found {
		pointer := "/webhook/" + string(e.Part)
		if e.Part == campaign.PartHeader {
			pointer += "/" + escapePointer(e.Header)
		}
		if n := nodeAt(s.Variants[e.Variant].at, pointer); n != nil {
			o.refuseLiquid(n, e.Err)
		}
	}
}

package mapping

import (
	"strings"

	"platen/internal/fault"
)

// preset is a built-in mapping for one family of senders: where its envelope
// stands. The events and properties are those of the e-commerce schema.
type preset struct {
	name     string
	envelope func(body []member) envelope
}

// presets are all built-in mappings by name.
var presets = []*preset{
	{name: "movable-ink", envelope: readEnvelope},
}

// read gives the body as the preset understands it, ok=false when the body is not
// one of its events.
func (p *preset) read(body []member) (r reading, ok bool) {
	r = reading{envelope: p.envelope(body)}
	switch string(r.envelope.kind.text()) {
	case typeIdentify:
		r.kind, r.schema = typeIdentify, identifySchema
	case typeTrack:
		r.schema = schemaOf(r.envelope.event.text())
		if r.schema == nil {
			return r, false
		}
		r.kind, r.event = typeTrack, r.schema.event
	default:
		return r, false
	}
	r.label = p.name + "/" + r.schema.event
	return r, true
}

// names are all names that senders use for the preset's events.
func (p *preset) names() []name {
	var names []name
	for _, s := range trackSchemas {
		leadsTo := s.event + " (" + p.name + ")"
		names = append(names, name{spelling: spelling(s.event), leadsTo: leadsTo})
		for _, alias := range s.names {
			names = append(names, name{spelling: spelling(alias), leadsTo: leadsTo})
		}
	}
	return names
}

func findPreset(wanted string) (*preset, *fault.Error) {
	var known []string
	var names []name
	for _, p := range presets {
		if p.name == wanted {
			return p, nil
		}
		known = append(known, p.name)
		names = append(names, name{spelling: spelling(p.name), leadsTo: p.name})
	}
	suggestion := ""
	if near := nearestName(wanted, names); near != nil {
		suggestion = ", did you mean " + near.leadsTo + "?"
	}
	return nil, fault.New(fault.Invalid, "unknown_preset", "there is no preset %q%s (known: %s)", clip(wanted), suggestion, strings.Join(known, ", "))
}

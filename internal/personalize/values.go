package personalize

import (
	"encoding/json"

	"platen/internal/profile"
	"platen/liquid"
)

// attributes serves what was set on a profile, each value decoded once.
type attributes struct {
	stored  profile.Attributes
	decoded map[string]any
}

// Get implements liquid.Object.
func (a *attributes) Get(name string) (any, bool) {
	if value, ok := a.decoded[name]; ok {
		return value, true
	}
	text, ok := a.stored.Get(name)
	if !ok {
		return nil, false
	}
	value := decode([]byte(text))
	if a.decoded == nil {
		a.decoded = map[string]any{}
	}
	a.decoded[name] = value
	return value, true
}

// renamed serves attributes under other names.
type renamed struct {
	attributes *attributes
	names      map[string]string
}

// Get implements liquid.Object.
func (r *renamed) Get(name string) (any, bool) {
	attribute, ok := r.names[name]
	if !ok {
		return nil, false
	}
	return r.attributes.Get(attribute)
}

// properties serves the properties of an event, decoded at the first look.
type properties struct {
	stored  json.RawMessage
	decoded *liquid.Map
}

// Get implements liquid.Object.
func (p *properties) Get(name string) (any, bool) {
	if p.decoded == nil {
		p.decoded, _ = decode(p.stored).(*liquid.Map)
		if p.decoded == nil {
			p.decoded = &liquid.Map{} // an event without properties
		}
	}
	return p.decoded.Get(name)
}

// decode reads a stored value. What is stored is JSON; a value that the engine
// cannot hold, as one nested too deep, is as good as missing.
func decode(text []byte) any {
	if len(text) == 0 {
		return nil
	}
	value, err := liquid.FromJSON(text)
	if err != nil {
		return nil
	}
	return value
}

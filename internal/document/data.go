package document

import (
	"encoding/json"
	"strconv"

	"go.yaml.in/yaml/v3"

	"platen/internal/catalog"
	"platen/liquid"
)

// maxDataDepth bounds how deep values of an item may lie in each other.
const maxDataDepth = 16

// rows reads the items of a catalog. ok is false when one was refused.
func (r *reader) rows(n *yaml.Node) (rows []*liquid.Map, ok bool) {
	before := len(r.problems)
	if size := textBytes(n); size > catalog.MaxBytes {
		r.refuse(n, "too_large", "the items have %d bytes; at most %d are kept in this version", size, catalog.MaxBytes)
		return nil, false
	}
	for _, item := range r.items(n, "items", catalog.MaxItems) {
		if item.Kind != yaml.MappingNode {
			r.refuse(item, "wrong_type", "an item must be written as names and values, but is %s", shape(item))
			continue
		}
		if row, isMap := r.plainValue(item, 1).(*liquid.Map); isMap {
			rows = append(rows, row)
		}
	}
	return rows, len(r.problems) == before
}

// plainValue reads data as Liquid has it, by the rules of JSON: dates are text, and
// numbers stay as they are written. What JSON cannot say is refused and nil.
func (r *reader) plainValue(n *yaml.Node, depth int) any {
	if depth > maxDataDepth {
		r.refuse(n, "too_deep", "values lie in each other deeper than %d levels", maxDataDepth)
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return r.plainMap(n, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, member := range n.Content {
			list = append(list, r.plainValue(member, depth+1))
		}
		return list
	case yaml.AliasNode:
		r.refuse(n, "alias", "anchors and aliases are not read; write the value of *%s out", n.Value)
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		truth, ok := truthOf(n)
		if !ok {
			r.refuse(n, "wrong_type", "%.80q is neither true nor false", n.Value)
		}
		return truth
	case "!!int", "!!float":
		if value, err := liquid.FromJSON([]byte(n.Value)); err == nil && json.Valid([]byte(n.Value)) {
			return value
		}
		r.refuse(n, "bad_number", "%.80s is no number as JSON writes it; put it in quotes when it is text", n.Value)
		return nil
	case "!!str", "!!timestamp":
		return n.Value
	}
	r.refuse(n, "wrong_type", "the tag %s is not read here", n.Tag)
	return nil
}

func (r *reader) plainMap(n *yaml.Node, depth int) any {
	m := &liquid.Map{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.refuse(key, "wrong_type", "a name must be text, but is %s", shape(key))
			continue
		}
		if _, twice := m.Get(key.Value); twice {
			r.refuse(key, "duplicate_field", "%.80q is there twice", key.Value)
			continue
		}
		m.Set(key.Value, r.plainValue(value, depth+1))
	}
	return m
}

// truthOf reads a scalar with the tag of a boolean, which may be a yes as well: the
// library knows that word only without the tag.
func truthOf(n *yaml.Node) (truth, ok bool) {
	untagged := yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
	err := untagged.Decode(&truth)
	return truth, err == nil
}

// textBytes is the size of all texts at and below a node.
func textBytes(n *yaml.Node) int {
	size := len(n.Value)
	for _, member := range n.Content {
		size += textBytes(member)
	}
	return size
}

// plainCopy writes what plainValue reads, in the one form in which it is stored.
func plainCopy(n *yaml.Node) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		c := &yaml.Node{Kind: n.Kind, Content: make([]*yaml.Node, len(n.Content))}
		for i, member := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				c.Content[i] = textNode(member.Value)
				continue
			}
			c.Content[i] = plainCopy(member)
		}
		return c
	}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: "null"}
	case "!!bool":
		truth, _ := truthOf(n) // what is neither was refused
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: strconv.FormatBool(truth)}
	case "!!int", "!!float":
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
	}
	return textNode(n.Value)
}

package document

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"platen/liquid"
)

// refuseIn reports a mistake at a line and column of a scalar's text.
func (r *reader) refuseIn(n *yaml.Node, line, column int, reason, message string) {
	fileLine, fileColumn, exact := r.lines.Place(n, line, column)
	if !exact {
		message = fmt.Sprintf("%s (line %d, column %d of the text)", message, line, column)
	}
	r.refuseAt(fileLine, fileColumn, reason, "%s", message)
}

// nodeAt finds the value at a JSON pointer below a node, nil when there is none.
func nodeAt(n *yaml.Node, pointer string) *yaml.Node {
	if n == nil || pointer == "" {
		return n
	}
	name, rest, _ := strings.Cut(pointer[1:], "/")
	if rest != "" {
		rest = "/" + rest
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return nodeAt(n.Content[i+1], rest)
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return nodeAt(n.Content[i], rest)
		}
	}
	return nil
}

// refuseLiquid reports an error of a template that stands in a scalar.
func (r *reader) refuseLiquid(n *yaml.Node, err error) {
	var le *liquid.Error
	if !errors.As(err, &le) {
		r.pass(n, err)
		return
	}
	r.refuseIn(n, le.Pos.Line, le.Pos.Column, "bad_liquid", "Liquid: "+le.Message)
}

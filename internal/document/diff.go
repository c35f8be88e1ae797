package document

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FieldChange is one value that differs. A text of many lines is shown by the
// first line that differs.
type FieldChange struct {
	Field  string `json:"field"`            // as "variants[0].percent"
	Before string `json:"before,omitempty"` // "" where there was none
	After  string `json:"after,omitempty"`  // "" where there is none
}

// discreet is a spec of which not all may be told.
type discreet interface {
	// told is what may be, in the form of the document.
	told() any
}

// maxFieldChanges is how many changes of one document are told.
const maxFieldChanges = 100

// tellChanges compares two versions of a document.
func tellChanges(old, next spec) ([]FieldChange, error) {
	was, err := encodeTold(old)
	if err != nil {
		return nil, err
	}
	is, err := encodeTold(next)
	if err != nil {
		return nil, err
	}
	changes, err := fieldChanges(was, is)
	if more := len(changes) - maxFieldChanges; more > 0 {
		changes = append(changes[:maxFieldChanges], FieldChange{Field: "…", After: fmt.Sprintf("and %d more", more)})
	}
	return changes, err
}

func encodeTold(s spec) ([]byte, error) {
	if d, ok := s.(discreet); ok {
		return encode(d.told())
	}
	return encode(s)
}

// fieldChanges compares two bodies of one document.
func fieldChanges(old, next []byte) ([]FieldChange, error) {
	was, err := leaves(old)
	if err != nil {
		return nil, err
	}
	is, err := leaves(next)
	if err != nil {
		return nil, err
	}
	before, after := textsByPath(was), textsByPath(is)
	var changes []FieldChange
	for _, l := range is {
		if text, had := before[l.path]; !had {
			changes = append(changes, FieldChange{Field: l.path, After: cut(l.text)})
		} else if text != l.text {
			changes = append(changes, changeOf(l.path, text, l.text))
		}
	}
	for _, l := range was {
		if _, has := after[l.path]; !has {
			changes = append(changes, FieldChange{Field: l.path, Before: cut(l.text)})
		}
	}
	return changes, nil
}

func textsByPath(leaves []leaf) map[string]string {
	texts := make(map[string]string, len(leaves))
	for _, l := range leaves {
		texts[l.path] = l.text
	}
	return texts
}

// leaf is one scalar of a document.
type leaf struct{ path, text string }

func leaves(body []byte) ([]leaf, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(body, &n); err != nil {
		return nil, fmt.Errorf("compare documents: %w", err)
	}
	return appendLeaves(nil, n.Content[0], ""), nil
}

func appendLeaves(to []leaf, n *yaml.Node, path string) []leaf {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if path != "" {
				name = path + "." + name
			}
			to = appendLeaves(to, n.Content[i+1], name)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			to = appendLeaves(to, item, path+"["+strconv.Itoa(i)+"]")
		}
	default:
		to = append(to, leaf{path, n.Value})
	}
	return to
}

func changeOf(path, before, after string) FieldChange {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	same := 0
	for same < min(len(was), len(is))-1 && was[same] == is[same] {
		same++
	}
	if len(was)+len(is) == 2 {
		return FieldChange{Field: path, Before: cut(before), After: cut(after)}
	}
	line := fmt.Sprintf("line %d: ", same+1)
	return FieldChange{Field: path, Before: line + cut(was[same]), After: line + cut(is[same])}
}

// cut shortens a value to what fits into a line.
func cut(text string) string {
	const most = 80
	first, _, more := strings.Cut(text, "\n")
	if r := []rune(first); len(r) > most {
		return string(r[:most]) + "…"
	}
	if more {
		return first + " …"
	}
	return first
}
